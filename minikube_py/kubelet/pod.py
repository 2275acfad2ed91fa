"""The life of a pod on its node: the kubelet's pod worker as a step.

States: bound -> admitted (sandbox, address, first status) -> init containers in order -> containers -> ready -> ended
or deleted. Everything is computed from the spec, the status, the records in memory, the behaviour of the programs and
the clock; running it twice without a change yields nothing but its wake.

Wakes: the pod itself; ConfigMaps and Secrets that its environment or volumes name (`references.wanted_by`), and
Services of its namespace, while it is not ready; its Node (when that
appears); the Faults about its node; Programs of its namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import families, faults, pods
from minikube_py.api.types import Actions, Delete, Key, Patch, Remember
from minikube_py.base.clock import seconds
from minikube_py.kubelet import (
    addresses,
    admission,
    containers,
    pressure,
    reboot,
    references,
    resize,
    static,
    status,
    termination,
    twins,
)
from minikube_py.kubelet.worker import Worker

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock

STEP = "kubelet"
PROGRAMS = "programs.sim.kpy.dev"
DEADLINE = "Pod was active on the node longer than the specified deadline"


def is_down(node: str, view: View) -> bool:
    """Whether a Fault has switched the machine off, or has stopped its kubelet."""
    return faults.silencing(node, view) is not None


def step(pod: Object, view: View, clock: Clock) -> Actions:
    """Bring a bound pod up to now. A pod on a machine that is off sleeps: the end of the Fault wakes it."""
    name = pods.node_of(pod)
    if not name or is_down(name, view):
        return
    meta = pod["metadata"]
    key = Key("pods", meta["namespace"], meta["name"])
    memory = view.memory(STEP, key)
    if pods.is_finished(pod):
        yield from _remove(key, meta, memory)
        return
    node = view.get(Key("nodes", "", name))
    if node is None:
        return
    tapes: twins.Twins = view.derived(twins.CACHE, twins.Twins)
    like = tapes.key_of(pod, memory, node)
    if like is None:
        yield from _run(Worker(pod, node, memory or _adopted(pod), view, clock), memory)
        return
    tape = tapes.seen(like, clock.now_s)
    if isinstance(tape, twins.Tape) and twins.fits(tape, pod, memory):
        played = twins.play(tape, pod, key, memory, node, view, clock)
        if played:
            for action in played:
                yield action
            return
    if tape is not twins.SEEN_ONCE:
        yield from _run(Worker(pod, node, memory or _adopted(pod), view, clock), memory)
        return
    watch = twins.Watch(view, node, clock)
    worker = Worker(pod, watch.node, memory or _adopted(pod), watch, watch.clock)
    actions = []
    for action in _run(worker, memory):
        actions.append(action)
        yield action
    tapes.keep(like, twins.tape_of(worker, memory, actions, watch), watch.empty)


def _run(worker: Worker, memory: Object) -> Actions:
    """One run: what happens by itself, the status that tells of it, what is kept in mind, when to look again."""
    pod, meta, key = worker.pod, worker.meta, worker.key
    refusal = admission.refusal(worker) if "host" not in worker.memory else None
    if refusal is not None:
        yield from admission.refuse(worker, *refusal)
        return
    is_over = _advance(worker)
    for action in worker.actions:  # noqa: UP028 (a list cannot be sent outcomes)
        yield action
    if (not is_over or "host" in worker.memory) and not _looks_the_same(worker, memory):
        changed = status.changes(pod.get("status") or {}, status.build(worker))
        if changed:
            yield Patch(key, {"status": changed}, "status")
        is_over = is_over or changed.get("phase") in ("Succeeded", "Failed")
    if is_over:
        yield from _remove(key, meta, {**memory, "asks": worker.memory["asks"]} if "asks" in worker.memory else memory)
        return
    kept = {**worker.memory, "containers": worker.records}
    if kept != memory:
        yield Remember(kept)
    wake = worker.next_wake()
    if wake is not None:
        yield wake


def _looks_the_same(worker: Worker, memory: Object) -> bool:
    """Whether the status can not have changed: its spec was seen, and its containers only wait to start, as before."""
    seen = (worker.pod.get("status") or {}).get("observedGeneration")
    if not memory or seen is None or seen != worker.meta.get("generation"):
        return False
    before = memory["containers"]
    return len(before) == len(worker.records) and all(
        record["state"] in HIDDEN
        and before[name]["state"] in HIDDEN
        and record.get("last") is before[name].get("last")  # else it has tried to start in between
        for name, record in worker.records.items()
    )


def _remove(key: Key, meta: Object, memory: Object) -> Actions:
    """The pod is over: nothing is kept in mind but what its logs need, and a deleted one leaves the API."""
    kept = {"asks": memory["asks"]} if "asks" in memory and "deletionTimestamp" not in meta else {}
    if memory != kept:
        yield Remember(kept)
    if "deletionTimestamp" in meta and _awaits_removal(meta):
        yield Delete(key, 0, uid=meta["uid"])


HIDDEN = ("pulling", "creating")  # states that a status does not tell apart


def _awaits_removal(meta: Object) -> bool:
    """Not yet told to go at once (finalizers may then still hold the object)."""
    return meta.get("deletionGracePeriodSeconds") != 0


def _advance(worker: Worker) -> bool:
    """Move everything that moves by itself; True when the pod is over and its object may go."""
    if worker.has_run():
        reboot.check(worker)
    if pods.is_terminating(worker.pod):
        if "host" not in worker.memory or static.is_mirror(worker.pod):  # never seen, or only a picture of a pod
            return True
        return termination.kill(worker, int(worker.meta.get("deletionGracePeriodSeconds", 30)))
    if "host" not in worker.memory:
        _admit(worker)
    if _is_past_deadline(worker):
        if termination.kill(worker, containers.worker_grace_s(worker)):
            worker.memory = {**worker.memory, "phase": "Failed", "reason": "DeadlineExceeded", "message": DEADLINE}
        return False
    if "evicted" in worker.memory:
        return _go_for_its_disk(worker)
    if not worker.memory.get("ip") and not _set_up_sandbox(worker):
        return False
    if worker.memory.get("restarting", worker.now) < worker.now:
        worker.memory = {field: value for field, value in worker.memory.items() if field != "restarting"}
    if "restarting" not in worker.memory:
        if worker.meta.get("generation", 1) > 1:
            resize.check(worker)
        _run_containers(worker)
        if "resizing" in worker.memory:
            resize.finish(worker)
        if pressure.is_unusual(worker):
            pressure.notice(worker)
            told = pressure.over_its_limit(worker)
            if told:
                worker.event("Warning", "Evicted", told)
                worker.memory = {**worker.memory, "evicted": told}
                return _go_for_its_disk(worker)
    if "restarting" in worker.memory:
        _restart_all(worker)
    return False


def _go_for_its_disk(worker: Worker) -> bool:
    """A pod that has written more than its limits allow is killed within a second, and has failed."""
    if termination.kill(worker, 1):
        worker.memory = {**worker.memory, "phase": "Failed", "reason": "Evicted", "message": worker.memory["evicted"]}
    return False


def _restart_all(worker: Worker) -> None:
    """A container's rule wants the whole pod anew: everything is killed, init containers run again a second later.

    Source: KEP-5532; pkg/kubelet/container/helpers.go (ShouldAllContainersRestart).
    """
    for container in [*worker.containers, *worker.inits]:
        containers.kill_at_once(worker, container)
    worker.wake(worker.memory["restarting"] + 1)


def _admit(worker: Worker) -> None:
    """The kubelet sees the pod for the first time."""
    worker.memory = {**worker.memory, "host": addresses.of_node(worker.node), "started": worker.now}
    second = families.node_addresses(worker.node)[1:]
    if second:
        worker.memory["host6"] = second[0]


def _set_up_sandbox(worker: Worker) -> bool:
    """Volumes, then the network; False while a volume is missing or no address is free."""
    problems = references.mount_problems(worker)
    told = [f'MountVolume.SetUp failed for volume "{volume}" : {problem}' for volume, problem in problems]
    claims = references.claim_problem(worker)
    if claims:
        told.append(claims)
    if told != worker.memory.get("mounts", []):
        for message in told:
            worker.event("Warning", "FailedMount", message)
        worker.memory = {key: value for key, value in worker.memory.items() if key != "mounts"}
        if told:
            worker.memory["mounts"] = told
    if told:
        return False
    address = worker.memory["host"] if worker.spec.get("hostNetwork") else addresses.next_free(worker.node, worker.view)
    if address:
        worker.memory = {**worker.memory, "ip": address}
        host = worker.memory.get("host6")
        if host:
            on_host = worker.spec.get("hostNetwork")
            worker.memory["ip6"] = host if on_host else families.pod_address(worker.node, address)
    return bool(address)


def _is_past_deadline(worker: Worker) -> bool:
    limit_s = worker.spec.get("activeDeadlineSeconds")
    if limit_s is None:
        return False
    at_s = worker.memory["started"] + int(limit_s)
    if at_s <= worker.now:
        if not worker.memory.get("killed"):
            worker.event("Normal", "DeadlineExceeded", DEADLINE)
        return True
    worker.wake(at_s, background=at_s - worker.now > containers.FOREGROUND_S)
    return False


def _run_containers(worker: Worker) -> None:
    """Init containers in order, sidecars beside them, then the regular ones; sidecars go when those are done."""
    is_initialized = True
    for container in worker.inits:
        if not is_initialized and not _has_begun(worker, container):
            break
        record = containers.advance(worker, container)
        if not containers.lets_next_begin(container, record):
            is_initialized = False
    if not is_initialized and not any(_has_begun(worker, container) for container in worker.containers):
        return
    is_done = True
    for container in worker.containers:
        record = containers.advance(worker, container)
        is_done = is_done and record["state"] == "done"
    for container in worker.ephemerals:
        containers.advance(worker, container)
    if is_done and any(pods.is_sidecar(container) for container in worker.inits):
        termination.kill(worker, containers.worker_grace_s(worker))


def _has_begun(worker: Worker, container: Object) -> bool:
    return container["name"] in worker.records


def _adopted(pod: Object) -> Object:
    """What can be read back from a status when the memory is lost: the containers that run go on running."""
    found: Object = pod.get("status") or {}
    if not found.get("podIP"):
        return {}
    records: Object = {}
    specs = {item["name"]: item for item in [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]}
    for listed in (found.get("initContainerStatuses") or (), found.get("containerStatuses") or ()):
        for entry in listed:
            record = _record_of(entry, specs.get(entry["name"]) or {})
            if record:
                records[entry["name"]] = record
    addresses_of: tuple[tuple[str, list[Object]], ...] = (
        ("host6", found.get("hostIPs") or []),
        ("ip6", found.get("podIPs") or []),
    )
    both = {name: entries[1]["ip"] for name, entries in addresses_of if len(entries) > 1}
    return {
        "host": found["hostIP"], "ip": found["podIP"], "started": seconds(found["startTime"]), "containers": records, **both,
    }  # fmt: skip


def _record_of(entry: Object, spec: Object) -> Object:
    state = entry.get("state") or {}
    record: Object = {"restarts": entry["restartCount"], "image": spec.get("image", entry["image"])}
    if "running" in state:
        record |= {"state": "running", "id": entry["containerID"], "started": seconds(state["running"]["startedAt"])}
        if entry.get("lastState"):
            record["last"] = entry["lastState"]["terminated"]
        return record
    if "terminated" in state:
        ended = state["terminated"]
        return record | {
            "state": "done",
            "id": ended.get("containerID", ""),
            "last": ended,
            "ended": seconds(ended["finishedAt"]),
        }
    return {}
