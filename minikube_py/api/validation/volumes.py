"""Volumes of pods.

Source: pkg/apis/core/validation/validation.go (ValidateVolumes, validateVolumeSource).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.validation import names
from minikube_py.api.validation.containers import descending_path, field_selector, resource_selector
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

# The order in which the API server looks for sources: the first one counts, others are 'more than 1 volume type'.
SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs",
    "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume",
    "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos",
    "projected", "scaleIO", "csi", "ephemeral", "image",
)  # fmt: skip
# What the simple sources require, in the order of the findings.
REQUIRED = {
    "gitRepo": ("repository",), "gcePersistentDisk": ("pdName",), "awsElasticBlockStore": ("volumeID",),
    "secret": ("secretName",), "nfs": ("server", "path"), "iscsi": ("targetPortal", "iqn"),
    "glusterfs": ("endpoints", "path"), "persistentVolumeClaim": ("claimName",), "rbd": ("monitors", "image"),
    "cinder": ("volumeID",), "cephfs": ("monitors",), "flexVolume": ("driver",), "configMap": ("name",),
    "azureFile": ("secretName", "shareName"), "vsphereVolume": ("volumePath",), "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",), "azureDisk": ("diskName", "diskURI"), "storageos": ("volumeName",),
    "scaleIO": ("gateway", "system", "volumeName"), "csi": ("driver",), "hostPath": ("path",),
}  # fmt: skip
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_PARTITIONED = ("gcePersistentDisk", "awsElasticBlockStore")


def volumes(causes: Causes, found: list[Object], pod_name: str, path: str) -> dict[str, Object]:
    """Checks spec.volumes; the good ones by name, for the mounts. `pod_name` '' in templates."""
    good: dict[str, Object] = {}
    created = {f"{pod_name}-{volume.get('name')}" for volume in found if "ephemeral" in volume} if pod_name else set()
    for index, volume in enumerate(found):
        here, before = f"{path}[{index}]", len(causes)
        name = volume.get("name", "")
        _source(causes, volume, pod_name, here)
        if not name:
            causes.required(f"{here}.name")
        else:
            causes.each_invalid(f"{here}.name", name, names.dns_label(name))
        if name in good:
            causes.duplicate(f"{here}.name", name)
        if len(causes) == before:
            good[name] = volume
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in created:
            detail = "must not reference a PVC that gets created for an ephemeral volume"
            causes.invalid(f"{here}.persistentVolumeClaim.claimName", claim, detail)
    return good


def _source(causes: Causes, volume: Object, pod_name: str, path: str) -> None:
    given = [source for source in SOURCES if volume.get(source) is not None] if len(volume) > 2 else [
        source for source in volume if source != "name" and volume[source] is not None
    ]  # fmt: skip
    if not given:
        causes.required(path, "must specify a volume type")
        return
    _one_source(causes, given[0], volume[given[0]], f"{path}.{given[0]}")
    for other in given[1:]:
        causes.forbidden(f"{path}.{other}", "may not specify more than 1 volume type")
    name = volume.get("name", "")
    if given[0] == "ephemeral" and pod_name and name:
        claim = f"{pod_name}-{name}"
        for detail in names.dns_subdomain(claim):
            causes.invalid(f"{path}.name", name, f'PVC name "{claim}": {detail}')


def _one_source(causes: Causes, kind: str, source: Object, path: str) -> None:
    if kind == "emptyDir":
        if source.get("sizeLimit") and quantity.compare(source["sizeLimit"], "0") < 0:
            causes.forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")
        return
    for field in REQUIRED.get(kind, ()):
        if not source.get(field):
            causes.required(f"{path}.{field}")
    if kind in ("secret", "configMap", "downwardAPI", "projected"):
        _mode(causes, source.get("defaultMode"), f"{path}.defaultMode")
    if kind in ("secret", "configMap"):
        for index, item in enumerate(source.get("items") or ()):
            _key_to_path(causes, item, f"{path}.items[{index}]")
    elif kind == "downwardAPI":
        for item in source.get("items") or ():
            _downward_file(causes, item, path)
    elif kind == "projected":
        _projected(causes, source, path)
    elif kind == "hostPath" and source.get("path"):
        _host_path(causes, source, path)
    elif kind == "nfs":
        if not source.get("path", "").startswith("/"):
            causes.invalid(f"{path}.path", source.get("path", ""), "must be an absolute path")
    elif kind == "csi" and source.get("driver"):
        csi_driver_name(causes, source["driver"], f"{path}.driver")
    elif kind == "ephemeral":
        _ephemeral(causes, source, path)
    elif kind in _PARTITIONED and not 0 <= source.get("partition", 0) <= 255:
        causes.invalid(f"{path}.partition", source["partition"], names.between(1, 255))
    elif kind == "gitRepo":
        descending_path(causes, source.get("directory", ""), f"{path}.directory")


def _mode(causes: Causes, mode: int | None, path: str) -> None:
    if mode is not None and not 0 <= mode <= 0o777:
        causes.invalid(path, mode, _MODE)


def _host_path(causes: Causes, source: Object, path: str) -> None:
    if ".." in source["path"].split("/"):
        causes.invalid(f"{path}.path", source["path"], "must not contain '..'")
    if source.get("type") is not None and source["type"] not in HOST_PATH_TYPES:
        causes.not_supported(f"{path}.type", source["type"], HOST_PATH_TYPES)


def _ephemeral(causes: Causes, source: Object, path: str) -> None:
    from minikube_py.api.validation.claims import claim_spec
    from minikube_py.api.validation.metadata import annotation_map, labels

    template = source.get("volumeClaimTemplate")
    if template is None:
        causes.required(f"{path}.volumeClaimTemplate")
        return
    meta = template.get("metadata") or {}
    annotation_map(causes, meta.get("annotations"), f"{path}.volumeClaimTemplate.metadata.annotations")
    labels(causes, meta.get("labels"), f"{path}.volumeClaimTemplate.metadata.labels")
    claim_spec(causes, template.get("spec") or {}, f"{path}.volumeClaimTemplate.spec")


def _local_path(causes: Causes, where: str, path: str) -> None:
    descending_path(causes, where, path)
    if where.startswith("..") and not where.startswith("../"):
        causes.invalid(path, where, "must not start with '..'")


def _key_to_path(causes: Causes, item: Object, path: str) -> None:
    if not item.get("key"):
        causes.required(f"{path}.key")
    if not item.get("path"):
        causes.required(f"{path}.path")
    _local_path(causes, item.get("path", ""), f"{path}.path")
    _mode(causes, item.get("mode"), f"{path}.mode")


def _downward_file(causes: Causes, item: Object, path: str) -> None:
    """One file of the downward API. The path has no index: so does the source."""
    if not item.get("path"):
        causes.required(f"{path}.path")
    _local_path(causes, item.get("path", ""), f"{path}.path")
    if item.get("fieldRef") is not None:
        field_selector(causes, item["fieldRef"], VOLUME_FIELDS, f"{path}.fieldRef")
        if item.get("resourceFieldRef") is not None:
            causes.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif item.get("resourceFieldRef") is not None:
        resource_selector(causes, item["resourceFieldRef"], f"{path}.resourceFieldRef", volume=True)
    else:
        causes.required(path, "one of fieldRef and resourceFieldRef is required")
    _mode(causes, item.get("mode"), f"{path}.mode")


def _projected(causes: Causes, source: Object, path: str) -> None:
    seen: set[str] = set()
    for index, one in enumerate(source.get("sources") or ()):
        here = f"{path}.sources[{index}]"
        for kind in ("secret", "configMap"):
            if one.get(kind) is not None:
                name = one[kind].get("name", "")
                if not name:
                    causes.required(f"{here}.{kind}.name")
                for at, item in enumerate(one[kind].get("items") or ()):
                    _key_to_path(causes, item, f"{here}.{kind}.items[{at}]")
                    _unique_path(causes, item.get("path", ""), name, seen, path)
        for item in (one.get("downwardAPI") or {}).get("items") or ():
            _downward_file(causes, item, f"{here}.downwardAPI")
            _unique_path(causes, item.get("path", ""), item.get("path", ""), seen, path)
        token = one.get("serviceAccountToken")
        if token is not None:
            _token(causes, token, path, f"{here}.serviceAccountToken")
        bundle = one.get("clusterTrustBundle")
        if bundle is not None:
            _bundle(causes, bundle, seen, path, f"{here}.clusterTrustBundle")
        if len(one) > 1:
            causes.forbidden(here, "may not specify more than 1 volume type per source")


def _unique_path(causes: Causes, where: str, shown: str, seen: set[str], path: str) -> None:
    if where in seen:
        causes.invalid(path, shown, "conflicting duplicate paths")
    elif where:
        seen.add(where)


def _token(causes: Causes, token: Object, path: str, here: str) -> None:
    seconds = token.get("expirationSeconds", 0)
    if seconds < 600:
        causes.invalid(f"{here}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > 1 << 32:
        causes.invalid(f"{here}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
    if not token.get("path"):
        causes.required(f"{path}.path")
    else:
        _local_path(causes, token["path"], f"{path}.path")


def _bundle(causes: Causes, bundle: Object, seen: set[str], path: str, here: str) -> None:
    if "name" not in bundle and "signerName" not in bundle:
        causes.required(here, "either name or signerName must be specified")
    if not bundle.get("path"):
        causes.required(f"{here}.path")
    _local_path(causes, bundle.get("path", ""), f"{here}.path")
    _unique_path(causes, bundle.get("path", ""), bundle.get("path", ""), seen, path)


def csi_driver_name(causes: Causes, name: str, path: str) -> None:
    if not name:
        causes.required(path)
    elif len(name) > 63:
        causes.too_long(path, 63)
    causes.each_invalid(path, name.lower(), names.dns_subdomain(name.lower()))
