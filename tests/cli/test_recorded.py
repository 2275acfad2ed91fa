"""kpy prints what kubectl printed, byte for byte but for chance and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli import recorded

if TYPE_CHECKING:
    from tests.cli.recorded import Outcome

# What cannot be equal, with the reason; docs/differences.md tells the user.
KNOWN = {
    "delete_all": "whether the garbage collector or kubectl comes first to the ReplicaSets is a race",
    **dict.fromkeys(
        ("top_nodes", "top_pods"), "the recorded cluster had no metrics server, a cluster of kpy's has one"
    ),
    "port_forward": "there is no network to forward to",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every recorded command, run once in its order."""
    return {outcome.case.name: outcome for outcome in recorded.replay(tmp_path_factory.mktemp("recorded"))}


@pytest.mark.parametrize("name", [case.name for case in recorded.recorded()[1] if case.name not in KNOWN])
def test_the_command_prints_what_kubectl_printed(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.found == outcome.expected, f"kubectl {outcome.case.command}"


def test_what_is_listed_as_different_is_different(
    outcomes: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    equal = [name for name, outcome in outcomes.items() if outcome.equal]
    with capsys.disabled():
        print(f"\nrecorded commands: {len(equal)} of {len(outcomes)} equal")
    assert [name for name in equal if name in KNOWN] == []
