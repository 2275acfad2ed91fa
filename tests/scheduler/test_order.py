"""Which nodes are looked at, in which order, and how many."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.nodes import ZONE, place_of
from minikube_py.scheduler import nodes
from minikube_py.scheduler.cycle import nodes_to_find
from minikube_py.scheduler.framework import Refusal, normalize
from minikube_py.scheduler.messages import fit_error
from minikube_py.scheduler.plugins.priority_sort import queue_key


@pytest.mark.parametrize(
    ("count", "enough"), [(0, 0), (3, 3), (99, 99), (100, 100), (200, 100), (1000, 420), (5000, 500), (6000, 300)]
)
def test_a_share_of_the_nodes_is_enough(count: int, enough: int) -> None:
    assert nodes_to_find(count) == enough


def _node(name: str, created: str, zone: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "creationTimestamp": created, "labels": {ZONE: zone}}}


def test_zones_take_turns_and_the_oldest_node_comes_first() -> None:
    found = [_node("a", "2", "east"), _node("b", "1", "east"), _node("c", "3", "west"), _node("d", "4", "east")]
    assert nodes.in_order(map(place_of, found)) == ["b", "c", "a", "d"]
    assert nodes.in_order([]) == []


def test_the_queue_goes_by_priority_then_age() -> None:
    pods = [
        {"metadata": {"name": name, "creationTimestamp": created}, "spec": {"priority": priority}}
        for name, created, priority in (("old", "1", 0), ("new", "2", 0), ("high", "3", 9))
    ]
    assert [pod["metadata"]["name"] for pod in sorted(pods, key=queue_key)] == ["high", "old", "new"]


def test_scores_are_stretched_to_a_hundred() -> None:
    assert normalize([0, 1, 4]) == [0, 25, 100]
    assert normalize([0, 1, 4], reverse=True) == [100, 75, 0]
    assert normalize([0, 0]) == [0, 0]
    assert normalize([0, 0], reverse=True) == [100, 100]


def test_reasons_are_sorted_as_texts_with_their_counts() -> None:
    refusals = {Refusal(("Too many pods",)): 10, Refusal(("Insufficient cpu", "Too many pods")): 2}
    assert fit_error(refusals) == "0/12 nodes are available: 12 Too many pods, 2 Insufficient cpu."
