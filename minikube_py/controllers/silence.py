"""When the node monitor notices that a node fell silent.

A kubelet renews its lease every 10 s; the monitor looks every 5 s and gives up on a node 50 s after a renewal. Both count
from the node's creation:
    node created at 0, machine off at 27: last renewal 20, noticed at 70
Source: k8s.io/kubernetes/pkg/controller/nodelifecycle/node_lifecycle_controller.go (tryUpdateNodeHealth).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import faults, pods
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

RENEWAL_S = 10  # a quarter of nodeLeaseDurationSeconds
GRACE_S, STARTUP_GRACE_S = 50, 60  # --node-monitor-grace-period, --node-startup-grace-period


def noticed_at_s(node: Object, view: View) -> int | None:
    """When a node that is down is given up, None if it is not down.

    Also a node that never told anything is given up, after a longer grace: created at 0 and off since then, at 60.
    """
    fault = faults.silencing(node["metadata"]["name"], view)
    if fault is None:
        return None
    created_s = seconds(node["metadata"]["creationTimestamp"])
    off_s = max(created_s, faults.since_s(fault))
    if pods.condition(node, "Ready") is None:
        return created_s + STARTUP_GRACE_S
    last_renewal_s = off_s - (off_s - created_s) % RENEWAL_S
    return last_renewal_s + GRACE_S
