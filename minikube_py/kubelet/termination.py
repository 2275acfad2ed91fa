"""The end of a pod: preStop, SIGTERM, the grace period, SIGKILL, the last status, the removal of the object.

Regular containers are stopped together; sidecars when those are gone, in what is left of the grace period (at least
2 s). Sources: pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainersWithSyncResult), pkg/kubelet/pod_workers.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.kubelet import containers
from minikube_py.kubelet.worker import ALIVE

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker


def kill(worker: Worker, grace_s: int) -> bool:
    """Stop all containers of a pod, from the second it was first told to; True when none is left.

    A shorter grace period given later (`kubectl delete --now`) counts from the same second.
    """
    if not worker.memory.get("killed"):
        worker.memory = {**worker.memory, "killed": worker.now}
        for container in [*worker.containers, *worker.inits, *worker.ephemerals]:
            if _is_alive(worker, container):
                worker.event("Normal", "Killing", f"Stopping container {container['name']}", container)
    since = worker.memory["killed"]
    left = _stop(worker, [*worker.containers, *worker.ephemerals], since, grace_s)
    if not left:
        gone_at = max([since, *(worker.records.get(main["name"], {}).get("ended", 0) for main in worker.containers)])
        left = _stop(worker, worker.inits, gone_at, max(grace_s - (gone_at - since), 2))
    return not left


def _is_alive(worker: Worker, container: Object) -> bool:
    return (worker.records.get(container["name"]) or containers.UNSTARTED)["state"] in ALIVE


def _stop(worker: Worker, listed: list[Object], since: int, grace_s: int) -> bool:
    """Move the containers of a list towards their end; True if one of them still runs."""
    is_left = False
    for container in listed:
        if not _is_alive(worker, container):
            continue
        record = worker.records[container["name"]]
        told = containers.tell_of_hook(worker, container, record, grace_s, worker.now - since)
        worker.records[container["name"]] = record = told
        at_s, code = containers.stop(worker, container, since, grace_s)
        program = worker.behaviour(container)
        if program.exit_after_s is not None and record["started"] + program.exit_after_s < at_s:
            at_s, code = max(record["started"] + program.exit_after_s, since), program.exit_code
        if at_s <= worker.now:
            worker.records[container["name"]] = containers.ended(worker, container, record, code, at_s)
        else:
            worker.wake(at_s)
            is_left = True
    return is_left
