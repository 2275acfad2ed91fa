"""NodeResourcesBalancedAllocation: nodes on which the pod evens out the use of cpu and memory
(pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.scheduler.framework import MAX_SCORE, Plugin

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo


class NodeResourcesBalancedAllocation(Plugin):
    name = "NodeResourcesBalancedAllocation"

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        """(cpu in millicores, memory in bytes); None for a pod that asks for neither."""
        amounts = pods.requests(pod)
        wanted = amounts.get("cpu", 0), amounts.get("memory", 0)
        return wanted if any(wanted) else None

    def measure(self, state: Any, node: NodeInfo) -> int:
        """How much better balanced the node is with the pod than without it; 75 if it makes no difference.

        82 with and 67 without: 50 + (50 + 82 - 67) // 2 = 82.
        """
        cpu_m, memory_bytes = state
        used = node.counters
        used_cpu_m, used_bytes = used.get("cpu", 0), used.get("memory", 0)
        with_pod = _balance(used_cpu_m + cpu_m, used_bytes + memory_bytes, node.allocatable)
        without = _balance(used_cpu_m, used_bytes, node.allocatable)
        return 50 + int((50 + with_pod - without) / 2)


def _balance(cpu_m: int, memory_bytes: int, room: dict[str, int]) -> int:
    """100 if cpu and memory are used alike, 50 if one is used up and the other idle."""
    fractions = [
        min(amount / limit, 1.0)
        for amount, limit in ((cpu_m, room.get("cpu", 0)), (memory_bytes, room.get("memory", 0)))
        if limit
    ]
    deviation = abs((fractions[0] - fractions[1]) / 2) if len(fractions) == 2 else 0.0
    return int((1 - deviation) * MAX_SCORE)
