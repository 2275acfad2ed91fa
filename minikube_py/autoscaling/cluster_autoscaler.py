"""The Cluster Autoscaler: more nodes for pods that find none, fewer when nobody needs them.

`step` runs on nodegroups, but only at the first one by name: one run sees to all. It is woken by: the groups; pods that find
no node, get one, end or go; nodes that come, go or change their taints; PodDisruptionBudgets. Between two runs pass at least
ten seconds (--scan-interval). Booting machines and pods that wait for one keep a cluster from being settled, an idle node
does not.

Flags are read from the ConfigMap kube-system/cluster-autoscaler-config, by their names: expander, scale-down-unneeded-time,
scale-down-delay-after-add, scale-down-utilization-threshold, max-node-provision-time, scale-down-enabled.

Remembered: `ran` (the last run), `unneeded` (node: since), `added` (the last scale-up), `backoff` (group: [until, seconds]),
`draining` (node: group), `told` (pod: what was said), `booting` (machine: ordered at).
Sources: cluster-autoscaler core/static_autoscaler.go, core/scaleup, core/scaledown, clusterstate, processors/status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.simulator import time_s
from minikube_py.api.types import Delete, Key, Patch, Record, Remember, Wake
from minikube_py.autoscaling import ca_status, node_groups, scale_down, scale_up
from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.autoscaling.node_groups import Group
    from minikube_py.base.clock import Clock

NAME, COMPONENT = "cluster-autoscaler", "cluster-autoscaler"
CONFIG = Key("configmaps", "kube-system", "cluster-autoscaler-config")
SCAN_S = 10
EMPTY_MAX = 10  # --max-scale-down-parallelism
BACKOFF_S, BACKOFF_MAX_S, BACKOFF_RESET_S = 300, 1800, 10_800


class Flags(NamedTuple):
    """The command line, with its defaults; seconds."""

    expander: str = "least-waste"
    unneeded_s: int = 600
    delay_after_add_s: int = 600
    threshold: float = 0.5
    provision_s: int = 900
    down: bool = True


def flags(view: View) -> Flags:
    """Flags from the ConfigMap; a value that cannot be read leaves the default."""
    data = (view.get(CONFIG) or {}).get("data") or {}
    found = Flags()
    for flag, field, read in _READ:
        try:
            if flag in data:
                found = found._replace(**{field: read(data[flag])})
        except ValueError:
            continue
    return found if found.expander in scale_up.EXPANDERS else found._replace(expander=Flags().expander)


_READ: tuple[tuple[str, str, Any], ...] = (
    ("expander", "expander", str),
    ("scale-down-unneeded-time", "unneeded_s", time_s),
    ("scale-down-delay-after-add", "delay_after_add_s", time_s),
    ("scale-down-utilization-threshold", "threshold", float),
    ("max-node-provision-time", "provision_s", time_s),
    ("scale-down-enabled", "down", lambda text: text != "false"),
)


class _Run:
    """One run: what the functions below share. `memory` is what will be remembered."""

    def __init__(self, view: View, clock: Clock, memory: Object) -> None:
        self.view, self.clock, self.memory = view, clock, dict(memory)
        self.flags = flags(view)
        self.groups = node_groups.groups(view)
        self.wakes: list[tuple[float, bool]] = []

    def log(self, reason: str, text: str, kind: str = "Normal") -> Record:
        """An event about the status ConfigMap, which is where the autoscaler tells of its deeds."""
        return Record(ca_status.reference(self.view), kind, reason, text, COMPONENT)


def step(first: Object, view: View, clock: Clock) -> Actions:
    everyone = view.list(node_groups.RESOURCE)
    if not everyone or everyone[0]["metadata"]["name"] != first["metadata"]["name"]:
        return
    key = node_groups.key_of(first["metadata"]["name"])
    old = view.memory(NAME, key)
    next_s = old.get("ran", clock.now_s - SCAN_S) + SCAN_S
    if clock.now_s < next_s:
        yield Wake(next_s, background=not view.refused() and not old.get("draining"))
        return
    run = _Run(view, clock, old)
    yield from _time_out(run)
    grown = yield from _scale_up(run)
    yield from _finish_drains(run)
    if not grown and run.flags.down:
        yield from _scale_down(run)
    run.memory["ran"] = clock.now_s
    if run.memory != old:
        yield Remember(run.memory)
    yield from ca_status.write(view, clock, node_groups.groups(view), run.memory)
    for at_s, background in run.wakes:
        yield Wake(int(max(at_s, clock.now_s + SCAN_S)), background=background)


# --- up ----------------------------------------------------------------------------------------------------------------


def _time_out(run: _Run) -> Actions:
    """Machines that did not register in time: their orders are taken back, and the group is left alone for a while."""
    ordered: dict[str, int] = {}
    backoff = dict(run.memory.get("backoff") or {})
    for group in run.groups:
        known = run.memory.get("booting") or {}
        late = []
        for machine in group.booting:
            since = known.get(machine["name"], run.clock.now_s)
            ordered[machine["name"]] = since
            if run.clock.now_s >= since + run.flags.provision_s:
                late.append(machine["name"])
            else:
                run.wakes.append((since + run.flags.provision_s, False))
        if late:
            until, length = backoff.get(group.name, [0, 0])
            fresh = not length or run.clock.now_s > until + BACKOFF_RESET_S
            length = BACKOFF_S if fresh else min(2 * length, BACKOFF_MAX_S)
            backoff[group.name] = [run.clock.now_s + length, length]
            taken_back = {
                "targetSize": group.target - len(late),
                "booting": [machine for machine in group.booting if machine["name"] not in late] or None,
            }
            yield run.log("ScaleUpTimedOut", _late_text(group, run.flags.provision_s), "Warning")
            yield Patch(node_groups.key_of(group.name), {"status": taken_back}, "status")
            run.groups = node_groups.groups(run.view)
    run.memory["booting"] = {
        name: since for name, since in ordered.items() if since + run.flags.provision_s > run.clock.now_s
    }
    run.memory["backoff"] = backoff


def _late_text(group: Group, provision_s: int) -> str:
    from minikube_py.base.duration import go

    return f"Nodes added to group {group.name} failed to register within {go(provision_s)}"


def _scale_up(run: _Run) -> Generator[Action, Outcome, bool]:
    """Grow one group, if pods wait that it helps. Gives whether it did."""
    if not run.view.refused():
        run.memory["told"] = {}
        return False
    imagined, left = scale_up.waiting(run.view, run.groups, run.clock)
    if not left:
        return False
    now_s = run.clock.now_s
    resting = {name: until for name, (until, _) in run.memory["backoff"].items() if until > now_s}
    run.wakes += [(until, True) for until in resting.values()]
    plan = scale_up.plan(imagined, left, run.groups, set(resting), run.flags.expander, run.clock)
    if plan.best is None:
        yield from _tell_in_vain(run, left, plan.reasons)
        return False
    group, target = plan.best.group, plan.best.group.target + plan.best.nodes
    text = f"group {group.name} size"
    yield run.log(
        "ScaledUpGroup", f"Scale-up: setting {text} to {target} instead of {group.target} (max: {group.maximum})"
    )
    outcome = yield Patch(node_groups.key_of(group.name), {"status": {"targetSize": target}}, "status")
    if isinstance(outcome, KpyError):
        yield run.log("FailedToScaleUpGroup", f"Scale-up failed for group {group.name}: {outcome}", "Warning")
        return False
    yield run.log("ScaledUpGroup", f"Scale-up: {text} set to {target} instead of {group.target} (max: {group.maximum})")
    for pod in plan.best.pods:
        info = f"[{{{group.name} {group.target}->{target} (max: {group.maximum})}}]"
        yield Record(pod, "Normal", "TriggeredScaleUp", f"pod triggered scale-up: {info}", COMPONENT)
    run.memory["added"] = now_s
    run.wakes.append((now_s + SCAN_S, False))
    return True


def _tell_in_vain(run: _Run, left: Objects, reasons: dict[str, dict[str, int]]) -> Actions:
    """NotTriggerScaleUp, again only when there is something else to say."""
    told, before = {}, run.memory.get("told") or {}
    for pod in left:
        name = scale_up.name_of(pod)
        counted = ", ".join(f"{count} {text}" for text, count in sorted(reasons[name].items()))
        told[name] = f"pod didn't trigger scale-up: {counted}"
        if before.get(name) != told[name]:
            yield Record(pod, "Normal", "NotTriggerScaleUp", told[name], COMPONENT)
    run.memory["told"] = told


# --- down --------------------------------------------------------------------------------------------------------------


def _scale_down(run: _Run) -> Actions:
    """Note which nodes nobody needs, and remove those that nobody has needed for long enough."""
    now_s, before = run.clock.now_s, run.memory.get("unneeded") or {}
    since: dict[str, int] = {}
    why: dict[str, str] = {}
    for group in run.groups:
        for node in group.nodes:
            name = node["metadata"]["name"]
            if scale_down.is_marked(node):
                continue
            why[name] = scale_down.unneeded(node, run.view, run.clock, run.flags.threshold)
            if not why[name]:
                since[name] = before.get(name, now_s)
    run.memory["unneeded"], run.memory["needed"] = since, {name: text for name, text in why.items() if text}
    free_s = run.memory.get("added", -run.flags.delay_after_add_s) + run.flags.delay_after_add_s
    ripe = [name for name, at_s in since.items() if max(at_s + run.flags.unneeded_s, free_s) <= now_s]
    run.wakes += [
        (max(at_s + run.flags.unneeded_s, free_s), True)
        for name, at_s in since.items()
        if max(at_s + run.flags.unneeded_s, free_s) > now_s
    ]
    yield from _remove(run, ripe)


def _remove(run: _Run, ripe: list[str]) -> Actions:
    """Empty nodes at once, up to ten; else one node is drained, if none is already. Groups keep their minimum."""
    empty = [name for name in ripe if not scale_down.to_move(name, run.view)]
    spare = {group.name: group.target - group.minimum for group in run.groups}
    group_of = {node["metadata"]["name"]: group for group in run.groups for node in group.nodes}
    node_of = {node["metadata"]["name"]: node for group in run.groups for node in group.nodes}
    removed = 0
    for name in empty[:EMPTY_MAX]:
        group = group_of[name]
        if spare[group.name] <= 0:
            continue
        spare[group.name] -= 1
        removed += 1
        yield from _mark(run, node_of[name])
        yield run.log("ScaleDownEmpty", f'Scale-down: removing empty node "{name}"')
        yield from _delete(run, name, group.name, drained=False)
    if removed or run.memory.get("draining"):
        return
    for name in [name for name in ripe if name not in empty]:
        if spare[group_of[name].name] > 0:
            yield from _drain(run, node_of[name], group_of[name])
            return


def _mark(run: _Run, node: Object) -> Actions:
    taint = {"key": scale_down.TO_BE_DELETED, "value": str(run.clock.now_s), "effect": "NoSchedule"}
    taints = [*((node.get("spec") or {}).get("taints") or ()), taint]
    yield Patch(Key("nodes", "", node["metadata"]["name"]), {"spec": {"taints": taints}})
    yield Record(node, "Normal", "ScaleDown", "marked the node as toBeDeleted/unschedulable", COMPONENT)
    run.memory["unneeded"].pop(node["metadata"]["name"], None)


def _drain(run: _Run, node: Object, group: Group) -> Actions:
    name = node["metadata"]["name"]
    moving = scale_down.to_move(name, run.view)
    share = scale_down.utilization(node, run.view)
    yield from _mark(run, node)
    names = ",".join(pod["metadata"]["name"] for pod in moving)
    text = f"Scale-down: removing node {name}, utilization: {share:.4g}, pods to reschedule: {names}"
    yield run.log("ScaleDown", text)
    for pod in moving:
        yield Record(pod, "Normal", "ScaleDown", "deleting pod for node scale down", COMPONENT)
        yield Delete(Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]), uid=pod["metadata"]["uid"])
    run.memory["draining"] = {**(run.memory.get("draining") or {}), name: group.name}
    run.wakes.append((run.clock.now_s + SCAN_S, False))


def _finish_drains(run: _Run) -> Actions:
    """Delete the machines whose pods have gone."""
    for name, group in list((run.memory.get("draining") or {}).items()):
        node = run.view.get(Key("nodes", "", name))
        staying = [pod for pod in run.view.on_node(name) if scale_down.is_movable(pod)]
        if node is not None and staying:
            run.wakes.append((run.clock.now_s + SCAN_S, False))
            continue
        run.memory["draining"] = {one: where for one, where in run.memory["draining"].items() if one != name}
        if node is not None:
            yield from _delete(run, name, group, drained=True)


def _delete(run: _Run, name: str, group: str, *, drained: bool) -> Actions:
    node = run.view.get(Key("nodes", "", name))
    found = run.view.get(node_groups.key_of(group))
    if found is not None:
        size = max(0, (found.get("status") or {}).get("targetSize", 1) - 1)
        yield Patch(node_groups.key_of(group), {"status": {"targetSize": size}}, "status")
    yield Delete(Key("nodes", "", name))
    if node is not None:
        yield Record(node, "Normal", "ScaleDown", "node removed by cluster autoscaler", COMPONENT)
    if drained:
        yield run.log("ScaleDown", f"Scale-down: node {name} removed with drain")
    else:
        yield run.log("ScaleDownEmpty", f"Scale-down: empty node {name} removed")
