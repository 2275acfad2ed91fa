"""A served cluster for tests: `kpy serve` as a process of its own, in a home of its own."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from tests.house.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOCK = "/apis/sim.kpy.dev/v1alpha1/clock"


class Served:
    """A running server. `environment`: what a client's process needs to find it."""

    def __init__(self, home: Path, kubeconfig: Path) -> None:
        self.home, self.kubeconfig = home, kubeconfig
        config = yaml.safe_load(kubeconfig.read_text())
        self.address = str(config["clusters"][0]["cluster"]["server"])
        self.token = str(config["users"][0]["user"]["token"])
        authority = home / "clusters" / f"{config['clusters'][0]['name']}.serve" / "ca.crt"
        self.authority = authority
        self.environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(home), "KUBERC": "off"}

    def call(self, method: str, path: str, body: Any = None, media: str = "application/json") -> Any:
        """One request as the administrator; the answer's JSON. Raises urllib.error.HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        if data is not None:
            request.add_header("Content-Type", media)
        context = ssl.create_default_context(cafile=str(self.authority))
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return json.loads(answer.read())

    def pass_time(self, seconds: int) -> None:
        self.call("POST", CLOCK, {"for": seconds})


def kpy(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`kpy` as a process."""
    environment = {**os.environ, "KPY_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "minikube_py", *words], env=environment, capture_output=True, text=True, timeout=120
    )


@contextmanager
def served(home: Path, *words: str) -> Iterator[Served]:
    """`kpy serve --background WORDS` in a home, ended afterwards."""
    started = kpy(home, "serve", "--background", "--env", *words)
    assert started.returncode == 0, started.stderr
    try:
        yield Served(home, _path(started.stdout))
    finally:
        stopped = kpy(home, "serve", "--stop")
        assert stopped.returncode == 0, stopped.stderr


def _path(line: str) -> Path:
    from pathlib import Path

    return Path(line.strip().removeprefix("export KUBECONFIG="))
