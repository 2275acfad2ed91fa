"""NodeResourcesFit: is there room, and the emptiest node is best (pkg/scheduler/framework/plugins/noderesources/fit.go,
least_allocated.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import pods
from minikube_py.scheduler.events import ADDED, FREED, LABELS, STATUS, TAINTS
from minikube_py.scheduler.framework import MAX_SCORE, Plugin, Refusal

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo


class Assumed(NamedTuple):
    """What the pod counts with when nodes are compared: requests, or 100m and 200Mi for containers without."""

    cpu_m: int
    memory_bytes: int


class NodeResourcesFit(Plugin):
    name = "NodeResourcesFit"
    helped_by = (ADDED, LABELS, TAINTS, STATUS, FREED)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        return _wanted(pod)

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

    def may_help(self, pod: Object, node: NodeInfo | None, kind: str) -> bool:
        """Only if the pod fits the node by now: after a change of the node itself, an empty one (then preemption may help)."""
        if node is None:
            return False
        return self.place(_wanted(pod), node if kind == FREED else node.imagine([])) is None

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        amounts = pods.nonzero_requests(pod)
        return Assumed(amounts.get("cpu", 0), amounts.get("memory", 0))

    def measure(self, state: Any, node: NodeInfo) -> int:
        """LeastAllocated: the mean of the free shares of cpu and memory.

        1.5 of 4 cpus and 2 of 8 GiB used, with the pod: (62 + 75) // 2 = 68.
        """
        used, room = node.counters, node.allocatable
        total = shares = 0
        for limit, wanted in (
            (room.get("cpu", 0), used.get("nonzero/cpu", 0) + state.cpu_m),
            (room.get("memory", 0), used.get("nonzero/memory", 0) + state.memory_bytes),
        ):
            if limit:
                shares += 1
                total += (limit - wanted) * MAX_SCORE // limit if wanted <= limit else 0
        return total // shares if shares else 0


def _wanted(pod: Object) -> tuple[tuple[str, int], ...]:
    """The requests that are not zero."""
    return tuple((name, amount) for name, amount in pods.requests(pod).items() if amount)
