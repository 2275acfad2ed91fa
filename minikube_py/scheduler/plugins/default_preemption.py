"""DefaultPreemption: make room for a pod by removing less important ones.

Sources: pkg/scheduler/framework/preemption/preemption.go, pkg/scheduler/framework/plugins/defaultpreemption.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from minikube_py.api import pods
from minikube_py.api.types import Delete, Key, Patch, Record
from minikube_py.base import selector
from minikube_py.base.clock import seconds
from minikube_py.scheduler.cycle import more_important
from minikube_py.scheduler.framework import Plan, Plugin, Refusal
from minikube_py.scheduler.messages import fit_error, with_condition

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects
    from minikube_py.base.clock import Clock
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.cycle import Decision
    from minikube_py.scheduler.nodes import NodeInfo
    from minikube_py.scheduler.templates import Template

NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL = Refusal(("Preemption is not helpful for scheduling",))
NO_VICTIMS = Refusal(("No preemption victims found for incoming pod",))

CANDIDATES_PERCENT = 10  # stop after so many of the nodes could be emptied enough, ...
CANDIDATES_MIN = 100  # ... but not before so many
NO_COST = (0, 0, 0, 0, 0)
_PRIORITY_OFFSET = 2**31  # makes every priority positive, so that fewer victims have the smaller sum


Cost: TypeAlias = tuple[int, int, int, int, int]


class Candidate(NamedTuple):
    node: str
    victims: Objects  # the most important first
    violations: int  # of PodDisruptionBudgets


class DefaultPreemption(Plugin):
    name = "DefaultPreemption"

    def post_filter(self, pod: Object, decision: Decision, cache: Cache, clock: Clock) -> Plan:
        """Empty a node of less important pods, if that helps."""
        return plan(pod, decision, cache, clock)


def plan(pod: Object, decision: Decision, cache: Cache, clock: Clock) -> Plan:
    """Which node to empty, and what empties it, for a pod that `decision` found no node for."""
    message = _ineligible(pod, decision, cache)
    if message:
        return Plan(message=message)
    count = cache.node_count()
    lowest = cache.lowest_priority()
    if lowest is None or lowest >= _priority(pod):  # nobody is less important: no need to look at any node
        hopeless: Counter[Refusal] = Counter()
        for refusal, number in decision.refusals.items():
            hopeless[NO_VICTIMS if refusal.resolvable else NOT_HELPFUL] += number
        return Plan(message=fit_error(hopeless), clear=True)
    why = decision.why()
    names = [name for name, refusal in why.items() if refusal.resolvable]
    enough = max(count * CANDIDATES_PERCENT // 100, CANDIDATES_MIN)
    if len(names) > enough:  # the real one starts anywhere, too
        start = clock.token("preemption", pod["metadata"].get("uid")) % len(names)
        names = names[start:] + names[:start]
    budgets = Budgets(cache)
    refusals = dict.fromkeys(why, NOT_HELPFUL)
    candidates: list[tuple[Candidate, Cost]] = []
    for name in names:
        found, cost = _known_victims(pod, name, decision.template, budgets, clock)
        if isinstance(found, Refusal):
            refusals[name] = found
        else:
            candidates.append((found, cost))
            if len(candidates) == enough:
                break
    if not candidates:
        return Plan(message=fit_error(Counter(refusals.values())), clear=True)
    best, _ = min(candidates, key=lambda row: row[1])
    return Plan(best.node, _make_room(pod, best, cache, clock))


def _make_room(pod: Object, chosen: Candidate, cache: Cache, clock: Clock) -> Actions:
    """Evict the victims, and withdraw the promise of the node from less important pods."""
    uid, name = pod["metadata"].get("uid"), pod["spec"].get("schedulerName") or "default-scheduler"
    for victim in chosen.victims:
        if pods.is_terminating(victim):
            continue
        disrupted: Object = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": clock.timestamp,
            "reason": "PreemptionByScheduler",
            "message": f"{name}: preempting to accommodate a higher priority pod",
        }
        if "generation" in victim["metadata"]:
            disrupted["observedGeneration"] = victim["metadata"]["generation"]
        yield Patch(_key(victim), {"status": {"conditions": with_condition(victim, disrupted)}}, "status")
        yield Record(
            victim, "Normal", "Preempted", f"Preempted by pod {uid} on node {chosen.node}", name, action="Preempting"
        )
        yield Delete(_key(victim), uid=victim["metadata"].get("uid") or "")
    priority = pod["spec"].get("priority") or 0
    for key, other in list(cache.nominated.get(chosen.node, {}).items()):
        if key != _key(pod) and (other["spec"].get("priority") or 0) < priority:
            yield Patch(key, {"status": {"nominatedNodeName": None}}, "status")


def _key(pod: Object) -> Key:
    return Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def _ineligible(pod: Object, decision: Decision, cache: Cache) -> str:
    if pod["spec"].get("preemptionPolicy") == "Never":
        return NEVER
    name = (pod.get("status") or {}).get("nominatedNodeName")
    position = decision.template.index.get(name) if name else None
    if position is None or not decision.verdicts[position].resolvable:
        return ""
    return TERMINATING if awaits_victims(pod, cache) else ""


def awaits_victims(pod: Object, cache: Cache) -> bool:
    """Whether pods that were preempted on the pod's nominated node are still on their way out."""
    name = (pod.get("status") or {}).get("nominatedNodeName")
    node = cache.node(name) if name else None
    if node is None:
        return False
    priority = _priority(pod)
    return any(_priority(other) < priority and _being_preempted(other) for other in node.pods)


