"""What the disruption controller and the eviction subresource both write on a PodDisruptionBudget.

Source: k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go (UpdateDisruptionAllowedCondition).
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def condition(budget: Object, status: Object, allowed: int, stamp: str) -> Object:
    """The condition DisruptionAllowed; it keeps the time of its last transition while `status` has the same value."""
    value, reason = ("True", "SufficientPods") if allowed > 0 else ("False", "InsufficientPods")
    known = [
        one for one in status.get("conditions") or () if one["type"] == "DisruptionAllowed" and one["status"] == value
    ]
    return {
        "type": "DisruptionAllowed",
        "status": value,
        "observedGeneration": budget["metadata"].get("generation", 0),
        "lastTransitionTime": known[0]["lastTransitionTime"] if known else stamp,
        "reason": reason,
        "message": "",
    }
