"""What may have happened to the cluster in a change, in the scheduler's words: plugins name what may help the pods they
refused (EventsToRegister; pkg/scheduler/framework/events.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object

# What changed of a node, the most first.
ADDED, REMOVED, LABELS, TAINTS, STATUS = "added", "removed", "labels", "taints", "status"
# A pod left a node, finished, asks for less, or a promise of room was withdrawn; one came to a node; one on a node has other
# labels or is being deleted; a namespace has other labels.
FREED, PLACED, CHANGED, NAMESPACE = "freed", "placed", "changed", "namespace"
EVERY_KIND = (ADDED, REMOVED, LABELS, TAINTS, STATUS, FREED, PLACED, CHANGED, NAMESPACE)


class Happening(NamedTuple):
    """`node`: the node that it is about; '' if it concerns the whole cluster."""

    kind: str
    node: str


def happened(key: Key, old: Object | None, new: Object | None) -> list[Happening]:
    """What a change of an object means to the scheduler."""
    if key.resource == "pods":
        return _of_pod(old, new)
    if key.resource == "nodes":
        return [Happening(kind, key.name) for kind in node_changes(old, new)]
    if key.resource == "namespaces" and old is not None and new is not None and labels(old) != labels(new):
        return [Happening(NAMESPACE, "")]
    return []


def _of_pod(old: Object | None, new: Object | None) -> list[Happening]:
    before, after = where(old), where(new)
    promised = nominated(old)
    found = []
    if promised and promised != nominated(new):
        found.append(Happening(FREED, promised))
    if before != after:
        if before:
            found.append(Happening(FREED, before))
        if after:
            found.append(Happening(PLACED, after))
    elif before and old is not None and new is not None:
        if old["spec"] is not new["spec"] and old["spec"] != new["spec"]:
            found.append(Happening(FREED, before))
        if labels(old) != labels(new) or pods.is_terminating(old) != pods.is_terminating(new):
            found.append(Happening(CHANGED, before))
    return found


def where(pod: Object | None) -> str:
    """The node that a pod takes room on; '' if none."""
    return "" if pod is None or pods.is_finished(pod) else pods.node_of(pod)


def nominated(pod: Object | None) -> str:
    """The node that a pod waits for room on; '' if it does not wait, or for none."""
    if pod is None or pods.node_of(pod) or pods.is_finished(pod):
        return ""
    return pod.get("status", {}).get("nominatedNodeName") or ""


def labels(obj: Object | None) -> dict[str, str]:
    return (obj["metadata"].get("labels") or {}) if obj else {}


def node_change(old: Object | None, new: Object | None) -> str:
    """The most that changed of a node; '' if nothing that a plugin reads."""
    return next(iter(node_changes(old, new)), "")


def node_changes(old: Object | None, new: Object | None) -> list[str]:
    """All that changed of a node and that a plugin reads, the most first."""
    if old is None or new is None:
        return [ADDED if old is None else REMOVED]
    found = [LABELS] if labels(old) != labels(new) else []
    if _differs(old.get("spec"), new.get("spec"), ("taints", "unschedulable")):
        found.append(TAINTS)
    if _differs(old.get("status"), new.get("status"), ("allocatable", "images")):
        found.append(STATUS)
    return found


def _differs(old: Object | None, new: Object | None, fields: tuple[str, ...]) -> bool:
    if old is new:
        return False
    one, other = old or {}, new or {}
    return any(one.get(field) is not other.get(field) and one.get(field) != other.get(field) for field in fields)
