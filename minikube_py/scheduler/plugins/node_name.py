"""NodeName: the pod names its node (pkg/scheduler/framework/plugins/nodename)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.scheduler.events import ADDED
from minikube_py.scheduler.framework import Plugin, Refusal

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

OTHER_NODE = Refusal(("node(s) didn't match the requested node name",))


class NodeName(Plugin):
    name = "NodeName"
    helped_by = (ADDED,)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        return pod["spec"].get("nodeName") or None

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        return None if node.name == state else OTHER_NODE
