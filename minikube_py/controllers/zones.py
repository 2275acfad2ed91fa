"""How fast the pods of lost nodes may be evicted: one node of a zone each 10 s, and none where too much is lost at once.

    all nodes of the cluster not ready                         nothing is evicted: the fault is more likely here than there
    more than two nodes of a zone, and 55 % of it, not ready   small clusters (50 nodes): nothing; larger: a node each 100 s
    otherwise                                                  a node each 10 s
Source: k8s.io/kubernetes/pkg/controller/nodelifecycle/node_lifecycle_controller.go (handleDisruption, ComputeZoneState).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.base.clock import seconds
from minikube_py.controllers import silence, taints

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

PACE_S, SLOW_PACE_S = 10, 100  # 1 / --node-eviction-rate, 1 / --secondary-node-eviction-rate
LARGE = 50  # --large-cluster-size-threshold
UNHEALTHY = 0.55  # --unhealthy-zone-threshold
_OURS = (taints.NOT_READY, taints.UNREACHABLE)


def zone_of(node: Object) -> tuple[str, str]:
    """(region, zone); nodes without labels are one zone."""
    labels = node["metadata"].get("labels") or {}
    return labels.get("topology.kubernetes.io/region", ""), labels.get("topology.kubernetes.io/zone", "")


def evictable_from_s(node: Object, view: View, now_s: int) -> int | None:
    """From when a node that is not ready may get its NoExecute taint: 0 at once, None not as long as things are so.

    Two nodes of a zone noticed at 50: the first is tainted at 50, the second at 60.
    """

    def is_well(one: Object) -> bool:
        """Ready, and not silent for so long that the monitor gives it up in this very look."""
        noticed_s = silence.noticed_at_s(one, view)
        return pods.is_ready(one) and (noticed_s is None or now_s < noticed_s)

    others = [one for one in view.list("nodes") if one["metadata"]["name"] != node["metadata"]["name"]]
    if not any(map(is_well, others)):
        return None
    neighbours = [one for one in others if zone_of(one) == zone_of(node)]
    lost = 1 + sum(1 for one in neighbours if not is_well(one))
    size, pace_s = 1 + len(neighbours), PACE_S
    if lost != size and lost > 2 and lost / size >= UNHEALTHY:
        if size <= LARGE:
            return None
        pace_s = SLOW_PACE_S
    tainted = [
        seconds(taint["timeAdded"])
        for one in neighbours
        for taint in taints.with_effect(one, taints.NO_EXECUTE)
        if taint["key"] in _OURS and "timeAdded" in taint
    ]
    return max(tainted) + pace_s if tainted else 0
