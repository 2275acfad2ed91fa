"""A node that runs out of memory, disk or processes: which pod its kubelet evicts, and what it says.

Pressure comes from Faults, as long as they last, or from what programs use of memory and disk. The latter is noticed by the
pods whose programs say what they use (`notice`); from then on the node looks every ten seconds until there is enough left,
and reports the condition for five more minutes. Pods are ranked as the real kubelet does: those that use more than they asked
for first, then by priority, then by how much more they use. Sources: pkg/kubelet/eviction/{eviction_manager,helpers}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import faults, pods
from minikube_py.api.types import Key, Patch, Record
from minikube_py.base import quantity
from minikube_py.kubelet import static, usage
from minikube_py.programs.behaviour import DEFAULT

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.kubelet.worker import Worker

EVERY_S = 10
TRANSITION_S = 300  # evictionPressureTransitionPeriod
CRITICAL = 2_000_000_000


class Sort(NamedTuple):
    """A condition of a node: its reason and message while it lasts, the events at its begin and end, the resource that is
    short, and what a Fault says of the threshold and of what is left."""

    reason: str
    message: str
    begin: str
    end: str
    resource: str
    threshold: str
    left: str


SORTS = {
    "MemoryPressure": Sort(
        "KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "NodeHasInsufficientMemory",
        "NodeHasSufficientMemory", "memory", "100Mi", "50Mi",
    ),
    "DiskPressure": Sort(
        "KubeletHasDiskPressure", "kubelet has disk pressure", "NodeHasDiskPressure", "NodeHasNoDiskPressure",
        "ephemeral-storage", "15Gi", "5Gi",
    ),
    "PIDPressure": Sort(
        "KubeletHasInsufficientPID", "kubelet has insufficient PID available", "NodeHasInsufficientPID",
        "NodeHasSufficientPID", "pids", "1000", "200",
    ),
}  # fmt: skip


class State(NamedTuple):
    """`lasting`: conditions that are reported; `short`: of these the ones because of which pods have to go now; `seen`:
    when use was last seen beyond its threshold; `until`: when to look again though nothing happens (0: never)."""

    lasting: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    seen: dict[str, int] | None = None
    until: int = 0


CALM = State()


def state(node: Object, view: View, clock: Clock, seen: dict[str, int]) -> State:
    """The pressures that a node is under, by Faults in force and by what its pods use."""
    found, name = faults.in_force(view, tuple(SORTS)), node["metadata"]["name"]
    reported = _reported(node)
    if not found and not reported:
        return CALM
    by_fault = {one["spec"]["type"] for one in found if faults.is_about_node(one, name, view)}
    short = [sort for sort in SORTS if sort in by_fault or (sort in reported and is_short(node, sort, view, clock))]
    last = {sort: clock.now_s if sort in short and sort not in by_fault else since for sort, since in seen.items()}
    last |= {sort: clock.now_s for sort in short if sort not in by_fault}
    last = {sort: since for sort, since in last.items() if clock.now_s < since + TRANSITION_S}
    lasting = tuple(sort for sort in SORTS if sort in short or sort in last)
    if not last:
        return State(lasting, tuple(short))
    due = [usage.next_change(node, view, clock), *(since + TRANSITION_S for since in last.values())]
    return State(lasting, tuple(short), last, min(at_s for at_s in due if at_s))


def _reported(node: Object) -> set[str]:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return {one["type"] for one in conditions if one["status"] == "True" and one["type"] in SORTS}


def is_short(node: Object, sort: str, view: View, clock: Clock, instead: tuple[str, int] = ("", 0)) -> bool:
    """Whether what the pods use leaves less than the threshold."""
    if sort not in usage.RESOURCES:
        return False
    return usage.available(node, sort, view, clock, instead) < usage.threshold(node, sort)


def notice(worker: Worker) -> None:
    """After the containers of a pod whose programs say what they use: where one has begun to use another amount, is that too
    much for the node? Else look again when they use more. `level` of a record: since when it uses what it does."""
    node = worker.view.get(Key("nodes", "", worker.node["metadata"]["name"]))
    assert node is not None, "a pod runs on a node"
    for sort in usage.RESOURCES:
        used, is_new = 0, False
        for container in worker.containers:
            record, program = worker.records.get(container["name"]), worker.behaviours.get(container["name"])
            if record is None or program is None or record["state"] not in ("running", "stopping"):
                continue
            second, course = (
                worker.now - record["started"],
                program.memory if sort == "MemoryPressure" else program.disk,
            )
            used += usage.of_program(program, sort, second)
            level = max((since for since, _ in course if since <= second), default=0)
            if record.get("level", {}).get(sort) != level:
                is_new = True
                levels = {**record.get("level", {}), sort: level}
                worker.records[container["name"]] = {**record, "level": levels}
            change = next((since for since, _ in course if since > second), None)
            if change is not None:
                worker.wake(record["started"] + change, background=True)
        if is_new and is_short(node, sort, worker.view, worker.clock, (worker.meta["uid"], used)):
            worker.actions += _begins(node, sort, worker.clock)


def is_unusual(worker: Worker) -> bool:
    """Whether a program of the pod says what it uses."""
    return any(
        program.memory is not DEFAULT.memory or program.disk is not DEFAULT.disk
        for program in worker.behaviours.values()
    )


def _begins(node: Object, sort: str, clock: Clock) -> list[Patch | Record]:
    """The node says that it is short of something, or says so again: its own step goes on from there."""
    row, now = SORTS[sort], clock.timestamp
    new = {
        "lastHeartbeatTime": now, "lastTransitionTime": now, "message": row.message, "reason": row.reason,
        "status": "True", "type": sort,
    }  # fmt: skip
    old = (node.get("status") or {}).get("conditions") or []
    before = next((one for one in old if one["type"] == sort), None)
    is_reported = before is not None and before["status"] == "True"
    if before is not None and is_reported:
        new["lastTransitionTime"] = before["lastTransitionTime"]
    conditions = [new if one is before else one for one in old] if before is not None else [*old, new]
    patch = Patch(Key("nodes", "", node["metadata"]["name"]), {"status": {"conditions": conditions}}, "status")
    return [patch] if is_reported else [change_event(node, sort, True), patch]


def change_event(node: Object, sort: str, begins: bool) -> Record:
    """'Node worker-1 status is now: NodeHasInsufficientMemory'."""
    name, word = node["metadata"]["name"], SORTS[sort].begin if begins else SORTS[sort].end
    return Record(node, "Normal", word, f"Node {name} status is now: {word}", "kubelet", name)


def victim(node: Object, sort: str, view: View, clock: Clock) -> Object | None:
    """The pod to evict next; None if only critical ones are left."""
    on_node = view.on_node(node["metadata"]["name"])
    running = [pod for pod in on_node if not pods.is_finished(pod) and not pods.is_terminating(pod)]
    able = [pod for pod in running if (pod["spec"].get("priority") or 0) < CRITICAL and not static.is_mirror(pod)]
    return min(able, key=lambda pod: _rank(pod, sort, view, clock), default=None)


def _rank(pod: Object, sort: str, view: View, clock: Clock) -> tuple[object, ...]:
    priority, name = pod["spec"].get("priority") or 0, pod["metadata"]["name"]
    if sort == "PIDPressure":
        return priority, name
    used, asked = (sum(numbers) for numbers in zip(*usage.of_pod(pod, sort, view, clock), strict=True))
    return used <= asked, priority, asked - used, pod["metadata"]["namespace"], name


def message(pod: Object, sort: str, node: Object, view: View, clock: Clock) -> str:
    """'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container web was using ...'."""
    row = SORTS[sort]
    threshold, left = row.threshold, row.left
    if sort in usage.RESOURCES and is_short(node, sort, view, clock):
        threshold = usage.in_words(usage.threshold(node, sort))
        left = usage.in_words(usage.available(node, sort, view, clock))
    text = f"The node was low on resource: {row.resource}. Threshold quantity: {threshold}, available: {left}. "
    if sort == "PIDPressure":
        return text
    numbers = usage.of_pod(pod, sort, view, clock)
    for container, (used, asked) in zip(pod["spec"]["containers"], numbers, strict=True):
        if used > asked:
            wanted = usage.in_words(asked) if asked else "0"
            what = f"using {usage.in_words(used)}, request is {wanted}, has larger consumption of {row.resource}"
            text += f"Container {container['name']} was {what}. "
    return text


def unused_images(node: Object, view: View) -> list[Object] | None:
    """The node's images without those that no pod on it uses; None if all are in use."""
    listed = (node.get("status") or {}).get("images") or []
    wanted = {
        entry.get("imageID")
        for pod in view.on_node(node["metadata"]["name"])
        for field in ("containerStatuses", "initContainerStatuses")
        for entry in (pod.get("status") or {}).get(field) or ()
        if not pods.is_finished(pod)
    }
    kept = [image for image in listed if wanted & set(image["names"])]
    return kept if len(kept) < len(listed) else None


def over_its_limit(worker: Worker) -> str:
    """Why a pod has to go for what it has written, whatever is left on the node; '' if it may stay.

    Source: eviction_manager.go (podEphemeralStorageLimitEviction, containerEphemeralStorageLimitEviction).
    """
    total, limits = 0, 0
    over = ""
    for container in worker.containers:
        record, program = worker.records.get(container["name"]), worker.behaviours.get(container["name"])
        limit = ((container.get("resources") or {}).get("limits") or {}).get("ephemeral-storage")
        limits += quantity.value(limit) if limit is not None else 0
        if record is None or program is None or record["state"] != "running":
            continue
        used = usage.of_program(program, "DiskPressure", worker.now - record["started"])
        total += used
        if limit is not None and used > quantity.value(limit) and not over:
            over = f'Container {container["name"]} exceeded its local ephemeral storage limit "{quantity.canonical(limit)}". '
    if limits and total > limits:
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {usage.in_words(limits)}. "
    return over


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
