"""Which pods the updater turns to, and in which order.

How far a pod is from what it should have is summed over resources, and over its containers before that:
    requests 100m and 100Mi, recommended 150m and 80Mi: |100 - 150| / 100 + |100 - 80| / 100 = 0.7
Sources: vertical-pod-autoscaler/pkg/updater/priority/{priority_processor,update_priority_calculator,scaling_direction_pod_eviction_admission}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import vertical
from minikube_py.api.vertical import capping
from minikube_py.base import quantity
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View
    from minikube_py.autoscaling.vpa_flags import Flags
    from minikube_py.base.clock import Clock


class Priority(NamedTuple):
    """`outside`: of the bounds; `grows`: wants more of something; `distance` from the target, 0.1 is a tenth."""

    grows: bool
    distance: float
    outside: bool


def in_order(vpa: Object, pods: Objects, view: View, clock: Clock, flags: Flags) -> Objects:
    """The pods to update, the most urgent first; those of equal urgency by name."""
    ranked = []
    known: dict[object, tuple[Objects, Priority]] = {}  # pods of one template are alike
    for pod in pods:
        shape = _shape(pod)
        if shape not in known:
            own, _ = capping.apply(vpa, pod, view)
            known[shape] = (own, priority(pod, own))
        recommendations, found = known[shape]
        if _is_due(vpa, pod, found, clock, flags) and _is_allowed(vpa, pod, recommendations):
            ranked.append((found, pod))
    ranked.sort(key=lambda one: (not one[0].grows, -one[0].distance))
    return [pod for _, pod in ranked]


def _shape(pod: Object) -> object:
    """What recommendations and priority of a pod depend on: its containers' resources, and which of them admission saw."""
    parts: list[object] = [(pod["metadata"].get("annotations") or {}).get(vertical.OBSERVED)]
    for container in pod["spec"]["containers"]:
        requests, limits = vertical.resources_of(pod, container["name"])
        parts.append((container["name"], *(tuple((one or {}).items()) for one in (requests, limits))))
    return tuple(parts)


def priority(pod: Object, recommendations: Objects) -> Priority:
    grows = outside = False
    asked: dict[str, int] = {}
    wanted: dict[str, int] = {}
    seen = _observed(pod)
    for container in pod["spec"]["containers"]:
        name = container["name"]
        one = vertical.recommended(recommendations, name)
        if one is None or (seen is not None and name not in seen):
            continue
        requests = vertical.resources_of(pod, name)[0] or {}
        for resource, target in one["target"].items():
            wanted[resource] = wanted.get(resource, 0) + quantity.milli(target)
            request = requests.get(resource)
            if request is None:
                grows = outside = True
                continue
            asked[resource] = asked.get(resource, 0) + quantity.milli(request)
            grows = grows or quantity.milli(target) > quantity.milli(request)
            low, high = ((one.get(field) or {}).get(resource) for field in ("lowerBound", "upperBound"))
            outside = outside or (low is not None and quantity.compare(request, low) < 0)
            outside = outside or (high is not None and quantity.compare(request, high) > 0)
    distance = 0.0
    for resource, total in wanted.items():
        before = max(float(asked.get(resource, 0)), 1.0)
        distance += abs(before - total) / before
    return Priority(grows, distance, outside)


def _observed(pod: Object) -> set[str] | None:
    """The containers that admission saw; None if it did not see the pod."""
    told = (pod["metadata"].get("annotations") or {}).get(vertical.OBSERVED)
    return None if told is None else set(told.split(", "))


def _is_due(vpa: Object, pod: Object, found: Priority, clock: Clock, flags: Flags) -> bool:
    if _was_killed_early(vpa, pod, flags):
        if found.distance == 0:
            return False
    elif not found.outside:
        started = (pod.get("status") or {}).get("startTime")
        if not started or clock.now_s < seconds(started) + flags.lifetime_s or found.distance < flags.threshold:
            return False
    return True


def _was_killed_early(vpa: Object, pod: Object, flags: Flags) -> bool:
    """Whether a container's last run ended for want of memory soon after it began."""
    seen = _observed(pod)
    for told in (pod.get("status") or {}).get("containerStatuses") or ():
        if (seen is not None and told["name"] not in seen) or vertical.is_off(vpa, told["name"]):
            continue
        ended = (told.get("lastState") or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            lived_s = seconds(ended["finishedAt"]) - seconds(ended.get("startedAt") or ended["finishedAt"])
            if lived_s < flags.oom_threshold_s:
                return True
    return False


def _is_allowed(vpa: Object, pod: Object, recommendations: Objects) -> bool:
    """spec.updatePolicy.evictionRequirements: all have to hold, each for one of its resources, in one container."""
    requirements = (vpa["spec"].get("updatePolicy") or {}).get("evictionRequirements") or ()
    if not requirements:
        return True
    for container in pod["spec"]["containers"]:
        one = vertical.recommended(recommendations, container["name"])
        if one is None:
            continue
        requests = vertical.resources_of(pod, container["name"])[0] or {}
        if "cpu" not in requests or "memory" not in requests:
            return True
        if all(_holds(requirement, requests, one["target"]) for requirement in requirements):
            return True
    return False


def _holds(requirement: Object, requests: Object, target: Object) -> bool:
    sign = 1 if requirement["changeRequirement"] == "TargetHigherThanRequests" else -1
    return any(
        sign * (quantity.milli(target.get(name, "0")) - quantity.milli(requests.get(name, "0"))) > 0
        for name in requirement["resources"]
    )
