"""What the scheduler knows of a node, and the order in which it looks at nodes.

Sources: pkg/scheduler/framework/types.go (NodeInfo), pkg/scheduler/backend/cache/node_tree.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.api.nodes import image_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from minikube_py.api.nodes import Place
    from minikube_py.api.types import Object, Objects, View

_NONE: dict[str, Any] = {}


class NodeInfo:
    """One node, parsed once. `pods` are read from the view each time, as the pods on a node come and go; `counters`, the sums of
    what they ask for, when the node `changed`.

    `allocatable`: millicores for cpu, bytes or units for the rest; `images`: size in bytes by normalised name.
    """

    __slots__ = ("_counters", "_view", "allocatable", "images", "labels", "name", "taints", "unschedulable")

    def __init__(self, node: Object, view: View) -> None:
        spec, status = node.get("spec") or _NONE, node.get("status") or _NONE
        self._view = view
        self.name: str = node["metadata"]["name"]
        self.labels: dict[str, str] = node["metadata"].get("labels") or {}
        self.taints: Sequence[Object] = spec.get("taints") or ()
        self.unschedulable = bool(spec.get("unschedulable"))
        self.allocatable = {
            name: pods.amount_of(name, amount) for name, amount in (status.get("allocatable") or _NONE).items()
        }
        self.images = image_sizes(node)
        self._counters: dict[str, int] | None = None

    @property
    def counters(self) -> dict[str, int]:
        found = self._counters
        if found is None:
            found = self._counters = self._view.counters(self.name)
        return found

    def changed(self) -> None:
        """Told when a pod came to the node, left it, or changed."""
        self._counters = None

    @property
    def pods(self) -> Objects:
        """The pods on the node that are not finished."""
        return [pod for pod in self._view.on_node(self.name) if not pods.is_finished(pod)]

    def imagine(self, on_it: Objects) -> ImaginedNode:
        """The same node if these were its pods."""
        return ImaginedNode(self, on_it)


class ImaginedNode(NodeInfo):
    """A node with other pods than it has: what preemption and nominated pods ask about."""

    __slots__ = ("_pods",)

    def __init__(self, node: NodeInfo, on_it: Objects) -> None:
        for slot in NodeInfo.__slots__:
            setattr(self, slot, getattr(node, slot))
        self._pods = on_it
        total: dict[str, int] = {}
        for pod in on_it:
            for name, amount in pods.counters(pod).items():
                total[name] = total.get(name, 0) + amount
        self._counters = total

    @property
    def pods(self) -> Objects:
        return self._pods


def in_order(places: Iterable[Place]) -> list[str]:
    """The names of nodes in the order of looking: oldest first, but one zone after the other in turn.

    Nodes of one second go by name. Zones east [a, b], west [c]: a c b.
    """
    zones: dict[str, list[str]] = {}
    for _, name, zone, _ in sorted(places):
        zones.setdefault(zone, []).append(name)
    if len(zones) == 1:
        return next(iter(zones.values()))
    names: list[str] = []
    for turn in range(max(map(len, zones.values()), default=0)):
        names += [zone[turn] for zone in zones.values() if turn < len(zone)]
    return names
