"""Between the versions of one kind: objects are stored in one version and served in all.

Two kinds are served in more than one: HorizontalPodAutoscaler (autoscaling/v1 beside v2, stored as v2) and Event
(events.k8s.io/v1 beside v1, stored as v1). Sources: pkg/apis/autoscaling/v1/conversion.go,
pkg/apis/events/v1/conversion.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.defaults.shape import within, without

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind

Object = dict[str, Any]

HPA_V1, HPA_V2 = "autoscaling/v1", "autoscaling/v2"
EVENT_CORE, EVENT_NEW = "v1", "events.k8s.io/v1"

# core field -> field of events.k8s.io
_EVENT_FIELDS = {
    "count": "deprecatedCount",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "involvedObject": "regarding",
    "lastTimestamp": "deprecatedLastTimestamp",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
}
_CORE_FIELDS = {new: core for core, new in _EVENT_FIELDS.items()}


def to_stored(kind: Kind, version: str, obj: Object) -> Object:
    """An object that came in `version`, as it is stored; the same object if there is nothing to convert."""
    if version == HPA_V1 and kind.name == "HorizontalPodAutoscaler":
        return _autoscaler_v2(obj)
    if version == EVENT_NEW and kind.name == "Event":
        return _renamed(obj, _CORE_FIELDS, EVENT_CORE)
    return obj


def to_version(kind: Kind, version: str, obj: Object) -> Object:
    """A stored object as it is served in `version`; the same object if there is nothing to convert."""
    if version == HPA_V1 and kind.name == "HorizontalPodAutoscaler":
        return _autoscaler_v1(obj)
    if version == EVENT_NEW and kind.name == "Event":
        return _renamed(obj, _EVENT_FIELDS, EVENT_NEW)
    return obj


def _renamed(obj: Object, names: dict[str, str], version: str) -> Object:
    return {**{names.get(key, key): value for key, value in obj.items()}, "apiVersion": version}


def _autoscaler_v2(obj: Object) -> Object:
    """targetCPUUtilizationPercentage becomes a metric; without it the default of v2 applies (cpu at 80 %)."""

    def spec_of(spec: Object) -> Object:
        target = spec.get("targetCPUUtilizationPercentage")
        spec = without(spec, "targetCPUUtilizationPercentage")
        return spec if target is None else {**spec, "metrics": [_cpu_metric(target)]}

    def status_of(status: Object) -> Object:
        current = status.get("currentCPUUtilizationPercentage")
        status = {"currentMetrics": None, **without(status, "currentCPUUtilizationPercentage")}
        if current is None:
            return status
        metric = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": current}}}
        return {**status, "currentMetrics": [metric]}

    return {**within(within(obj, "spec", spec_of), "status", status_of), "apiVersion": HPA_V2}


def _autoscaler_v1(obj: Object) -> Object:
    """What version v1 cannot tell (other metrics, behavior, conditions) is not shown."""

    def spec_of(spec: Object) -> Object:
        target = _cpu_utilization(spec.get("metrics"), "target")
        spec = without(spec, "behavior", "metrics")
        return spec if target is None else {**spec, "targetCPUUtilizationPercentage": target}

    def status_of(status: Object) -> Object:
        current = _cpu_utilization(status.get("currentMetrics"), "current")
        status = {"currentReplicas": 0, "desiredReplicas": 0, **without(status, "conditions", "currentMetrics")}
        return status if current is None else {**status, "currentCPUUtilizationPercentage": current}

    return {**within(within(obj, "spec", spec_of), "status", status_of), "apiVersion": HPA_V1}


def _cpu_metric(target: int) -> Object:
    target_of = {"type": "Utilization", "averageUtilization": target}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target_of}}


def _cpu_utilization(metrics: list[Object] | None, side: str) -> int | None:
    """The average utilization of cpu, in percent, among metrics; `side`: target (spec) or current (status)."""
    for metric in metrics or ():
        resource = metric.get("resource") or {}
        if metric.get("type") == "Resource" and resource.get("name") == "cpu":
            found: int | None = (resource.get(side) or {}).get("averageUtilization")
            return found
    return None
