"""Defaults of the EndpointSlice. Source: pkg/apis/discovery/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import each, fill

Object = dict[str, Any]


def endpoint_slice(obj: Object) -> Object:
    """Ports without a name have the empty one; `endpoints` and `ports` always show."""
    obj = fill(obj, {"endpoints": None, "ports": None})
    return each(obj, "ports", lambda port: fill(port, {"name": "", "protocol": "TCP"}))
