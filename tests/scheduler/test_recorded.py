"""Every recorded decision of a real kube-scheduler, replayed: scores, refusals, choices, victims, events."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scheduler.recorded import Replay, cases

CASES = cases()
COUNTS = {
    "A": 18,
    "G": 4,
    "H": 6,
    "I": 24,
    "L": 6,
    "M": 5,
    "N": 7,
    "P": 18,
    "Q": 4,
    "R": 21,
    "S": 14,
    "T": 13,
    "V": 24,
    "X": 5,
    "Y": 28,
}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_decision_is_the_recorded_one(case: dict[str, Any]) -> None:
    replay = Replay(case).run()
    assert replay.differences == []
    assert replay.compared > 0


def test_no_recorded_case_is_lost() -> None:
    found = {group: sum(case["name"][0] == group for case in CASES) for group in COUNTS}
    assert found == COUNTS
    assert len(CASES) == sum(COUNTS.values())
