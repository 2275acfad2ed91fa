"""helm 4 against the server (as a library, helm-python-sdk): install, upgrade, rollback, uninstall, waiting, a failing hook."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.serving import Served

pytestmark = pytest.mark.skipif(find_spec("helm_python") is None, reason="there is no helm here")
HOOK = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-check
  annotations: {"helm.sh/hook": pre-upgrade, "helm.sh/hook-delete-policy": before-hook-creation}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: check, image: busybox, command: [sh, -c, "exit {{ .Values.hookCode }}"]}]
"""
# What `helm create` makes, driven by the steps of the test; each prints the outcome as JSON.
PROGRAM = """
import json, sys
import helm_python as helm
folder, steps = sys.argv[1], json.loads(sys.argv[2])
config = helm.Config(namespace="default")
for step, arguments in steps:
    if step in ("install", "upgrade"):
        arguments["chart"] = folder
    try:
        found = getattr(config, step)(**arguments)
        print(json.dumps({"step": step, "found": found}, default=str))
    except helm.HelmError as error:
        print(json.dumps({"step": step, "error": str(error)}))
"""


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("charts")
    code = f"import helm_python; helm_python.Chart.create('shop', {str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    (folder / "shop" / "templates" / "hook.yaml").write_text(textwrap.dedent(HOOK))
    with (folder / "shop" / "values.yaml").open("a") as values:
        values.write("\nhookCode: 0\n")
    return folder / "shop"


def helm(server: Served, chart: Path, *steps: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What helm said to each step."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(chart), json.dumps(steps)], env=server.environment, capture_output=True,
        text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_chart_lives_from_install_to_uninstall(server: Served, chart: Path) -> None:
    deployment = "/apis/apps/v1/namespaces/default/deployments/web-shop"
    (installed,) = helm(server, chart, ("install", {"name": "web", "wait": "watcher", "timeout": 60}))
    assert installed.get("found", {}).get("info", {}).get("status", "deployed") == "deployed", installed
    assert "error" not in installed, installed
    assert server.call("GET", deployment)["status"]["readyReplicas"] == 1
    (upgraded,) = helm(
        server, chart, ("upgrade", {"name": "web", "values": {"replicaCount": 3}, "wait": "watcher", "timeout": 60})
    )
    assert "error" not in upgraded, upgraded
    assert server.call("GET", deployment)["status"]["readyReplicas"] == 3
    (refused,) = helm(
        server, chart, ("upgrade", {"name": "web", "values": {"hookCode": 1}, "wait": "watcher", "timeout": 60})
    )
    assert "pre-upgrade hooks failed" in refused["error"], refused
    rolled, history = helm(
        server,
        chart,
        ("rollback", {"name": "web", "version": 1, "wait": "watcher", "timeout": 60}),
        ("history", {"name": "web"}),
    )
    assert "error" not in rolled, rolled
    assert server.call("GET", deployment)["spec"]["replicas"] == 1
    assert len(history["found"]) == 4
    listed, gone = helm(server, chart, ("list", {}), ("uninstall", {"name": "web", "wait": "watcher", "timeout": 60}))
    assert "web" in json.dumps(listed)
    assert "error" not in gone, gone
    assert server.call("GET", "/apis/apps/v1/namespaces/default/deployments")["items"] == []
    assert not [
        one
        for one in server.call("GET", "/api/v1/namespaces/default/secrets")["items"]
        if one["type"].startswith("helm")
    ]


def test_a_dry_run_and_a_chart_that_cannot_be_installed(server: Served, chart: Path) -> None:
    dry, wrong = helm(
        server, chart, ("install", {"name": "dry", "dry_run": "server"}),
        ("install", {"name": "wrong", "values": {"service": {"port": 99999}}}),
    )  # fmt: skip
    assert "error" not in dry, dry
    assert "must be between 1 and 65535" in wrong["error"]
    assert not [
        one
        for one in server.call("GET", "/api/v1/namespaces/default/services")["items"]
        if "shop" in one["metadata"]["name"]
    ]
