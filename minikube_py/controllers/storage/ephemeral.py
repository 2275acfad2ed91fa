"""The ephemeral volume controller: the claims of a pod's generic ephemeral volumes, owned by the pod.

`step` runs on pods with such volumes and is woken by: the pod itself when it comes; a claim of its that is gone.
Source: k8s.io/kubernetes/pkg/controller/volume/ephemeral/controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Create, Key
from minikube_py.controllers import ownership
from minikube_py.controllers.storage import names

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock


def step(pod: Object, view: View, clock: Clock) -> Actions:
    meta = pod["metadata"]
    if pods.is_terminating(pod):
        return
    for volume in pod["spec"].get("volumes") or ():
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is None:
            continue
        name = f"{meta['name']}-{volume['name']}"
        if view.get(Key(names.CLAIMS, meta["namespace"], name)) is None:
            yield Create(_claim(name, pod, template))


def _claim(name: str, pod: Object, template: Object) -> Object:
    kept = {
        field: value for field, value in (template.get("metadata") or {}).items() if field in ("labels", "annotations")
    }
    owner = ownership.reference_to(pod, "v1", "Pod")
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**kept, "name": name, "namespace": pod["metadata"]["namespace"], "ownerReferences": [owner]},
        "spec": template["spec"],
    }
