"""Taints and tolerations, as the node controllers use them.

Source: k8s.io/component-helpers/scheduling/corev1/helpers.go, k8s.io/api/core/v1/toleration.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"


def of(node: Object) -> Objects:
    return (node.get("spec") or {}).get("taints") or []


def with_effect(node: Object, effect: str) -> Objects:
    return [taint for taint in of(node) if taint["effect"] == effect]


def tolerates(toleration: Object, taint: Object) -> bool:
    """Key and effect left out match all; Exists matches any value."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def tolerated_s(taints: Objects, tolerations: Objects) -> int | None:
    """Seconds that the taints are tolerated together: 0 if one is not tolerated at all, None if for ever.

    not-ready tolerated for 300 s and unreachable for 30 s: 30.
    """
    shortest: int | None = None
    for taint in taints:
        match = next((one for one in tolerations if tolerates(one, taint)), None)
        if match is None:
            return 0
        limit = match.get("tolerationSeconds")
        if limit is not None:
            limit = max(0, int(limit))
            shortest = limit if shortest is None else min(shortest, limit)
    return shortest
