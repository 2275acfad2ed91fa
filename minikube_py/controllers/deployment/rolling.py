"""The strategy RollingUpdate: one direction in each sync. Scale up if we can; else scale down if we can; tell the status.

The status counts the ReplicaSets as the sync found them, not at the sizes that it gave them.

Source: k8s.io/kubernetes/pkg/controller/deployment/rolling.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.controllers.deployment import progress, sizes, sync

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome


def roll(work: sync.Work) -> Actions:
    sets = yield from sync.replica_sets(work, create=True)
    assert sets.new is not None, "replica_sets creates the new one or gives up"

    if (yield from _scale_new(work, sets)):
        yield from progress.write(work, sets)
        return

    scaled_down = yield from _scale_old(work, sets)
    if not scaled_down and progress.is_complete(work.deployment, work.deployment.get("status") or {}):
        yield from sync.clean_up(work, sets.old)
    yield from progress.write(work, sets)


def _scale_new(work: sync.Work, sets: sync.Sets) -> Generator[Action, Outcome, bool]:
    """The new ReplicaSet grows within the surge, or shrinks to the wanted size. Returns whether it did."""
    new = sets.new
    assert new is not None, "roll has seen to it"
    wanted, size = sizes.replicas(work.deployment), sizes.replicas(new)
    if size < wanted:
        wanted = sizes.new_set_size(work.deployment, sets.all, size)
    changed, _ = yield from sync.scale_set_to(work, new, wanted)
    return changed


def _scale_old(work: sync.Work, sets: sync.Sets) -> Generator[Action, Outcome, bool]:
    """Old ReplicaSets shrink by what availability allows: first pods that are unhealthy anyway, then healthy ones.
    Returns whether one did.

    Not while a ReplicaSet that was just made smaller still counts the available pods of its former size.
    """
    if sizes.total(sets.old) == 0 or sets.new is None:
        return False
    room = sizes.may_remove(work.deployment, sets.all, sets.new)
    lags = any(sizes.counted([rs], "availableReplicas") > sizes.replicas(rs) for rs in sizes.active(sets.old))
    if room <= 0 or lags:
        return False
    unhealthy_gone, old = yield from _remove_unhealthy(work, sets.old, room)
    healthy_gone = yield from _remove_healthy(work, old, sets.new)
    return unhealthy_gone or healthy_gone


def _remove_unhealthy(work: sync.Work, old: Objects, room: int) -> Generator[Action, Outcome, tuple[bool, Objects]]:
    """Take away up to `room` old pods that are not available, oldest ReplicaSet first: they hold up the rollout.

    room 3, old sets of 5 (4 available) and 4 (1 available): the first loses 1, the second 2.
    """
    result, removed = [], 0
    for rs in sizes.oldest_first(old):
        size = sizes.replicas(rs)
        count = min(room - removed, max(0, size - sizes.counted([rs], "availableReplicas")))
        _, scaled = yield from sync.scale_set_to(work, rs, size - count)
        result.append(scaled)
        removed += count
    return removed > 0, result


def _remove_healthy(work: sync.Work, old: Objects, new: Object) -> Generator[Action, Outcome, bool]:
    """Take away old pods while enough pods are available, oldest ReplicaSet first.

    may_remove = available(all) - (replicas - unavailable)
    10 replicas, 2 unavailable: 10 old and 1 new pods available: 11 - 8 = 3 old pods may go.
    """
    min_available = sizes.replicas(work.deployment) - sizes.max_unavailable(work.deployment)
    room = sizes.counted([*old, new], "availableReplicas") - min_available
    removed = 0
    for rs in sizes.oldest_first(old):
        size = sizes.replicas(rs)
        count = min(max(0, room - removed), size)
        yield from sync.scale_set_to(work, rs, size - count)
        removed += count
    return removed > 0
