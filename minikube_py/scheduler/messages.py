"""The texts of a refused pod (pkg/scheduler/framework/types.go FitError, recorded with 1.36)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from minikube_py.api.types import Object
    from minikube_py.scheduler.framework import Refusal

# What the plugin DynamicResources says after every refusal, before preemption has its word.
NO_CLAIMS = "no new claims to deallocate"


def fit_error(refusals: Mapping[Refusal, int]) -> str:
    """The refusals of all nodes, with the number of nodes of each: '0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.'.

    The reasons are sorted as texts, counts included."""
    reasons: Counter[str] = Counter()
    for refusal, count in refusals.items():
        for reason in refusal.reasons:
            reasons[reason] += count
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"0/{sum(refusals.values())} nodes are available: {listed}."


def rejected(nodes: int, reason: str) -> str:
    """A refusal before any node was looked at; the odd end is the real one's."""
    return f"0/{nodes} nodes are available: {reason}. not found"


def after_preemption(text: str, preemption: str) -> str:
    """The refusal with what preemption says to it; '' if there is none."""
    return f"{text} {NO_CLAIMS}, preemption: {preemption}" if preemption else f"{text} {NO_CLAIMS}"


def with_condition(pod: Object, new: Object) -> list[Object]:
    """The pod's conditions with `new` in the place of the one of its type, or at the end."""
    found = list((pod.get("status") or {}).get("conditions") or ())
    for index, old in enumerate(found):
        if old["type"] == new["type"]:
            found[index] = new
            return found
    return [*found, new]
