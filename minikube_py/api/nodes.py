"""What the index keeps of a node: what decides in which order the scheduler looks at it, and its images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple

ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
HOSTNAME = "kubernetes.io/hostname"

_NONE: dict[str, Any] = {}
_BETWEEN = "\x1f"  # in no label and no time


class Place(NamedTuple):
    """`is_renamed`: the label of the host name, if there is one, is not the node's name."""

    created: str
    name: str
    zone: str
    is_renamed: bool

    @property
    def text(self) -> str:
        """All but the name, as the name of a bucket of the store's index."""
        return _BETWEEN.join((self.created, self.zone, "renamed" if self.is_renamed else ""))

    @classmethod
    def parse(cls, text: str, name: str) -> Place:
        created, zone, renamed = text.split(_BETWEEN)
        return cls(created, name, zone, bool(renamed))


def image_sizes(node: dict[str, Any]) -> dict[str, int]:
    """Bytes of each image that a node has, by every name of it."""
    found = {}
    for image in (node.get("status") or _NONE).get("images") or ():
        for name in image.get("names") or ():
            found[name] = image.get("sizeBytes") or 0
    return found


def place_of(node: dict[str, Any]) -> Place:
    meta = node["metadata"]
    labels = meta.get("labels") or _NONE
    is_renamed = labels.get(HOSTNAME, meta["name"]) != meta["name"]
    return Place(meta.get("creationTimestamp") or "", meta["name"], zone_of(node), is_renamed)


def zone_of(node: dict[str, Any]) -> str:
    """Region and zone as one word; '' without both (k8s.io/component-helpers/node/topology GetZoneKey)."""
    labels = node["metadata"].get("labels") or _NONE
    region = labels.get(REGION) or labels.get("failure-domain.beta.kubernetes.io/region") or ""
    zone = labels.get(ZONE) or labels.get("failure-domain.beta.kubernetes.io/zone") or ""
    return f"{region}:\0:{zone}" if region or zone else ""
