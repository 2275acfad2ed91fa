"""Why a pod goes to its node, or to none: the verdict of every filter and the scores of every node, for people who ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.scheduler import messages
from minikube_py.scheduler.cycle import NO_NODES, Search, decide
from minikube_py.scheduler.settings import scheduler_of
from minikube_py.scheduler.templates import template_of

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.base.clock import Clock
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.templates import Template

NOT_MINE = 'no profile of the scheduler has the name "{}"'
PASSED, SKIPPED, NOT_ASKED = "passed", "skipped", "not asked"


class Score(NamedTuple):
    """`raw` None: the node does not count for this plugin (it lacks a topology key)."""

    plugin: str
    raw: int | None
    normalized: int
    weight: int

    @property
    def weighted(self) -> int:
        return self.normalized * self.weight


class NodeReport(NamedTuple):
    """`filters`: (plugin, 'passed', 'skipped' as it has nothing to say about this pod, 'not asked' as another had refused
    the node already, or the reasons of its refusal)."""

    name: str
    filters: tuple[tuple[str, str], ...]
    scores: tuple[Score, ...]

    @property
    def refusal(self) -> str:
        """Who refused the node and why; '' if nobody did."""
        return next((f"{name}: {verdict}" for name, verdict in self.filters if _refuses(verdict)), "")

    @property
    def total(self) -> int:
        return sum(score.weighted for score in self.scores)


class Report(NamedTuple):
    """`winner` '' if there is none: `message` then is the refusal, without what preemption says to it."""

    nodes: tuple[NodeReport, ...]
    winner: str
    message: str


def explain(pod: Object, cache: Cache, clock: Clock) -> Report:
    """What all plugins say about a pod on all nodes, and the node that the scheduler would choose now.

    The scheduler itself stops looking at nodes once enough of a large cluster do, and scores nothing if one node is left.
    """
    if not cache.is_mine(pod):
        return Report((), "", NOT_MINE.format(scheduler_of(pod)))
    for plugin in cache.profile_of(pod).gates:
        message = plugin.pre_enqueue(pod)
        if message:
            return Report((), "", message)
    decision = decide(pod, cache, clock)
    template, count = decision.template, cache.node_count()
    if decision.rejected:
        text = NO_NODES if not count else messages.rejected(count, decision.rejected)
        return Report((), "", text)
    scores = _scores(template)
    asked = {plugin.name for plugin, _ in (*template.early, *template.late)}
    nodes = tuple(NodeReport(name, _filters(template, name, asked), scores.get(name, ())) for name in cache.order())
    return Report(nodes, decision.node, "" if decision.node else messages.fit_error(decision.refusals))


def scores_of(pod: Object, cache: Cache) -> dict[str, dict[str, int]]:
    """The weighted score of every plugin for every feasible node, by node and plugin."""
    found = _scores(template_of(pod, cache))
    return {name: {score.plugin: score.weighted for score in scores} for name, scores in found.items()}


def _scores(template: Template) -> dict[str, tuple[Score, ...]]:
    """The scores of the nodes that passed all filters."""
    count = len(template.names)
    search = Search(template, 0, count, count)
    if not search.feasible:
        return {}
    position = {number: index for index, number in enumerate(search.classes)}
    rows = zip(search.scores(), search.scores(raw=True), strict=True)
    table = [(name, weight, normal, raw) for (name, weight, normal), (_, _, raw) in rows]
    return {
        name: tuple(
            Score(plugin, raw[position[number]], normal[position[number]], weight)
            for plugin, weight, normal, raw in table
        )
        for name, number in zip(template.names, template.ids, strict=True)
        if number in position
    }


def _filters(template: Template, name: str, asked: set[str]) -> tuple[tuple[str, str], ...]:
    """The verdicts on one node, in the order of the profile."""
    position = template.index.get(name)
    refusal = template.left_out if position is None else template.verdict(template.ids[position])
    origin = "" if refusal is None else template.origin[refusal]
    rows, over = [], False
    for plugin in template.profile.filters:
        if plugin.name == origin and refusal is not None:
            rows.append((plugin.name, ", ".join(refusal.reasons)))
            over = True
        elif plugin.name not in asked:
            rows.append((plugin.name, SKIPPED))
        else:
            rows.append((plugin.name, NOT_ASKED if over else PASSED))
    return tuple(rows)


def _refuses(verdict: str) -> bool:
    return verdict not in (PASSED, SKIPPED, NOT_ASKED)
