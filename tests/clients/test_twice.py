"""The real kubectl against the server prints what kpy prints by itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.clients import twice

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(not os.path.exists(twice.KUBECTL), reason="there is no kubectl here")
def test_every_recorded_command_prints_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = list(twice.run(tmp_path))
    different = [pair for pair in pairs if not pair.equal]
    with capsys.disabled():
        print(f"\nkubectl against serve, and kpy: {len(pairs) - len(different)} of {len(pairs)} equal")
    assert not different, "\n".join(f"kubectl {pair.case.command}\n{pair.difference}" for pair in different)
