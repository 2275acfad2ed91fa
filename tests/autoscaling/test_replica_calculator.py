"""Worked examples of the formulas, among them those of the Kubernetes documentation."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.autoscaling import replica_calculator as calculator
from minikube_py.autoscaling.replica_calculator import Settings, Tolerance
from minikube_py.autoscaling.samples import MetricError, Sample

NOW = 10_000
TOLERANCE = Tolerance(0.1, 0.1)


def pod(
    name: str, *, cpu: str | None = "100m", phase: str = "Running", ready: bool = True, since: int = 0
) -> dict[str, Any]:
    stamp = f"1970-01-01T00:{since // 60:02d}:{since % 60:02d}Z"
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": stamp}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "resources": resources}]},
        "status": {"phase": phase, "startTime": stamp, "conditions": [condition]},
    }


def utilization(pods: list[dict[str, Any]], used: dict[str, int], target: int, now: int = NOW) -> calculator.Asked:
    samples = {name: Sample(value, now, 15) for name, value in used.items()}
    return calculator.utilization(samples, pods, len(pods), target, "cpu", "", TOLERANCE, now, Settings())


@pytest.mark.parametrize(
    ("count", "each", "target", "replicas", "percent"),
    [
        (1, 200, 100, 2, 200),  # "If the current metric value is 200m, and the desired value is 100m": doubled
        (4, 50, 100, 2, 50),  # "If the current value is instead 50m, you'll halve the number of replicas"
        (3, 80, 50, 5, 80),
        (3, 54, 50, 3, 54),  # 1.08: within the tolerance
        (3, 56, 50, 4, 56),
        (10, 45, 50, 10, 45),  # exactly 0.9
        (1, 0, 50, 0, 0),
    ],
)
def test_utilization_asks_for_usage_over_target_times_ready_pods(
    count: int, each: int, target: int, replicas: int, percent: int
) -> None:
    pods = [pod(f"p{index}") for index in range(count)]
    asked = utilization(pods, {f"p{index}": each for index in range(count)}, target)
    assert (asked.replicas, asked.percent) == (replicas, percent)


def test_pods_without_samples_count_as_idle_upwards_and_as_busy_downwards() -> None:
    pods = [pod(f"p{index}") for index in range(4)]
    assert utilization(pods, {"p0": 100, "p1": 100}, 50).replicas == 4  # 200 of 400 are 50 %
    assert utilization(pods, {"p0": 10, "p1": 10}, 50).replicas == 4  # 220 of 400: the other direction
    assert utilization(pods, {"p0": 10, "p1": 10, "p2": 10}, 50).replicas == 3  # 130 of 400 are 32 %: 0.64 * 4


def test_pending_pods_count_as_idle_when_the_rest_is_busy() -> None:
    pods = [pod("p0"), pod("p1", phase="Pending", ready=False)]
    assert utilization(pods, {"p0": 150}, 50).replicas == 3  # 150 of 200 are 75 %: 1.5 * 2


def test_the_cpu_of_a_pod_that_just_became_ready_does_not_count_until_it_is_measured_after_that() -> None:
    young = pod("p0", since=100)
    with pytest.raises(MetricError, match="did not receive metrics for targeted pods"):
        utilization([young], {"p0": 500}, 50, now=110)
    assert utilization([young], {"p0": 500}, 50, now=115).replicas == 10


def test_a_pod_that_was_ready_once_counts_even_when_it_is_not_ready_now() -> None:
    late = pod("p0", ready=False, since=100)
    late["status"]["startTime"] = "1970-01-01T00:00:00Z"
    assert utilization([late], {"p0": 100}, 50).replicas == 2  # not ready since 100 s after its start


def test_a_missing_request_is_an_error_that_names_the_container() -> None:
    with pytest.raises(MetricError, match="missing request for cpu in container c of Pod p0"):
        utilization([pod("p0", cpu=None)], {"p0": 1}, 50)


def test_a_value_of_the_whole_scales_from_zero_and_with_ready_pods() -> None:
    assert calculator.total(3000, [], 0, 2000, TOLERANCE).replicas == 2
    assert calculator.total(6000, [pod("p0"), pod("p1", ready=False)], 2, 2000, TOLERANCE).replicas == 3
    assert calculator.total(2100, [pod("p0")], 5, 2000, TOLERANCE).replicas == 5


def test_a_value_per_pod_is_the_whole_over_the_target() -> None:
    assert calculator.per_pod(100_000, 2, 30_000, TOLERANCE) == calculator.Asked(4, 50_000)
    assert calculator.per_pod(62_000, 2, 30_000, TOLERANCE) == calculator.Asked(2, 31_000)
    assert calculator.per_pod(62_000, 0, 30_000, TOLERANCE) == calculator.Asked(3, 0)
