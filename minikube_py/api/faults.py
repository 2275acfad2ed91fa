"""Faults: which are in force, and which nodes and pods they are about.

A Fault without a time is in force as long as it exists. One with `at` (after its creation) or `for` is in force while its
status says so: `minikube_py.kubelet.faults` writes that when the time has come, and everybody concerned is woken by it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from minikube_py.api.simulator import time_s
from minikube_py.api.types import Key
from minikube_py.base import selector
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View

FAULTS = "faults.sim.kpy.dev"
SILENCING = ("NodeDown", "ZoneDown", "KubeletStopped")
MACHINE_OFF = ("NodeDown", "ZoneDown")
ZONE = "topology.kubernetes.io/zone"
ACTIVE, PENDING, OVER = "Active", "Pending", "Over"


def bounds(fault: Object) -> tuple[int, int | None]:
    """(when it begins, when it is over or None), in seconds since 1970.

    Created at 100 with `at: 10s, for: 1m`: from 110 to 170.
    """
    spec = fault["spec"]
    begin = seconds(fault["metadata"]["creationTimestamp"]) + time_s(spec.get("at", spec.get("after", 0)))
    return begin, begin + time_s(spec["for"]) if "for" in spec else None


def is_timed(fault: Object) -> bool:
    spec = fault["spec"]
    return "at" in spec or "after" in spec or "for" in spec


def is_active(fault: Object) -> bool:
    """Whether it is in force now."""
    return not is_timed(fault) or (fault.get("status") or {}).get("phase") == ACTIVE


def since_s(fault: Object) -> int:
    """When it came into force."""
    return bounds(fault)[0]


class ByNode:
    """All Faults, those about one node by its name (a `types.Derived`): who asks about a node need not read the others."""

    resources = frozenset((FAULTS,))

    def __init__(self, view: View) -> None:
        self.of_node: dict[str, dict[str, Object]] = {}
        self.others: dict[str, Object] = {}
        for fault in view.list(FAULTS):
            self.changed(Key(FAULTS, "", fault["metadata"]["name"]), None, fault)

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource != FAULTS:
            return
        if old is not None:
            self._filed(old).pop(key.name, None)
        if new is not None:
            self._filed(new)[key.name] = new
        node = old["spec"].get("node") if old is not None else ""
        if node and not self.of_node[node]:
            del self.of_node[node]

    def _filed(self, fault: Object) -> dict[str, Object]:
        node = fault["spec"].get("node")
        return self.of_node.setdefault(node, {}) if node else self.others

    def perhaps_about(self, node: str) -> Objects:
        """Those about this node and those about no single one, by name."""
        found = {**self.others, **self.of_node.get(node, {})}
        return [found[name] for name in sorted(found)]


def by_node(view: View) -> ByNode:
    return view.derived("faults-by-node", ByNode)  # type: ignore[no-any-return]


def in_force(view: View, types: tuple[str, ...]) -> Objects:
    """The Faults of some types that are in force, by name."""
    found = view.list(FAULTS)
    return [fault for fault in found if fault["spec"].get("type") in types and is_active(fault)] if found else found


def silencing(node: str, view: View, types: tuple[str, ...] = SILENCING) -> Object | None:
    """The Fault that keeps a node's kubelet from doing anything; None if it works."""
    if not view.list(FAULTS):
        return None
    named = view.get(Key(FAULTS, "", f"node-down-{node}"))
    if named is not None and is_active(named) and named["spec"].get("type") in types:
        return named
    for fault in by_node(view).perhaps_about(node):
        if fault["spec"].get("type") in types and is_active(fault) and is_about_node(fault, node, view):
            return fault
    return None


def is_about_node(fault: Object, name: str, view: View) -> bool:
    """Whether node, zone and nodeSelector fit; those that are not given fit every node."""
    spec = fault["spec"]
    if spec.get("node"):
        if spec["node"] != name:
            return False
        if not (spec.get("zone") or spec.get("nodeSelector")):
            return True
    if not (spec.get("zone") or spec.get("nodeSelector")):
        return True
    node = view.get(Key("nodes", "", name))
    labels = (node["metadata"].get("labels") or {}) if node is not None else {}
    if spec.get("zone") and labels.get(ZONE) != spec["zone"]:
        return False
    return not spec.get("nodeSelector") or selector.from_label_selector(spec["nodeSelector"]).matches(labels)


def is_about_pod(fault: Object, pod: Object, view: View, image: str = "") -> bool:
    """Whether the Fault is about a pod (and, where one is given, about this image of its containers)."""
    spec, meta = fault["spec"], pod["metadata"]
    if spec.get("namespace") and spec["namespace"] != meta.get("namespace"):
        return False
    if spec.get("selector") and not selector.from_label_selector(spec["selector"]).matches(meta.get("labels") or {}):
        return False
    if spec.get("image"):
        images = [image] if image else [one.get("image", "") for one in pod["spec"]["containers"]]
        if not any(fnmatchcase(one, spec["image"]) for one in images):
            return False
    return is_about_node(fault, pod["spec"].get("nodeName") or "", view)
