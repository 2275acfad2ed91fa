"""Who controls whom: controller references, and the claiming of pods and ReplicaSets by selector.

Source: k8s.io/kubernetes/pkg/controller/controller_ref_manager.go, k8s.io/apimachinery/pkg/apis/meta/v1/controller_ref.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key, Patch
from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from minikube_py.api.types import Action, Object, Objects, Outcome, View
    from minikube_py.base.selector import Selector

# Resources of the kinds that can stand in an ownerReference as the controller of a pod or a ReplicaSet.
POD_OWNERS = {
    "ReplicaSet": "replicasets.apps",
    "ReplicationController": "replicationcontrollers",
    "DaemonSet": "daemonsets.apps",
    "StatefulSet": "statefulsets.apps",
    "Job": "jobs.batch",
    "Deployment": "deployments.apps",
}


def key_of(resource: str, obj: Object) -> Key:
    meta = obj["metadata"]
    return Key(resource, meta.get("namespace", ""), meta["name"])


def controller_of(obj: Object) -> Object | None:
    """The one ownerReference that is marked as controller, or None (metav1.GetControllerOf)."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference  # type: ignore[no-any-return]
    return None


def is_controlled_by(obj: Object, owner: Object) -> bool:
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def reference_to(owner: Object, api_version: str, kind: str) -> Object:
    """A controller reference (metav1.NewControllerRef): its owner waits for the dependent in foreground deletion."""
    meta = owner["metadata"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_deleting(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def candidates(owner: Object, match_labels: dict[str, str] | None, view: View) -> Objects:
    """Pods that `owner` controls, and pods without a controller that carry `match_labels`: all that a claim could touch.

    None for `match_labels`: the selector has expressions only, so every pod of the namespace is looked at.
    """
    meta = owner["metadata"]
    owned = view.owned(meta["uid"], "pods")
    labelled = view.selected(meta["namespace"], match_labels) if match_labels else view.list("pods", meta["namespace"])
    controlled: Objects = []
    ours: object = ()  # the list of references that most of them share
    for pod in owned:
        references = pod["metadata"]["ownerReferences"]
        if references is ours or is_controlled_by(pod, owner):
            ours = references
            controlled.append(pod)
    orphans = [
        pod for pod in labelled if pod["metadata"].get("ownerReferences") is not ours and controller_of(pod) is None
    ]
    return sorted(controlled + orphans, key=lambda pod: pod["metadata"]["name"]) if orphans else controlled


def claim(
    owner: Object, reference: Object, found: Iterable[Object], selector: Selector, resource: str
) -> Generator[Action, Outcome, Objects]:
    """The objects of `found` that belong to `owner`, after adopting matching orphans and releasing those that no longer match.

    An owner that is being deleted neither adopts nor releases; an object that is being deleted is not adopted.
    """
    mine: Objects = []
    uid = owner["metadata"]["uid"]
    ours: object = ()  # references of one that is ours, and the ids of labels that match: most pods share them
    matching: dict[int, None] = {}
    for obj in found:
        meta = obj["metadata"]
        if meta.get("ownerReferences") is ours and id(meta.get("labels")) in matching:
            mine.append(obj)
            continue
        controller = controller_of(obj)
        matches = selector.matches(obj["metadata"].get("labels") or {})
        if controller is not None and controller["uid"] != uid:
            continue
        if controller is not None and matches:
            mine.append(obj)
            ours = meta["ownerReferences"]
            matching[id(meta.get("labels"))] = None
        elif controller is not None and not is_deleting(owner):
            others = [one for one in obj["metadata"]["ownerReferences"] if one["uid"] != uid]
            yield Patch(key_of(resource, obj), {"metadata": {"ownerReferences": others or None}})
        elif controller is None and matches and not is_deleting(owner) and not is_deleting(obj):
            references = [*(obj["metadata"].get("ownerReferences") or ()), reference]
            outcome = yield Patch(key_of(resource, obj), {"metadata": {"ownerReferences": references}})
            if not isinstance(outcome, KpyError):
                mine.append({**obj, "metadata": {**obj["metadata"], "ownerReferences": references}})
    return mine
