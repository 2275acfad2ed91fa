"""DefaultStorageClass, StorageObjectInUseProtection and PersistentVolumeClaimResize.

Sources: plugin/pkg/admission/storage/*/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

CLASSES = "storageclasses.storage.k8s.io"
DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
}


def default_class(request: Request) -> Object:
    """A claim that names no class gets the default one: the newest of several, of equals the first by name."""
    claim = request.object
    assert claim is not None
    spec = claim.get("spec") or {}
    if spec.get("storageClassName") is not None or BETA_CLASS in (claim["metadata"].get("annotations") or ()):
        return claim
    marked = [one for one in request.view.list(CLASSES) if is_default(one)]
    if not marked:
        return claim
    newest = max(one["metadata"].get("creationTimestamp") or "" for one in marked)
    chosen = next(one for one in marked if (one["metadata"].get("creationTimestamp") or "") == newest)
    return {**claim, "spec": {**spec, "storageClassName": chosen["metadata"]["name"]}}


def is_default(storage_class: Object) -> bool:
    notes = storage_class["metadata"].get("annotations") or {}
    return any(notes.get(name) == "true" for name in DEFAULT)


def protect(request: Request) -> Object:
    """Claims and volumes stay while they are used: a finalizer that the protection controllers take off."""
    obj = request.object
    assert obj is not None
    finalizer, meta = FINALIZERS[request.key.resource], obj["metadata"]
    if finalizer in (meta.get("finalizers") or ()):
        return obj
    return {**obj, "metadata": {**meta, "finalizers": [*(meta.get("finalizers") or ()), finalizer]}}


def resize(request: Request) -> None:
    """A claim may grow only once it is bound, and only if its class allows it."""
    claim, old = request.object, request.old
    assert claim is not None
    assert old is not None
    now, before = _size(claim), _size(old)
    if now is None or before is None or quantity.compare(now, before) <= 0:
        return
    if (old.get("status") or {}).get("phase") != "Bound":
        raise request.forbidden("Only bound persistent volume claims can be expanded")
    name = (claim.get("spec") or {}).get("storageClassName") or ""
    found = request.view.get(Key(CLASSES, "", name)) if name else None
    if found is None or not found.get("allowVolumeExpansion"):
        raise request.forbidden(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
        )


def _size(claim: Object) -> str | None:
    found: str | None = (((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage")
    return found
