"""kpy is killed (SIGKILL) in the midst of its work: the file is whole, and the next reconcile ends where it would have.

The moments are taken from how long the command takes when nobody disturbs it, so that they fall into start-up, work and
commit on slow machines and fast ones alike.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from minikube_py import home
from minikube_py.cluster import Cluster
from tests.simulation import checkers, workload

ROOT = Path(__file__).parents[2]
EPOCH_S = 1_790_000_000
DEPLOYMENTS, REPLICAS = 8, 4


def manifest() -> str:
    """A file that is worth interrupting: JSON documents, one after the other."""
    names = [f"app-{number}" for number in range(DEPLOYMENTS)]
    objects = [workload.deployment(name, REPLICAS, 1, "25%", "25%") for name in names]
    for obj in objects:  # all of them fit on the nodes
        obj["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "10m", "memory": "8Mi"}}
    return "\n".join(map(json.dumps, [*objects, *map(workload.service, names)]))


class Kpy:
    """`kpy` as its own process, in a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "clusters" / "kpy.db"
        self.environment = {**os.environ, "KPY_HOME": str(folder), "PYTHONPATH": str(ROOT)}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "minikube_py", *words],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def run(self, *words: str) -> float:
        """Run to the end; the seconds it took."""
        begin = time.monotonic()
        process = self.start(*words)
        assert process.communicate(timeout=120)[1] == b""
        assert process.returncode == 0
        return time.monotonic() - begin

    def kill_after(self, seconds: float, *words: str) -> bool:
        """Kill it in its work; False if it was done before."""
        process = self.start(*words)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return process.returncode == -signal.SIGKILL
        return False

    def copy(self, target: Path) -> Kpy:
        shutil.copytree(self.folder, target)
        return Kpy(target)

    def check(self) -> None:
        with closing(sqlite3.connect(self.file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        with Cluster.open(str(self.file)) as cluster:
            checkers.check_all(cluster)

    def state(self) -> dict[str, Any]:
        """Every object as it is, with its uid, its times and its revision."""
        with Cluster.open(str(self.file)) as cluster:
            return {"/".join(key): cluster.store.get(key) for key in cluster.store.keys("*")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Kpy:
    folder = tmp_path_factory.mktemp("kill") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPY_HOME", str(folder))
        home.start("kpy", epoch_s=EPOCH_S, seed=3).close()
    (folder / "big.json").write_text(manifest())
    return Kpy(folder)


@pytest.mark.parametrize("command", ["apply", "reconcile", "delete"])
def test_what_a_killed_command_leaves_is_whole_and_ends_in_the_same_state(
    command: str, made: Kpy, tmp_path: Path
) -> None:
    words = {
        "apply": ("apply", "-f", str(made.folder / "big.json")),
        "reconcile": ("reconcile",),
        "delete": ("delete", "-f", str(made.folder / "big.json"), "--wait=false", "--ignore-not-found"),
    }
    earlier = list(words)[: list(words).index(command)]
    before = made.copy(tmp_path / "before")
    for word in earlier:
        before.run(*words[word])
    undisturbed = before.copy(tmp_path / "undisturbed")
    took_s = undisturbed.run(*words[command])
    undisturbed.run("reconcile")
    wanted = undisturbed.state()

    killed = 0
    for share in (0.5, 0.8, 0.97):
        victim = before.copy(tmp_path / f"at-{share}")
        killed += victim.kill_after(took_s * share, *words[command])
        victim.check()
        if command != "reconcile":
            victim.run(*words[command])
        victim.run("reconcile")
        victim.check()
        assert victim.state() == wanted
    assert killed, "every run was faster than its kill"
