"""The flags of the Cluster Autoscaler, from the ConfigMap kube-system/cluster-autoscaler-config by their names.

A value that cannot be read leaves the default. Source: cluster-autoscaler config/flags/flags.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.simulator import time_s
from minikube_py.api.types import Key

if TYPE_CHECKING:
    from minikube_py.api.types import View

CONFIG = Key("configmaps", "kube-system", "cluster-autoscaler-config")
EXPANDERS = ("least-nodes", "least-waste", "most-pods", "price", "priority", "random")


class Flags(NamedTuple):
    """The command line, with its defaults; seconds."""

    expanders: tuple[str, ...] = ("least-waste",)
    scan_s: int = 10
    down: bool = True
    unneeded_s: int = 600
    unready_s: int = 1200
    unready: bool = True
    delay_after_add_s: int = 600
    delay_after_delete_s: int = 0
    delay_after_failure_s: int = 180
    threshold: float = 0.5
    provision_s: int = 900
    eviction_s: int = 120
    nodes_max: int = 0  # of all groups together; 0: no limit
    per_scale_up: int = 1000
    parallel: int = 10
    parallel_drains: int = 1
    soft_taints: int = 10
    balance: bool = False
    ignore_daemons: bool = False
    local_storage: bool = True  # pods with local storage keep their nodes
    system_pods: bool = True
    system_timeout_s: int = 3600
    custom_controllers: bool = True
    min_replicas: int = 0
    priority_cutoff: int = -10
    pod_delay_s: int = 0
    backoff_s: int = 300
    backoff_max_s: int = 1800
    backoff_reset_s: int = 10_800


def _bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _expanders(text: str) -> tuple[str, ...]:
    found = tuple(name.strip() for name in text.split(","))
    if not set(found) <= set(EXPANDERS):
        raise ValueError(text)
    return found


_READ: tuple[tuple[str, str, Any], ...] = (
    ("expander", "expanders", _expanders),
    ("scan-interval", "scan_s", lambda text: max(1, time_s(text))),
    ("scale-down-enabled", "down", _bool),
    ("scale-down-unneeded-time", "unneeded_s", time_s),
    ("scale-down-unready-time", "unready_s", time_s),
    ("scale-down-unready-enabled", "unready", _bool),
    ("scale-down-delay-after-add", "delay_after_add_s", time_s),
    ("scale-down-delay-after-delete", "delay_after_delete_s", time_s),
    ("scale-down-delay-after-failure", "delay_after_failure_s", time_s),
    ("scale-down-utilization-threshold", "threshold", float),
    ("max-node-provision-time", "provision_s", time_s),
    ("max-pod-eviction-time", "eviction_s", time_s),
    ("max-nodes-total", "nodes_max", int),
    ("max-nodes-per-scaleup", "per_scale_up", int),
    ("max-scale-down-parallelism", "parallel", int),
    ("max-drain-parallelism", "parallel_drains", int),
    ("max-bulk-soft-taint-count", "soft_taints", int),
    ("balance-similar-node-groups", "balance", _bool),
    ("ignore-daemonsets-utilization", "ignore_daemons", _bool),
    ("skip-nodes-with-local-storage", "local_storage", _bool),
    ("skip-nodes-with-system-pods", "system_pods", _bool),
    ("blocking-system-pod-distruption-timeout", "system_timeout_s", time_s),
    ("skip-nodes-with-custom-controller-pods", "custom_controllers", _bool),
    ("min-replica-count", "min_replicas", int),
    ("expendable-pods-priority-cutoff", "priority_cutoff", int),
    ("new-pod-scale-up-delay", "pod_delay_s", time_s),
    ("initial-node-group-backoff-duration", "backoff_s", time_s),
    ("max-node-group-backoff-duration", "backoff_max_s", time_s),
    ("node-group-backoff-reset-timeout", "backoff_reset_s", time_s),
)


def read(view: View) -> Flags:
    data = (view.get(CONFIG) or {}).get("data") or {}
    found = {}
    for flag, field, convert in _READ:
        try:
            if flag in data:
                found[field] = convert(data[flag])
        except ValueError:
            continue
    return DEFAULTS._replace(**found) if found else DEFAULTS


DEFAULTS = Flags()
