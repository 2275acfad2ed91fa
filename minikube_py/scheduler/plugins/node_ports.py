"""NodePorts: two pods cannot have one host port (pkg/scheduler/framework/plugins/nodeports, HostPortInfo)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.scheduler.events import ADDED, FREED
from minikube_py.scheduler.framework import Plugin, Refusal

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

TAKEN = Refusal(("node(s) didn't have free ports for the requested pod ports",), resolvable=True)
ANY_ADDRESS = "0.0.0.0"


class NodePorts(Plugin):
    name = "NodePorts"
    helped_by = (ADDED, FREED)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        return pods.host_ports(pod) or None

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        taken = [name.split("/") for name, count in node.counters.items() if count > 0 and name.startswith("port/")]
        for protocol, address, port in state:
            for _, other_protocol, other_address, other_port in taken:
                same = (protocol, str(port)) == (other_protocol, other_port)
                if same and (ANY_ADDRESS in (address, other_address) or address == other_address):
                    return TAKEN
        return None
