"""The claims of a StatefulSet's pods, and whom they belong to: persistentVolumeClaimRetentionPolicy.

    whenDeleted Delete: a claim is owned by the StatefulSet and goes with it
    whenScaled Delete: the claim of a pod that a smaller size removes is owned by the pod and goes with it
Source: k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_utils.go (updateClaimOwnerRefForSetAndPod).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Patch
from minikube_py.controllers import ownership

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View

CLAIMS = "persistentvolumeclaims"


def claims(owner: Object, pod: str) -> Objects:
    """The claims of a pod: volumeClaimTemplate `data` and pod `db-0` give `data-db-0`. Nobody owns them at first."""
    labels = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    found = []
    for template in owner["spec"].get("volumeClaimTemplates") or ():
        described = template["metadata"]
        meta: Object = {
            **{name: described[name] for name in ("annotations",) if described.get(name)},
            "name": f"{described['name']}-{pod}",
            "namespace": owner["metadata"]["namespace"],
            "labels": {**(described.get("labels") or {}), **labels},
        }
        found.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": template["spec"]})
    return found


def set_owners(owner: Object, pod: Object, view: View, *, surplus: bool) -> Actions:
    """Bring the owners of a pod's claims in line with the policy. `surplus`: the pod is beyond the wanted size."""
    if not owner["spec"].get("volumeClaimTemplates"):
        return
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    by_pod = surplus and policy.get("whenScaled") == "Delete"
    by_set = _goes_with_set(owner) and not by_pod
    ours = {owner["metadata"]["uid"], pod["metadata"]["uid"]}
    for claim in claims(owner, pod["metadata"]["name"]):
        key = ownership.key_of(CLAIMS, claim)
        stored = view.get(key)
        if stored is None:
            continue
        references = stored["metadata"].get("ownerReferences") or []
        wanted = [one for one in references if one["uid"] not in ours]
        if by_set:
            wanted.append(ownership.reference_to(owner, "apps/v1", "StatefulSet"))
        if by_pod:
            wanted.append(ownership.reference_to(pod, "v1", "Pod"))
        if wanted != references:
            yield Patch(key, {"metadata": {"ownerReferences": wanted or None}})


def _goes_with_set(owner: Object) -> bool:
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return bool(policy.get("whenDeleted") == "Delete")
