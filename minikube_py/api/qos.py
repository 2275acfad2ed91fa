"""The quality of service class of a pod. Source: pkg/apis/core/helper/qos/qos.go."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort from a pod's spec.

    Only cpu and memory count, and zero quantities count as unset. Guaranteed: every container (or the pod as a whole, if
    it has pod-level resources) limits both and asks for just that much.
    """
    level = spec.get("resources")
    if level:
        holders = [level]
    else:
        containers = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
        holders = [container.get("resources") or {} for container in containers]
    guaranteed, asked = True, False
    for resources in holders:
        requests, limits = resources.get("requests"), resources.get("limits")
        if not requests and not limits:
            guaranteed = False
            continue
        for name in ("cpu", "memory"):
            request, limit = _positive(requests, name), _positive(limits, name)
            asked = asked or bool(request or limit)
            if not limit or (request != limit and not _equal(request, limit)):
                guaranteed = False
    if not asked:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _positive(quantities: Object | None, name: str) -> str | int | None:
    """A quantity as written; None if it is missing or zero."""
    found: str | int | None = (quantities or {}).get(name)
    if found is None or found in ("0", 0):
        return None
    text = str(found)
    return found if any("1" <= digit <= "9" for digit in text.lower().partition("e")[0]) else None


def _equal(request: str | int | None, limit: str | int) -> bool:
    if request is None:
        return False
    from minikube_py.base import quantity

    return quantity.compare(request, limit) == 0
