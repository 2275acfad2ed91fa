"""Which nodes nobody needs: used half at most, and everything on them could run elsewhere.

A node's utilization is the larger of its pods' cpu and memory requests over what it can give:
    4 cpus and 8Gi with pods that request 1 cpu and 5Gi: max(0.25, 0.625) = 0.625: needed
The rules about pods are asked in this order; the first that has an answer counts: finished, static and DaemonSet pods do not
matter; ControllerNotFound, MinReplicasReached; `safe-to-evict: "true"` lets go; NotReplicated, UnmovableKubeSystemPod (for
an hour), NotSafeToEvictAnnotation, LocalStorageRequested, NotEnoughPdb.
Sources: cluster-autoscaler core/scaledown/eligibility, simulator/drainability/rules, simulator/utilization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.autoscaling.imagined import Imagined
from minikube_py.base import quantity
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object, Objects, View
    from minikube_py.autoscaling.ca_flags import Flags
    from minikube_py.base.clock import Clock

SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"
SAFE_VOLUMES = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
DISABLED = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"
CANDIDATE = "DeletionCandidateOfClusterAutoscaler"
BUDGETS = "poddisruptionbudgets.policy"
CONTROLLERS = {
    "ReplicationController": "replicationcontrollers",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "Job": "jobs.batch",
}


class Utilization(NamedTuple):
    """Shares of what a node can give: 0.25 is a quarter. `resource` is the one that is used most."""

    cpu: float
    memory: float

    @property
    def most(self) -> float:
        return max(self.cpu, self.memory)

    def __str__(self) -> str:
        """As Go prints the autoscaler's own record: {CpuUtil MemUtil GpuUtil DynamicResourceUtil ResourceName Utilization}."""
        resource = "cpu" if self.cpu > self.memory else "memory"
        return f"{{{_go(self.cpu)} {_go(self.memory)} 0 0 {resource} {_go(self.most)}}}"


def _go(share: float) -> str:
    """0.25 -> '0.25', 1.0 -> '1'"""
    return repr(share).removesuffix(".0")


def utilization(node: Object, view: View, *, ignore_daemons: bool = False) -> Utilization:
    """What is requested of a node; `ignore_daemons`: what DaemonSets request counts as if the node were smaller."""
    available = node["status"].get("allocatable") or {}
    asked = dict(view.counters(node["metadata"]["name"]))
    daemons: dict[str, int] = {}
    if ignore_daemons:
        for pod in view.on_node(node["metadata"]["name"]):
            if _owner(pod) == "DaemonSet" and not pods.is_finished(pod):
                for name in ("cpu", "memory"):
                    daemons[name] = daemons.get(name, 0) + pods.counters(pod).get(name, 0)
    shares = []
    for name, measure in (("cpu", quantity.milli), ("memory", quantity.value)):
        total = measure(available.get(name, "0")) - daemons.get(name, 0)
        shares.append((asked.get(name, 0) - daemons.get(name, 0)) / total if total > 0 else 0.0)
    return Utilization(*shares)


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


def blocker(moving: Iterable[Object], view: View, clock: Clock, flags: Flags) -> str:
    """Why pods may not be moved: 'default/web: NotReplicated'; '' if all may."""
    taken: dict[str, int] = {}
    for pod in moving:
        reason = _blocked(pod, view, clock, flags)
        if reason is None:
            reason = _over_budget(pod, view, taken)
        if reason:
            return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {reason}"
    return ""


def _blocked(pod: Object, view: View, clock: Clock, flags: Flags) -> str | None:
    """The reason of the first rule that has an answer; '' lets the pod go, None leaves it to its budgets."""
    meta = pod["metadata"]
    annotations = meta.get("annotations") or {}
    if flags.custom_controllers:
        gone = _controller_problem(pod, view, flags)
        if gone:
            return gone
    if annotations.get(SAFE) == "true":
        return ""
    owner = _owner(pod)
    if not owner or (flags.custom_controllers and owner not in CONTROLLERS):
        return "NotReplicated"
    if flags.system_pods and meta["namespace"] == "kube-system" and not view.selecting(BUDGETS, pod):
        is_old = clock.now_s > seconds(meta["creationTimestamp"]) + flags.system_timeout_s
        return "" if is_old else "UnmovableKubeSystemPod"
    if annotations.get(SAFE) == "false":
        return "NotSafeToEvictAnnotation"
    return "LocalStorageRequested" if flags.local_storage and _has_local_storage(pod) else None


def _controller_problem(pod: Object, view: View, flags: Flags) -> str:
    """Whether the pod's controller is gone, or tells of fewer replicas than may be disturbed (--min-replica-count)."""
    for one in pod["metadata"].get("ownerReferences") or ():
        resource = CONTROLLERS.get(one["kind"])
        if one.get("controller") and resource is not None:
            found = view.get(Key(resource, pod["metadata"]["namespace"], one["name"]))
            if found is None:
                return "ControllerNotFound"
            if resource.startswith("replica") and found["spec"].get("replicas", 1) < flags.min_replicas:
                return "MinReplicasReached"
    return ""


def _has_local_storage(pod: Object) -> bool:
    allowed = set(((pod["metadata"].get("annotations") or {}).get(SAFE_VOLUMES) or "").split(","))
    for volume in pod["spec"].get("volumes") or ():
        is_disk = "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") != "Memory"
        if ("hostPath" in volume or is_disk) and volume["name"] not in allowed:
            return True
    return False


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


def unneeded(node: Object, view: View, clock: Clock, flags: Flags) -> str:
    """'' if nobody needs the node, else why it stays."""
    meta = node["metadata"]
    if (meta.get("annotations") or {}).get(DISABLED) == "true":
        return "ScaleDownDisabledAnnotation"
    if not flags.unready and not is_ready(node):
        return "ScaleDownUnreadyDisabled"
    if utilization(node, view, ignore_daemons=flags.ignore_daemons).most > flags.threshold:
        return "NotUnderutilized"
    moving = to_move(meta["name"], view)
    return blocker(moving, view, clock, flags) or places_for(meta["name"], moving, view, clock)


def is_ready(node: Object) -> bool:
    ready = pods.condition(node, "Ready")
    return ready is not None and ready["status"] == "True"


def is_marked(node: Object, taint: str = TO_BE_DELETED) -> bool:
    return any(one["key"] == taint for one in (node.get("spec") or {}).get("taints") or ())
