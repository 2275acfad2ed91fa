"""A machine that was switched off and on again: what ran on it is gone, and is started anew where the restart policy says so.

Sources: pkg/kubelet/kuberuntime/kuberuntime_manager.go (podSandboxChanged, computePodActions), kubelet_node_status.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.kubelet import containers, restarts
from minikube_py.kubelet.worker import ALIVE

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.kubelet.worker import Worker

NODE_STEP = "kubelet-node"
LOST = 255  # the code of a container whose end nobody saw


def check(worker: Worker) -> None:
    """If the machine has booted since the pod's containers started: they have ended, and the sandbox is made again."""
    booted = worker.view.memory(NODE_STEP, Key("nodes", "", worker.node["metadata"]["name"])).get("booted", 0)
    if worker.memory.get("booted", worker.memory["started"]) >= booted:
        return
    worker.memory = {**worker.memory, "booted": booted}
    lost = [container for container in worker.every() if _state(worker, container) in ALIVE]
    for container in lost:
        record = {**worker.records[container["name"]], "killed": True}
        worker.records[container["name"]] = containers.ended(worker, container, record, LOST, worker.now, "Unknown")
    again = [one for one in lost if restarts.should_restart(containers.policy(worker, one), LOST)]
    if not again or "deletionTimestamp" in worker.meta:
        return
    worker.event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
    worker.memory = {name: value for name, value in worker.memory.items() if name != "ip"}
    for container in [*worker.inits, *again]:
        if "last" in worker.records.get(container["name"], containers.UNSTARTED):
            worker.records[container["name"]] = {**worker.records[container["name"]], "state": "anew"}


def _state(worker: Worker, container: Object) -> str:
    return str((worker.records.get(container["name"]) or containers.UNSTARTED)["state"])
