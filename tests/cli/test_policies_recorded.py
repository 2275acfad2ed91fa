"""Two recorded sessions with a real API server 1.36: custom resources, and ValidatingAdmissionPolicies.

Masked: uids, revisions, times and ages.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("cel_expr_python")
RECORDED = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "data" / "policies" / "recorded.json.gz").read_bytes())
)
MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r'(resource_?version"?: +"?|Resource Version: +)\d+', r"\1REVISION"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \+\d{4}", "TIME"),
    (r"/tmp/(LIVE|MERGED)-\w+", r"/tmp/\1"),
    (r"\b\d+[smh](\d+[sm])?\b *", "AGE "),
    (r" +\n", "\n"),
)
# What is otherwise, and why.
DIFFERENT = {
    ("definitions", 10): "metrics.k8s.io was served there, sim.kpy.dev is here",
    ("definitions", 43): "the findings about a map come in no order",
    ("definitions", 102): "kubectl had cached that there were widgets",
}
# What somebody did before a command that was not recorded.
UNRECORDED = {
    ("definitions", 0): [["create", "namespace", "x-crd"]],
    ("policies", 0): [["create", "namespace", "x-vap"], ["label", "namespace", "x-vap", "env=test"]],
    ("policies", 15): [["delete", "validatingadmissionpolicybinding", "x-repl-b"]],
    ("policies", 30): [["reconcile"]],
    ("policies", 31): [["delete", "validatingadmissionpolicybinding", "x-err-b"]],
}
ROWS = [
    pytest.param(name, row, id=f"{name}-{row['number']}-{row.get('note', row['cmd'][8:60])}")
    for name, rows in RECORDED.items()
    for row in rows
    if (name, row["number"]) not in DIFFERENT
]


def masked(text: str) -> str:
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text, flags=re.IGNORECASE)
    return text


def words(command: str) -> list[str]:
    """The arguments of a recorded command, whose quotes are lost."""
    for flag in (" -p ", " -o jsonpath="):
        command, found, value = command.partition(flag)
        if found:
            return [*command.split()[1:], *([flag.strip(), value] if flag == " -p " else [f"-ojsonpath={value}"])]
    return command.split()[1:]


@pytest.fixture(scope="module")
def answers(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Any, tuple[int, str, str]]]:
    """What kpy answers to each command of the sessions."""
    folder = tmp_path_factory.mktemp("policies") / "home"
    shutil.copytree(template, folder)
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPY_HOME", str(folder))
        for name, rows in RECORDED.items():
            for row in rows:
                for command in UNRECORDED.get((name, row["number"]), ()):
                    with redirect_stdout(io.StringIO()):
                        assert main(command) == 0
                patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(row.get("stdin", "").encode())))
                out, err = io.StringIO(), io.StringIO()
                with redirect_stdout(out), redirect_stderr(err):
                    code = main(words(row["cmd"]))
                found[name, row["number"]] = (code, out.getvalue(), err.getvalue())
        yield found


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_command_answers_as_on_a_real_cluster(
    name: str, row: dict[str, Any], answers: dict[Any, tuple[int, str, str]]
) -> None:
    code, out, err = answers[name, row["number"]]
    assert masked(err) == masked(row.get("stderr", ""))
    assert masked(out) == masked(row.get("stdout", ""))
    assert code == row.get("rc", 0)
