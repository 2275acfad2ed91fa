"""The node lifecycle controller: notices nodes that fell silent, taints them, and tells their pods that they are not ready.

`step` runs on nodes and is woken by: the node itself; a Fault about it; pods bound to a node that is not ready; other nodes
whose condition Ready changes (see `zones`). Its wake: the moment at which a node that is down is noticed, or the monitor's
next tick.

When a node's silence is noticed (see `silence`), in this order: the conditions become Unknown; event NodeNotReady; taint
unreachable:NoSchedule; its pods become not ready, each with an event; taint unreachable:NoExecute. When the kubelet is back,
the NoSchedule taint goes at once, the NoExecute taint at the monitor's next tick.
Source: k8s.io/kubernetes/pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Key, Patch, Record, Remember, Wake
from minikube_py.base import patch
from minikube_py.base.clock import seconds
from minikube_py.controllers import silence, taints, zones
from minikube_py.controllers.ownership import key_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

STEP = "nodelifecycle"
COMPONENT = "node-controller"
MONITOR_S = 5  # --node-monitor-period

# What the kubelet tells about a node; a fifth, NetworkUnavailable, is the network's own.
TOLD = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
# Condition -> status -> key of the NoSchedule taint.
_TAINTED = (
    ("Ready", "False", taints.NOT_READY),
    ("Ready", "Unknown", taints.UNREACHABLE),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
)
_NO_SCHEDULE_KEYS = frozenset([*(key for _, _, key in _TAINTED), taints.UNSCHEDULABLE])
_NO_EXECUTE_KEYS = frozenset([taints.NOT_READY, taints.UNREACHABLE])


def removed(node: Object, view: View, clock: Clock) -> Actions:
    """Runs on nodes that were deleted: an event tells that the controller no longer knows them."""
    name = node["metadata"]["name"]
    if view.get(key_of("nodes", node)) is None:
        text = f"Node {name} event: Removing Node {name} from Controller"
        yield Record(node, "Normal", "RemovingNode", text, COMPONENT)


def step(node: Object, view: View, clock: Clock) -> Actions:
    key = key_of("nodes", node)
    known = view.memory(STEP, key)
    if not known:
        text = f"Node {key.name} event: Registered Node {key.name} in Controller"
        yield Record(node, "Normal", "RegisteredNode", text, COMPONENT)

    silent_s = silence.noticed_at_s(node, view)
    if silent_s is not None and clock.now_s >= silent_s:
        status = _unknown_status(node, clock)
        fields = patch.diff(node.get("status") or {}, status)
        if fields:
            yield Patch(key, {"status": fields}, "status")
            node = {**node, "status": status}

    ready = pods.condition(node, "Ready")
    state = ready["status"] if ready is not None else ""
    if known.get("ready") == "True" and state not in ("True", ""):
        text = f"Node {key.name} status is now: NodeNotReady"
        yield Record(node, "Normal", "NodeNotReady", text, COMPONENT)
    if known.get("ready") != state:
        yield Remember({"ready": state})

    node = yield from _write_taints(key, node, _no_schedule(node, clock))
    if state not in ("True", ""):
        yield from _mark_pods_not_ready(key.name, view, clock)
    if ready is not None:
        yield from _no_execute(key, node, ready, view, clock)
    if silent_s is not None and clock.now_s < silent_s:
        yield Wake(silent_s)


# --- silence -----------------------------------------------------------------------------------------------------------


def _unknown_status(node: Object, clock: Clock) -> Object:
    """All that the kubelet tells becomes Unknown; what it never told too, with another reason."""
    status = node.get("status") or {}
    found: Objects = []
    for one in status.get("conditions") or ():
        if one["type"] in TOLD and one["status"] != "Unknown":
            one = {
                **one,
                "status": "Unknown",
                "lastTransitionTime": clock.timestamp,
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
            }
        found.append(one)
    there = {one["type"] for one in found}
    for name in TOLD:
        if name not in there:
            found.append(
                {
                    "type": name,
                    "status": "Unknown",
                    "lastHeartbeatTime": node["metadata"]["creationTimestamp"],
                    "lastTransitionTime": clock.timestamp,
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                }
            )
    return {**status, "conditions": found}


def _mark_pods_not_ready(node: str, view: View, clock: Clock) -> Actions:
    """Only the condition: containers may well run on, so their statuses stay."""
    for pod in view.on_node(node):
        ready = pods.condition(pod, "Ready")
        if ready is None or ready["status"] != "True":
            continue
        changed = {**ready, "status": "False", "lastTransitionTime": clock.timestamp}
        found = [changed if one is ready else one for one in pod["status"]["conditions"]]
        yield Patch(key_of("pods", pod), {"status": {"conditions": found}}, "status")
        yield Record(pod, "Warning", "NodeNotReady", "Node is not ready", COMPONENT)


# --- taints ------------------------------------------------------------------------------------------------------------


def _no_schedule(node: Object, clock: Clock) -> Objects:
    """The node's taints, with the NoSchedule ones that its conditions and `unschedulable` ask for."""
    states = {one["type"]: one["status"] for one in (node.get("status") or {}).get("conditions") or ()}
    wanted = [key for name, status, key in _TAINTED if states.get(name) == status]
    if not states:
        wanted = [taint["key"] for taint in taints.of(node) if taint["key"] == taints.NOT_READY]
    if (node.get("spec") or {}).get("unschedulable"):
        wanted.append(taints.UNSCHEDULABLE)
    return _swapped(taints.of(node), taints.NO_SCHEDULE, _NO_SCHEDULE_KEYS, wanted, clock)


def _no_execute(key: Key, node: Object, ready: Object, view: View, clock: Clock) -> Actions:
    """NoExecute taints follow the condition Ready at the monitor's ticks; silence is noticed at a tick, so at once.

    Node created at 0, Ready again since 368: the taint goes at 370.
    """
    wanted = {"False": [taints.NOT_READY], "Unknown": [taints.UNREACHABLE]}.get(ready["status"], [])
    found = _swapped(taints.of(node), taints.NO_EXECUTE, _NO_EXECUTE_KEYS, wanted, clock)
    if found == taints.of(node):
        return
    since_s = seconds(ready["lastTransitionTime"])
    due_s = since_s + -(since_s - seconds(node["metadata"]["creationTimestamp"])) % MONITOR_S
    if ready["status"] == "False" and due_s == since_s:
        due_s += MONITOR_S  # a kubelet that starts is not ready yet; the monitor has just looked
    if ready["status"] == "Unknown":
        due_s = since_s
    if wanted:
        free_s = zones.evictable_from_s(node, view, clock.now_s)
        if free_s is None:
            return
        due_s = max(due_s, free_s)
    if clock.now_s < due_s:
        yield Wake(due_s)
        return
    yield from _write_taints(key, node, found)


def _swapped(old: Objects, effect: str, ours: frozenset[str], wanted: list[str], clock: Clock) -> Objects:
    """Taints of others stay as they are; ours of that effect become the wanted ones, new ones with the time of now."""
    kept = [one for one in old if one["effect"] != effect or one["key"] not in ours or one["key"] in wanted]
    there = {one["key"] for one in kept if one["effect"] == effect}
    new = [{"key": key, "effect": effect, "timeAdded": clock.timestamp} for key in wanted if key not in there]
    return [*kept, *new]


def _write_taints(key: Key, node: Object, found: Objects) -> Generator[Action, Outcome, Object]:
    if found == taints.of(node):
        return node
    yield Patch(key, {"spec": {"taints": found or None}})
    return {**node, "spec": {**(node.get("spec") or {}), "taints": found}}
