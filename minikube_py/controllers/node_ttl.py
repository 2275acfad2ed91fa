"""The TTL controller: how long kubelets may keep Secrets and ConfigMaps, by the size of the cluster, as a note on each node.

`step` runs on nodes and is woken by: the node itself. As in the real one, a node is brought up to date when it changes.

    up to 100 nodes 0 s, up to 500 15 s, up to 1000 30 s, up to 2000 60 s, above 300 s
A shrinking cluster steps down later than it stepped up: from 15 s to 0 s below 90 nodes.
Source: k8s.io/kubernetes/pkg/controller/ttl/ttl_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Patch
from minikube_py.controllers.ownership import key_of

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NOTE = "node.alpha.kubernetes.io/ttl"
BOUNDARIES = (
    (0, 100, 0),
    (90, 500, 15),
    (450, 1000, 30),
    (900, 2000, 60),
    (1800, 1 << 30, 300),
)  # least, most, seconds


def step(node: Object, view: View, clock: Clock) -> Actions:
    noted = (node["metadata"].get("annotations") or {}).get(NOTE)
    wanted = str(ttl_s(view.count("nodes"), noted))
    if noted != wanted:
        yield Patch(key_of("nodes", node), {"metadata": {"annotations": {NOTE: wanted}}})


def ttl_s(nodes: int, noted: str | None) -> int:
    """Seconds for a cluster of that size, beginning at what is noted: 95 nodes are 0 s on the way up, 15 s on the way down."""
    place = next((at for at, (_, _, seconds) in enumerate(BOUNDARIES) if str(seconds) == noted), 0)
    while nodes > BOUNDARIES[place][1]:
        place += 1
    while nodes < BOUNDARIES[place][0]:
        place -= 1
    return BOUNDARIES[place][2]
