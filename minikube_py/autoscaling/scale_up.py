"""Which node group to grow, and by how much, so that pods that wait get their nodes.

For each group that may grow, pods are packed onto imagined nodes of its template, first fit, with the scheduler's own filters;
an expander (`expanders`) chooses among the options. Sources: cluster-autoscaler core/scaleup, estimator/binpacking_estimator.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.autoscaling import expanders, node_groups, scale_down
from minikube_py.autoscaling.imagined import Imagined
from minikube_py.base import quantity
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View
    from minikube_py.autoscaling.ca_flags import Flags
    from minikube_py.autoscaling.node_groups import Group
    from minikube_py.base.clock import Clock

MAX_SIZE = "max node group size reached"
BACKOFF = "in backoff after failed scale-up"
LABELS_IGNORED = (
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    node_groups.LABEL,
)
STARTUP_S = 900  # --max-node-startup-time: an unready node that is older is not coming
ALLOCATABLE_DIFFERENCE = 0.05  # --max-allocatable-difference-ratio
MEMORY_DIFFERENCE = 0.015  # of capacity, for groups that count as similar


class Option(NamedTuple):
    """`nodes` more of a group would take `pods`."""

    group: Group
    nodes: int
    pods: Objects
    waste: float  # idle share of cpu plus idle share of memory of the new nodes


class Plan(NamedTuple):
    """`best` None: no group helps; `reasons`: for each pod left (namespace/name), why no group takes it, counted."""

    best: Option | None
    reasons: dict[str, dict[str, int]]
    warnings: expanders.Warnings


def waiting(view: View, groups: list[Group], clock: Clock, flags: Flags) -> tuple[Imagined, Objects]:
    """The cluster with the machines that are booting or starting up, and the pods that will still have no node then."""
    unready = {
        node["metadata"]["name"]: (group, node)
        for group in groups
        for node in group.nodes
        if not scale_down.is_ready(node)
    }
    imagined = Imagined(view, frozenset(unready))
    starting = {
        name: group
        for name, (group, node) in unready.items()
        if clock.now_s - seconds(node["metadata"]["creationTimestamp"]) < STARTUP_S
    }
    for name, group in starting.items():
        _template(group, name, 0, imagined)
    for group in groups:
        for number, machine in enumerate(group.booting):
            _template(group, machine["name"], machine.get("turn", number), imagined)
    left = []
    for pod in sorted(view.refused(), key=_age):
        if pods.is_terminating(pod) or (pod["spec"].get("priority") or 0) < flags.priority_cutoff:
            continue
        if clock.now_s - seconds(pod["metadata"]["creationTimestamp"]) < flags.pod_delay_s:
            continue
        node = imagined.choose(pod, clock)
        if node:
            imagined.place(pod, node)
        else:
            left.append(pod)
    return imagined, left


def _age(pod: Object) -> tuple[str, str, str]:
    meta = pod["metadata"]
    return meta.get("creationTimestamp", ""), meta["namespace"], meta["name"]


def plan(imagined: Imagined, left: Objects, groups: list[Group], backoff: set[str], flags: Flags, clock: Clock) -> Plan:
    options: list[Option] = []
    reasons: dict[str, dict[str, int]] = {name_of(pod): {} for pod in left}
    for group in groups:
        skipped = BACKOFF if group.name in backoff else MAX_SIZE if group.target >= group.maximum else ""
        if skipped:
            for found in reasons.values():
                found[skipped] = found.get(skipped, 0) + 1
            continue
        option, refused = _option(imagined, left, group, flags)
        for name, texts in refused.items():
            for text in texts:
                reasons[name][text] = reasons[name].get(text, 0) + 1
        if option.pods:
            options.append(option)
    if not options:
        return Plan(None, reasons, [])
    best, warnings = expanders.choose(options, flags.expanders, imagined.base, clock)
    return Plan(best, reasons, warnings)


def name_of(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _option(base: Imagined, left: Objects, group: Group, flags: Flags) -> tuple[Option, dict[str, tuple[str, ...]]]:
    """How many more nodes of a group take which of the pods, and why it does not take the others."""
    imagined = Imagined(base)
    limit = min(group.maximum - group.target, flags.per_scale_up)
    added: list[Object] = []
    taken: Objects = []
    refused: dict[str, tuple[str, ...]] = {}
    serial = len(group.nodes) + len(group.booting)

    def grow() -> str:
        name = f"template-{group.name}-{len(added)}"
        added.append(_template(group, name, serial + len(added), imagined))
        return name

    spare: str = grow()  # an empty node of the template, that the first pods go to
    for pod in left:
        names = [node["metadata"]["name"] for node in added]
        place = next((name for name in names if imagined.refusal(pod, name) is None), "")
        if not place and (len(added) > 1 or imagined.on_node(spare)) and len(added) < limit:
            fresh = grow()
            place = fresh if imagined.refusal(pod, fresh) is None else ""
            if not place:
                _drop(imagined, added)
        if place:
            imagined.place(pod, place)
            taken.append(pod)
        else:
            verdict = imagined.refusal(pod, spare)
            refused[name_of(pod)] = verdict.reasons if verdict is not None else (MAX_SIZE,)
    used = [node for node in added if any(not _of_daemon(pod) for pod in imagined.on_node(node["metadata"]["name"]))]
    return Option(group, len(used), taken, _waste(used, taken)), refused


def _drop(imagined: Imagined, added: list[Object]) -> None:
    """Take the last imagined node away again: the pod it was made for does not go there either."""
    node = added.pop()
    name = node["metadata"]["name"]
    for pod in imagined.on_node(name):
        imagined.placed.pop(Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]), None)
    del imagined.nodes[name]
    imagined.cache.changed(Key("nodes", "", name), node, None)


def _template(group: Group, name: str, turn: int, imagined: Imagined) -> Object:
    """An imagined node of a group, with the DaemonSet pods that it will run."""
    node = node_groups.template(group.object, name, index=turn % 3000 + 1, turn=turn)
    imagined.add(node)
    for daemon in imagined.list("daemonsets.apps"):
        shape = daemon["spec"]["template"]
        pod = {
            "metadata": {
                "name": f"{daemon['metadata']['name']}-{name}",
                "namespace": daemon["metadata"]["namespace"],
                "labels": (shape.get("metadata") or {}).get("labels") or {},
                "ownerReferences": [{"kind": "DaemonSet", "name": daemon["metadata"]["name"], "controller": True}],
                "uid": f"{daemon['metadata']['uid']}-{name}",
            },
            "spec": shape["spec"],
        }
        if imagined.refusal(pod, name) is None:
            imagined.place(pod, name)
    return node


def _of_daemon(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(one.get("kind") == "DaemonSet" and one.get("controller") for one in owners)


def _waste(added: list[Object], taken: Objects) -> float:
    """Idle share of cpu plus that of memory: nodes of 4 cpus and 8Gi for 3 cpus and 2Gi: 0.25 + 0.75 = 1.0."""
    wanted = [pods.requests(pod) for pod in taken]
    total = 0.0
    for resource, measure in (("cpu", quantity.milli), ("memory", quantity.value)):
        offered = sum(measure(node["status"]["allocatable"][resource]) for node in added)
        asked = sum(one.get(resource, 0) for one in wanted)
        total += (offered - asked) / offered if offered else 0
    return total


# --- similar groups ----------------------------------------------------------------------------------------------------


def balanced(option: Option, groups: list[Group], backoff: set[str], flags: Flags) -> list[tuple[Group, int]]:
    """(group, new size) of the groups that grow: the option's, and those like it in turn (--balance-similar-node-groups).

    3 more for sizes 1 and 2: one after the other the smallest grows: 3 and 3. No group beyond its maximum.
    """
    chosen = [option.group]
    if flags.balance:
        chosen += [
            group
            for group in groups
            if group is not option.group and group.name not in backoff and _are_similar(group, option.group)
        ]
    sizes = {group.name: group.target for group in chosen}
    for _ in range(option.nodes):
        growing = [group for group in chosen if sizes[group.name] < group.maximum]
        if not growing:
            break
        smallest = min(growing, key=lambda group: sizes[group.name])
        sizes[smallest.name] += 1
    return [(group, sizes[group.name]) for group in chosen if sizes[group.name] > group.target]


def _are_similar(one: Group, other: Group) -> bool:
    """The same machines: equal capacity (memory nearly), nearly equal allocatable, equal labels but for place and group."""
    nodes = [node_groups.template(group.object, f"template-{group.name}", index=1, turn=0) for group in (one, other)]
    first, second = (node["status"]["capacity"] for node in nodes)
    if first.keys() != second.keys():
        return False
    for name, amount in first.items():
        allowed = MEMORY_DIFFERENCE if name == "memory" else 0.0
        if not _is_near(amount, second[name], allowed):
            return False
    offered = [node["status"]["allocatable"] for node in nodes]
    if not all(
        _is_near(amount, offered[1].get(name, "0"), ALLOCATABLE_DIFFERENCE) for name, amount in offered[0].items()
    ):
        return False
    labels = [
        {name: value for name, value in node["metadata"]["labels"].items() if name not in LABELS_IGNORED}
        for node in nodes
    ]
    return labels[0] == labels[1]


def _is_near(one: str, other: str, share: float) -> bool:
    low, high = sorted((quantity.milli(one), quantity.milli(other)))
    return high - low <= high * share
