"""What is compared of an object: the fields that the recordings kept, read off a recorded row and off a stored object.

There are two forms. The recordings of `traces` have `fields` a kind; those of `misc` and `storage` have flat rows. Both are
brought to the same shape here: {field: value} without what is empty, names and hashes replaced by their `Names`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]
RESOURCES: dict[str, str] = {
    "Deployment": "deployments", "ReplicaSet": "replicasets", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets",
    "Job": "jobs", "CronJob": "cronjobs", "Pod": "pods", "Event": "events", "ConfigMap": "configmaps",
    "Secret": "secrets", "Service": "services", "EndpointSlice": "endpointslices", "ServiceAccount": "serviceaccounts",
    "Namespace": "namespaces", "Endpoints": "endpoints", "ControllerRevision": "controllerrevisions", "PersistentVolumeClaim": "persistentvolumeclaims", "PersistentVolume": "persistentvolumes",
}  # fmt: skip
EVENTS = {"create": "ADDED", "update": "MODIFIED", "delete": "DELETED"}
# Who writes events that are compared: the kubelets of the recordings were an imitation, and the scheduler is played.
TELLERS = (
    "deployment-controller", "replicaset-controller", "statefulset-controller", "daemonset-controller",
    "job-controller", "cronjob-controller", "endpoint-controller", "endpoint-slice-controller", "node-controller",
    "taint-eviction-controller", "controllermanager", "persistentvolume-controller",
)  # fmt: skip
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Row(NamedTuple):
    """One write that a watch saw. `t`: seconds since the watch began; `event`: ADDED, MODIFIED or DELETED."""

    t: float
    event: str
    kind: str  # 'pods'
    name: str
    fields: Object


def rows_of(recorded: list[Object]) -> list[Row]:
    """The rows of a recording in either form; marks are left out. Several watches were written down together: where the
    rows have their revisions (`rv`), these give the order of the writes."""
    if any("rv" in row for row in recorded):
        late, ordered = 0.0, []
        for row in sorted((row for row in recorded if "rv" in row), key=lambda row: row["rv"]):
            late = max(late, row["t"])
            ordered.append({**row, "t": late})
        recorded = ordered
    found = []
    for row in recorded:
        if row.get("type") == "MARK":
            continue
        if "fields" in row:
            found.append(Row(row["t"], row["type"], row["kind"], row["name"], row["fields"]))
            continue
        fields = {name: value for name, value in row.items() if name not in ("t", "event", "kind", "name")}
        found.append(Row(row["t"], row["event"], RESOURCES.get(row["kind"], str(row["kind"])), row["name"], fields))
    return found


def filled(value: Any) -> Any:
    """Without what is empty, in dicts at any depth: an absent counter and a counter of null are the same."""
    if isinstance(value, dict):
        kept = {name: filled(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in (None, [], {}, "", False)}
    if isinstance(value, list):
        return [filled(one) for one in value]
    return value


def conditions(found: Object, length: int = 4) -> list[list[Any]]:
    parts = ("type", "status", "reason", "message")[:length]
    return [[one.get(part, "") for part in parts] for one in found.get("conditions") or ()]


# -- objects in the form of `traces` -----------------------------------------------------------------------------------


def _deployment(obj: Object) -> Object:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    notes = meta.get("annotations") or {}
    counters = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas", "terminatingReplicas")  # fmt: skip
    return {
        "generation": meta["generation"],
        "observedGeneration": status.get("observedGeneration"),
        "specReplicas": spec["replicas"],
        "paused": spec.get("paused"),
        "revision": notes.get("deployment.kubernetes.io/revision"),
        "changeCause": notes.get("kubernetes.io/change-cause"),
        "status": {name: status.get(name) for name in counters},
        "conditions": conditions(status),
    }


def _replica_set(obj: Object) -> Object:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    counters = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas")
    return {
        "specReplicas": spec["replicas"],
        "image": [one["image"] for one in spec["template"]["spec"]["containers"]],
        "hash": meta.get("labels", {}).get("pod-template-hash"),
        "generation": meta["generation"],
        "observedGeneration": status.get("observedGeneration"),
        "status": {name: status.get(name) for name in counters},
        "conditions": conditions(status),
        "annotations": meta.get("annotations"),
    }


def _stateful_set(obj: Object) -> Object:
    spec = obj["spec"]
    return {
        "generation": obj["metadata"]["generation"],
        "specReplicas": spec["replicas"],
        "updateStrategy": spec["updateStrategy"],
        "podManagementPolicy": spec["podManagementPolicy"],
        "status": obj.get("status"),
    }


def _job(obj: Object) -> Object:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    kept = ("completions", "parallelism", "backoffLimit", "suspend", "completionMode")
    return {
        "spec": {name: spec.get(name) for name in kept},
        "status": {name: value for name, value in status.items() if name != "conditions"},
        "conditions": conditions(status),
        "finalizers": meta.get("finalizers"),
        "name": meta["name"],
        "ownerReferences": [[one["kind"], one["name"]] for one in meta.get("ownerReferences") or ()],
    }


def _cron_job(obj: Object) -> Object:
    kept = ("schedule", "suspend", "concurrencyPolicy", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    status = dict(obj.get("status") or {})
    active = [one["name"] for one in status.pop("active", ())]
    return {"spec": {name: obj["spec"].get(name) for name in kept}, "status": {**status, "active": active}}


def _slice(obj: Object) -> Object:
    found = {name: obj.get(name) for name in ("addressType", "endpoints", "ports")}
    return {**found, "labels": obj["metadata"].get("labels")}


def without_chance(kind: str, fields: Object) -> Object:
    """Endpoints and ports of a slice stand in the order of a hash: here by their addresses and names. Of equal volumes a
    claim gets any."""
    if fields.get("volumeName"):
        return {**fields, "volumeName": "VOLUME"}
    if kind != "endpointslices" or "endpoints" not in fields:
        return fields
    endpoints = sorted(fields["endpoints"] or (), key=lambda one: one["addresses"])
    return {**fields, "endpoints": endpoints, "ports": sorted(fields.get("ports") or (), key=lambda one: one["name"])}


def _endpoints(obj: Object) -> Object:
    meta = obj["metadata"]
    return {"labels": meta.get("labels"), "annotations": meta.get("annotations"), "subsets": obj.get("subsets")}


def _budget(obj: Object) -> Object:
    status = obj.get("status") or {}
    counters = {name: value for name, value in status.items() if name != "conditions"}
    return {"spec": obj["spec"], "status": counters, "conditions": conditions(status)}


TRACES: dict[str, Callable[[Object], Object]] = {
    "deployments": _deployment,
    "replicasets": _replica_set,
    "statefulsets": _stateful_set,
    "controllerrevisions": lambda obj: {"revision": obj["revision"]},
    "jobs": _job,
    "cronjobs": _cron_job,
    "endpointslices": _slice,
    "endpoints": _endpoints,
    "poddisruptionbudgets": _budget,
    "pods": lambda obj: {"labels": obj["metadata"].get("labels"), **_leaving(obj)},
}  # fmt: skip


def _leaving(obj: Object) -> Object:
    meta = obj["metadata"]
    return {"deleting": "deletionTimestamp" in meta, "finalizers": meta.get("finalizers")}


# -- objects in the form of `misc` and `storage` -----------------------------------------------------------------------


def _status(*counters: str) -> Callable[[Object], Object]:
    def shape(obj: Object) -> Object:
        status = obj.get("status") or {}
        found = {name: status.get(name) for name in counters}
        replicas = (obj.get("spec") or {}).get("replicas")
        return {**found, "spec.replicas": replicas, "conditions": conditions(status), **_leaving(obj)}

    return shape


def _owned(obj: Object) -> Object:
    """With its owners as they were written down: 'Deployment/d blockOwnerDeletion' of sets, 'ReplicaSet/d-x' of pods."""
    found = []
    for one in obj["metadata"].get("ownerReferences") or ():
        blocks = " blockOwnerDeletion" if one.get("blockOwnerDeletion") and obj["kind"] != "Pod" else ""
        found.append(f"{one['kind']}/{one['name']}{blocks}")
    return {"owners": found, **_leaving(obj)}


def _claim(obj: Object) -> Object:
    status = obj.get("status") or {}
    notes = obj["metadata"].get("annotations")
    volume = obj["spec"].get("volumeName")
    found = {"phase": status.get("phase"), "volumeName": volume, "annotations": notes}
    return {**found, "capacity": status.get("capacity"), **_leaving(obj)}


def _volume(obj: Object) -> Object:
    status, claim = obj.get("status") or {}, obj["spec"].get("claimRef") or {}
    found = {"phase": status.get("phase"), "message": status.get("message"), "claim": claim.get("name")}
    return {**found, **_leaving(obj)}


_MISC_JOB = (
    "active", "ready", "terminating", "startTime", "uncountedTerminatedPods", "succeeded", "completionTime", "failed",
    "completedIndexes", "failedIndexes",
)  # fmt: skip
MISC: dict[str, Callable[[Object], Object]] = {
    "deployments": _status("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"),
    "replicasets": lambda obj: {**_status("replicas", "readyReplicas", "availableReplicas")(obj), **_owned(obj)},
    "statefulsets": _status(
        "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "currentRevision",
        "updateRevision",
    ),
    "daemonsets": _status(
        "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
        "updatedNumberScheduled", "numberUnavailable", "observedGeneration", "numberAvailable",
    ),
    "jobs": _status(*_MISC_JOB),
    "cronjobs": lambda obj: {
        name: (obj.get("status") or {}).get(name) for name in ("active", "lastScheduleTime", "lastSuccessfulTime")
    },
    "namespaces": lambda obj: {"phase": obj["status"].get("phase"), **_status()(obj)},
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "pods": _owned,
    **dict.fromkeys(("configmaps", "secrets", "services", "endpointslices", "serviceaccounts"), _leaving),
}  # fmt: skip


def event_of(obj: Object) -> Object:
    """An event as both sides are compared."""
    about = obj["involvedObject"]
    return {
        "reason": obj["reason"],
        "message": obj["message"],
        "type": obj["type"],
        "object": f"{about['kind']}/{about['name']}",
        "count": obj.get("count"),
        "component": obj["source"].get("component"),
    }


def recorded_event(fields: Object) -> Object:
    return {
        "reason": fields["reason"],
        "message": fields["message"],
        "type": fields.get("evtype") or fields.get("type"),
        "object": fields["object"],
        "count": fields.get("count"),
        "component": fields.get("component") or fields.get("source"),
    }


def timeless(value: Any) -> Any:
    """Times become TIME: on one side they are whole seconds."""
    if isinstance(value, str):
        return _TIMES.sub("TIME", value)
    if isinstance(value, dict):
        return {name: timeless(one) for name, one in value.items() if name not in ("uid", "resourceVersion")}
    if isinstance(value, list):
        return [timeless(one) for one in value]
    return value
