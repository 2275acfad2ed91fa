"""Why pods found no node, in the words of a real cluster, while nodes were tainted and cordoned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.traces.machine import Machine, load

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("a", "b", "c", "d", "taint", "e", "nodename_missing", "cordon", "f", "anti", "pvc")
UNTIL_S = 7  # then all nodes were freed for the next recording, and what was tried first is chance
REFUSED = "FailedScheduling"


def _whose(regarding: str) -> str:
    """'Pod/anti-77f79ff8dc-4hfqv' is one of 'anti': which of five found no place is chance."""
    name = regarding.removeprefix("Pod/")
    return "anti" if name.startswith("anti-") else name


def replay(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """(recorded, found): pod -> what it was told first."""
    data = load("s_scheduling")
    recorded: dict[str, list[str]] = {}
    for row in sorted(data["rows"], key=lambda row: row["rv"]):
        if row["kind"] == "events" and row["fields"]["reason"] == REFUSED and row["t"] < UNTIL_S:
            recorded.setdefault(_whose(row["fields"]["object"]), []).append(row["fields"]["message"])
    machine = Machine(folder, ("fake-000", "fake-001", "fake-002"), ["t-s"])
    found: dict[str, list[str]] = {}
    try:
        for name in COMMANDS:
            answer = machine.kpy(data[name]["cmd"], data[name].get("stdin") or "")
            assert (answer.code, answer.out) == (data[name]["rc"], data[name]["stdout"])
            machine.pass_time(1)
        for change in machine.changes("t-s"):
            if change.key.resource == "events" and change.new is not None and change.new["reason"] == REFUSED:
                about = change.new["involvedObject"]["name"]
                found.setdefault(_whose(about), []).append(change.new["message"])
    finally:
        machine.close()
    return _first(recorded), _first(found)


def _first(told: dict[str, list[str]]) -> dict[str, str]:
    """The first refusal of each pod. The real scheduler tried waiting pods again when a node was tainted or cordoned, which
    could not help them, and told them the new reasons; here only what may help calls a pod."""
    return {name: texts[0] for name, texts in told.items()}


def test_pods_are_refused_in_the_same_words(tmp_path: Path) -> None:
    recorded, found = replay(tmp_path)
    equal = sum(found.get(name) == text for name, text in recorded.items())
    print(f"s_scheduling: {equal} of {len(recorded)} equal")
    assert found == recorded
