"""The protection controllers: a claim that a pod uses, and a volume that is bound, stay until they are let go.

`claim_step` runs on persistentvolumeclaims and is woken by: the claim itself; pods that are gone, for the claims they used.
`volume_step` runs on persistentvolumes and is woken by the volume itself. Only pods with a node protect a claim; a finished
pod that still exists does.
`attributes_step` runs on volumeattributesclasses and is woken by: the class itself; claims and volumes that named it and no longer
do. Unlike the others, it adds its finalizer itself.
Source: k8s.io/kubernetes/pkg/controller/volume/{pvcprotection,pvprotection,vacprotection}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Patch
from minikube_py.controllers.ownership import key_of
from minikube_py.controllers.storage import names
from minikube_py.scheduler.plugins.volumes import claim_names

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"
ATTRIBUTES_FINALIZER = "kubernetes.io/vac-protection"


def claim_step(claim: Object, view: View, clock: Clock) -> Actions:
    meta = claim["metadata"]
    if "deletionTimestamp" not in meta or CLAIM_FINALIZER not in (meta.get("finalizers") or ()):
        return
    for pod in view.list("pods", meta["namespace"]):
        if pods.node_of(pod) and meta["name"] in claim_names(pod):
            return
    yield from _release(names.CLAIMS, claim, CLAIM_FINALIZER)


def volume_step(volume: Object, view: View, clock: Clock) -> Actions:
    meta = volume["metadata"]
    if "deletionTimestamp" not in meta or VOLUME_FINALIZER not in (meta.get("finalizers") or ()):
        return
    if (volume.get("status") or {}).get("phase") != "Bound":
        yield from _release(names.VOLUMES, volume, VOLUME_FINALIZER)


def attributes_step(attributes: Object, view: View, clock: Clock) -> Actions:
    meta = attributes["metadata"]
    finalizers = meta.get("finalizers") or []
    if "deletionTimestamp" not in meta:
        if ATTRIBUTES_FINALIZER not in finalizers:
            yield Patch(
                key_of(names.ATTRIBUTES, attributes), {"metadata": {"finalizers": [*finalizers, ATTRIBUTES_FINALIZER]}}
            )
        return
    if ATTRIBUTES_FINALIZER not in finalizers:
        return
    for resource in (names.VOLUMES, names.CLAIMS):
        if any(meta["name"] in names.attributes_of(one) for one in view.list(resource)):
            return
    yield from _release(names.ATTRIBUTES, attributes, ATTRIBUTES_FINALIZER)


def _release(resource: str, obj: Object, finalizer: str) -> Actions:
    left = [name for name in obj["metadata"]["finalizers"] if name != finalizer]
    yield Patch(key_of(resource, obj), {"metadata": {"finalizers": left or None}})
