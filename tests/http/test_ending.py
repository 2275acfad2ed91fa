"""How a server ends and begins again, as a process: open watches, damaged files, a second start."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tests.clients import serving, twice

if TYPE_CHECKING:
    from pathlib import Path


def test_a_server_with_an_open_watch_ends_at_once_and_says_nothing(tmp_path: Path) -> None:
    with serving.served(tmp_path) as server:
        words = [twice.KUBECTL, "get", "configmaps", "--watch-only"]
        watching = subprocess.Popen(words, env=server.environment, stdout=subprocess.DEVNULL)
        time.sleep(1)
    assert watching.wait(10) == 0
    assert "ERROR" not in (tmp_path / "clusters" / "kpy.serve" / "log").read_text()


def test_damaged_tokens_are_made_anew_and_a_running_server_is_handed_out(tmp_path: Path) -> None:
    folder = tmp_path / "clusters" / "kpy.serve"
    with serving.served(tmp_path):
        pass
    (folder / "tokens.json").write_text("[1]")
    with serving.served(tmp_path) as server:
        file = tmp_path / "one-more.yaml"
        assert serving.kpy(tmp_path, "serve", "--background", "--kubeconfig", str(file)).returncode == 0
        assert server.address in file.read_text()
        file.write_text("clusters: {a: 1}\n")
        refused = serving.kpy(tmp_path, "serve", "--background", "--kubeconfig", str(file))
        assert (refused.returncode, file.read_text()) == (1, "clusters: {a: 1}\n")
        assert "is not a kubeconfig: its clusters are no list" in refused.stderr
