"""NodeUnschedulable: cordoned nodes (pkg/scheduler/framework/plugins/nodeunschedulable)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.scheduler.events import ADDED, TAINTS
from minikube_py.scheduler.framework import Plugin, Refusal
from minikube_py.scheduler.terms import tolerates

if TYPE_CHECKING:
    from collections.abc import Hashable

    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

CORDONED = Refusal(("node(s) were unschedulable",))
TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


class NodeUnschedulable(Plugin):
    name = "NodeUnschedulable"
    helped_by = (ADDED, TAINTS)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        return None if tolerates(pod["spec"].get("tolerations") or (), TAINT) else True

    def like(self, state: Any) -> Hashable:
        return True

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        return CORDONED if node.unschedulable else None
