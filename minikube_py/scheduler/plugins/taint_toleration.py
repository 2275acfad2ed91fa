"""TaintToleration: taints keep pods off a node, or make it less liked (pkg/scheduler/framework/plugins/tainttoleration)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.scheduler.events import ADDED, TAINTS
from minikube_py.scheduler.framework import Feasible, Plugin, Refusal, normalize
from minikube_py.scheduler.terms import keeps_off, tolerates

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

UNTOLERATED = Refusal(("node(s) had untolerated taint(s)",))


class TaintToleration(Plugin):
    name = "TaintToleration"
    helped_by = (ADDED, TAINTS)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        return pod["spec"].get("tolerations") or ()

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        return UNTOLERATED if node.taints and keeps_off(node.taints, state) else None

    def like(self, state: Any) -> Hashable:
        return repr(state)

    def pre_score(self, pod: Object, cache: Cache) -> Any:
        tolerations = pod["spec"].get("tolerations") or ()
        return [found for found in tolerations if found.get("effect", "") in ("", "PreferNoSchedule")]

    def measure(self, state: Any, node: NodeInfo) -> int:
        """The number of PreferNoSchedule taints that the pod does not tolerate."""
        if not node.taints:
            return 0
        return sum(taint["effect"] == "PreferNoSchedule" and not tolerates(state, taint) for taint in node.taints)

    def score(self, state: Any, measures: Sequence[int], feasible: Feasible) -> list[int]:
        return normalize(measures, reverse=True)
