"""How many replicas a metric asks for.

Utilization: 3 pods request 100m cpu each and use 80m each, target 50%.
    utilization = 240 * 100 // 300 = 80 %, ratio = 80 / 50 = 1.6, replicas = ceil(1.6 * 3 ready pods) = 5
A ratio within the tolerance (0.9 to 1.1) leaves the count as it is. Pods without samples count as if they used all of
their request when the ratio says down, nothing when it says up; pods that are not ready yet count as nothing when it says up:
    4 pods, 2 ready with 100 %, 2 not ready, target 50 %: ratio 2.0, again with the unready: 200 * 100 // 400 = 50 %, ratio
    1.0: the count stays 4
All amounts are in thousandths. Source: k8s.io/kubernetes/pkg/controller/podautoscaler/replica_calculator.go,
metrics/utilization.go.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods as pod_facts
from minikube_py.autoscaling.samples import MetricError, Sample
from minikube_py.base import quantity
from minikube_py.base.clock import seconds
from minikube_py.base.recall import Recall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object, Objects

NO_SAMPLES = "did not receive metrics for targeted pods (pods might be unready)"
NO_PODS = "no pods returned by selector while calculating replica count"


class Settings(NamedTuple):
    """Flags of the controller manager (--horizontal-pod-autoscaler-...), with their defaults; seconds and a ratio."""

    sync_period_s: int = 15
    downscale_stabilization_s: int = 300
    cpu_initialization_s: int = 300
    initial_readiness_delay_s: int = 30
    tolerance: float = 0.1


class Tolerance(NamedTuple):
    """How far the ratio may be from 1 without consequences."""

    up: float
    down: float

    def covers(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Asked(NamedTuple):
    """What a metric asks for: `replicas`, its current value (thousandths, averaged over pods where it is an average), and
    the percentage of the request, where that is what counts."""

    replicas: int
    value_m: int
    percent: int | None = None


class Pods(NamedTuple):
    """The pods of a target, by what their samples are worth: names."""

    ready: int
    unready: list[str]
    missing: list[str]
    ignored: list[str]


def grouped(pods: Objects, samples: dict[str, Sample], resource: str, now_s: float, settings: Settings) -> Pods:
    unready: list[str] = []
    missing: list[str] = []
    ignored: list[str] = []
    ready, is_cpu = 0, resource == "cpu"
    for pod in pods:
        meta, status = pod["metadata"], pod.get("status") or {}
        name, phase = meta["name"], status.get("phase")
        if "deletionTimestamp" in meta or phase == "Failed":
            ignored.append(name)
        elif phase == "Pending":
            unready.append(name)
        elif name not in samples:
            missing.append(name)
        elif is_cpu and _is_unready(status, samples[name], now_s, settings):
            unready.append(name)
        else:
            ready += 1
    return Pods(ready, unready, missing, ignored)


def _is_unready(status: Object, sample: Sample, now_s: float, settings: Settings) -> bool:
    """Whether the cpu of a pod says nothing yet: it starts up, or its sample is from before it became ready."""
    told = _readiness(status)
    if told is None:
        return True
    started_s, changed_s, is_false = told
    if started_s + settings.cpu_initialization_s > now_s:
        return is_false or sample.at_s < changed_s + sample.window_s
    return is_false and started_s + settings.initial_readiness_delay_s > changed_s


def _read_readiness(status: Object) -> tuple[int, int, bool] | None:
    """(when the pod started, when its readiness changed, whether it is not ready); None if that is not told."""
    condition = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), None)
    started = status.get("startTime")
    if condition is None or not started:
        return None
    return seconds(started), seconds(condition["lastTransitionTime"]), condition["status"] == "False"


_readiness = Recall(_read_readiness)


def requests(pods: Iterable[Object], container: str, resource: str) -> dict[str, int]:
    """What each pod (or one container of each) requests, in thousandths. Raises MetricError where a request is missing."""
    found = {}
    is_short = not container and resource == "cpu"
    for pod in pods:
        known = _cpu_of(pod["spec"]) if is_short else None
        found[pod["metadata"]["name"]] = _request(pod, container, resource) if known is None else known
    return found


def _request(pod: Object, container: str, resource: str) -> int:
    spec = pod["spec"]
    if not container:
        whole = ((spec.get("resources") or {}).get("requests") or {}).get(resource)
        if whole is not None:
            return quantity.milli(whole)
    total = 0
    sidecars = [one for one in spec.get("initContainers") or () if pod_facts.is_sidecar(one)]
    for one in (*spec["containers"], *sidecars):
        if container and one["name"] != container:
            continue
        amount = ((one.get("resources") or {}).get("requests") or {}).get(resource)
        if amount is None:
            name = pod["metadata"]["name"]
            raise MetricError(f"missing request for {resource} in container {one['name']} of Pod {name}")
        total += quantity.milli(amount)
    return total


def _read_cpu(spec: Object) -> int | None:
    """The cpu that all containers of a pod request; None where the long way has to be gone."""
    if spec.get("resources") or spec.get("initContainers"):
        return None
    total = 0
    for one in spec["containers"]:
        amount = ((one.get("resources") or {}).get("requests") or {}).get("cpu")
        if amount is None:
            return None
        total += quantity.milli(amount)
    return total


_cpu_of = Recall(_read_cpu)


def utilization(
    samples: dict[str, Sample],
    pods: Objects,
    replicas: int,
    target: int,
    resource: str,
    container: str,
    tolerance: Tolerance,
    now_s: float,
    settings: Settings,
) -> Asked:
    """Replicas so that usage is `target` percent of what is requested."""
    groups, used = _usable(samples, pods, resource, now_s, settings)
    wanted = requests(pods, container, resource)
    ratio, percent, average = _utilization_ratio(used, wanted, target)
    is_up = bool(groups.unready) and ratio > 1.0
    if not is_up and not groups.missing:
        count = replicas if tolerance.covers(ratio) else ceil(ratio * groups.ready)
        return Asked(count, average, percent)
    filled = dict(used)
    for name in groups.missing:
        if ratio < 1.0:  # as if it used all of its request, or the target if that is more
            filled[name] = wanted[name] * max(100, target) // 100
        elif ratio > 1.0:
            filled[name] = 0
    if is_up:
        filled.update(dict.fromkeys(groups.unready, 0))
    again, _, _ = _utilization_ratio(filled, wanted, target)
    return Asked(_second_thought(ratio, again, len(filled), replicas, tolerance), average, percent)


def average(
    samples: dict[str, Sample],
    pods: Objects,
    replicas: int,
    target_m: int,
    resource: str,
    tolerance: Tolerance,
    now_s: float,
    settings: Settings,
) -> Asked:
    """Replicas so that the average over pods is `target_m`; `resource` '' for metrics that are no resources."""
    groups, used = _usable(samples, pods, resource, now_s, settings)
    ratio, mean = _average_ratio(used, target_m)
    is_up = bool(groups.unready) and ratio > 1.0
    if not is_up and not groups.missing:
        return Asked(replicas if tolerance.covers(ratio) else ceil(ratio * groups.ready), mean)
    filled = dict(used)
    for name in groups.missing:
        filled[name] = target_m if ratio < 1.0 else 0
    if is_up:
        filled.update(dict.fromkeys(groups.unready, 0))
    again, _ = _average_ratio(filled, target_m)
    return Asked(_second_thought(ratio, again, len(filled), replicas, tolerance), mean)


def total(value_m: int, pods: Objects, replicas: int, target_m: int, tolerance: Tolerance) -> Asked:
    """Replicas so that a value of the whole (queue length, requests at a Service) comes to `target_m`.

    From 0 replicas: as many as the value is of the target, rounded up: 3 messages at a target of 2 are 2 replicas.
    """
    ratio = value_m / target_m
    if replicas == 0:
        return Asked(ceil(ratio), value_m)
    if tolerance.covers(ratio):
        return Asked(replicas, value_m)
    if not pods:
        raise MetricError(f"unable to calculate ready pods: {NO_PODS}")
    ready = sum(1 for pod in pods if (pod.get("status") or {}).get("phase") == "Running" and pod_facts.is_ready(pod))
    return Asked(ceil(ratio * ready), value_m)


def per_pod(value_m: int, status_replicas: int, target_m: int, tolerance: Tolerance) -> Asked:
    """Replicas so that a value of the whole, divided by their number, comes to `target_m`: 100 at a target of 30 are 4."""
    count = status_replicas
    if not count or not tolerance.covers(value_m / (target_m * count)):
        count = ceil(value_m / target_m)
    return Asked(count, ceil(value_m / status_replicas) if status_replicas else 0)


def _usable(
    samples: dict[str, Sample], pods: Objects, resource: str, now_s: float, settings: Settings
) -> tuple[Pods, dict[str, int]]:
    if not pods:
        raise MetricError(NO_PODS)
    groups = grouped(pods, samples, resource, now_s, settings)
    dropped = {*groups.unready, *groups.ignored}
    used = {name: sample.value_m for name, sample in samples.items() if name not in dropped}
    if not used:
        raise MetricError(NO_SAMPLES)
    return groups, used


def _utilization_ratio(used: dict[str, int], wanted: dict[str, int], target: int) -> tuple[float, int, int]:
    """(ratio to the target, percent of the requests, average usage); percent is cut off before it is compared."""
    known = [name for name in used if name in wanted]
    usage, requested = sum(used[name] for name in known), sum(wanted[name] for name in known)
    if not requested:
        raise MetricError("no metrics returned matched known pods")
    percent = usage * 100 // requested
    return percent / target, percent, usage // len(known)


def _average_ratio(used: dict[str, int], target_m: int) -> tuple[float, int]:
    mean = sum(used.values()) // len(used)
    return mean / target_m, mean


def _second_thought(ratio: float, again: float, counted: int, replicas: int, tolerance: Tolerance) -> int:
    """The count after missing and unready pods are filled in: never against the direction that the samples gave."""
    if tolerance.covers(again) or (ratio < 1.0 and again > 1.0) or (ratio > 1.0 and again < 1.0):
        return replicas
    count = ceil(again * counted)
    if (again < 1.0 and count > replicas) or (again > 1.0 and count < replicas):
        return replicas
    return count
