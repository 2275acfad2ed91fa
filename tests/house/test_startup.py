"""Start-up is most of what a small command costs: the everyday ones load little."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from minikube_py.cluster import Cluster
from tests.house.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Costly to import, in milliseconds on a slow machine: typer 70, rich 40, jsonschema 60, sqlite_utils 140, orjson 30.
NEVER = (
    "typer", "click", "rich", "jsonschema", "sqlite_utils", "kubernetes_validate", "bashkit", "dataclasses", "inspect",
    "asyncio", "logging", "argparse", "subprocess", "uuid", "importlib.metadata", "importlib.resources",
)  # fmt: skip
READING = ("yaml", "orjson", "random", "hashlib", "pathlib", "calendar", "urllib.parse")
ROOMS = ("apiserver", "engine", "scheduler", "controllers", "kubelet", "programs")  # what no reading command needs
PROGRAM = """
import sys
before = set(sys.modules)  # an editable install, for one, has loaded pathlib by now
from minikube_py.__main__ import main
code = main(sys.argv[1:])
sys.stdout.flush()
print(code, *sorted(set(sys.modules) - before), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose current cluster has three running pods, written by this process."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "clusters").mkdir()
    with Cluster.make(str(folder / "clusters" / "kpy.db"), name="kpy", epoch_s=1_767_225_600) as cluster:
        for name in ("a", "b", "c"):
            cluster.create(
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": {"name": name},
                    "spec": {"containers": [{"name": "main", "image": "nginx:1.27"}]},
                }
            )
        assert cluster.reconcile().settled
    return folder


def loaded(home: Path, *words: str) -> set[str]:
    """The modules that a command line has loaded when it ends; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "KPY_HOME": str(home), "PYTHONPATH": str(ROOT)},
        check=True,
    )
    code, *modules = done.stderr.split()
    assert code == "0", done.stderr
    return set(modules)


@pytest.mark.parametrize(
    "line", ["get pods", "get pods -o wide", "get pods -o name", "get pods -o yaml", "get pod a -o jsonpath={.status.phase}", "describe pod a", "api-resources", "config current-context", "version"]
)  # fmt: skip
def test_reading_loads_little(home: Path, line: str) -> None:
    modules = loaded(home, *line.split())
    unwanted = [name for name in (*NEVER, *READING) if name in modules]
    unwanted += [f"minikube_py.{room}" for room in ROOMS if f"minikube_py.{room}" in modules]
    assert not unwanted, f"kpy {line} loads {unwanted}"


@pytest.mark.parametrize("path", ["01-pod.yaml", "02-web.yaml", "06-config.yaml"])
def test_applying_a_good_file_loads_yaml_and_the_api_server_but_no_engine(home: Path, path: str) -> None:
    modules = loaded(home, "apply", "-f", str(ROOT / "manifests" / path))
    assert "minikube_py.apiserver.verbs" in modules
    assert not [name for name in (*NEVER, "orjson", "minikube_py.engine") if name in modules]


def test_a_table_of_many_pods_may_load_the_fast_json_reader_and_nothing_else(home: Path) -> None:
    assert not [name for name in NEVER if name in loaded(home, "get", "all", "-A")]
