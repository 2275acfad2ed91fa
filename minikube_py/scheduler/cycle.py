"""One scheduling decision: find nodes that do, score them, take the best (pkg/scheduler/schedule_one.go).

Not every node is looked at: with more than a hundred, a share of them suffices. kube-scheduler goes on where it stopped
the last time, which depends on everything it did since it started; here the first node to look at is drawn from the
cluster's seed and the pod's uid, so that the decision is the same in every process.
"""

from __future__ import annotations

from collections import Counter
from operator import is_
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.scheduler.framework import Feasible, Refusal
from minikube_py.scheduler.templates import NodeClass, Template, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from minikube_py.api.types import Key, Object
    from minikube_py.base.clock import Clock
    from minikube_py.scheduler.cache import Cache

FEASIBLE_MIN = 100  # look for at least so many nodes
PERCENT_MIN = 5
REFUSING_MAX = 8  # classes of refused nodes that are counted one by one
NO_NODES = "no nodes available to schedule pods"


class Decision(NamedTuple):
    """`node` '' if there is none: `refusals` then counts why the nodes do not do, or `rejected` tells why none can.

    `verdicts`: the refusal of each node of the template, in the same order.
    """

    template: Template
    node: str = ""
    rejected: str = ""
    refusals: Mapping[Refusal, int] = MappingProxyType({})
    verdicts: Sequence[Refusal] = ()

    def why(self) -> dict[str, Refusal]:
        """Why each node does not do, by name, in the order of looking."""
        template = self.template
        found = dict(zip(template.names, self.verdicts, strict=True))
        if len(found) < template.cache.node_count():
            return {name: found.get(name, template.left_out) for name in template.cache.order()}
        return found


