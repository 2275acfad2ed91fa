"""Commands of recordings about quotas, storage, evictions and deletion, with what the real cluster answered.

`DIFFERENT` names the answers that are known to differ, with the reason; nothing else may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.traces import commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.traces.machine import Machine, Object

FIVE = tuple(f"fake-{number:03}" for number in range(5))


def _users_of_classes(machine: Machine, step: Object) -> None:
    if step["t"] == 12.52:
        machine.cluster.create(commands.user_of("w", "user", "x-st2"))


def _users_and_losses(machine: Machine, step: Object) -> None:
    cluster, namespace = machine.cluster, "x-st3"
    if step["t"] == 18.67:
        for name in ("user", "user2"):
            cluster.create(commands.user_of("prot", name, namespace))
    elif step["t"] == 20.75:
        cluster.create(commands.user_of("prot", "user3", namespace))
    elif step["t"] == 28.22:
        cluster.patch("persistentvolumes", "lost", "", {"metadata": {"finalizers": None}})
        machine.pass_time(0)


BETWEEN: dict[str, Callable[[Machine, Object], None]] = {
    "classes_and_waiting": _users_of_classes,
    "reclaim_protection_expansion": _users_and_losses,
}
# The binder of the real cluster looked at waiting claims every 15 s, counted from a moment of its own.
EPOCHS = {"reclaim_protection_expansion": 1_795_559_012}
RECORDINGS = (
    "quota_limitrange", "classes_and_waiting", "reclaim_protection_expansion", "garbage_collection", "jobs", "cronjobs", "daemonsets", "statefulsets",
)  # fmt: skip
DIFFERENT: dict[str, dict[float, str]] = {}


@pytest.mark.parametrize("name", RECORDINGS)
def test_commands_answer_as_they_did_on_a_real_cluster(name: str, tmp_path: Path) -> None:
    between, epoch_s = BETWEEN.get(name), EPOCHS.get(name)
    outcomes = list(commands.replay(tmp_path, name, nodes=FIVE, between=between, epoch_s=epoch_s))
    different = [one for one in outcomes if not one.equal and one.step["t"] not in DIFFERENT.get(name, {})]
    print(f"{name}: {sum(one.equal for one in outcomes)} of {len(outcomes)} equal")
    assert not different, "\n".join(f"{one.title}\n--- recorded\n{one.expected}\n--- found\n{one.found}" for one in different)
