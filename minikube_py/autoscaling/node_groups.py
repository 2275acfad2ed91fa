"""Node groups, and the cloud behind them: machines that boot, register, and cost money.

    apiVersion: sim.kpy.dev/v1alpha1
    kind: NodeGroup
    metadata: {name: small}
    spec:
      minimum: 1
      maximum: 10
      bootTime: 60s                 # from the order of a machine to its Node
      price: 0.1                    # an hour of one node
      zones: [eu-west-1a, eu-west-1b]          # machines take them in turn
      template:
        capacity: {cpu: "4", memory: 16Gi, pods: "110", nvidia.com/gpu: "1"}
        labels: {disk: ssd}
        taints: [{key: gpu, value: "yes", effect: NoSchedule}]

`step` (the cloud) runs on nodegroups and is woken by the group itself, and by a Node of it that went away. It keeps
status.targetSize machines: what is missing boots, and is a Node after `bootTime`. A Fault of type BootFailing (with `group`)
keeps machines of a group from ever registering. A group begins with its minimum. `status.nodeSeconds` counts the seconds of
its live nodes up to `status.countedAt`:
    2 nodes for an hour at a price of 0.1: 7200 node seconds, cost 0.2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import faults, machines
from minikube_py.api.families import is_dual
from minikube_py.api.simulator import time_s
from minikube_py.api.types import Create, Key, Patch, Wake
from minikube_py.base import patch
from minikube_py.base.clock import seconds
from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
    from minikube_py.base.clock import Clock

NAME, RESOURCE = "node-group", "nodegroups.sim.kpy.dev"
LABEL = "sim.kpy.dev/nodegroup"
BOOT_S = 60
BOOT_FAILING = "BootFailing"
HOUR_S = 3600


class Group(NamedTuple):
    """A NodeGroup as it stands: `target` machines wanted, `nodes` registered, `booting` as {name, at}."""

    name: str
    minimum: int
    maximum: int
    price: float
    target: int
    nodes: Objects
    booting: Objects
    object: Object


def groups(view: View) -> list[Group]:
    """All groups, by name."""
    found = view.list(RESOURCE)
    if not found:
        return []
    members: dict[str, Objects] = {}
    for node in view.list("nodes"):
        name = (node["metadata"].get("labels") or {}).get(LABEL)
        if name:
            members.setdefault(name, []).append(node)
    return [group_of(one, members.get(one["metadata"]["name"], [])) for one in found]


def group_of(found: Object, nodes: Objects) -> Group:
    spec, status, name = found["spec"], found.get("status") or {}, found["metadata"]["name"]
    minimum = spec.get("minimum", 0)
    maximum = spec.get("maximum", minimum)
    target = status.get("targetSize", minimum)
    return Group(name, minimum, maximum, spec.get("price", 0), target, nodes, status.get("booting") or [], found)


def nodes_of(name: str, view: View) -> Objects:
    return [node for node in view.list("nodes") if (node["metadata"].get("labels") or {}).get(LABEL) == name]


def key_of(name: str) -> Key:
    return Key(RESOURCE, "", name)


def template(group: Object, name: str, *, index: int, turn: int, dual: bool = False) -> Object:
    """The Node that a machine of a group registers; `index` gives its addresses (`dual`: of both families), `turn` its zone."""
    spec = group["spec"]
    shape = spec.get("template") or {}
    capacity = {key: str(value) for key, value in (shape.get("capacity") or {}).items()}
    zones = spec.get("zones") or [""]
    node = machines.template(
        name,
        cpu=capacity.get("cpu", "4"),
        memory=capacity.get("memory", "8Gi"),
        pods=int(capacity.get("pods", 110)),
        labels={**(shape.get("labels") or {}), LABEL: group["metadata"]["name"]},
        taints=shape.get("taints"),
        zone=zones[turn % len(zones)],
        index=index,
        dual=dual,
    )
    resources = {**node["status"]["capacity"], **capacity}
    provider = {**node["spec"], "providerID": f"kpy://{group['metadata']['name']}/{name}"}
    return {**node, "spec": provider, "status": {**node["status"], "capacity": resources, "allocatable": resources}}


def step(found: Object, view: View, clock: Clock) -> Actions:
    if "deletionTimestamp" in found["metadata"]:
        return
    group = group_of(found, nodes_of(found["metadata"]["name"], view))
    status: Object = dict(found.get("status") or {})
    status = {**status, "targetSize": group.target, **_counted(group, status, clock)}
    booting, serial = list(group.booting), status.get("booted", 0)
    for _ in range(group.target - len(group.nodes) - len(booting)):
        at_s = clock.now_s + time_s(found["spec"].get("bootTime", BOOT_S))
        booting.append(
            {"name": f"{group.name}-{clock.suffix('machine', group.name, serial)}", "at": at_s, "turn": serial}
        )
        serial += 1
    surplus = len(group.nodes) + len(booting) - group.target
    if surplus > 0:  # the last ordered are called off
        booting = booting[: max(0, len(booting) - surplus)]
    registered = 0
    for machine in [one for one in booting if one["at"] <= clock.now_s]:
        if _fails(group.name, view):
            continue
        index = _free_index(view)
        outcome = yield Create(template(found, machine["name"], index=index, turn=machine["turn"], dual=is_dual(view)))
        if not isinstance(outcome, KpyError):
            registered += 1
            booting = [one for one in booting if one is not machine]
    ready = len(group.nodes) + registered
    new = {**status, "booting": booting or None, "booted": serial or None, "nodes": ready}
    fields = patch.diff(found.get("status") or {}, patch.merge({}, new))
    if fields:
        yield Patch(key_of(group.name), {"status": fields}, "status")
    due = [one["at"] for one in booting if one["at"] > clock.now_s]
    if due:
        yield Wake(min(due))


def _fails(name: str, view: View) -> bool:
    return any(fault["spec"].get("group") in (None, "", name) for fault in faults.in_force(view, (BOOT_FAILING,)))


def _free_index(view: View) -> int:
    taken = {(node.get("spec") or {}).get("podCIDR") for node in view.list("nodes")}
    return next(index for index in range(1, len(taken) + 2) if machines.pod_range(index) not in taken)


def _counted(group: Group, status: Object, clock: Clock) -> Object:
    """nodeSeconds up to now, by the nodes that the last run left; only told when their number changes."""
    before = status.get("nodes", 0)
    if "countedAt" not in status:
        return {"nodeSeconds": 0, "countedAt": clock.timestamp}
    if before == len(group.nodes) and not any(one["at"] <= clock.now_s for one in group.booting):
        return {}
    elapsed_s = clock.now_s - seconds(status["countedAt"])
    return {"nodeSeconds": status.get("nodeSeconds", 0) + before * elapsed_s, "countedAt": clock.timestamp}


def cost(group: Group, clock: Clock) -> tuple[float, float]:
    """(node hours, cost) of a group up to now."""
    status: Any = group.object.get("status") or {}
    since_s = clock.now_s - seconds(status["countedAt"]) if "countedAt" in status else 0
    hours = (status.get("nodeSeconds", 0) + status.get("nodes", 0) * since_s) / HOUR_S
    return hours, hours * group.price
