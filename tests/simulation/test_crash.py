"""Thirty kills of `make crash`, from a seed; SEED chooses another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks of itself")
def test_thirty_kills_leave_whole_files_that_end_the_same() -> None:
    seed = os.environ.get("SEED", "1")
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.crash", "--kills", "30", "--seed", seed],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30 kills: every file whole, every end the same" in done.stdout
    killed = sum(int(line.split()[1]) for line in done.stdout.splitlines() if " killed in " in line)
    assert killed, done.stdout
