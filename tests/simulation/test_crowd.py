"""Many kpy processes at once on one cluster: nobody is told of a lock, nothing is lost, the log has no gaps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minikube_py import home
from minikube_py.cluster import Cluster
from minikube_py.store import check
from tests.simulation import checkers, workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
WRITERS, ROUNDS, RECONCILERS = 4, 3, 2  # with one that deletes and one that reads: eight processes
DOOMED = ("doomed-1", "doomed-2", "doomed-3")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPY_HOME", str(tmp_path))
    home.start("kpy", epoch_s=1_790_000_000, seed=5).close()
    return tmp_path


def lines_of(writer: int) -> Iterator[str]:
    """What one person types."""
    for number in range(ROUNDS):
        name = f"app-{writer}-{number}"
        yield f"apply -f {name}.json"
        yield f"scale deployment {name} --replicas={number + 2}"
        yield f"label deployment {name} writer=w{writer}"
        yield "label namespace default " + f"writer-{writer}={number} --overwrite"


def start(lines: Iterable[str], folder: Path) -> subprocess.Popen[str]:
    """A process that runs one command line after the other, each with a connection of its own, until one fails."""
    typist = (
        "import sys; from minikube_py.__main__ import main; sys.exit(any(main(line.split()) for line in sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", typist, *lines], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_processes_that_write_at_once_lose_nothing(folder: Path) -> None:
    for writer in range(WRITERS):
        for number in range(ROUNDS):
            name = f"app-{writer}-{number}"
            (folder / f"{name}.json").write_text(json.dumps(workload.deployment(name, 1, 1, "25%", "25%")))
    for name in DOOMED:
        (folder / f"{name}.json").write_text(json.dumps(workload.deployment(name, 2, 1, "25%", "25%")))
        assert start([f"apply -f {name}.json"], folder).communicate(timeout=120)[1] == ""
    readers = [["get pods -A", "describe nodes", "get events -A"] * ROUNDS]
    crowd = [
        *(lines_of(writer) for writer in range(WRITERS)),
        [f"delete deployment {name}" for name in DOOMED],
        *[["reconcile"] * ROUNDS] * RECONCILERS,
        *readers,
    ]
    for process in [start(lines, folder) for lines in crowd]:
        _, said = process.communicate(timeout=300)
        said = said.replace(home.WAITING, "").replace("No resources found\n", "")
        assert (process.returncode, said) == (0, "")

    assert check.problems(str(folder / "clusters" / "kpy.db")) == []
    with Cluster.open(str(folder / "clusters" / "kpy.db")) as cluster:
        checkers.check_all(cluster)
        cluster.reconcile(timeout_s=3600)
        checkers.check_settled(cluster)
        assert not [obj for obj in cluster.list("deployments") if obj["metadata"]["name"] in DOOMED]
        for writer in range(WRITERS):
            for number in range(ROUNDS):
                found = cluster.get("deployments", f"app-{writer}-{number}")
                assert found["spec"]["replicas"] == number + 2
                assert found["metadata"]["labels"] == {"writer": f"w{writer}"}
        labels = cluster.get("namespaces", "default")["metadata"]["labels"]
        assert {f"writer-{writer}": str(ROUNDS - 1) for writer in range(WRITERS)}.items() <= labels.items()


def test_processes_that_make_the_first_cluster_at_once_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPY_HOME", str(tmp_path / "home"))
    names = [f"map-{number}" for number in range(4)]
    for process in [start([f"create configmap {name}"], tmp_path) for name in names]:
        _, said = process.communicate(timeout=120)
        assert (process.returncode, said.replace(home.WAITING, "")) == (0, "")
    with Cluster.open(str(tmp_path / "home" / "clusters" / "kpy.db")) as cluster:
        checkers.check_all(cluster)
        found = [obj["metadata"]["name"] for obj in cluster.list("configmaps", "default")]
        assert set(names) <= set(found)
