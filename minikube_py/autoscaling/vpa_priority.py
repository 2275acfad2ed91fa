"""Which pods the updater turns to, and in which order.

How far a pod is from what it should have is summed over resources, and over its containers before that:
    requests 100m and 100Mi, recommended 150m and 80Mi: |100 - 150| / 100 + |100 - 80| / 100 = 0.7
Sources: vertical-pod-autoscaler/pkg/updater/priority/{priority_processor,update_priority_calculator,scaling_direction_pod_eviction_admission}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import vertical
from minikube_py.api.vertical import capping
from minikube_py.autoscaling import vpa_facts
from minikube_py.base import quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object, Objects, View
    from minikube_py.autoscaling.vpa_facts import Facts
    from minikube_py.autoscaling.vpa_flags import Flags
    from minikube_py.base.clock import Clock


class Priority(NamedTuple):
    """`outside`: of the bounds; `grows`: wants more of something; `distance` from the target, 0.1 is a tenth."""

    grows: bool
    distance: float
    outside: bool


def in_order(vpa: Object, pods: Iterable[Facts], view: View, clock: Clock, flags: Flags) -> Objects:
    """The pods to update, the most urgent first; those of equal urgency by name."""
    ranked = []
    known: dict[object, tuple[Objects, Priority]] = {}  # pods of one template are alike
    for facts in pods:
        pod, alike = facts.pod, known.get(facts.shape)
        if alike is None:
            own, _ = capping.apply(vpa, pod, view)
            alike = known[facts.shape] = (own, priority(pod, own))
        recommendations, found = alike
        if _is_due(vpa, facts, found, clock, flags) and _is_allowed(vpa, pod, recommendations):
            ranked.append((found, pod))
    ranked.sort(key=lambda one: (not one[0].grows, -one[0].distance))
    return [pod for _, pod in ranked]


def priority(pod: Object, recommendations: Objects) -> Priority:
    grows = outside = False
    asked: dict[str, int] = {}
    wanted: dict[str, int] = {}
    seen = vpa_facts.facts(pod).observed
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


def _is_due(vpa: Object, facts: Facts, found: Priority, clock: Clock, flags: Flags) -> bool:
    if facts.lived and _was_killed_early(vpa, facts, flags):
        return found.distance != 0
    if found.outside:
        return True
    is_old = facts.started_s is not None and clock.now_s >= facts.started_s + flags.lifetime_s
    return is_old and found.distance >= flags.threshold


def _was_killed_early(vpa: Object, facts: Facts, flags: Flags) -> bool:
    """Whether a container's last run ended for want of memory soon after it began."""
    seen = facts.observed
    return any(
        lived_s < flags.oom_threshold_s
        for name, lived_s in facts.lived
        if (seen is None or name in seen) and not vertical.is_off(vpa, name)
    )


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
