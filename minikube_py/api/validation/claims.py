"""PersistentVolumes and PersistentVolumeClaims.

Source: pkg/apis/core/validation/validation.go (ValidatePersistentVolumeSpec, ValidatePersistentVolumeClaimUpdate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import internal, metadata, names, placement, volumes
from minikube_py.api.validation.causes import same
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_SOURCES = (
    "gcePersistentDisk", "awsElasticBlockStore", "hostPath", "glusterfs", "nfs", "rbd", "quobyte", "cephfs", "iscsi",
    "cinder", "fc", "flocker", "flexVolume", "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk",
    "portworxVolume", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip
_CLAIM_FIELDS = (
    "accessModes", "selector", "resources", "volumeName", "storageClassName", "volumeMode", "dataSource",
    "dataSourceRef", "volumeAttributesClassName",
)  # fmt: skip
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def claim(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        for name, value in ((obj.get("status") or {}).get("capacity") or {}).items():
            if quantity.value(value) < 0:
                causes.invalid(f"status.capacity[{name}]", quantity.value(value), "must be a valid resource quantity")
        return
    spec = obj.get("spec") or {}
    claim_spec(causes, spec, "spec")
    if old is not None:
        _claim_update(causes, obj, old)


def claim_spec(causes: Causes, spec: Object, path: str) -> None:
    modes = spec.get("accessModes") or ()
    if not modes:
        causes.required(f"{path}.accessModes", "at least 1 access mode is required")
    metadata.selector(causes, spec.get("selector"), f"{path}.selector")
    _access_modes(causes, modes, f"{path}.accessModes")
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is None:
        causes.required(f"{path}.resources[storage]")
    elif quantity.compare(asked, "0") <= 0:
        causes.invalid(f"{path}.resources[storage]", quantity.canonical(asked), "must be greater than zero")
    for field in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(field):
            causes.each_invalid(f"{path}.{field}", spec[field], names.dns_subdomain(spec[field]))
    mode = spec.get("volumeMode")
    if mode is not None and mode not in ("Block", "Filesystem"):
        causes.not_supported(f"{path}.volumeMode", mode, ("Block", "Filesystem"))
    for field in ("dataSource", "dataSourceRef"):
        if spec.get(field) is not None:
            _data_source(causes, spec[field], f"{path}.{field}")


def _access_modes(causes: Causes, modes: Any, path: str) -> None:
    for mode in modes:
        if mode not in ACCESS_MODES:
            causes.not_supported(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and any(mode in ACCESS_MODES[:3] for mode in modes):
        causes.forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _data_source(causes: Causes, source: Object, path: str) -> None:
    for field in ("name", "kind"):
        if not source.get(field):
            causes.required(f"{path}.{field}")
    group, kind = source.get("apiGroup") or "", source.get("kind", "")
    if not group and kind != "PersistentVolumeClaim":
        causes.invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    elif group:
        causes.each_invalid(f"{path}.apiGroup", group, names.dns_subdomain(group))


def _claim_update(causes: Causes, obj: Object, old: Object) -> None:
    spec, before = obj["spec"], old["spec"]
    theirs, mine = dict(before), dict(spec)
    if not before.get("volumeName") and spec.get("volumeName"):
        theirs["volumeName"] = spec["volumeName"]
    new_note, old_note = ((one["metadata"].get("annotations") or {}).get(BETA_CLASS, "") for one in (obj, old))
    if new_note != old_note:
        causes.invalid(f"metadata.annotations.{BETA_CLASS}", new_note, "field is immutable")
    set_now = before.get("storageClassName") is None and spec.get("storageClassName") is not None
    if set_now and old_note in ("", spec["storageClassName"]):
        mine.pop("storageClassName")
    was, now = _size(before), _size(spec)
    if (old.get("status") or {}).get("phase") == "Bound":
        if was is not None and (spec.get("resources") or {}).get("requests"):
            requests = {**spec["resources"]["requests"], "storage": was}
            mine["resources"] = {**spec["resources"], "requests": requests}
        if spec.get("volumeAttributesClassName") is not None:
            _put(mine, "volumeAttributesClassName", before.get("volumeAttributesClassName"))
    if any(not same(mine.get(field), theirs.get(field)) for field in _CLAIM_FIELDS):
        detail = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        causes.forbidden("spec", f"{detail}\n{_difference(theirs, mine)}")
    if was is not None and now is not None and quantity.compare(now, was) < 0:
        capacity = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
        if quantity.compare(now, capacity) <= 0:
            causes.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
    causes.immutable("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))


def _put(target: Object, field: str, value: Any) -> None:
    if value is None:
        target.pop(field, None)
    else:
        target[field] = value


def _size(spec: Object) -> str | None:
    found: str | None = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    return found


def _difference(old: Object, new: Object) -> str:
    return internal.difference("PersistentVolumeClaimSpec", old, new)


def volume(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        return
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        causes.required("spec.accessModes")
    _access_modes(causes, spec.get("accessModes") or (), "spec.accessModes")
    capacity = spec.get("capacity") or {}
    if not capacity:
        causes.required("spec.capacity")
    if "storage" not in capacity or len(capacity) > 1:
        causes.not_supported("spec.capacity", capacity or None, ("storage",))
    for name, value in capacity.items():
        if quantity.compare(value, "0") <= 0:
            causes.invalid(f"spec.capacity[{name}]", quantity.canonical(value), "must be greater than zero")
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy and policy not in ("Delete", "Recycle", "Retain"):
        causes.not_supported("spec.persistentVolumeReclaimPolicy", policy, ("Delete", "Recycle", "Retain"))
    affinity = (spec.get("nodeAffinity") or {}).get("required")
    if spec.get("nodeAffinity") is not None:
        if affinity is None:
            causes.required("spec.nodeAffinity.required", "must specify required node constraints")
        else:
            placement.node_selector(causes, affinity, "spec.nodeAffinity.required")
    _volume_source(causes, spec, affinity)
    if spec.get("storageClassName"):
        name = spec["storageClassName"]
        causes.each_invalid("spec.storageClassName", name, names.dns_subdomain(name))
    mode = spec.get("volumeMode")
    if mode is not None and mode not in ("Block", "Filesystem"):
        causes.not_supported("spec.volumeMode", mode, ("Block", "Filesystem"))
    if old is not None:
        before = old["spec"]
        if any(not same(spec.get(source), before.get(source)) for source in _SOURCES):
            detail = "spec.persistentvolumesource is immutable after creation"
            difference = internal.difference("PersistentVolumeSource", before, spec)
            causes.forbidden("spec.persistentvolumesource", f"{detail}\n{difference}")
        causes.immutable("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))
        if before.get("nodeAffinity") is not None and not same(spec.get("nodeAffinity"), before["nodeAffinity"]):
            detail = "field is immutable, except for updating from beta label to GA"
            causes.invalid("nodeAffinity", spec.get("nodeAffinity"), detail)


def _volume_source(causes: Causes, spec: Object, affinity: Object | None) -> None:
    given = [source for source in _SOURCES if spec.get(source) is not None]
    if not given:
        causes.required("spec", "must specify a volume type")
        return
    for other in given[1:]:
        causes.forbidden(f"spec.{other}", "may not specify more than 1 volume type")
    kind, source = given[0], spec[given[0]]
    for field in ("path",) if kind == "local" else volumes.REQUIRED.get(kind, ()):
        if not source.get(field):
            causes.required(f"spec.{kind}.{field}")
    if kind == "csi" and not source.get("volumeHandle"):
        causes.required("spec.csi.volumeHandle")
    if kind == "local" and affinity is None:
        causes.required("spec.nodeAffinity", "Local volume requires node affinity")
    if kind in ("hostPath", "local") and ".." in source.get("path", "").split("/"):
        causes.invalid(f"spec.{kind}.path", source["path"], "must not contain '..'")
    if kind == "nfs" and not source.get("path", "").startswith("/"):
        causes.invalid("spec.nfs.path", source.get("path", ""), "must be an absolute path")
    if kind == "hostPath" and source.get("path") == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        causes.forbidden("spec.persistentVolumeReclaimPolicy", detail)
