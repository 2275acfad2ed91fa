"""Defaults of the PriorityClass. Source: pkg/apis/scheduling/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import fill

Object = dict[str, Any]


def priority_class(obj: Object) -> Object:
    return fill(obj, {"preemptionPolicy": "PreemptLowerPriority", "value": 0})
