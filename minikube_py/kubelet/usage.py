"""What a node's pods take of its memory and its disk, by what their programs say for this second.

Sources: pkg/kubelet/eviction/helpers.go (makeSignalObservations), the kubelet's default thresholds (evictionHard).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.machines import SYSTEM_MEMORY
from minikube_py.base import quantity
from minikube_py.base.clock import seconds
from minikube_py.programs.behaviour import at, behaviour

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.programs.behaviour import Behaviour

MEMORY_LEFT = 100 << 20  # memory.available<100Mi
DISK_LEFT = 15  # per cent: imagefs.available<15%, which images and containers share with everything else
# Condition -> the resource that it is about, as requests and capacities name it
RESOURCES = {"MemoryPressure": "memory", "DiskPressure": "ephemeral-storage"}


def capacity(node: Object, sort: str) -> int:
    """Bytes of memory or disk that the machine has."""
    return quantity.value(((node.get("status") or {}).get("capacity") or {}).get(RESOURCES[sort], "0"))


def threshold(node: Object, sort: str) -> int:
    """Below how many bytes left the kubelet evicts."""
    return MEMORY_LEFT if sort == "MemoryPressure" else capacity(node, sort) * DISK_LEFT // 100


def available(node: Object, sort: str, view: View, clock: Clock, instead: tuple[str, int] = ("", 0)) -> int:
    """Bytes that are left on a node; `instead`: (uid, bytes) of a pod whose status does not tell yet what it does."""
    taken = SYSTEM_MEMORY if sort == "MemoryPressure" else image_bytes(node)
    for pod in view.on_node(node["metadata"]["name"]):
        if pod["metadata"]["uid"] == instead[0]:
            taken += instead[1]
        elif not pods.is_finished(pod):
            taken += sum(used for used, _ in of_pod(pod, sort, view, clock))
    return max(capacity(node, sort) - taken, 0)


def image_bytes(node: Object) -> int:
    return sum(image.get("sizeBytes", 0) for image in (node.get("status") or {}).get("images") or ())


def of_pod(pod: Object, sort: str, view: View, clock: Clock) -> list[tuple[int, int]]:
    """(bytes used, bytes requested) of each of a pod's containers."""
    found = []
    told = {one["name"]: one for one in (pod.get("status") or {}).get("containerStatuses") or ()}
    for container in pod["spec"]["containers"]:
        asked = ((container.get("resources") or {}).get("requests") or {}).get(RESOURCES[sort])
        running = (told.get(container["name"], {}).get("state") or {}).get("running")
        used = 0
        if running:
            program = behaviour(container, pod, view, clock)
            used = of_program(program, sort, clock.now_s - seconds(running["startedAt"]))
        found.append((used, quantity.value(asked) if asked else 0))
    return found


def next_change(node: Object, view: View, clock: Clock) -> int:
    """When a pod of the node uses more or less the next time by itself; 0: never."""
    found = []
    for pod in view.on_node(node["metadata"]["name"]):
        told = {one["name"]: one for one in (pod.get("status") or {}).get("containerStatuses") or ()}
        for container in pod["spec"]["containers"]:
            running = (told.get(container["name"], {}).get("state") or {}).get("running")
            if not running:
                continue
            started = seconds(running["startedAt"])
            program = behaviour(container, pod, view, clock)
            changes = (started + since for since, _ in (*program.memory, *program.disk))
            found += [at_s for at_s in changes if at_s > clock.now_s]
    return min(found, default=0)


def of_program(program: Behaviour, sort: str, second: int) -> int:
    """Bytes that a program uses at a second of its run."""
    return int(at(program.memory if sort == "MemoryPressure" else program.disk, second) or 0)


def in_words(amount: int) -> str:
    """As Go prints a binary quantity: 52428800 -> '50Mi', 53686091 -> '53686091'."""
    for power, unit in ((40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")):
        if amount and amount % (1 << power) == 0:
            return f"{amount >> power}{unit}"
    return str(amount)
