"""The protection of claims and volumes in use: a deleted one stays until nobody uses it any more.

`claim` runs on persistentvolumeclaims and is woken by: the claim itself; the deletion of a pod that names it. `volume` runs on
persistentvolumes and is woken by: the volume itself. Admission put the finalizers on that they take off.

A pod that has no node does not hold its claim: no kubelet starts a pod whose claim is being deleted. A finished one does.
Sources: k8s.io/kubernetes/pkg/controller/volume/pvcprotection/pvc_protection_controller.go, pvprotection/pv_protection_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Patch
from minikube_py.controllers import ownership

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

CLAIM, VOLUME = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"


def claim(obj: Object, view: View, clock: Clock) -> Actions:
    meta = obj["metadata"]
    held = ownership.is_deleting(obj) and CLAIM in (meta.get("finalizers") or ())
    if held and not any(uses(pod, obj) for pod in view.list("pods", meta["namespace"])):
        yield _released("persistentvolumeclaims", obj, CLAIM)


def volume(obj: Object, view: View, clock: Clock) -> Actions:
    bound = (obj.get("status") or {}).get("phase") == "Bound"
    if ownership.is_deleting(obj) and VOLUME in (obj["metadata"].get("finalizers") or ()) and not bound:
        yield _released("persistentvolumes", obj, VOLUME)


def uses(pod: Object, obj: Object) -> bool:
    """Whether a pod with a node mounts the claim, by name or as the one of its ephemeral volume."""
    return bool(pods.node_of(pod)) and obj["metadata"]["name"] in claims_of(pod)


def claims_of(pod: Object) -> list[str]:
    """The names of the claims that a pod's volumes stand for: pod p with ephemeral volume v has p-v."""
    names = []
    for one in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in one:
            names.append(one["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in one:
            names.append(f"{pod['metadata']['name']}-{one['name']}")
    return names


def _released(resource: str, obj: Object, finalizer: str) -> Patch:
    kept = [name for name in obj["metadata"]["finalizers"] if name != finalizer]
    return Patch(ownership.key_of(resource, obj), {"metadata": {"finalizers": kept or None}})
