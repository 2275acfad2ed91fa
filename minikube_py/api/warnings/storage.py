"""Warnings about volumes and claims. Sources: pkg/api/persistentvolume/util.go, persistentvolumeclaim/util.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.warnings import nodes

Object = dict[str, Any]

CLASS = "volume.beta.kubernetes.io/storage-class"
OPTIONS = "volume.beta.kubernetes.io/mount-options"
ANNOTATIONS = {
    CLASS: 'deprecated since v1.8; use "storageClassName" attribute instead',
    OPTIONS: 'deprecated since v1.31; use "mountOptions" attribute instead',
}
RECYCLE = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."
# In the order of the checks: pods first list those that persistent volumes do not have.
PLUGINS = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
SHOWN = {"storageos": "storageOS"}  # Go code names the field, not the JSON


def claim(obj: Object, old: Object | None) -> list[str]:
    return _annotations(obj, (CLASS,)) + claim_spec("spec", obj.get("spec") or {})


def claim_spec(path: str, spec: Object) -> list[str]:
    resources = spec.get("resources") or {}
    return [
        text
        for side in ("requests", "limits")
        for text in fraction(f"{path}.resources.{side}[storage]", resources.get(side), "storage")
    ]


def volume(obj: Object, old: Object | None) -> list[str]:
    spec = obj.get("spec") or {}
    found = _annotations(obj, (CLASS, OPTIONS))
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        found.append(f"spec.persistentVolumeReclaimPolicy: {RECYCLE}")
    terms = ((spec.get("nodeAffinity") or {}).get("required") or {}).get("nodeSelectorTerms") or ()
    for index, term in enumerate(terms):
        found += nodes.in_term(f"spec.nodeAffinity.required.nodeSelectorTerms[{index}]", term)
    return found + plugins("spec", spec) + fraction("spec.capacity[storage]", spec.get("capacity"), "storage")


def plugins(path: str, source: Object) -> list[str]:
    """Volume plugins that are gone or going."""
    return [f"{path}.{SHOWN.get(name, name)}: {text}" for name, text in PLUGINS.items() if source.get(name) is not None]


def pod_volumes(path: str, volumes: list[Object]) -> list[str]:
    found = []
    for index, source in enumerate(volumes):
        here = f"{path}[{index}]"
        found += plugins(here, source)
        template = (source.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template:
            found += claim_spec(f"{here}.ephemeral.volumeClaimTemplate.spec", template.get("spec") or {})
    return found


def fraction(path: str, quantities: Object | None, name: str) -> list[str]:
    """A number of bytes with a part behind the point, as 100m where 100M was meant."""
    value = (quantities or {}).get(name)
    if value is None or (not str(value).endswith(("m", "u", "n")) and "." not in str(value)):
        return []
    from minikube_py.base import quantity

    if quantity.milli(value) % 1000 == 0:
        return []
    return [f'{path}: fractional byte value "{quantity.canonical(value)}" is invalid, must be an integer']


def _annotations(obj: Object, names: tuple[str, ...]) -> list[str]:
    annotations = obj["metadata"].get("annotations") or {}
    return [f"metadata.annotations[{name}]: {ANNOTATIONS[name]}" for name in names if name in annotations]
