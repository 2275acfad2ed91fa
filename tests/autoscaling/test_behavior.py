"""Windows, policies and limits; and what must hold whatever comes: bounds, and no change faster than the policies."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from minikube_py.autoscaling import behavior
from minikube_py.autoscaling.behavior import Bounds, Past

NOTHING = Past([], [], [])
PODS_4 = {"type": "Pods", "value": 4, "periodSeconds": 60}
PERCENT_10 = {"type": "Percent", "value": 10, "periodSeconds": 60}


@pytest.mark.parametrize(
    ("current", "asked", "replicas", "reason"),
    [
        (1, 40, 4, "ScaleUpLimit"),
        (4, 40, 8, "ScaleUpLimit"),
        (32, 60, 40, "TooManyReplicas"),
        (4, 0, 1, "TooFewReplicas"),
        (4, 6, 6, "DesiredWithinRange"),
    ],
)
def test_without_behavior_one_sync_goes_at_most_to_twice_or_four(
    current: int, asked: int, replicas: int, reason: str
) -> None:
    decided = behavior.decide(asked, Bounds(current, 1, 40), None, NOTHING, 1000, 300)
    assert (decided.replicas, decided.limited[0]) == (replicas, reason)


def test_the_highest_recommendation_of_five_minutes_holds_the_count_up() -> None:
    past = Past([[8, 1000.0]], [], [])
    assert behavior.decide(2, Bounds(8, 1, 10), None, past, 1299, 300).replicas == 8
    assert behavior.decide(2, Bounds(8, 1, 10), None, past, 1300, 300).replicas == 2


def test_ten_percent_a_minute_of_twenty_are_two_and_no_more_within_the_minute() -> None:
    rules = {"scaleDown": {"policies": [PERCENT_10], "stabilizationWindowSeconds": 0}}
    past = NOTHING
    first = behavior.decide(1, Bounds(20, 1, 40), rules, past, 1000, 300)
    assert (first.replicas, first.limited[0]) == (18, "ScaleDownLimit")
    past = behavior.with_change(past, rules, 20, 18, 1000)
    assert behavior.decide(1, Bounds(18, 1, 40), rules, past, 1030, 300).replicas == 18
    assert behavior.decide(1, Bounds(18, 1, 40), rules, past, 1060, 300).replicas == 16


@pytest.mark.parametrize(("policy", "up", "down"), [("Max", 14, 6), ("Min", 11, 9), ("Disabled", 10, 10)])
def test_select_policy_takes_the_largest_or_the_smallest_change_or_none(policy: str, up: int, down: int) -> None:
    rules = {"policies": [PODS_4, PERCENT_10], "selectPolicy": policy}
    assert behavior.highest_allowed(10, rules, NOTHING, 1000) == up
    assert behavior.lowest_allowed(10, rules, NOTHING, 1000) == down


def test_it_never_leaves_the_bounds_and_never_passes_the_policies() -> None:
    rules: dict[str, Any] = {
        "scaleUp": {"policies": [PODS_4], "stabilizationWindowSeconds": 0},
        "scaleDown": {"policies": [PODS_4], "stabilizationWindowSeconds": 30},
    }
    dice, current, past, history = Random(7), 5, NOTHING, [(0, 5)]
    for now in range(0, 30_000, 15):
        decided = behavior.decide(dice.randint(0, 40), Bounds(current, 2, 30), rules, past, now, 300)
        assert 2 <= decided.replicas <= 30
        past = past._replace(recommendations=decided.recommendations)
        if decided.replicas != current:
            began = [count for at, count in history if at <= now - 60][-1:] or [5]
            is_up = decided.replicas > current
            assert (decided.replicas - began[0] if is_up else began[0] - decided.replicas) <= 4
            past = behavior.with_change(past, rules, current, decided.replicas, now)
            current = decided.replicas
            history.append((now, current))
        assert len(past.recommendations) < 10
        assert len(past.ups) + len(past.downs) < 20
