"""How fast the pods of lost nodes may be evicted: one node of a zone each 10 s, and none where too much is lost at once.

    all nodes of the cluster not ready                         nothing is evicted: the fault is more likely here than there
    more than two nodes of a zone, and 55 % of it, not ready   small clusters (50 nodes): nothing; larger: a node each 100 s
    otherwise                                                  a node each 10 s
Source: k8s.io/kubernetes/pkg/controller/nodelifecycle/node_lifecycle_controller.go (handleDisruption, ComputeZoneState).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import faults, pods
from minikube_py.base.clock import seconds
from minikube_py.controllers import silence, taints

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object, View

PACE_S, SLOW_PACE_S = 10, 100  # 1 / --node-eviction-rate, 1 / --secondary-node-eviction-rate
LARGE = 50  # --large-cluster-size-threshold
UNHEALTHY = 0.55  # --unhealthy-zone-threshold
_OURS = (taints.NOT_READY, taints.UNREACHABLE)


def zone_of(node: Object) -> tuple[str, str]:
    """(region, zone); nodes without labels are one zone."""
    labels = node["metadata"].get("labels") or {}
    return labels.get("topology.kubernetes.io/region", ""), labels.get("topology.kubernetes.io/zone", "")


class Zones:
    """The ready nodes of each zone, and when its nodes were tainted (a `types.Derived`): a lost node asks at each second of its
    turn, and must not read all nodes of the cluster for that."""

    resources = frozenset(("nodes",))

    def __init__(self, view: View) -> None:
        self.size: dict[tuple[str, str], int] = {}
        self.ready: dict[tuple[str, str], dict[str, Object]] = {}
        self.tainted_s: dict[tuple[str, str], dict[str, int]] = {}
        self.lost: dict[str, None] = {}  # the nodes of all zones that are not ready
        for node in view.list("nodes"):
            self._count(node, 1)

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource == "nodes":
            if old is not None:
                self._count(old, -1)
            if new is not None:
                self._count(new, 1)

    def _count(self, node: Object, by: int) -> None:
        zone, name = zone_of(node), node["metadata"]["name"]
        self.size[zone] = self.size.get(zone, 0) + by
        ready, tainted_s = self.ready.setdefault(zone, {}), self.tainted_s.setdefault(zone, {})
        ready.pop(name, None)
        tainted_s.pop(name, None)
        self.lost.pop(name, None)
        if by < 0:
            return
        if pods.is_ready(node):
            ready[name] = node
        else:
            self.lost[name] = None
        since = [
            seconds(taint["timeAdded"])
            for taint in taints.with_effect(node, taints.NO_EXECUTE)
            if taint["key"] in _OURS and "timeAdded" in taint
        ]
        if since:
            tainted_s[name] = max(since)

    def well(self, zone: tuple[str, str], but: str, view: View, now_s: int) -> int:
        """How many of a zone's nodes but one are ready, and not silent for so long that the monitor gives them up in this very
        look: 3 ready, one of them off and noticed now -> 2."""
        ready, known = self.ready.get(zone, {}), faults.by_node(view)
        if known.others:
            doubtful = list(ready)
        elif len(known.of_node) < len(ready):
            doubtful = [name for name in known.of_node if name in ready]
        else:
            doubtful = [name for name in ready if name in known.of_node]
        given_up = 0
        for name in doubtful:
            noticed_s = silence.noticed_at_s(ready[name], view) if name != but else None
            given_up += noticed_s is not None and now_s >= noticed_s
        return len(ready) - (but in ready) - given_up


def of_cluster(view: View) -> Zones:
    return view.derived("zones", Zones)  # type: ignore[no-any-return]


def evictable_from_s(node: Object, view: View, now_s: int) -> int | None:
    """From when a node that is not ready may get its NoExecute taint: 0 at once, None not as long as things are so.

    Two nodes of a zone noticed at 50: the first is tainted at 50, the second at 60.
    """
    known = of_cluster(view)
    zone, name = zone_of(node), node["metadata"]["name"]
    well = known.well(zone, name, view, now_s)
    if not well and not any(known.well(one, name, view, now_s) for one in known.size if one != zone):
        return None
    size, pace_s = known.size[zone], PACE_S
    lost = size - well
    if lost != size and lost > 2 and lost / size >= UNHEALTHY:
        if size <= LARGE:
            return None
        pace_s = SLOW_PACE_S
    tainted = [since_s for one, since_s in known.tainted_s[zone].items() if one != name]
    return max(tainted) + pace_s if tainted else 0
