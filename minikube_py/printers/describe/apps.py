"""Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import containers, parts
from minikube_py.printers.describe.storage import class_of
from minikube_py.printers.describe.writer import go_list, rfc1123

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

HASH_LABEL = "pod-template-hash"


def deployment(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    w.line(0, "CreationTimestamp", rfc1123(obj["metadata"].get("creationTimestamp")))
    parts.labels_and_annotations(obj, w)
    w.line(0, "Selector", parts.as_selector(spec.get("selector")))
    w.line(
        0,
        "Replicas",
        f"{spec.get('replicas', 0)} desired | {status.get('updatedReplicas', 0)} updated | {status.get('replicas', 0)} total"
        f" | {status.get('availableReplicas', 0)} available | {status.get('unavailableReplicas', 0)} unavailable",
    )
    strategy = spec.get("strategy") or {}
    w.line(0, "StrategyType", strategy.get("type", ""))
    w.line(0, "MinReadySeconds", spec.get("minReadySeconds", 0))
    rolling = strategy.get("rollingUpdate")
    if rolling:
        w.line(
            0,
            "RollingUpdateStrategy",
            f"{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge",
        )
    containers.template(w, spec["template"])
    parts.conditions(obj, w)
    old, new = replica_sets(obj, w)
    if old or new:
        w.line(0, "OldReplicaSets", _replica_set_text(old))
        w.line(0, "NewReplicaSet", _replica_set_text(new))
    parts.events(obj, w)


def replica_sets(owner: Object, w: Writer) -> tuple[list[Object], list[Object]]:
    """The old ReplicaSets of a Deployment, oldest first, and the one with its template (a list of at most one)."""
    uid = owner["metadata"].get("uid")
    found = w.lookup.list(
        "replicasets.apps", owner["metadata"].get("namespace", ""), parts.as_selector(owner["spec"].get("selector"))
    )
    owned = [one for one in found if _controller_uid(one) == uid]
    owned.sort(key=lambda one: (one["metadata"].get("creationTimestamp", ""), one["metadata"]["name"]))
    new = next((one for one in owned if _same_template(one, owner)), None)
    return [one for one in owned if one is not new], [new] if new else []


def _same_template(one: Object, other: Object) -> bool:
    return without_hash(one["spec"]["template"]) == without_hash(other["spec"]["template"])


def without_hash(template: Object) -> Object:
    """A pod template without its pod-template-hash label."""
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _replica_set_text(sets: list[Object]) -> str:
    return (
        ", ".join(
            f"{one['metadata']['name']} ({(one.get('status') or {}).get('replicas', 0)}/{one['spec'].get('replicas', 0)}"
            " replicas created)"
            for one in sets
        )
        or "<none>"
    )


def replica_set(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    w.line(0, "Selector", parts.label_selector(spec.get("selector")))
    parts.labels_and_annotations(obj, w)
    parts.controlled_by(obj, w)
    w.line(0, "Replicas", f"{status.get('replicas', 0)} current / {spec.get('replicas', 0)} desired")
    pods_status(obj, parts.as_selector(spec.get("selector")), w)
    containers.template(w, spec["template"])
    parts.conditions(obj, w)
    parts.events(obj, w)


def replication_controller(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    selector = parts.map_text(spec.get("selector"))
    w.line(0, "Selector", selector)
    parts.labels_and_annotations(obj, w)
    w.line(0, "Replicas", f"{status.get('replicas', 0)} current / {spec.get('replicas', 0)} desired")
    pods_status(obj, selector, w)
    containers.template(w, spec.get("template") or {})
    parts.conditions(obj, w)
    parts.events(obj, w)


def stateful_set(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    w.line(0, "CreationTimestamp", rfc1123(obj["metadata"].get("creationTimestamp")))
    selector = parts.as_selector(spec.get("selector"))
    w.line(0, "Selector", selector)
    parts.labels_and_annotations(obj, w)
    if spec.get("serviceName"):
        w.line(0, "Service Name", spec["serviceName"])
    if spec.get("podManagementPolicy"):
        w.line(0, "Pod Management Policy", spec["podManagementPolicy"])
    w.line(0, "Replicas", f"{spec.get('replicas', 0)} desired | {status.get('replicas', 0)} total")
    strategy = spec.get("updateStrategy") or {}
    w.line(0, "Update Strategy", strategy.get("type", ""))
    rolling = strategy.get("rollingUpdate") or {}
    if rolling.get("partition") is not None:
        w.line(1, "Partition", rolling["partition"])
        if rolling.get("maxUnavailable") is not None:
            w.line(1, "MaxUnavailable", rolling["maxUnavailable"])
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention:
        w.put(0, "Persistent Volume Claim Retention Policy:\n")
        w.line(1, "WhenDeleted", retention.get("whenDeleted", ""))
        w.line(1, "WhenScaled", retention.get("whenScaled", ""))
    pods_status(obj, selector, w)
    containers.template(w, spec["template"])
    _claim_templates(spec.get("volumeClaimTemplates") or [], w)
    parts.events(obj, w)


def _claim_templates(templates: list[Object], w: Writer) -> None:
    w.put(0, "Volume Claims:\n" if templates else "Volume Claims:\t<none>\n")
    for claim in templates:
        w.line(1, "Name", claim["metadata"]["name"])
        w.line(1, "StorageClass", class_of(claim))
        for title, field, sign in (("Labels", "labels", "="), ("Annotations", "annotations", "=")):
            values = sorted((claim["metadata"].get(field) or {}).items())
            parts.multiline(w, title, [f"{key}{sign}{value}" for key, value in values], "  ")
        capacity = ((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage")
        w.line(1, "Capacity", "<default>" if capacity is None else parts.quantity(capacity))
        w.line(1, "Access Modes", go_list(claim["spec"].get("accessModes")))


def daemon_set(obj: Object, w: Writer) -> None:
    spec, status = obj["spec"], obj.get("status") or {}
    parts.head(obj, w)
    selector = parts.as_selector(spec.get("selector"))
    w.line(0, "Selector", selector)
    w.line(0, "Node-Selector", parts.map_text((spec["template"].get("spec") or {}).get("nodeSelector")))
    parts.labels_and_annotations(obj, w)
    for title, field in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        w.put(0, f"{title}: {status.get(field, 0)}\n")
    pods_status(obj, selector, w)
    containers.template(w, spec["template"])
    parts.events(obj, w)


def pods_status(owner: Object, selector: str, w: Writer) -> None:
    """How many pods that the owner controls are in which phase."""
    counts = {"Running": 0, "Pending": 0, "Succeeded": 0, "Failed": 0}
    uid = owner["metadata"].get("uid")
    for pod in w.lookup.list("pods", owner["metadata"].get("namespace", ""), selector):
        phase = (pod.get("status") or {}).get("phase")
        if phase in counts and _controller_uid(pod) == uid:
            counts[phase] += 1
    running, waiting, succeeded, failed = counts.values()
    w.line(0, "Pods Status", f"{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed")


def _controller_uid(obj: Object) -> str:
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return str(owner.get("uid", ""))
    return ""
