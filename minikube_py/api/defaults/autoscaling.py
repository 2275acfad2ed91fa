"""Defaults of the HorizontalPodAutoscaler. Source: pkg/apis/autoscaling/v2/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, fill, within

Object = dict[str, Any]

_CPU_AT_80: Object = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
_SCALE_UP: Object = {
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
    "selectPolicy": "Max",
    "stabilizationWindowSeconds": 0,
}
_SCALE_DOWN: Object = {
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    "selectPolicy": "Max",
}


def horizontal_pod_autoscaler(obj: Object) -> Object:
    """An autoscaler of version v2; those of v1 are converted before (minikube_py.api.convert)."""
    obj = always(obj, "status", lambda status: fill(status, {"currentMetrics": None, "desiredReplicas": 0}))
    return always(obj, "spec", _spec)


def _spec(spec: Object) -> Object:
    spec = fill(spec, {"minReplicas": 1})
    if not spec.get("metrics"):
        spec = {**spec, "metrics": [_CPU_AT_80]}
    return within(spec, "behavior", _behavior)


def _behavior(behavior: Object) -> Object:
    """Once there is a behavior, both directions get all their fields."""
    behavior = always(behavior, "scaleUp", lambda rules: fill(rules, _SCALE_UP))
    return always(behavior, "scaleDown", lambda rules: fill(rules, _SCALE_DOWN))
