"""The HPA controller does what the real one did: desired counts, conditions, reasons, texts and events at every sync."""

from __future__ import annotations

import pytest

from tests.autoscaling.recorded import Replay, traces

TRACES = traces()


@pytest.mark.parametrize("name", sorted(TRACES))
def test_every_sync_of_a_recorded_trace_comes_out_the_same(name: str) -> None:
    replay = Replay(TRACES[name])
    replay.run()
    assert replay.wrong == []
    assert replay.checked > 0


def test_all_traces_are_there_and_the_number_of_their_syncs_is_known() -> None:
    checked = equal = 0
    for trace in TRACES.values():
        replay = Replay(trace)
        replay.run()
        checked += replay.checked
        equal += replay.checked - len({text.partition(":")[0] for text in replay.wrong})
    print(f"{equal}/{checked} syncs of {len(TRACES)} traces are equal")
    assert (len(TRACES), equal) == (79, checked)
