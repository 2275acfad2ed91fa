"""What a write changed of a pod, read off its reverse patch."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import facets as of
from minikube_py.api.types import Key
from minikube_py.base import patch
from minikube_py.store.store import Change, Store

Object = dict[str, Any]
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
SCHEDULED = {"type": "PodScheduled", "status": "True"}
POD: Object = {
    "metadata": {"name": "p", "labels": {"app": "web"}, "ownerReferences": [{"uid": "u"}]},
    "spec": {"containers": [{"name": "c"}], "nodeName": "n"},
    "status": {"phase": "Running", "podIP": "10.0.0.2", "conditions": [SCHEDULED, READY], "startTime": "t"},
}


@pytest.mark.parametrize(
    ("change", "facets"),
    [
        ({"spec": {"nodeName": "m"}}, of.NODE),
        ({"spec": {"priority": 3}}, of.SPEC),
        ({"spec": {"priority": 3, "nodeName": "m"}}, of.SPEC | of.NODE),
        ({"metadata": {"labels": {"app": "db"}}}, of.LABELS),
        ({"metadata": {"labels": {"tier": "x"}}}, of.LABELS),
        ({"metadata": {"ownerReferences": None}}, of.OWNERS),
        ({"metadata": {"deletionTimestamp": "t"}}, of.LEAVING),
        ({"metadata": {"annotations": {"a": "b"}}}, of.OTHER),
        ({"status": {"phase": "Unknown"}}, of.PHASE),
        ({"status": {"phase": "Failed"}}, of.PHASE | of.ENDED),
        ({"status": {"podIP": "10.0.0.3"}}, of.ADDRESS),
        ({"status": {"startTime": None}}, of.STARTED),
        ({"status": {"nominatedNodeName": "n"}}, of.PROMISED),
        ({"status": {"containerStatuses": [{}]}}, of.CONTAINERS),
        ({"status": {"resourceClaimStatuses": [{}]}}, of.CLAIMS),
        ({"status": {"message": "m"}}, of.OTHER),
        ({"status": {"conditions": [SCHEDULED, {**READY, "status": "False"}]}}, of.READY | of.OTHER),
        ({"status": {"conditions": [READY]}}, of.SCHEDULED | of.OTHER),
        ({"status": {"conditions": [SCHEDULED]}}, of.READY | of.OTHER),
        ({"status": {"conditions": [{"type": "x"}, SCHEDULED, READY]}}, of.OTHER),
        ({"status": None}, of.PHASE | of.ADDRESS | of.READY | of.SCHEDULED | of.STARTED | of.OTHER),
        ({}, of.OTHER),
    ],
    ids=str,
)
def test_a_change_has_the_facets_of_what_it_touches_there_and_back(change: Object, facets: int) -> None:
    new = patch.merge(POD, change)
    assert of.of_change(patch.diff(new, POD), POD, new) == facets
    assert of.of_change(patch.diff(POD, new), new, POD) == facets


class Follower:
    """A derived cache that wants some facets only."""

    resources = frozenset(("pods",))
    facets = of.CAME | of.READY

    def __init__(self) -> None:
        self.told: list[tuple[str, bool, bool]] = []

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        self.told.append((key.resource, old is not None, new is not None))


def test_a_follower_is_told_of_what_it_wants_alone() -> None:
    store, follower = Store(":memory:"), Follower()
    store.derived("follower", lambda: follower)
    key = Key("pods", "default", "p")
    told: list[Change] = store.changes
    with store.transaction():
        pod = store.put(key, POD, time_s=1, actor="a", cause=0)
        pod = store.put(key, {**pod, "status": {**pod["status"], "phase": "Unknown"}}, time_s=1, actor="a", cause=0)
        store.put(key, {**pod, "status": {**pod["status"], "conditions": []}}, time_s=1, actor="a", cause=0)
        store.remove(key, time_s=1, actor="a", cause=0)
        store.put(Key("nodes", "", "n"), {"metadata": {"name": "n"}, "spec": {}}, time_s=1, actor="a", cause=0)
        assert [change.facets for change in told] == [
            of.CAME, of.PHASE, of.READY | of.SCHEDULED | of.OTHER, of.WENT, of.ALL,
        ]  # fmt: skip
    assert follower.told == [("pods", False, True), ("pods", True, True)]
