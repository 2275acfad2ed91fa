"""NodeVolumeLimits: how many volumes of a CSI driver a node can attach (pkg/scheduler/framework/plugins/nodevolumelimits/csi.go).

The limits are those that CSINode objects tell (spec.drivers[].allocatable.count). A volume that is on the node already counts
once; a claim that is yet to be provisioned counts for the driver that its class names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.scheduler.events import ADDED, FREED
from minikube_py.scheduler.framework import Plugin, Refusal
from minikube_py.scheduler.plugins.volumes import claim_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object, View
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

TOO_MANY = Refusal(("node(s) exceed max volume count",), resolvable=True)
CSI_NODES = "csinodes.storage.k8s.io"


class Attached(NamedTuple):
    """A volume as the limits see it: the driver, and what tells it from others of that driver."""

    driver: str
    volume: str


class State(NamedTuple):
    volumes: frozenset[Attached]
    drivers: tuple[str, ...]
    view: View


class NodeVolumeLimits(Plugin):
    name = "NodeVolumeLimits"
    helped_by = (ADDED, FREED)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        wanted = frozenset(attached_by(pod, cache.view))
        if not wanted:
            return None
        return State(wanted, tuple(sorted({found.driver for found in wanted})), cache.view)

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        limits = _limits(state.view, node.name)
        if not any(driver in limits for driver in state.drivers):
            return None
        there = {found for pod in node.pods for found in attached_by(pod, state.view)}
        both = there | state.volumes
        for driver in state.drivers:
            new = any(found.driver == driver for found in state.volumes - there)
            if new and sum(found.driver == driver for found in both) > limits.get(driver, len(both)):
                return TOO_MANY
        return None


def limited_drivers(view: View) -> set[str]:
    """The drivers that any node has a limit for."""
    return {driver for node in view.list(CSI_NODES) for driver in _limits(view, node["metadata"]["name"])}


def _limits(view: View, node: str) -> dict[str, int]:
    found = view.get(Key(CSI_NODES, "", node))
    drivers = (found.get("spec") or {}).get("drivers") or () if found is not None else ()
    return {
        driver["name"]: driver["allocatable"]["count"]
        for driver in drivers
        if (driver.get("allocatable") or {}).get("count") is not None
    }


def attached_by(pod: Object, view: View) -> Iterator[Attached]:
    """The CSI volumes of a pod."""
    namespace = pod["metadata"]["namespace"]
    for name in claim_names(pod):
        claim = view.get(Key("persistentvolumeclaims", namespace, name))
        if claim is None:
            continue
        volume_name = claim["spec"].get("volumeName")
        if volume_name:
            volume = view.get(Key("persistentvolumes", "", volume_name))
            source = volume["spec"].get("csi") if volume is not None else None
            if source:
                yield Attached(source["driver"], source["volumeHandle"])
            continue
        class_name = claim["spec"].get("storageClassName")
        storage_class = view.get(Key("storageclasses.storage.k8s.io", "", class_name)) if class_name else None
        if storage_class is not None:
            yield Attached(storage_class["provisioner"], f"{namespace}/{name}")
