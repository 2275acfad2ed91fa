"""The Cluster Autoscaler: more nodes for pods that find none, fewer when nobody needs them.

`step` runs on nodegroups, but only at the first one by name: one run sees to all. It is woken by: the groups; pods that find
no node, get one, end or go; nodes that come, go or change their taints; PodDisruptionBudgets. Between two runs pass at least
ten seconds (--scan-interval). Booting machines, pods that wait for one and nodes that are being drained keep a cluster from
being settled, an idle node does not. Its flags: `ca_flags`.

Remembered: `ran` (the last run), `unneeded` (node: since), `needed` (node: why), `added`, `deleted`, `failed` (the last
scale-up, deletion of a node, failed drain), `backoff` (group: [until, seconds, waited before]), `draining` (node: [group, since]), `told`
(pod: what was said), `booting` (machine: ordered at).
Sources: cluster-autoscaler core/static_autoscaler.go, core/scaleup, core/scaledown, clusterstate, processors/status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Delete, Key, Patch, Record, Remember, Wake
from minikube_py.autoscaling import ca_flags, ca_status, expanders, node_groups, scale_down, scale_up
from minikube_py.base.duration import go
from minikube_py.base.errors import KpyError

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.autoscaling.node_groups import Group
    from minikube_py.autoscaling.scale_up import Option
    from minikube_py.base.clock import Clock

NAME, COMPONENT = "cluster-autoscaler", "cluster-autoscaler"


class _Run:
    """One run: what the functions below share. `memory` is what will be remembered."""

    def __init__(self, view: View, clock: Clock, memory: Object) -> None:
        self.view, self.clock, self.memory = view, clock, dict(memory)
        self.flags = ca_flags.read(view)
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
    old, scan_s = view.memory(NAME, key), ca_flags.read(view).scan_s
    next_s = old.get("ran", clock.now_s - scan_s) + scan_s
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
        yield Wake(int(max(at_s, clock.now_s + scan_s)), background=background)


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
            yield from _give_up(run, group, late, known, backoff)
    run.memory["booting"] = {
        name: since for name, since in ordered.items() if since + run.flags.provision_s > run.clock.now_s
    }
    run.memory["backoff"] = backoff


def _give_up(run: _Run, group: Group, late: list[str], known: Object, backoff: dict[str, list[int]]) -> Actions:
    """Take back orders of machines that are late, and leave the group alone: 5 minutes, then 10, 20, 30."""
    flags, now_s = run.flags, run.clock.now_s
    until, length, _ = backoff.get(group.name, [0, 0, 0])
    fresh = not length or now_s > until + flags.backoff_reset_s
    length = flags.backoff_s if fresh else min(2 * length, flags.backoff_max_s)
    waited_s = max(now_s - known.get(name, now_s) for name in late)
    backoff[group.name] = [now_s + length, length, waited_s]
    taken_back = {
        "targetSize": group.target - len(late),
        "booting": [machine for machine in group.booting if machine["name"] not in late] or None,
    }
    text = f"Nodes added to group {group.name} failed to register within {go(waited_s)}"
    yield run.log("ScaleUpTimedOut", text, "Warning")
    yield Patch(node_groups.key_of(group.name), {"status": taken_back}, "status")
    for name in late:
        yield run.log("DeleteUnregistered", f"Removed unregistered node kpy://{group.name}/{name}")
    run.groups = node_groups.groups(run.view)


def _scale_up(run: _Run) -> Generator[Action, Outcome, bool]:
    """Grow one group, if pods wait that it helps. Gives whether it did."""
    if not run.view.refused():
        run.memory["told"] = {}
        return False
    imagined, left = scale_up.waiting(run.view, run.groups, run.clock, run.flags)
    if not left:
        return False
    now_s = run.clock.now_s
    resting = {name: until for name, (until, *_) in run.memory["backoff"].items() if until > now_s}
    run.wakes += [(until, True) for until in resting.values()]
    plan = scale_up.plan(imagined, left, run.groups, set(resting), run.flags, run.clock)
    table = run.view.get(expanders.PRIORITIES) if plan.warnings else None
    if table is not None:
        for reason, message in plan.warnings:
            yield Record(table, "Warning", reason, message, COMPONENT)
    if plan.best is None:
        yield from _tell_in_vain(run, left, plan.reasons)
        return False
    best = yield from _within_total(run, plan.best)
    if best is None:
        return False
    grown = []
    for group, size in scale_up.balanced(best, run.groups, set(resting), run.flags):
        if (yield from _grow(run, group, size)):
            grown.append(f"{{{group.name} {group.target}->{size} (max: {group.maximum})}}")
    if not grown:
        return False
    for pod in best.pods:
        yield Record(pod, "Normal", "TriggeredScaleUp", f"pod triggered scale-up: [{' '.join(grown)}]", COMPONENT)
    run.memory["added"] = now_s
    run.wakes.append((now_s + run.flags.scan_s, False))
    return True


def _within_total(run: _Run, best: Option) -> Generator[Action, Outcome, Option | None]:
    """The option within --max-nodes-total; None if that leaves nothing."""
    most = run.flags.nodes_max
    there = len(run.view.list("nodes")) + sum(len(group.booting) for group in run.groups)
    if not most or there + best.nodes <= most:
        return best
    yield run.log("MaxNodesTotalReached", f"Max total nodes in cluster reached: {most}", "Warning")
    return best._replace(nodes=most - there) if most > there else None


def _grow(run: _Run, group: Group, target: int) -> Generator[Action, Outcome, bool]:
    """Order the machines. Gives whether that was accepted."""
    rest = f"to {target} instead of {group.target} (max: {group.maximum})"
    yield run.log("ScaledUpGroup", f"Scale-up: setting group {group.name} size {rest}")
    outcome = yield Patch(node_groups.key_of(group.name), {"status": {"targetSize": target}}, "status")
    if isinstance(outcome, KpyError):
        yield run.log("FailedToScaleUpGroup", f"Scale-up failed for group {group.name}: {outcome}", "Warning")
        return False
    yield run.log("ScaledUpGroup", f"Scale-up: group {group.name} size set {rest}")
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
    now_s, before, flags = run.clock.now_s, run.memory.get("unneeded") or {}, run.flags
    since: dict[str, int] = {}
    why: dict[str, str] = {}
    due: dict[str, int] = {}
    free_s = _free_s(run)
    for node in [node for group in run.groups for node in group.nodes]:
        name = node["metadata"]["name"]
        if scale_down.is_marked(node):
            continue
        why[name] = scale_down.unneeded(node, run.view, run.clock, flags)
        if not why[name]:
            since[name] = before.get(name, now_s)
            wait_s = flags.unneeded_s if scale_down.is_ready(node) else flags.unready_s
            due[name] = max(since[name] + wait_s, free_s)
    run.memory["unneeded"], run.memory["needed"] = since, {name: text for name, text in why.items() if text}
    run.wakes += [(at_s, True) for at_s in due.values() if at_s > now_s]
    ripe = [name for name, at_s in due.items() if at_s <= now_s]
    yield from _remove(run, ripe)
    yield from _soft_taints(run, why)


def _free_s(run: _Run) -> int:
    """From when on nodes may go: some time after the last scale-up, deletion, or failure to drain."""
    memory, flags = run.memory, run.flags
    delays = (
        ("added", flags.delay_after_add_s),
        ("deleted", flags.delay_after_delete_s),
        ("failed", flags.delay_after_failure_s),
    )
    return max([0, *(int(memory[name]) + delay_s for name, delay_s in delays if name in memory)])


def _soft_taints(run: _Run, why: dict[str, str]) -> Actions:
    """Mark what nobody needs, so that the scheduler prefers other nodes; and take the mark off what is needed again."""
    left = run.flags.soft_taints
    for node in [node for group in run.groups for node in group.nodes]:
        name = node["metadata"]["name"]
        current = run.view.get(Key("nodes", "", name))
        if name not in why or left <= 0 or current is None or scale_down.is_marked(current):
            continue
        taints = [*((current.get("spec") or {}).get("taints") or ())]
        others = [taint for taint in taints if taint["key"] != scale_down.CANDIDATE]
        if bool(why[name]) == (len(others) == len(taints)):
            continue
        if not why[name]:
            others.append({"key": scale_down.CANDIDATE, "value": str(run.clock.now_s), "effect": "PreferNoSchedule"})
        left -= 1
        yield Patch(Key("nodes", "", name), {"spec": {"taints": others or None}})


def _remove(run: _Run, ripe: list[str]) -> Actions:
    """Empty nodes at once, up to ten; others are drained one at a time. Groups keep their minimum."""
    empty = [name for name in ripe if not scale_down.to_move(name, run.view)]
    spare = {group.name: group.target - group.minimum for group in run.groups}
    group_of = {node["metadata"]["name"]: group for group in run.groups for node in group.nodes}
    node_of = {node["metadata"]["name"]: node for group in run.groups for node in group.nodes}
    draining = run.memory.get("draining") or {}
    for group, _ in draining.values():
        spare[group] = spare.get(group, 0) - 1
    room = run.flags.parallel - len(draining)
    for name in empty:
        group = group_of[name]
        if spare[group.name] <= 0 or room <= 0:
            continue
        spare[group.name] -= 1
        room -= 1
        yield from _mark(run, node_of[name])
        yield run.log("ScaleDownEmpty", f'Scale-down: removing empty node "{name}"')
        yield from _delete(run, name, group.name, drained=False)
    drains = run.flags.parallel_drains - len(draining)
    for name in [name for name in ripe if name not in empty]:
        if spare[group_of[name].name] > 0 and room > 0 and drains > 0:
            # An earlier drain of this run may have taken the place or the budget that this one counted on.
            if scale_down.unneeded(node_of[name], run.view, run.clock, run.flags):
                continue
            spare[group_of[name].name] -= 1
            room, drains = room - 1, drains - 1
            yield from _drain(run, node_of[name], group_of[name])


def _mark(run: _Run, node: Object) -> Actions:
    taint = {"key": scale_down.TO_BE_DELETED, "value": str(run.clock.now_s), "effect": "NoSchedule"}
    taints = [*((node.get("spec") or {}).get("taints") or ()), taint]
    yield Patch(Key("nodes", "", node["metadata"]["name"]), {"spec": {"taints": taints}})
    yield Record(node, "Normal", "ScaleDown", "marked the node as toBeDeleted/unschedulable", COMPONENT)
    run.memory["unneeded"].pop(node["metadata"]["name"], None)


def _drain(run: _Run, node: Object, group: Group) -> Actions:
    name = node["metadata"]["name"]
    moving = scale_down.to_move(name, run.view)
    share = scale_down.utilization(node, run.view, ignore_daemons=run.flags.ignore_daemons)
    yield from _mark(run, node)
    names = ",".join(pod["metadata"]["name"] for pod in moving)
    text = f"Scale-down: removing node {name}, utilization: {share}, pods to reschedule: {names}"
    yield run.log("ScaleDown", text)
    for pod in moving:
        yield Record(pod, "Normal", "ScaleDown", "deleting pod for node scale down", COMPONENT)
    yield from _evict(moving)
    run.memory["draining"] = {**(run.memory.get("draining") or {}), name: [group.name, run.clock.now_s]}
    run.wakes.append((run.clock.now_s + run.flags.scan_s, False))


def _evict(moving: Objects) -> Generator[Action, Outcome, dict[str, str]]:
    """Evict pods. Gives why it was refused, by 'namespace/name': those are tried again at the next run."""
    refused = {}
    for pod in moving:
        outcome = yield Delete(Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]), evict=True)
        if isinstance(outcome, KpyError):
            refused[scale_up.name_of(pod)] = str(outcome)
    return refused


def _finish_drains(run: _Run) -> Actions:
    """Delete the machines whose pods have gone; give up where pods cannot be evicted in time."""
    for name, (group, since_s) in list((run.memory.get("draining") or {}).items()):
        node = run.view.get(Key("nodes", "", name))
        staying = [pod for pod in run.view.on_node(name) if scale_down.is_movable(pod)]
        refused = yield from _evict([pod for pod in staying if not pods.is_terminating(pod)])
        is_late = bool(refused) and run.clock.now_s >= since_s + run.flags.eviction_s
        if node is not None and staying and not is_late:
            run.wakes.append((run.clock.now_s + run.flags.scan_s, False))
            continue
        run.memory["draining"] = {one: where for one, where in run.memory["draining"].items() if one != name}
        if node is not None and is_late:
            yield from _give_up_drain(run, node, [pod for pod in staying if scale_up.name_of(pod) in refused], refused)
        elif node is not None:
            yield from _delete(run, name, group, drained=True)


def _give_up_drain(run: _Run, node: Object, waiting: Objects, refused: dict[str, str]) -> Actions:
    name = node["metadata"]["name"]
    for pod in waiting:
        yield Record(pod, "Warning", "ScaleDownFailed", "failed to delete pod for ScaleDown", COMPONENT)
    told = " ".join(
        f"failed to evict pod {pod} within allowed timeout (last error: {error})" for pod, error in refused.items()
    )
    text = f"failed to drain and delete node: Failed to drain node /{name}, due to following errors: [{told}]"
    yield Record(node, "Warning", "ScaleDownFailed", text, COMPONENT)
    kept = [taint for taint in node["spec"].get("taints") or () if taint["key"] != scale_down.TO_BE_DELETED]
    yield Patch(Key("nodes", "", name), {"spec": {"taints": kept or None}})
    run.memory["failed"] = run.clock.now_s


def _delete(run: _Run, name: str, group: str, *, drained: bool) -> Actions:
    node = run.view.get(Key("nodes", "", name))
    found = run.view.get(node_groups.key_of(group))
    if found is not None:
        size = max(0, (found.get("status") or {}).get("targetSize", 1) - 1)
        yield Patch(node_groups.key_of(group), {"status": {"targetSize": size}}, "status")
    yield Delete(Key("nodes", "", name))
    run.memory["deleted"] = run.clock.now_s
    if node is not None:
        yield Record(node, "Normal", "ScaleDown", "nodes removed by cluster autoscaler", COMPONENT)
    if drained:
        yield run.log("ScaleDown", f"Scale-down: node {name} removed with drain")
    else:
        yield run.log("ScaleDownEmpty", f"Scale-down: empty node {name} removed")
