"""The annotations, resources and small readings that the steps of storage share.

Source: k8s.io/component-helpers/storage/volume/pv_helpers.go, helpers.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

CLAIMS = "persistentvolumeclaims"
VOLUMES = "persistentvolumes"
CLASSES = "storageclasses.storage.k8s.io"
ATTRIBUTES = "volumeattributesclasses.storage.k8s.io"
COMPONENT = "persistentvolume-controller"

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
PROVISIONER_BETA = "volume.beta.kubernetes.io/storage-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
CLASS_BETA = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def notes_of(obj: Object) -> Object:
    return obj["metadata"].get("annotations") or {}


def class_name(obj: Object) -> str:
    """The class that a claim asks for or a volume belongs to; '' for none."""
    return notes_of(obj).get(CLASS_BETA) or obj["spec"].get("storageClassName") or ""


def class_of(claim: Object, view: View) -> Object | None:
    name = class_name(claim)
    return view.get(Key(CLASSES, "", name)) if name else None


def requested(claim: Object) -> int:
    """Bytes that a claim asks for."""
    return quantity.value(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", 0))


def capacity(volume: Object) -> int:
    """Bytes that a volume holds."""
    return quantity.value((volume["spec"].get("capacity") or {}).get("storage", 0))


def volume_mode(obj: Object) -> str:
    return obj["spec"].get("volumeMode") or "Filesystem"


def reserved_for(volume: Object, claim: Object) -> bool:
    """Whether a volume's claimRef names the claim: by name, and by uid if it has one (IsVolumeBoundToClaim)."""
    reference, meta = volume["spec"].get("claimRef"), claim["metadata"]
    if not reference or (reference.get("namespace"), reference.get("name")) != (meta["namespace"], meta["name"]):
        return False
    return not reference.get("uid") or reference["uid"] == meta["uid"]


def claim_key(reference: Object) -> Key:
    return Key(CLAIMS, reference.get("namespace") or "", reference.get("name") or "")


def attributes_of(obj: Object) -> set[str]:
    """The VolumeAttributesClasses that a claim or a volume names: wanted, in force, and being applied."""
    status = obj.get("status") or {}
    named = (
        obj["spec"].get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName"),
    )
    return {name for name in named if name}