def _being_preempted(pod: Object) -> bool:
    found = pods.condition(pod, "DisruptionTarget")
    return (
        pods.is_terminating(pod)
        and found is not None
        and found.get("status") == "True"
        and found.get("reason") == "PreemptionByScheduler"
    )


def _priority(pod: Object) -> int:
    return pod["spec"].get("priority") or 0


def _started(pod: Object, clock: Clock) -> int:
    found = (pod.get("status") or {}).get("startTime")
    return seconds(found) if found else clock.now_s


def _importance(pod: Object, clock: Clock) -> tuple[int, int]:
    """Sorts the most important first: high priority, then long running (pkg/scheduler/util MoreImportantPod)."""
    return -_priority(pod), _started(pod, clock)


def _known_victims(
    pod: Object, name: str, template: Template, budgets: Budgets, clock: Clock
) -> tuple[Candidate | Refusal, Cost]:
    """`_victims` and their cost; remembered for all pods of the template until the node changes, if it depends on that node
    alone: on no other pods, no budgets, no promises."""
    if template.victims_at_s != clock.now_s:
        template.victims.clear()
        template.victims_at_s = clock.now_s
    is_local = not template.late and not budgets.any() and name not in template.cache.nominated
    found = template.victims.get(name) if is_local else None
    if found is None:
        node = template.cache.node(name)
        assert node is not None, name
        victims = _victims(pod, node, template, budgets, clock)
        found = victims, NO_COST if isinstance(victims, Refusal) else _cost(victims, clock)
        if is_local:
            template.victims[name] = found
    return found


def _victims(pod: Object, node: NodeInfo, template: Template, budgets: Budgets, clock: Clock) -> Candidate | Refusal:
    """The fewest pods of a node that must go; the Refusal if even all less important ones are not enough.

    All go, then those that can stay are taken back: first those whose loss a budget forbids, each group by importance.
    """
    priority, everyone = _priority(pod), node.pods
    gone = [other for other in everyone if _priority(other) < priority]
    if not gone:
        return NO_VICTIMS
    staying = [other for other in everyone if _priority(other) >= priority]
    promised = more_important(pod, template.cache.nominated.get(node.name, {}))
    refusal = template.verdict_with(node, staying + promised, gone, promised)
    if refusal is not None:
        return refusal
    gone.sort(key=lambda other: _importance(other, clock))
    guarded, free = budgets.split(gone)
    victims, violations = [], 0
    for other in guarded + free:
        without = [one for one in gone if one is not other]
        if template.verdict_with(node, [*staying, other, *promised], without, promised) is None:
            staying.append(other)
            gone = without
        else:
            victims.append(other)
            violations += other in guarded
    victims.sort(key=lambda other: _importance(other, clock))
    return Candidate(node.name, victims, violations)


def _cost(found: Candidate, clock: Clock) -> Cost:
    """The cheapest node: fewest violated budgets, lowest highest priority, lowest sum of priorities, fewest victims, and
    the most important victims that started last."""
    if not found.victims:
        return NO_COST
    highest = _priority(found.victims[0])
    earliest = min(_started(victim, clock) for victim in found.victims if _priority(victim) == highest)
    total = sum(_priority(victim) + _PRIORITY_OFFSET for victim in found.victims)
    return found.violations, highest, total, len(found.victims), -earliest


class Budgets:
    """The PodDisruptionBudgets of the cluster, read when first asked for."""

    def __init__(self, cache: Cache) -> None:
        self._view = cache.view
        self._found: Objects | None = None

    def any(self) -> bool:
        if self._found is None:
            self._found = self._view.list("poddisruptionbudgets.policy")
        return bool(self._found)

    def split(self, victims: Objects) -> tuple[Objects, Objects]:
        """(the pods whose loss violates a budget, the others): each budget allows its disruptions in the given order."""
        if not self.any():
            return [], victims
        assert self._found is not None
        left = [(budget.get("status") or {}).get("disruptionsAllowed") or 0 for budget in self._found]
        guarded: Objects = []
        free: Objects = []
        for pod in victims:
            violates = False
            for index, budget in enumerate(self._found):
                if _counts(budget, pod):
                    left[index] -= 1
                    violates = violates or left[index] < 0
            (guarded if violates else free).append(pod)
        return guarded, free


def _counts(budget: Object, pod: Object) -> bool:
    """Whether losing the pod uses up the budget: an empty selector selects nothing, a disrupted pod was counted."""
    meta = pod["metadata"]
    if budget["metadata"]["namespace"] != meta["namespace"]:
        return False
    chosen = selector.from_label_selector(budget["spec"].get("selector"))
    if chosen.empty or not chosen.matches(meta.get("labels")):
        return False
    return meta["name"] not in ((budget.get("status") or {}).get("disruptedPods") or {})
