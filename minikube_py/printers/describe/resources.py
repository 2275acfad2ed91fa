"""What pods ask for, in quantities as kubectl prints them (component-helpers/resource/helpers.go, kubectl pkg/util/qos)."""

from __future__ import annotations

from typing import Any

from minikube_py.base import quantity

Object = dict[str, Any]
Quantities = dict[str, str]


def pod_total(pod: Object, field: str) -> Quantities:
    """The requests (or limits) of a whole pod: the larger of the containers' sum and any init container with the sidecars
    started before it, pod-level resources instead where set, and the overhead on top.

    Worked example: containers 100m + 200m, init container 500m: cpu 500m. With a sidecar of 50m: 550m.
    """
    spec = pod["spec"]
    total: Quantities = {}
    for container in spec.get("containers") or ():
        _add(total, _of(container, field))
    sidecars: Quantities = {}
    peak: Quantities = {}
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            _add(total, _of(container, field))
            _add(sidecars, _of(container, field))
            _raise(peak, sidecars)
        else:
            once = dict(sidecars)
            _add(once, _of(container, field))
            _raise(peak, once)
    _raise(total, peak)
    total.update({name: str(value) for name, value in ((spec.get("resources") or {}).get(field) or {}).items()})
    for name, value in (spec.get("overhead") or {}).items():
        if field == "requests" or name in total:
            _add(total, {name: str(value)})
    return total


def _of(container: Object, field: str) -> Quantities:
    values = (container.get("resources") or {}).get(field) or {}
    return {name: str(value) for name, value in values.items()}


def _add(total: Quantities, more: Quantities) -> None:
    for name, value in more.items():
        total[name] = quantity.add(total[name], value) if name in total else value


def _raise(total: Quantities, other: Quantities) -> None:
    for name, value in other.items():
        if name not in total or quantity.compare(value, total[name]) > 0:
            total[name] = value


def summed(pods: list[Object], field: str) -> Quantities:
    """The requests or limits of several pods together."""
    total: Quantities = {}
    for pod in pods:
        _add(total, pod_total(pod, field))
    return total


def quality_of_service(pod: Object) -> str:
    """status.qosClass, or what it will be: Guaranteed, Burstable, BestEffort."""
    known = (pod.get("status") or {}).get("qosClass")
    if known:
        return str(known)
    specs = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    asked = [container.get("resources") or {} for container in specs]
    if not any(one.get("requests") or one.get("limits") for one in asked):
        return "BestEffort"
    for one in asked:
        limits = one.get("limits") or {}
        requests = {**limits, **(one.get("requests") or {})}
        for name in ("cpu", "memory"):
            if name not in limits or quantity.compare(limits[name], requests[name]) != 0:
                return "Burstable"
    return "Guaranteed"
