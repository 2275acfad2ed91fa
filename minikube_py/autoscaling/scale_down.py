"""Which nodes nobody needs: used below half, and everything on them could run elsewhere.

A node's utilization is the larger of its pods' cpu and memory requests over what it can give:
    4 cpus and 8Gi with pods that request 1 cpu and 5Gi: max(0.25, 0.625) = 0.625: needed
Sources: cluster-autoscaler core/scaledown/eligibility, simulator/drainability/rules, simulator/utilization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.autoscaling.imagined import Imagined
from minikube_py.base import quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object, Objects, View
    from minikube_py.base.clock import Clock

SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"
SAFE_VOLUMES = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
DISABLED = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"
BUDGETS = "poddisruptionbudgets.policy"


def utilization(node: Object, view: View) -> float:
    """The larger of requested cpu and memory over allocatable; 0.25 is a quarter."""
    asked = view.counters(node["metadata"]["name"])
    available = node["status"].get("allocatable") or {}
    cpu, memory = quantity.milli(available.get("cpu", "0")), quantity.value(available.get("memory", "0"))
    return max(asked.get("cpu", 0) / cpu if cpu else 0, asked.get("memory", 0) / memory if memory else 0)


def to_move(node: str, view: View) -> Objects:
    """The pods that would have to go elsewhere: neither finished, nor of DaemonSets, nor static."""
    return [pod for pod in view.on_node(node) if is_movable(pod) and not pods.is_terminating(pod)]


def is_movable(pod: Object) -> bool:
    """Whether a pod keeps its node from being deleted until it is gone."""
    return not pods.is_finished(pod) and _owner(pod) not in ("DaemonSet", "Node")


def _owner(pod: Object) -> str:
    for one in pod["metadata"].get("ownerReferences") or ():
        if one.get("controller"):
            return str(one["kind"])
    return ""


def blocker(moving: Iterable[Object], view: View) -> str:
    """Why pods may not be moved: 'default/web: NotReplicated'; '' if all may."""
    taken: dict[str, int] = {}
    for pod in moving:
        reason = _blocked(pod, view) or _over_budget(pod, view, taken)
        if reason:
            return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {reason}"
    return ""


def _blocked(pod: Object, view: View) -> str:
    meta = pod["metadata"]
    annotations = meta.get("annotations") or {}
    if annotations.get(SAFE) == "true":
        return ""
    if annotations.get(SAFE) == "false":
        return "NotSafeToEvictAnnotation"
    if _owner(pod) == "":
        return "NotReplicated"
    if meta["namespace"] == "kube-system" and not view.selecting(BUDGETS, pod):
        return "UnmovableKubeSystemPod"
    allowed = set((annotations.get(SAFE_VOLUMES) or "").split(","))
    for volume in pod["spec"].get("volumes") or ():
        is_local = "hostPath" in volume or (
            "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") != "Memory"
        )
        if is_local and volume["name"] not in allowed:
            return "LocalStorageRequested"
    return ""


def _over_budget(pod: Object, view: View, taken: dict[str, int]) -> str:
    """Count the pod against its budgets; `taken` is what other pods of this drain have used of them."""
    for budget in view.selecting(BUDGETS, pod):
        name = f"{budget['metadata']['namespace']}/{budget['metadata']['name']}"
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > (budget.get("status") or {}).get("disruptionsAllowed", 0):
            return "NotEnoughPdb"
    return ""


def places_for(node: str, moving: Objects, view: View, clock: Clock) -> str:
    """Whether all pods of a node find a place on the other nodes: '' or the first that does not."""
    if not moving:
        return ""
    imagined = Imagined(view, frozenset((node,)))
    for pod in moving:
        spec = {name: value for name, value in pod["spec"].items() if name != "nodeName"}
        homeless = {**pod, "spec": spec}
        target = imagined.choose(homeless, clock)
        if not target:
            return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: NoPlaceToMovePods"
        imagined.place(homeless, target)
    return ""


def unneeded(node: Object, view: View, clock: Clock, threshold: float) -> str:
    """'' if nobody needs the node, else why it stays."""
    meta = node["metadata"]
    if (meta.get("annotations") or {}).get(DISABLED) == "true":
        return "ScaleDownDisabledAnnotation"
    if utilization(node, view) >= threshold:
        return "NotUnderutilized"
    moving = to_move(meta["name"], view)
    return blocker(moving, view) or places_for(meta["name"], moving, view, clock)


def is_marked(node: Object) -> bool:
    return any(taint["key"] == TO_BE_DELETED for taint in (node.get("spec") or {}).get("taints") or ())