def nodes_to_find(count: int, percent: int = 0) -> int:
    """How many feasible nodes are enough: 50 % less one per 125 nodes, at least 5 %, at least 100.

    1000 nodes: 42 % = 420; 5000 nodes: 10 % = 500.
    """
    if count < FEASIBLE_MIN:
        return count
    percent = percent or max(50 - count // 125, PERCENT_MIN)
    return max(count * percent // 100, FEASIBLE_MIN)


def decide(pod: Object, cache: Cache, clock: Clock) -> Decision:
    """Choose a node for a pod."""
    template = template_of(pod, cache)
    if not cache.node_count():
        return Decision(template, rejected=NO_NODES)
    if template.rejected:
        return Decision(template, rejected=template.rejected)
    spoiled = _spoil(pod, template) if cache.nominated else ()
    if template.refused is not None and not spoiled:
        return template.refused  # type: ignore[no-any-return]
    decision = _decide(pod, template, clock)
    for position in spoiled:
        template.ids[position] = 0
    if not decision.node and not spoiled:
        template.refused = decision
    return decision


def _decide(pod: Object, template: Template, clock: Clock) -> Decision:
    wanted = (pod.get("status") or {}).get("nominatedNodeName")
    if wanted and wanted in template.index:
        position = template.index[wanted]
        if Search(template, position, 1, 1).feasible:
            return Decision(template, wanted)
    count = len(template.names)
    enough = nodes_to_find(count, template.profile.percent)
    start = 0 if enough >= count else clock.token("scheduler", pod["metadata"].get("uid")) % count
    search = Search(template, start, enough, count)
    if search.feasible:
        return Decision(template, search.best())
    return _refused(template)


class Search:
    """The nodes looked at, from `start` on round the list, until `enough` were feasible or `limit` seen."""

    def __init__(self, template: Template, start: int, enough: int, limit: int) -> None:
        self.template = template
        self.start = start
        self.numbers: list[int] = []  # the classes of the nodes looked at, in order
        self.verdicts: dict[int, Refusal | None] = {}
        self.feasible = 0
        ids, position = template.ids, start
        while self.feasible < enough and len(self.numbers) < limit:
            end = min(position + enough - self.feasible, len(ids), position + limit - len(self.numbers))
            template.look(position, end)
            chunk = ids[position:end]
            self.numbers += chunk
            self.feasible += self._passing(chunk)
            position = end % len(ids)
        # The feasible classes, in the order in which they were found.
        self.classes = [number for number in dict.fromkeys(self.numbers) if self.verdicts.get(number) is None]

    def _passing(self, chunk: list[int]) -> int:
        template = self.template
        if not template.late and len(template.refusing) <= REFUSING_MAX:
            for number in template.refusing:
                self.verdicts[number] = template.classes[number].refusal
            return len(chunk) - sum(map(chunk.count, template.refusing))
        passing, verdicts = len(chunk), self.verdicts
        for number in dict.fromkeys(chunk):
            if number not in verdicts:
                verdicts[number] = template.verdict(number)
            if verdicts[number] is not None:
                passing -= chunk.count(number)
        return passing

    def sizes(self) -> list[int]:
        counts = Counter(self.numbers)
        return [counts[number] for number in self.classes]

    def scores(self, raw: bool = False) -> list[tuple[str, int, list[Any]]]:
        """(plugin, weight, the scores of the feasible classes); `raw`: before they were normalised."""
        template = self.template
        seen = [template.classes[number].measures for number in self.classes]
        feasible = Feasible(self.feasible, self.sizes)
        found = []
        for (plugin, weight, state), measures in zip(template.scores, zip(*seen, strict=True), strict=True):
            scores = plugin.score(state, measures, feasible)
            if scores is not None:
                found.append((plugin.name, weight, plugin.raw(state, measures, feasible) if raw else scores))
        return found

    def best(self) -> str:
        """The first node found among those with the highest sum of weighted scores."""
        classes = self.classes
        chosen = 0
        if len(classes) > 1:
            totals = [0] * len(classes)
            for _, weight, scores in self.scores():
                totals = [total + weight * score for total, score in zip(totals, scores, strict=True)]
            chosen = totals.index(max(totals))
        return self._first(classes[chosen])

    def _first(self, number: int) -> str:
        names = self.template.names
        return names[(self.start + self.numbers.index(number)) % len(names)]


def _refused(template: Template) -> Decision:
    """The decision when no node does. All nodes have been looked at."""
    verdicts: dict[int, Refusal] = {}
    counts: dict[Refusal, int] = {}
    for number, count in Counter(template.ids).items():
        refusal = template.verdict(number)
        assert refusal is not None, number
        verdicts[number] = refusal
        counts[refusal] = counts.get(refusal, 0) + count
    left_out = template.cache.node_count() - len(template.names)
    if left_out:
        counts[template.left_out] = counts.get(template.left_out, 0) + left_out
    return Decision(template, refusals=counts, verdicts=list(map(verdicts.__getitem__, template.ids)))


def _spoil(pod: Object, template: Template) -> list[int]:
    """Refuse, for this decision, the nodes whose room is promised to pods at least as important. Gives their positions."""
    spoiled = []
    for name, promised in template.cache.nominated.items():
        position = template.index.get(name)
        others = more_important(pod, promised) if position is not None else []
        if position is None or not others:
            continue
        number = _class_with(template, name, others)
        if number:
            template.ids[position] = number
            spoiled.append(position)
    return spoiled


def _class_with(template: Template, name: str, others: list[Any]) -> int:
    """The number of the class that a node has if these pods were on it, too; 0 if it does. Remembered until the node changes
    if it depends on that node alone."""
    known = template.promised.get(name)
    if known is not None and len(known[0]) == len(others) and all(map(is_, known[0], others)):
        return known[1]
    node = template.cache.node(name)
    refusal = template.verdict_with(node, [*node.pods, *others], come=others) if node is not None else None
    number = template.number(NodeClass(refusal, (), ())) if refusal is not None else 0
    if not template.late:
        template.promised[name] = others, number
    return number


def more_important(pod: Object, promised: dict[Key, Object]) -> list[Any]:
    """Those of the nominated pods that come before `pod` or are as important."""
    priority, uid = pod["spec"].get("priority") or 0, pod["metadata"].get("uid")
    return [
        other
        for other in promised.values()
        if (other["spec"].get("priority") or 0) >= priority and other["metadata"].get("uid") != uid
    ]
