"""NodeResourcesBalancedAllocation: nodes on which the pod evens out the use of cpu and memory
(pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.scheduler.framework import MAX_SCORE, Plugin

if TYPE_CHECKING:
    from collections.abc import Hashable

    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

NO_DIFFERENCE = 75


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
        used, room = node.counters, node.allocatable
        cpu_limit, memory_limit = room.get("cpu", 0), room.get("memory", 0)
        if not cpu_limit or not memory_limit:
            return NO_DIFFERENCE
        used_cpu_m, used_bytes = used.get("cpu", 0), used.get("memory", 0)
        with_pod = _balance((used_cpu_m + cpu_m) / cpu_limit, (used_bytes + memory_bytes) / memory_limit)
        without = _balance(used_cpu_m / cpu_limit, used_bytes / memory_limit)
        return 50 + int((50 + with_pod - without) / 2)

    def like(self, state: Any) -> Hashable:
        return state  # type: ignore[no-any-return]


def _balance(cpu: float, memory: float) -> int:
    """100 if the used shares of cpu and memory are alike, 50 if one is used up and the other idle."""
    if cpu > 1.0:
        cpu = 1.0
    if memory > 1.0:
        memory = 1.0
    return int((1 - abs(cpu - memory) / 2) * MAX_SCORE)
