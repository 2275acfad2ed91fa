"""Defaults of the APIService. Source: staging/src/k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import fill, within

Object = dict[str, Any]


def api_service(obj: Object) -> Object:
    obj = fill(obj, {"status": {}})
    return within(obj, "spec", lambda spec: within(spec, "service", lambda service: fill(service, {"port": 443})))
