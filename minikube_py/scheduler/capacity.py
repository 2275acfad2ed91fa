"""How many copies of a pod fit: each is placed as the scheduler would, until one finds no node."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base.errors import Forbidden
from minikube_py.scheduler import messages
from minikube_py.scheduler.cache import Cache
from minikube_py.scheduler.cycle import NO_NODES, decide
from minikube_py.scheduler.explain import NOT_MINE
from minikube_py.scheduler.settings import scheduler_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock


class Capacity(NamedTuple):
    """`message`: why the next copy does not fit; '' if `wanted` copies did. `refusals`: the same, node by node."""

    copies: int
    per_node: dict[str, int]  # of every node, in the scheduler's order
    message: str
    refusals: dict[str, tuple[str, ...]]
    plugins: dict[str, int]  # how many nodes each plugin refused to the last one


def measure(
    create: Callable[[], Object], bind: Callable[[Object, str], object], view: View, clock: Clock, wanted: int | None
) -> Capacity:
    """Create and bind copies until `wanted` are placed (None: until no more fit). A quota may end it too."""
    cache: Cache = view.derived("scheduler", Cache)
    per_node = dict.fromkeys(cache.order(), 0)
    copies = 0
    while wanted is None or copies < wanted:
        try:
            pod = create()
        except Forbidden as error:
            return Capacity(copies, per_node, str(error), {}, {})
        if not cache.is_mine(pod):
            return Capacity(copies, per_node, NOT_MINE.format(scheduler_of(pod)), {}, {})
        decision = decide(pod, cache, clock)
        if not decision.node:
            if decision.rejected:
                count = cache.node_count()
                text = messages.rejected(count, decision.rejected) if count else NO_NODES
                return Capacity(copies, per_node, text, {}, {})
            plugins: dict[str, int] = {}
            for refusal, number in decision.refusals.items():
                name = decision.template.origin[refusal]
                plugins[name] = plugins.get(name, 0) + number
            refusals = {name: refusal.reasons for name, refusal in decision.why().items()}
            return Capacity(copies, per_node, messages.fit_error(decision.refusals), refusals, plugins)
        bind(pod, decision.node)
        per_node[decision.node] += 1
        copies += 1
    return Capacity(copies, per_node, "", {}, {})
