"""Defaults of the networking group. Source: pkg/apis/networking/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.pods import PORT
from minikube_py.api.defaults.shape import always, each, fill, settle, within

Object = dict[str, Any]


def ingress(obj: Object) -> Object:
    return always(fill(obj, {"spec": {}}), "status", lambda status: fill(status, {"loadBalancer": {}}))


def ingress_class(obj: Object) -> Object:
    return within(
        obj, "spec", lambda spec: within(spec, "parameters", lambda reference: settle(reference, {"scope": "Cluster"}))
    )


def network_policy(obj: Object) -> Object:
    return always(obj, "spec", _network_policy_spec)


def _network_policy_spec(spec: Object) -> Object:
    """policyTypes: Ingress always, Egress if there are egress rules."""
    types = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    spec = fill(fill(spec, {"podSelector": {}}), {"policyTypes": types})
    for direction in ("ingress", "egress"):
        spec = each(spec, direction, lambda rule: each(rule, "ports", lambda port: fill(port, PORT)))
    return spec
