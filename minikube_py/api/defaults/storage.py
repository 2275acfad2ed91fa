"""Defaults of the storage group. Source: pkg/apis/storage/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, fill

Object = dict[str, Any]

_CSI_DRIVER: Object = {
    "attachRequired": True,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "podInfoOnMount": False,
    "requiresRepublish": False,
    "seLinuxMount": False,
    "storageCapacity": False,
    "volumeLifecycleModes": ["Persistent"],
}


def storage_class(obj: Object) -> Object:
    return fill(obj, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


def csi_driver(obj: Object) -> Object:
    return always(obj, "spec", lambda spec: fill(spec, _CSI_DRIVER))


def csi_node(obj: Object) -> Object:
    return always(obj, "spec", lambda spec: fill(spec, {"drivers": None}))


def volume_attachment(obj: Object) -> Object:
    return always(obj, "status", lambda status: fill(status, {"attached": False}))
