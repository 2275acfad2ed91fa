"""Cells of volumes, claims, classes and drivers. Source: pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.printers.cells.meta import at

if TYPE_CHECKING:
    from minikube_py.api.types import Object

MODES = (("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP"))
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"


def phase(obj: Object, now_s: int) -> str:
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    return str(at(obj, "status", "phase") or "")


def capacity(volume: Object, now_s: int) -> str:
    return str(at(volume, "spec", "capacity", "storage") or "0")


def access_modes(volume: Object, now_s: int) -> str:
    return modes_text(at(volume, "spec", "accessModes"))


def claim(volume: Object, now_s: int) -> str:
    """'default/data'"""
    found = at(volume, "spec", "claimRef")
    return f"{found.get('namespace', '')}/{found.get('name', '')}" if found else ""


def storage_class(obj: Object, now_s: int) -> str:
    return str(at(obj, "metadata", "annotations", OLD_CLASS) or at(obj, "spec", "storageClassName") or "")


def claim_capacity(obj: Object, now_s: int) -> str:
    """A claim's real capacity, once it is bound to a volume."""
    return str(at(obj, "status", "capacity", "storage") or "0") if at(obj, "spec", "volumeName") else ""


def claim_modes(obj: Object, now_s: int) -> str:
    return modes_text(at(obj, "status", "accessModes")) if at(obj, "spec", "volumeName") else ""


def modes_text(modes: list[str] | None) -> str:
    """'RWO,ROX'"""
    return ",".join(short for mode, short in MODES if mode in (modes or ()))


def class_name(obj: Object, now_s: int) -> str:
    """'standard (default)'"""
    names = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
    return _marked(obj, *names)


def attributes_class_name(obj: Object, now_s: int) -> str:
    return _marked(obj, "volumeattributesclass.alpha.kubernetes.io/is-default-class")


def _marked(obj: Object, *annotations: str) -> str:
    given = obj["metadata"].get("annotations") or {}
    default = any(given.get(annotation) == "true" for annotation in annotations)
    return f"{obj['metadata']['name']}{' (default)' if default else ''}"


def drivers(node: Object, now_s: int) -> int:
    return len(at(node, "spec", "drivers") or ())


def token_requests(driver: Object, now_s: int) -> str:
    given = at(driver, "spec", "tokenRequests")
    return "<unset>" if given is None else ",".join(one.get("audience", "") for one in given)


def lifecycle_modes(driver: Object, now_s: int) -> str:
    return ",".join(at(driver, "spec", "volumeLifecycleModes") or ()) or "<none>"


def claim_state(claim: Object, now_s: int) -> str:
    """Of a ResourceClaim: 'pending', 'allocated,reserved', 'deleted,allocated'."""
    deleted = bool(claim["metadata"].get("deletionTimestamp"))
    states = ["deleted"] if deleted else []
    if at(claim, "status", "allocation") is None:
        states += [] if deleted else ["pending"]
    else:
        states += ["allocated", "reserved"] if at(claim, "status", "reservedFor") else ["allocated"]
    return ",".join(states)
