"""Whether a kubelet takes a pod that was put on its node past the scheduler (spec.nodeName written by hand).

Sources: pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/kubelet.go (rejectPod).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Actions, Patch
from minikube_py.scheduler.terms import node_requirement

if TYPE_CHECKING:
    from minikube_py.kubelet.worker import Worker

ANY_ADDRESS = "0.0.0.0"
COMPARED = ("pods", "cpu", "memory", "ephemeral-storage")  # in the order of noderesources.Fits


def refusal(worker: Worker) -> tuple[str, str] | None:
    """(reason, message) why the pod is not taken; None if it is, or if the scheduler has already looked."""
    if pods.is_terminating(worker.pod) or pods.condition(worker.pod, "PodScheduled") is not None:
        return None
    asked, used = pods.counters(worker.pod), worker.view.counters(worker.node["metadata"]["name"])
    allocatable = worker.node.get("status", {}).get("allocatable") or {}
    for name in COMPARED:
        if name not in allocatable or not asked.get(name):
            continue
        capacity = pods.amount_of(name, allocatable[name])
        others = used.get(name, 0) - asked[name]
        if others + asked[name] > capacity:
            told = f"resource: {name}, requested: {asked[name]}, used: {others}, capacity: {capacity}"
            return f"OutOf{name}", f"Node didn't have enough {told}"
    name, labels = worker.node["metadata"]["name"], worker.node["metadata"].get("labels") or {}
    requirement = node_requirement(worker.spec)
    if requirement is not None and not requirement.matches(name, labels):
        return "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    if _has_taken_port(worker):
        return "NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
    return None


def _has_taken_port(worker: Worker) -> bool:
    """Whether another pod of the node has one of the pod's host ports at the same address, or at all of them."""
    wanted = pods.host_ports(worker.pod)
    if not wanted:
        return False
    others = [
        port
        for pod in worker.view.on_node(worker.node["metadata"]["name"])
        if pod["metadata"]["uid"] != worker.meta["uid"] and not pods.is_finished(pod)
        for port in pods.host_ports(pod)
    ]
    return any(
        mine[0] == other[0] and mine[2] == other[2] and (ANY_ADDRESS in (mine[1], other[1]) or mine[1] == other[1])
        for mine in wanted
        for other in others
    )


def refuse(worker: Worker, reason: str, message: str) -> Actions:
    """Record why and fail the pod for good."""
    worker.event("Warning", reason, message)
    for action in worker.actions:  # noqa: UP028 (a list cannot be sent outcomes)
        yield action
    failed = {"phase": "Failed", "reason": reason, "message": f"Pod was rejected: {message}"}
    yield Patch(worker.key, {"status": failed}, "status")
