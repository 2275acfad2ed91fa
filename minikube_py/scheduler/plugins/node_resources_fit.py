"""NodeResourcesFit: is there room, and how full is a node (by default the emptiest is best;
pkg/scheduler/framework/plugins/noderesources/fit.go,
least_allocated.go, most_allocated.go, requested_to_capacity_ratio.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import pods
from minikube_py.scheduler.events import ADDED, FREED, STATUS
from minikube_py.scheduler.framework import MAX_SCORE, Plugin, Refusal

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo


LEAST, MOST, RATIO = "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
SHAPE_MAX = 10  # the scores of a shape go from 0 to 10


class Strategy(NamedTuple):
    """How full nodes compare. `resources`: (name, weight); `shape`, for RequestedToCapacityRatio: (percent used, score from 0
    to 10) by rising use."""

    type: str = LEAST
    resources: tuple[tuple[str, int], ...] = (("cpu", 1), ("memory", 1))
    shape: tuple[tuple[int, int], ...] = ()


class Asked(NamedTuple):
    """What the pod adds to a resource. `counter`: what the pods on a node add up to."""

    name: str
    weight: int
    counter: str
    amount: int


class NodeResourcesFit(Plugin):
    name = "NodeResourcesFit"
    helped_by = (ADDED, STATUS, FREED)

    def __init__(self, strategy: Strategy = Strategy(), ignored: Sequence[str] = ()) -> None:  # noqa: B008 (a value)
        """`ignored`: extended resources that somebody else sees to, or with a slash at the end whole groups of them."""
        self.strategy = strategy
        self._ignored = ignored
        self._lenient = strategy.type == RATIO  # resources with a score of 0 do not count there, and means are rounded
        self._score = {LEAST: least_allocated, MOST: most_allocated, RATIO: self._by_shape}[strategy.type]

    def _by_shape(self, used: int, limit: int) -> int:
        return by_shape(self.strategy.shape, used, limit)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        return self._wanted(pod)

    def _wanted(self, pod: Object) -> tuple[tuple[str, int], ...]:
        """The requests that are not zero."""
        found = tuple((name, amount) for name, amount in pods.requests(pod).items() if amount)
        if not self._ignored:
            return found
        return tuple(row for row in found if "/" not in row[0] or not self._is_ignored(row[0]))

    def _is_ignored(self, name: str) -> bool:
        return name in self._ignored or name[: name.index("/") + 1] in self._ignored

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        used, room = node.counters, node.allocatable
        short = []
        helpless = False  # even an empty node is too small
        if used.get("pods", 0) + 1 > room.get("pods", 0):
            short.append("Too many pods")
        for name, amount in state:
            limit = room.get(name, 0)
            if amount > limit - used.get(name, 0):
                short.append(f"Insufficient {name}")
                helpless = helpless or amount > limit
        return Refusal(tuple(short), resolvable=not helpless) if short else None

    def places(self, state: Any, nodes: Sequence[NodeInfo]) -> list[Refusal | None]:
        """Most nodes have room: only for the others the reasons are collected."""
        found: list[Refusal | None] = []
        for node in nodes:
            used, room = node.counters, node.allocatable
            fits = used.get("pods", 0) < room.get("pods", 0)
            for name, amount in state:
                fits = fits and amount + used.get(name, 0) <= room.get(name, 0)
            found.append(None if fits else self.place(state, node))
        return found

    def like(self, state: Any) -> Hashable:
        return state  # type: ignore[no-any-return]

    def may_help(self, pod: Object, node: NodeInfo | None, kind: str) -> bool:
        """Only if the pod fits the node by now: after a change of the node itself, an empty one (then preemption may help)."""
        if node is None:
            return False
        return self.place(self._wanted(pod), node if kind == FREED else node.imagine([])) is None

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        """A container without requests counts with 100m and 200Mi; an extended resource counts if the pod asks for it."""
        requests, assumed = pods.requests(pod), pods.nonzero_requests(pod)
        asked = []
        for name, weight in self.strategy.resources:
            if name in ("cpu", "memory"):
                asked.append(Asked(name, weight, f"nonzero/{name}", assumed.get(name, 0)))
            elif requests.get(name) or name == "ephemeral-storage":
                asked.append(Asked(name, weight, name, requests.get(name, 0)))
        return tuple(asked)

    def measure(self, state: Any, node: NodeInfo) -> int:
        """The weighted mean of the resources' scores.

        LeastAllocated, 1.5 of 4 cpus and 2 of 8 GiB used, with the pod: (62 + 75) // 2 = 68; MostAllocated: (37 + 25) // 2 = 31.
        """
        used, room, score = node.counters, node.allocatable, self._score
        total = weights = 0
        for name, weight, counter, amount in state:
            limit = room.get(name, 0)
            if limit:
                found = score(used.get(counter, 0) + amount, limit)
                if found or not self._lenient:
                    total += found * weight
                    weights += weight
        if not weights:
            return 0
        return int(total / weights + 0.5) if self._lenient else total // weights


def least_allocated(used: int, limit: int) -> int:
    """The free share: 1 of 4 used gives 75."""
    return (limit - used) * MAX_SCORE // limit if used <= limit else 0


def most_allocated(used: int, limit: int) -> int:
    """The used share: 1 of 4 used gives 25."""
    return min(used, limit) * MAX_SCORE // limit


def by_shape(shape: Sequence[tuple[int, int]], used: int, limit: int) -> int:
    """The score of the shape at this use, between two points in proportion: 3 of 4 used with (0, 0), (100, 10) gives 75."""
    percent = used * 100 // limit if used <= limit else 100
    before = shape[0]
    for point in shape:
        if percent <= point[0]:
            rise, run = (point[1] - before[1]) * (MAX_SCORE // SHAPE_MAX), point[0] - before[0]
            return before[1] * (MAX_SCORE // SHAPE_MAX) + (int(rise * (percent - before[0]) / run) if run else 0)
        before = point
    return before[1] * (MAX_SCORE // SHAPE_MAX)
