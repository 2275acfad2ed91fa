"""The flags of the VerticalPodAutoscaler's components, from the ConfigMap kube-system/vertical-pod-autoscaler-config.

The keys are the flags' names (`min-replicas`, `target-cpu-percentile`, ...); a value that cannot be read leaves the default.
Sources: vertical-pod-autoscaler/pkg/recommender/config/config.go, pkg/updater/config/config.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import vertical
from minikube_py.api.simulator import time_s
from minikube_py.api.types import Key
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import View

CONFIG = Key("configmaps", "kube-system", vertical.CONFIG)


class Flags(NamedTuple):
    """Seconds, shares and amounts, with their defaults."""

    margin: float = 0.15
    min_cpu_m: float = 25
    min_memory_mi: float = 250
    target_cpu: float = 0.9
    lower_cpu: float = 0.5
    upper_cpu: float = 0.95
    target_memory: float = 0.9
    lower_memory: float = 0.5
    upper_memory: float = 0.95
    confidence_cpu_s: int = 86_400
    confidence_memory_s: int = 86_400
    half_life_cpu_s: int = 86_400
    half_life_memory_s: int = 86_400
    interval_s: int = 86_400  # one memory peak for each
    intervals: int = 8
    oom_ratio: float = 1.2
    oom_least: float = 100 << 20
    round_cpu_m: int = 1
    round_memory: int = 1
    whole_cpus: bool = False  # for those VPAs that ask for it in an annotation
    most_cpu: str = ""
    most_memory: str = ""
    # the updater's
    min_replicas: int = 2
    tolerance: float = 0.5
    rate: float = -1  # evictions a second; 0 or less: no limit
    burst: int = 1
    threshold: float = 0.1
    lifetime_s: int = 43_200
    oom_threshold_s: int = 600
    skip_budget: bool = False

    @property
    def window_s(self) -> int:
        return self.interval_s * self.intervals

    @property
    def most_allowed(self) -> dict[str, str]:
        """The largest recommendation for any container, where its policy says nothing."""
        return {name: amount for name, amount in (("cpu", self.most_cpu), ("memory", self.most_memory)) if amount}


def _amount(text: str) -> str:
    return quantity.canonical(text)


def _bool(text: str) -> bool:
    return text == "true"


_READ: tuple[tuple[str, str, Any], ...] = (
    ("recommendation-margin-fraction", "margin", float),
    ("pod-recommendation-min-cpu-millicores", "min_cpu_m", float),
    ("pod-recommendation-min-memory-mb", "min_memory_mi", float),
    ("target-cpu-percentile", "target_cpu", float),
    ("recommendation-lower-bound-cpu-percentile", "lower_cpu", float),
    ("recommendation-upper-bound-cpu-percentile", "upper_cpu", float),
    ("target-memory-percentile", "target_memory", float),
    ("recommendation-lower-bound-memory-percentile", "lower_memory", float),
    ("recommendation-upper-bound-memory-percentile", "upper_memory", float),
    ("confidence-interval-cpu", "confidence_cpu_s", time_s),
    ("confidence-interval-memory", "confidence_memory_s", time_s),
    ("cpu-histogram-decay-half-life", "half_life_cpu_s", time_s),
    ("memory-histogram-decay-half-life", "half_life_memory_s", time_s),
    ("memory-aggregation-interval", "interval_s", time_s),
    ("memory-aggregation-interval-count", "intervals", int),
    ("oom-bump-up-ratio", "oom_ratio", float),
    ("oom-min-bump-up-bytes", "oom_least", float),
    ("round-cpu-millicores", "round_cpu_m", int),
    ("round-memory-bytes", "round_memory", int),
    ("cpu-integer-post-processor-enabled", "whole_cpus", _bool),
    ("container-recommendation-max-allowed-cpu", "most_cpu", _amount),
    ("container-recommendation-max-allowed-memory", "most_memory", _amount),
    ("min-replicas", "min_replicas", int),
    ("eviction-tolerance", "tolerance", float),
    ("eviction-rate-limit", "rate", float),
    ("eviction-rate-burst", "burst", int),
    ("pod-update-threshold", "threshold", float),
    ("in-recommendation-bounds-eviction-lifetime-threshold", "lifetime_s", time_s),
    ("evict-after-oom-threshold", "oom_threshold_s", time_s),
    ("in-place-skip-disruption-budget", "skip_budget", _bool),
)
# Flags that are divided by, or count what is looked at: zero or less would mean nothing.
_POSITIVE = frozenset({
    "confidence_cpu_s", "confidence_memory_s", "half_life_cpu_s", "half_life_memory_s", "interval_s", "intervals",
    "round_cpu_m", "round_memory",
})  # fmt: skip


def read(view: View) -> Flags:
    data = (view.get(CONFIG) or {}).get("data") or {}
    if not data:
        return DEFAULTS
    found = {}
    for flag, field, convert in _READ:
        try:
            if flag in data:
                value = convert(data[flag])
                if field not in _POSITIVE or value > 0:
                    found[field] = value
        except ValueError:
            continue
    return DEFAULTS._replace(**found)


DEFAULTS = Flags()
