"""The kubelet about its own machine: registration, conditions, lease.

`api.machines.template` makes the Node as kubeadm and the kubelet register it. The step keeps conditions, lease and the well-known
labels right; it writes nothing periodically: a lease and heartbeats are as old as the last change, and the node
lifecycle controller asks the Fault, not the age of the lease.

Wakes: the node itself; the Faults about it; a mirror pod of it that is gone.
Sources: pkg/kubelet/nodestatus/setters.go, pkg/kubelet/kubelet_node_status.go, component-helpers/apimachinery/lease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import faults, machines
from minikube_py.api.machines import info, machine_address
from minikube_py.api.types import Actions, Create, Key, Patch, Record, Remember, Wake
from minikube_py.base.clock import Clock, seconds
from minikube_py.kubelet import pressure, static

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Object, Outcome, View

STEP = "kubelet-node"
LEASE_S = 40
LEASES = "kube-node-lease"

# (type, status, reason, message) of a healthy node, in the order in which a kubelet reports them.
HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def step(node: Object, view: View, clock: Clock) -> Actions:
    """Keep a node's conditions and lease; a machine that is off does nothing.

    Memory: `off` the machine was switched off; `booted` when it came back; `evicted` the last eviction; `seen` when each
    pressure by use was last seen; `static` that the control plane's pods are there.
    """
    name = node["metadata"]["name"]
    key = Key("nodes", "", name)
    memory = view.memory(STEP, key)
    if faults.silencing(name, view) is not None:
        if not memory.get("off") and faults.silencing(name, view, faults.MACHINE_OFF) is not None:
            yield Remember({**memory, "off": True})
        return
    kept = dict(memory)
    pressures = pressure.state(node, view, clock, memory.get("seen") or {})
    if pressures.seen or "seen" in kept:
        kept["seen"] = pressures.seen
    wake = Wake(pressures.until, True) if pressures.until else None
    if pressures.short:
        wake = yield from _evict(node, pressures.short[0], view, clock, kept)
    if control_plane := machines.CONTROL_PLANE in (node["metadata"].get("labels") or {}):
        yield from _keep_static_pods(node, view, clock, kept)
    boots = bool(kept.pop("off", False))
    if boots:
        kept["booted"] = clock.now_s
    if kept != memory and (memory or not control_plane or kept.get("static")):
        yield Remember({field: value for field, value in kept.items() if value})
    yield from _report(node, view, clock, pressures.lasting, boots)
    if wake is not None:
        yield wake


def _report(node: Object, view: View, clock: Clock, pressures: tuple[str, ...], boots: bool) -> Actions:
    """The status of the machine with its events, and the lease."""
    name = node["metadata"]["name"]
    status = _status(node, clock, pressures)
    if boots:
        status = {**status, "nodeInfo": {**status["nodeInfo"], "bootID": clock.uid("boot", name, clock.now_s)}}
    before = node.get("status") or {}
    changed = {field: value for field, value in status.items() if before.get(field) != value}
    lease = view.get(Key("leases.coordination.k8s.io", LEASES, name))
    if not changed and lease is not None:
        return
    was_ready = _is_ready(node)
    if not before.get("conditions") or boots:
        yield Record(node, "Normal", "Starting", "Starting kubelet.", "kubelet", name)
    if boots:
        told = f"Node {name} has been rebooted, boot id: {status['nodeInfo']['bootID']}"
        yield Record(node, "Warning", "Rebooted", told, "kubelet", name)
    if "conditions" in changed:
        yield from _told_of_changes(node, changed["conditions"])
    if changed:
        yield Patch(Key("nodes", "", name), {"status": changed}, "status")
        if not was_ready:
            yield Record(node, "Normal", "NodeReady", f"Node {name} status is now: NodeReady", "kubelet", name)
    if lease is None:
        yield Create(_lease(node, clock))
    else:
        fields = {"spec": {"renewTime": clock.micro_timestamp}}
        yield Patch(Key("leases.coordination.k8s.io", LEASES, name), fields)


def _told_of_changes(node: Object, conditions: list[Object]) -> Actions:
    """Events of the pressures that have begun or ended since the last report."""
    before = {one["type"]: one["status"] for one in (node.get("status") or {}).get("conditions") or ()}
    for one in conditions:
        if one["type"] in pressure.SORTS and before.get(one["type"], "Unknown") not in ("Unknown", one["status"]):
            yield pressure.change_event(node, one["type"], one["status"] == "True")


def _keep_static_pods(node: Object, view: View, clock: Clock, kept: Object) -> Actions:
    """A mirror pod that somebody has deleted is made again: the pod itself has run on.

    Source: pkg/kubelet/kubelet.go (syncPod, mirror pods).
    """
    version = node["status"]["nodeInfo"]["kubeletVersion"]
    names = static.names(node)
    missing = [name for name in names if view.get(Key("pods", static.NAMESPACE, name)) is None]
    if len(missing) < len(names) and not kept.get("static"):
        kept["static"] = True
    if not missing or not kept.get("static"):
        return
    for pod in static.pods(node, version, clock):
        if pod["metadata"]["name"] in missing:
            made = yield Create(pod)
            if isinstance(made, dict):
                since = kept.get("booted") or seconds(node["metadata"]["creationTimestamp"])
                status = static.running(made, node, clock._replace(now_s=since))
                yield Patch(Key("pods", static.NAMESPACE, made["metadata"]["name"]), {"status": status}, "status")


def _evict(node: Object, sort: str, view: View, clock: Clock, kept: Object) -> Generator[Action, Outcome, Wake | None]:
    """One pod every ten seconds while the pressure lasts; where the disk is full, unused images go before pods."""
    name, last_s = node["metadata"]["name"], kept.get("evicted", 0)
    if clock.now_s < last_s + pressure.EVERY_S:
        return Wake(last_s + pressure.EVERY_S, True)
    row = pressure.SORTS[sort]
    yield Record(node, "Warning", "EvictionThresholdMet", f"Attempting to reclaim {row.resource}", "kubelet", name)
    kept["evicted"] = clock.now_s
    images = pressure.unused_images(node, view) if sort == "DiskPressure" else None
    if images is not None:
        yield Patch(Key("nodes", "", name), {"status": {"images": images}}, "status")
        return Wake(clock.now_s + pressure.EVERY_S)
    pod = pressure.victim(node, sort, view, clock)
    if pod is None:
        return Wake(clock.now_s + pressure.EVERY_S, True)
    told = pressure.message(pod, sort, node, view, clock)
    meta = pod["metadata"]
    yield Record(pod, "Warning", "Evicted", told, "kubelet", name)
    for entry in (pod.get("status") or {}).get("containerStatuses") or ():
        if "running" in (entry.get("state") or {}):
            path = f"spec.containers{{{entry['name']}}}"
            yield Record(pod, "Normal", "Killing", f"Stopping container {entry['name']}", "kubelet", name, path)
    yield Patch(Key("pods", meta["namespace"], meta["name"]), {"status": pressure.evicted(pod, told, clock)}, "status")
    return Wake(clock.now_s + pressure.EVERY_S)


def _rows(pressures: tuple[str, ...]) -> tuple[tuple[str, str, str, str], ...]:
    """The conditions that a kubelet reports under these pressures."""
    if not pressures:
        return HEALTHY
    return tuple(
        (row[0], "True", pressure.SORTS[row[0]].reason, pressure.SORTS[row[0]].message) if row[0] in pressures else row
        for row in HEALTHY
    )


def _status(node: Object, clock: Clock, pressures: tuple[str, ...] = ()) -> Object:
    """The status with healthy conditions, and with what a kubelet finds out about its machine where nobody said it."""
    before: Object = node.get("status") or {}
    name = node["metadata"]["name"]
    found: Object = {**before}
    if not before.get("nodeInfo"):
        found["nodeInfo"] = info(name)
    if not before.get("daemonEndpoints"):
        found["daemonEndpoints"] = {"kubeletEndpoint": {"Port": 10250}}
    if not before.get("addresses"):
        address = machine_address(Clock(0).token("address", name) % (254 * 240))
        found["addresses"] = [{"address": address, "type": "InternalIP"}, {"address": name, "type": "Hostname"}]
    if not before.get("capacity"):
        found["capacity"] = {"cpu": "2", "ephemeral-storage": "100Gi", "memory": "4Gi", "pods": "110"}
    if not before.get("allocatable"):
        found["allocatable"] = found["capacity"]
    old = {condition["type"]: condition for condition in before.get("conditions") or ()}
    own = [_condition(row, old.get(row[0]), clock) for row in _rows(pressures)]
    if any(mine is not old.get(mine["type"]) for mine in own):
        # A kubelet posts all its conditions with one heartbeat.
        own = [{**condition, "lastHeartbeatTime": clock.timestamp} for condition in own]
        foreign = [condition for kind, condition in old.items() if kind not in {row[0] for row in HEALTHY}]
        found["conditions"] = [*foreign, *own]
    return found


def _condition(row: tuple[str, str, str, str], old: Object | None, clock: Clock) -> Object:
    kind, status, reason, message = row
    if old is not None and (old["status"], old.get("reason"), old.get("message")) == (status, reason, message):
        return old
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else clock.timestamp
    return {
        "lastHeartbeatTime": clock.timestamp,
        "lastTransitionTime": since,
        "message": message,
        "reason": reason,
        "status": status,
        "type": kind,
    }


def _is_ready(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _lease(node: Object, clock: Clock) -> Object:
    meta = node["metadata"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta.get("uid", "")}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": meta["name"], "namespace": LEASES, "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": meta["name"],
            "leaseDurationSeconds": LEASE_S,
            "renewTime": clock.micro_timestamp,
        },
    }
