"""Every recorded refusal of a real kubectl 1.37 against a real API server 1.36, replayed through the command line.

The recorder's cluster had the namespace t-p (its context preferred it), no controllers, and nodes that only pretend to run
pods. It began anew with each manifest; the cases behind `seq_apply_ok` built upon each other.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py import home
from tests.cli.conftest import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ERRORS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "errors.json").read_text())
SEQUENCE = "seq_apply_ok"  # the first case of those that build upon each other

_LATER = "a command that kpy does not have yet"
# Cases that cannot be equal, with the reason.
KNOWN = {
    **dict.fromkeys(
        (
            "cmd: kubectl logs p1", "cmd: kubectl exec p1 -- ls",
        ),
        _LATER,
    ),
    "cmd: kubectl cluster-info": "the address of a cluster is its file",
    "cmd: kubectl -s https://127.0.0.1:9 get pods": "a cluster is a file, there is no server to reach",
}  # fmt: skip

MASKS = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\bweb-[a-z0-9]{5}\b"), "web-RANDOM"),
    (re.compile(r"^W\d{4} \S+ +\d+ \S+\] ", re.M), "W "),  # klog's time and source line
    (re.compile(r"(?<= )\d+s$", re.M), "AGE"),
)


def masked(text: str) -> str:
    text = text.replace("fake-000", "worker-1")  # the name of a node
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return text


def groups() -> dict[str, list[str]]:
    """The cases that share a cluster, in the order in which they were recorded."""
    found: dict[str, list[str]] = {}
    names = list(ERRORS)
    for number, name in enumerate(names):
        head = SEQUENCE if number >= names.index(SEQUENCE) else name.partition("__")[0]
        found.setdefault(head, []).append(name)
    return found


@pytest.fixture(scope="module")
def recorder_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorder's cluster: its context, its namespace."""
    folder = tmp_path_factory.mktemp("recorder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPY_HOME", str(folder))
        with home.start("oracle", epoch_s=1_790_000_000, seed=1) as cluster:
            cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "t-p"}})
        (folder / "namespaces").mkdir()
        (folder / "namespaces" / "oracle").write_text("t-p\n")
    return folder


@pytest.fixture
def template(recorder_home: Path) -> Path:
    return recorder_home


def command_line(case: dict[str, Any]) -> list[str]:
    return shlex.split(case["cmd"].replace("fake-000", "worker-1"))[1:]


def replay(names: list[str], kpy: Callable[..., Result]) -> Iterator[tuple[str, Result, Result]]:
    """(case, what was recorded, what kpy answers)."""
    for name in names:
        case = ERRORS[name]
        result = kpy(*command_line(case), stdin=case["stdin"])
        recorded = Result(case["rc"], masked(case["stdout"]), masked(case["stderr"]))
        yield name, recorded, Result(result.code, masked(result.out), masked(result.err))


@pytest.mark.parametrize("group", groups())
def test_kpy_answers_as_kubectl_did(group: str, kpy: Callable[..., Result]) -> None:
    for name, recorded, answer in replay(groups()[group], kpy):
        if name in KNOWN:
            assert answer != recorded, f"{name} is equal now: strike it from KNOWN"
            assert "Traceback" not in answer.err, name
        else:
            assert answer == recorded, name


def test_nearly_all_recorded_refusals_are_equal(capsys: pytest.CaptureFixture[str]) -> None:
    assert KNOWN.keys() <= ERRORS.keys()
    with capsys.disabled():
        print(f"\nrecorded refusals: {len(ERRORS) - len(KNOWN)} of {len(ERRORS)} equal")
    assert len(KNOWN) <= 12
