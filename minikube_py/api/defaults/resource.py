"""Defaults of dynamic resource allocation. Source: pkg/apis/resource/v1/defaults.go, zz_generated.defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, each, fill, within

Object = dict[str, Any]


def resource_claim(obj: Object) -> Object:
    return always(fill(obj, {"status": {}}), "spec", _claim_spec)


def resource_claim_template(obj: Object) -> Object:
    return always(obj, "spec", lambda spec: always(fill(spec, {"metadata": {}}), "spec", _claim_spec))


def device_class(obj: Object) -> Object:
    return fill(obj, {"spec": {}})


def resource_slice(obj: Object) -> Object:
    """Taints of devices and their time: the slice's own creation, where the taint names none."""
    created = obj["metadata"].get("creationTimestamp")
    added: Object = {"timeAdded": created} if created else {}
    return always(
        obj,
        "spec",
        lambda spec: each(spec, "devices", lambda device: each(device, "taints", lambda taint: fill(taint, added))),
    )


def _claim_spec(spec: Object) -> Object:
    return always(spec, "devices", lambda devices: each(devices, "requests", _request))


def _request(request: Object) -> Object:
    return each(within(request, "exactly", _exact), "firstAvailable", _exact)


def _exact(request: Object) -> Object:
    request = fill(request, {"allocationMode": "ExactCount"})
    if request["allocationMode"] == "ExactCount":
        request = fill(request, {"count": 1})
    return each(request, "tolerations", lambda toleration: fill(toleration, {"operator": "Equal"}))
