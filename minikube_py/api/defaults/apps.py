"""Defaults of the workloads. Source: pkg/apis/apps/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults import pods
from minikube_py.api.defaults.shape import always, each, fill

Object = dict[str, Any]

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"

_DEPLOYMENT: Object = {
    "progressDeadlineSeconds": 600,
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "selector": None,
    "strategy": {},
}
_DAEMON_SET: Object = {"revisionHistoryLimit": 10, "selector": None, "updateStrategy": {}}
_DAEMON_SET_STATUS: Object = dict.fromkeys(
    ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"), 0
)
_STATEFUL_SET: Object = {
    "persistentVolumeClaimRetentionPolicy": {},
    "podManagementPolicy": "OrderedReady",
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "selector": None,
    "updateStrategy": {},
}
_CLAIM: Object = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
_RETAIN: Object = {"whenDeleted": "Retain", "whenScaled": "Retain"}


def deployment(obj: Object) -> Object:
    return always(fill(obj, {"status": {}}), "spec", _deployment_spec)


def _deployment_spec(spec: Object) -> Object:
    spec = pods.template(fill(spec, _DEPLOYMENT))
    return always(spec, "strategy", lambda inner: _rolling(inner, {"maxSurge": "25%", "maxUnavailable": "25%"}))


def _rolling(strategy: Object, limits: Object) -> Object:
    """Type RollingUpdate unless another is given; the limits of that type."""
    strategy = fill(strategy, {"type": "RollingUpdate"})
    if strategy["type"] != "RollingUpdate":
        return strategy
    return always(fill(strategy, {"rollingUpdate": {}}), "rollingUpdate", lambda rolling: fill(rolling, limits))


def daemon_set(obj: Object) -> Object:
    """A DaemonSet; its template's generation is kept in an annotation (Convert_apps_DaemonSet_To_v1_DaemonSet)."""
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    if TEMPLATE_GENERATION not in annotations:
        obj = {**obj, "metadata": {**metadata, "annotations": {**annotations, TEMPLATE_GENERATION: "0"}}}
    obj = always(obj, "status", lambda status: fill(status, _DAEMON_SET_STATUS))
    return always(obj, "spec", _daemon_set_spec)


def _daemon_set_spec(spec: Object) -> Object:
    spec = pods.template(fill(spec, _DAEMON_SET))
    return always(spec, "updateStrategy", lambda inner: _rolling(inner, {"maxSurge": 0, "maxUnavailable": 1}))


def stateful_set(obj: Object) -> Object:
    obj = always(obj, "status", lambda status: fill(status, {"availableReplicas": 0, "replicas": 0}))
    return always(obj, "spec", _stateful_set_spec)


def _stateful_set_spec(spec: Object) -> Object:
    spec = pods.template(fill(spec, _STATEFUL_SET))
    spec = always(spec, "persistentVolumeClaimRetentionPolicy", lambda policy: fill(policy, _RETAIN))
    spec = always(spec, "updateStrategy", _stateful_set_strategy)
    return each(spec, "volumeClaimTemplates", _claim)


def _claim(obj: Object) -> Object:
    obj = always(fill(obj, _CLAIM), "status", lambda status: fill(status, {"phase": "Pending"}))
    return pods.claim_template(obj)


def _stateful_set_strategy(strategy: Object) -> Object:
    """Unlike the others: a given type RollingUpdate without its own object stays without one."""
    if "type" not in strategy:
        strategy = fill({**strategy, "type": "RollingUpdate"}, {"rollingUpdate": {}})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        return always(strategy, "rollingUpdate", lambda rolling: fill(rolling, {"partition": 0}))
    return strategy


def replica_set(obj: Object) -> Object:
    obj = always(obj, "status", lambda status: fill(status, {"replicas": 0}))
    return always(obj, "spec", _replica_set_spec)


def _replica_set_spec(spec: Object) -> Object:
    return pods.template(fill(spec, {"replicas": 1, "selector": None}))
