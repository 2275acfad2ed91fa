"""A node that runs out of memory, disk or processes: which pod its kubelet evicts, and what it says.

Pressure comes from Faults; it goes on as long as they do, so a pod is evicted every ten seconds. Pods are ranked as the
real kubelet does: those that use more than they asked for first, then by priority, then by how much more they use.
Sources: pkg/kubelet/eviction/{eviction_manager,helpers}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import faults, pods
from minikube_py.base import quantity
from minikube_py.base.clock import seconds
from minikube_py.programs.behaviour import at, behaviour

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock

EVERY_S = 10
CRITICAL = 2_000_000_000
# Type of Fault -> (condition, reason while it lasts, message, resource, threshold, what is left)
SORTS = {
    "MemoryPressure": (
        "KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "memory", "100Mi", "51200Ki",
    ),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure", "ephemeral-storage", "10737418240", "5120Mi"),
    "PIDPressure": ("KubeletHasInsufficientPID", "kubelet has insufficient PID available", "pids", "1000", "200"),
}  # fmt: skip


def under(node: str, view: View) -> tuple[str, ...]:
    """The pressures that a node is under, by Faults in force."""
    found = faults.in_force(view, tuple(SORTS))
    return tuple(
        sort
        for sort in SORTS
        if any(one["spec"]["type"] == sort and faults.is_about_node(one, node, view) for one in found)
    )


def victim(node: str, sort: str, view: View, clock: Clock) -> Object | None:
    """The pod to evict next; None if only critical ones are left."""
    running = [pod for pod in view.on_node(node) if not pods.is_finished(pod) and not pods.is_terminating(pod)]
    able = [pod for pod in running if (pod["spec"].get("priority") or 0) < CRITICAL and not _is_static(pod)]
    ranked = sorted(able, key=lambda pod: _rank(pod, sort, view, clock))
    return ranked[0] if ranked else None


def _is_static(pod: Object) -> bool:
    return "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})


def _rank(pod: Object, sort: str, view: View, clock: Clock) -> tuple[object, ...]:
    priority, name = pod["spec"].get("priority") or 0, pod["metadata"]["name"]
    if sort == "PIDPressure":
        return priority, name
    used, asked = (sum(numbers) for numbers in zip(*_numbers(pod, view, clock, sort), strict=True))
    return used <= asked, priority, asked - used, pod["metadata"]["namespace"], name


def _numbers(pod: Object, view: View, clock: Clock, sort: str) -> list[tuple[int, int]]:
    """(bytes used, bytes requested) of each container; disks hold next to nothing."""
    found = []
    started = {one["name"]: one for one in (pod.get("status") or {}).get("containerStatuses") or ()}
    for container in pod["spec"]["containers"]:
        resource = "memory" if sort == "MemoryPressure" else "ephemeral-storage"
        asked = ((container.get("resources") or {}).get("requests") or {}).get(resource)
        running = (started.get(container["name"], {}).get("state") or {}).get("running")
        used = 0
        if running and sort == "MemoryPressure":
            used = at(behaviour(container, pod, view, clock).memory, clock.now_s - seconds(running["startedAt"])) or 0
        elif running:
            used = DISK_USED
        found.append((used, quantity.value(asked) if asked else 0))
    return found


DISK_USED = 24 << 10


def message(pod: Object, sort: str, view: View, clock: Clock) -> str:
    """'The node was low on resource: memory. Threshold quantity: 100Mi, available: 51200Ki. Container web was using ...'."""
    _, _, resource, threshold, available = SORTS[sort]
    text = f"The node was low on resource: {resource}. Threshold quantity: {threshold}, available: {available}. "
    if sort == "PIDPressure":
        return text
    for container, (used, asked) in zip(pod["spec"]["containers"], _numbers(pod, view, clock, sort), strict=True):
        if used > asked:
            wanted = quantity.canonical(str(asked)) if asked else "0"
            text += f"Container {container['name']} was using {used >> 10}Ki, request is {wanted}, has larger consumption of {resource}. "
    return text


def evicted(pod: Object, told: str, clock: Clock) -> Object:
    """The status of an evicted pod, as far as it differs from what it was."""
    status = pod.get("status") or {}
    generation = pod["metadata"].get("generation", 1)
    others = [one for one in status.get("conditions") or () if one["type"] != "DisruptionTarget"]
    unready = [_unready(one, clock) if one["type"] in ("Ready", "ContainersReady") else one for one in others]
    target = {
        "lastProbeTime": None, "lastTransitionTime": clock.timestamp, "message": told, "observedGeneration": generation,
        "reason": "TerminationByKubelet", "status": "True", "type": "DisruptionTarget",
    }  # fmt: skip
    ended = [_ended(one, clock) for one in status.get("containerStatuses") or ()]
    return {
        "phase": "Failed", "reason": "Evicted", "message": told, "conditions": [target, *unready],
        "containerStatuses": ended,
    }  # fmt: skip


def _unready(condition: Object, clock: Clock) -> Object:
    changed = {**condition, "reason": "PodFailed", "status": "False"}
    changed.pop("message", None)
    return {**changed, "lastTransitionTime": clock.timestamp} if condition["status"] == "True" else changed


def _ended(entry: Object, clock: Clock) -> Object:
    """A container that was stopped for the eviction: SIGKILL, its memory is needed at once."""
    running = (entry.get("state") or {}).get("running")
    if not running:
        return entry
    state = {
        "containerID": entry.get("containerID", ""), "exitCode": 137, "finishedAt": clock.timestamp, "reason": "Error",
        "startedAt": running["startedAt"],
    }  # fmt: skip
    return {**entry, "ready": False, "started": False, "state": {"terminated": state}}
