"""In-place resize: a running pod's containers get other CPU and memory, if the node has them.

What a container has is what its status says; what it should have is in the spec. Sources: pkg/kubelet/allocation/
allocation_manager.go (canResizePod), pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodResizeAction).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.base import quantity
from minikube_py.kubelet import containers

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker

AGAIN_S = 180  # a deferred resize is tried again so often
RUNNING = "running"
UNITS: tuple[tuple[str, Callable[[str], int]], ...] = (("cpu", quantity.milli), ("memory", quantity.value))


def check(worker: Worker) -> None:
    """Take over new resources, restart the containers that want that, or note why it has to wait (`memory['resize']`).

    `memory['resizing']`: the generation whose resize has begun and waits for a restart.
    """
    status = worker.pod.get("status") or {}
    had = {entry["name"]: entry["resources"] for entry in status.get("containerStatuses") or () if "resources" in entry}
    changed = [
        container
        for container in worker.containers
        if container["name"] in had
        and _record(worker, container)["state"] == RUNNING
        and (container.get("resources") or {}) != had[container["name"]]
    ]
    verdict = _verdict(worker, had) if changed else None
    if verdict != worker.memory.get("resize"):
        _remember(worker, "resize", verdict)
        if verdict is not None:
            worker.event("Warning", f"Resize{verdict[0]}", _message(worker, f"Pod resize {verdict[0]}", verdict[1]))
    if verdict is not None:
        worker.applied = {container["name"]: had[container["name"]] for container in changed}
        worker.wake(worker.now + AGAIN_S, background=True)
        return
    if changed:
        worker.event("Normal", "ResizeStarted", _message(worker, "Pod resize started"))
    restarted = [container for container in changed if _wants_restart(container, had[container["name"]])]
    for container in restarted:
        record = worker.records[container["name"]]
        message = f"Container {container['name']} resize requires restart"
        worker.records[container["name"]] = containers.stopping(worker, container, record, message)
    if restarted:
        _remember(worker, "resizing", worker.meta.get("generation", 1))
    elif changed:
        _complete(worker)


def finish(worker: Worker) -> None:
    """A resize that wanted restarts is done when all containers run again."""
    if all(_record(worker, one)["state"] in (RUNNING, "done") for one in worker.containers):
        _complete(worker)


def _complete(worker: Worker) -> None:
    worker.event("Normal", "ResizeCompleted", _message(worker, "Pod resize completed"))
    _remember(worker, "resizing", None)


def _record(worker: Worker, container: Object) -> Object:
    return worker.records.get(container["name"]) or containers.UNSTARTED


def _remember(worker: Worker, field: str, value: object) -> None:
    kept = {name: old for name, old in worker.memory.items() if name != field}
    worker.memory = kept if value is None else {**kept, field: value}


def _message(worker: Worker, head: str, error: str = "") -> str:
    """'Pod resize started: {"containers":[{"name":"web","resources":{...}}],"generation":2}', as Go writes it.

    Source: pkg/kubelet/events/pod_resize.go.
    """
    from json import dumps

    told: Object = {}
    for field, listed in (("initContainers", worker.inits), ("containers", worker.containers)):
        if listed:
            told[field] = [{"name": one["name"], "resources": _in_order(one.get("resources") or {})} for one in listed]
    told["generation"] = worker.meta.get("generation", 1)
    if error:
        told["error"] = error
    return f"{head}: {dumps(told, ensure_ascii=False, separators=(',', ':'))}"


def _in_order(resources: Object) -> Object:
    """The fields as Go's struct has them, maps by key."""
    found: Object = {
        sort: dict(sorted(resources[sort].items())) for sort in ("limits", "requests") if resources.get(sort)
    }
    return found | ({"claims": resources["claims"]} if resources.get("claims") else {})


def _wants_restart(container: Object, had: Object) -> bool:
    """Whether a resource has changed whose resizePolicy is RestartContainer."""
    wanted = container.get("resources") or {}
    policies = {one["resourceName"]: one.get("restartPolicy") for one in container.get("resizePolicy") or ()}
    for name, _ in UNITS:
        is_changed = any(
            (wanted.get(sort) or {}).get(name) != (had.get(sort) or {}).get(name) for sort in ("requests", "limits")
        )
        if is_changed and policies.get(name) == "RestartContainer":
            return True
    return False


def _verdict(worker: Worker, had: dict[str, Object]) -> list[str] | None:
    """[reason, message] if the node cannot give what is asked for: ever (Infeasible) or now (Deferred)."""
    allocatable = worker.node["status"].get("allocatable") or {}
    others = [pod for pod in worker.view.on_node(worker.node["metadata"]["name"]) if not pods.is_finished(pod)]
    deferred: list[str] | None = None
    for name, measure in UNITS:
        capacity = measure(allocatable.get(name, "0"))
        asked = _requested(worker.containers, name, measure)
        if asked > capacity:
            return ["Infeasible", f"Node didn't have enough capacity: {name}, requested: {asked}, capacity: {capacity}"]
        used = sum(
            _requested(pod["spec"]["containers"], name, measure)
            for pod in others
            if pod["metadata"]["uid"] != worker.meta["uid"]
        )
        if (
            deferred is None
            and asked > sum(_amount(one, name, measure) for one in had.values())
            and used + asked > capacity
        ):
            told = f"Node didn't have enough resource: {name}, requested: {asked}, used: {used}, capacity: {capacity}"
            deferred = ["Deferred", told]
    return deferred


def _requested(listed: list[Object], name: str, measure: Callable[[str], int]) -> int:
    return sum(_amount(container.get("resources") or {}, name, measure) for container in listed)


def _amount(resources: Object, name: str, measure: Callable[[str], int]) -> int:
    return measure((resources.get("requests") or {}).get(name, "0"))
