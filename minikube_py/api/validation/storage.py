"""StorageClasses, CSIDrivers, CSINodes, VolumeAttachments.

Source: pkg/apis/storage/validation/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.validation import names, volumes
from minikube_py.api.validation.causes import same, sorted_map

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes


def storage_class(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    provisioner, parameters = obj.get("provisioner", ""), obj.get("parameters")
    if old is not None:
        if not same(parameters, old.get("parameters")):
            causes.invalid("parameters", sorted_map(parameters), "field is immutable")
        for field in ("provisioner", "reclaimPolicy", "volumeBindingMode"):
            causes.immutable(field, obj.get(field), old.get(field))
        return
    if not provisioner:
        causes.required("provisioner", provisioner)
    else:
        causes.each_invalid("provisioner", provisioner.lower(), names.qualified_name(provisioner.lower()))
    for key in sorted_map(parameters) or ():
        if not key:
            causes.invalid("parameters", key, "field can not be empty.")
    policy = obj.get("reclaimPolicy")
    if policy and policy not in ("Delete", "Retain"):
        causes.not_supported("reclaimPolicy", policy, ("Delete", "Retain"))
    mode = obj.get("volumeBindingMode")
    if mode is None:
        causes.required("volumeBindingMode")
    elif mode not in ("Immediate", "WaitForFirstConsumer"):
        causes.not_supported("volumeBindingMode", mode, ("Immediate", "WaitForFirstConsumer"))


def csi_driver(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    volumes.csi_driver_name(causes, obj["metadata"].get("name", ""), "metadata.name")
    if old is not None:
        attach, before = (obj.get("spec") or {}).get("attachRequired"), (old.get("spec") or {}).get("attachRequired")
        causes.immutable("spec.attachedRequired", attach, before)


def csi_node(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    seen: set[str] = set()
    for index, driver in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        path, name = f"spec.drivers[{index}]", driver.get("name", "")
        volumes.csi_driver_name(causes, name, f"{path}.name")
        if not driver.get("nodeID"):
            causes.required(f"{path}.nodeID")
        if name in seen:
            causes.duplicate(f"{path}.name", name)
        seen.add(name)


def volume_attachment(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec = obj.get("spec") or {}
    if old is not None and not same(spec, old.get("spec")):
        causes.invalid("spec", spec, "field is immutable")
    if not spec.get("attacher"):
        causes.required("spec.attacher")
    else:
        volumes.csi_driver_name(causes, spec["attacher"], "spec.attacher")
    source = spec.get("source") or {}
    if not source.get("persistentVolumeName") and not source.get("inlineVolumeSpec"):
        causes.required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    if not spec.get("nodeName"):
        causes.required("spec.nodeName")
