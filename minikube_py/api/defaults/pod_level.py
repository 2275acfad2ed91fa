"""Pod-level resources (spec.resources of a pod): what is derived from the containers (KEP-2837).

Sources: defaultHugePagePodLimits and defaultPodRequests in pkg/apis/core/v1/defaults.go, AggregateContainerRequests in
k8s.io/component-helpers/resource/helpers.go.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
Quantities = dict[str, str]


def pod_level_resources(spec: Object) -> Object:
    """A pod's spec with its pod-level requests and hugepage limits.

    Requests, only where limits are set: the sum of the containers' requests, else the limit. Limits: the sum of the
    containers' hugepages, where neither is given for the pod. Example: limits cpu 1, memory 1Gi and two containers that
    ask for 100m and 200m of cpu give requests cpu 300m, memory 1Gi.
    """
    resources = spec["resources"] or {}
    limits: Quantities = resources.get("limits") or {}
    requests: Quantities = resources.get("requests") or {}
    if not limits and not requests:
        return spec
    for name, quantity in aggregate(spec, "limits").items():
        if name.startswith("hugepages-") and name not in requests and name not in limits:
            limits = {**limits, name: quantity}
    if limits:
        for name, quantity in aggregate(spec, "requests").items():
            if name in ("cpu", "memory") and name not in requests:
                requests = {**requests, name: quantity}
        for name, quantity in limits.items():
            if _supported(name) and name not in requests:
                requests = {**requests, name: quantity}
    if limits == resources.get("limits", {}) and requests == resources.get("requests", {}):
        return spec
    found = {"limits": limits, "requests": requests}
    return {**spec, "resources": {**resources, **{key: value for key, value in found.items() if value}}}


def aggregate(spec: Object, side: str) -> Quantities:
    """What the containers ask for together (`side`: requests or limits).

    The larger, per resource, of: all containers with the restartable init containers; and each init container with the
    restartable ones started before it.
    """
    total: Quantities = {}
    for container in spec.get("containers") or ():
        total = _sum(total, _asked(container, side))
    sidecars: Quantities = {}
    peak: Quantities = {}
    for container in spec.get("initContainers") or ():
        asked = _asked(container, side)
        if container.get("restartPolicy") == "Always":
            total, sidecars = _sum(total, asked), _sum(sidecars, asked)
            peak = _larger(peak, sidecars)
        else:
            peak = _larger(peak, _sum(sidecars, asked))
    return _larger(total, peak)


def _asked(container: Object, side: str) -> Quantities:
    return (container.get("resources") or {}).get(side) or {}


def _supported(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def _sum(left: Quantities, right: Quantities) -> Quantities:
    from minikube_py.base import quantity

    return {
        **left,
        **{name: quantity.add(left[name], asked) if name in left else asked for name, asked in right.items()},
    }


def _larger(left: Quantities, right: Quantities) -> Quantities:
    from minikube_py.base import quantity

    more = {name: asked for name, asked in right.items() if name not in left or quantity.compare(asked, left[name]) > 0}
    return {**left, **more}
