"""A recorded session: command lines on one cluster, in order, against what a real kubectl 1.37 printed.

Masked: uids, times and ages, the random ends of names, addresses, blanks that depend on those.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[1] / "data" / "cli"
SESSION: list[dict[str, Any]] = json.loads((DATA / "session.json").read_text())
MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\b\w{3}, \d\d \w{3} \d{4} [\d:]+ \+0000", "TIME"),
    (r"(web|x|y)-[0-9a-z]{8,10}(-[0-9a-z]{5})?", r"\1-HASH"),
    (r"(agent|pi)-[0-9a-z]{5}\b", r"\1-RANDOM"),
    (r"10\.\d+\.\d+\.\d+", "ADDRESS"),
    (r"\b\d+[smh](\d+[sm])?\b", "AGE"),
    (r" +", " "),
    (r'resourceVersion: "\d+"', "REVISION"),
)


def masked(text: str) -> str:
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


@pytest.fixture(scope="module")
def answers(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[int, str, str]]]:
    """What kpy answers to each command of the session, by name."""
    folder = tmp_path_factory.mktemp("session") / "home"
    shutil.copytree(template, folder)
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPY_HOME", str(folder))
        patch.chdir(DATA)
        for row in SESSION:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(row.get("stdin", "").encode())))
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                code = main(shlex.split(row["command"]))
            found[row["name"]] = (code, out.getvalue(), err.getvalue())
            if row["name"] == "apply_state":
                with redirect_stdout(io.StringIO()):
                    main(["reconcile"])
        yield found


@pytest.mark.parametrize("row", SESSION, ids=[row["name"] for row in SESSION])
def test_a_command_answers_as_the_real_kubectl(row: dict[str, Any], answers: dict[str, tuple[int, str, str]]) -> None:
    code, out, err = answers[row["name"]]
    assert masked(out) == masked(row["stdout"])
    assert masked(err) == masked(row["stderr"])
    assert code == row["exit"]
