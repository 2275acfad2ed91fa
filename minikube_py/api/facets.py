"""What a write changed of a pod, as bits: who follows pods says which of them concern it, and is not asked about others.

A pod is written four times on its way to Ready, and some thirty readers want to know of some of that: each looks at one
bit mask instead of comparing the versions by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object

CAME = 1  # it was created
WENT = 2  # it was deleted
NODE = 4  # it got a node
SPEC = 8  # anything else of its spec
LABELS = 16
OWNERS = 32  # its ownerReferences
LEAVING = 64  # its deletion began
PHASE = 128
ENDED = 256  # it finished: phase Succeeded or Failed
READY = 512  # its condition Ready, with the time and the reason
ADDRESS = 1024  # its podIP
SCHEDULED = 2048  # its condition PodScheduled
PROMISED = 4096  # its nominatedNodeName
STARTED = 8192  # its startTime
CONTAINERS = 16384  # its containerStatuses
CLAIMS = 32768  # its resourceClaimStatuses
OTHER = 65536  # anything else
FINALIZERS = 131072
OF_OTHERS = 1 << 30  # no facet of a pod: who wants only this one is told of everything but pods
ALL = -1

_SPEC_NODE = frozenset(("nodeName",))
_META = {"labels": LABELS, "ownerReferences": OWNERS, "deletionTimestamp": LEAVING, "finalizers": FINALIZERS}
_STATUS = {
    "phase": PHASE,
    "podIP": ADDRESS,
    "nominatedNodeName": PROMISED,
    "startTime": STARTED,
    "containerStatuses": CONTAINERS,
    "resourceClaimStatuses": CLAIMS,
}
_ENDS = ("Succeeded", "Failed")

_F = TypeVar("_F")


def concerned_by(facets: int) -> Callable[[_F], _F]:
    """Mark a function or class: of a pod's changes, only those with one of these facets are told to it."""

    def mark(function: _F) -> _F:
        function.facets = facets  # type: ignore[attr-defined]
        return function

    return mark


def of_change(before: Object, old: Object, new: Object) -> int:
    """The facets of an update, read off the merge patch `before` that leads back from the new version to the old one."""
    found = 0
    spec = before.get("spec")
    if spec is not None:
        found = SPEC if spec.keys() != _SPEC_NODE else 0
        if "nodeName" in spec:
            found |= NODE
    for name in before.get("metadata") or ():
        found |= _META.get(name, OTHER)
    if "status" in before:
        status = before["status"]
        if not status or "status" not in old:  # one of them has none
            status = {**old.get("status", {}), **new.get("status", {})}
        for name in status:
            if name == "conditions":
                found |= _of_conditions(_conditions(old), _conditions(new))
            else:
                found |= _STATUS.get(name, OTHER)
        if found & PHASE and (_phase(old) in _ENDS) != (_phase(new) in _ENDS):
            found |= ENDED
    return found or OTHER


def _phase(pod: Object) -> Any:
    return pod.get("status", {}).get("phase")


def _conditions(pod: Object) -> Any:
    return pod.get("status", {}).get("conditions") or ()


def _of_conditions(old: Any, new: Any) -> int:
    ready = scheduled = None
    for condition in old:
        name = condition["type"]
        if name == "Ready":
            ready = condition
        elif name == "PodScheduled":
            scheduled = condition
    found = OTHER
    for condition in new:
        name = condition["type"]
        if name == "Ready":
            if condition is not ready and condition != ready:
                found |= READY
            ready = None
        elif name == "PodScheduled":
            if condition is not scheduled and condition != scheduled:
                found |= SCHEDULED
            scheduled = None
    if ready is not None:
        found |= READY
    return found | SCHEDULED if scheduled is not None else found
