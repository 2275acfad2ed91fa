"""VolumeRestrictions, VolumeBinding and VolumeZone: can the pod's volumes be had on the node
(pkg/scheduler/framework/plugins/volumerestrictions, volumebinding, volumezone).

Dynamic provisioning and attach limits of CSI drivers are not modelled: a claim that waits for its first consumer can be
provisioned on every node that its class allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.nodes import REGION, ZONE
from minikube_py.api.types import Key, Patch
from minikube_py.base import quantity
from minikube_py.scheduler.events import ADDED, FREED, LABELS
from minikube_py.scheduler.framework import Plugin, Refusal, Rejected
from minikube_py.scheduler.terms import label_selector, term_matches

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from minikube_py.api.types import Action, Object, Objects, Outcome
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

IN_USE = Refusal(
    (
        "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
    ),
    resolvable=True,
)
ELSEWHERE = Refusal(("node(s) didn't match PersistentVolume's node affinity",))
NONE_TO_BIND = Refusal(("node(s) didn't find available persistent volumes to bind",))
OTHER_ZONE = Refusal(("node(s) had no available volume zone",))

PROVISIONED_ELSEWHERE = "kubernetes.io/no-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
BETA = "failure-domain.beta.kubernetes.io/"
ZONE_LABELS = (ZONE, REGION, f"{BETA}zone", f"{BETA}region")


def _find(pod: Object, name: str, cache: Cache) -> Object:
    """A claim of the pod. Raises Rejected if it is missing."""
    claim = cache.view.get(Key("persistentvolumeclaims", pod["metadata"]["namespace"], name))
    if claim is not None:
        return claim
    if any(
        volume.get("ephemeral") and f"{pod['metadata']['name']}-{volume['name']}" == name
        for volume in pod["spec"]["volumes"]
    ):
        raise Rejected(f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"')
    raise Rejected(f'persistentvolumeclaim "{name}" not found')


def claim_names(pod: Object) -> Iterator[str]:
    """The claims that a pod mounts, those of its ephemeral volumes too."""
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield volume["persistentVolumeClaim"]["claimName"]
        elif volume.get("ephemeral"):
            yield f"{pod['metadata']['name']}-{volume['name']}"


def _claims(pod: Object, cache: Cache) -> Objects:
    """The claims of a pod. Raises Rejected if one is missing, lost or on its way out."""
    found = []
    for name in claim_names(pod):
        claim = _find(pod, name, cache)
        if claim.get("status", {}).get("phase") == "Lost":
            raise Rejected(
                f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{_volume_name(claim)}"'
            )
        if "deletionTimestamp" in claim["metadata"]:
            raise Rejected(f'persistentvolumeclaim "{name}" is being deleted')
        found.append(claim)
    return found


def _volume_name(claim: Object) -> str:
    return claim["spec"].get("volumeName") or ""


def _bound(claim: Object) -> bool:
    return bool(_volume_name(claim)) and "pv.kubernetes.io/bind-completed" in (
        claim["metadata"].get("annotations") or {}
    )


def _class_of(claim: Object, cache: Cache) -> Object | None:
    name = claim["spec"].get("storageClassName")
    return cache.view.get(Key("storageclasses.storage.k8s.io", "", name)) if name else None


def _volumes(claims: Objects, cache: Cache) -> Objects:
    found = [cache.view.get(Key("persistentvolumes", "", _volume_name(claim))) for claim in claims if _bound(claim)]
    return [volume for volume in found if volume is not None]


def looks(pod: Object, cache: Cache) -> tuple[Any, ...] | None:
    """What the plugins see of the volumes of a pod whose claims are all bound: equal for pods that no node can tell apart.
    None if something is missing or unbound, or may be used by one pod only."""
    found: list[Any] = []
    for name in claim_names(pod):
        claim = cache.view.get(Key("persistentvolumeclaims", pod["metadata"]["namespace"], name))
        if claim is None or not _bound(claim) or "deletionTimestamp" in claim["metadata"]:
            return None
        if claim.get("status", {}).get("phase") == "Lost" or "ReadWriteOncePod" in claim["spec"].get("accessModes", ()):
            return None
        volume = cache.view.get(Key("persistentvolumes", "", _volume_name(claim)))
        if volume is None:
            return None
        labels = volume["metadata"].get("labels") or {}
        zones = tuple((key, labels[key]) for key in ZONE_LABELS if key in labels)
        found.append((repr(volume["spec"].get("nodeAffinity")), zones))
    return tuple(found)


class VolumeRestrictions(Plugin):
    """A claim with ReadWriteOncePod serves one pod."""

    name = "VolumeRestrictions"
    helped_by = (FREED,)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        """The names of the claims that other pods must not hold."""
        exclusive = set()
        for name in claim_names(pod):
            if "ReadWriteOncePod" in (_find(pod, name, cache)["spec"].get("accessModes") or ()):
                exclusive.add(name)
        return Exclusive(pod["metadata"]["namespace"], exclusive, cache) if exclusive else None

    def place(self, state: Any, node: NodeInfo) -> str:
        """The rule is about the cluster, whatever the node."""
        return ""

    def filter(self, state: Any, place: Any) -> Refusal | None:
        return IN_USE if state.holders > 0 else None


class Exclusive:
    """How many pods on nodes hold one of the exclusive claims."""

    def __init__(self, namespace: str, names: set[str], cache: Cache) -> None:
        self.namespace = namespace
        self.names = names
        self.holders = 0
        for pod in cache.view.list("pods", namespace):
            if pod["spec"].get("nodeName") and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
                self._count(pod, 1)

    def copy(self) -> Exclusive:
        twin = Exclusive.__new__(Exclusive)
        twin.__dict__.update(self.__dict__)
        return twin

    def update(self, pod: Object, node: NodeInfo, sign: int) -> None:
        self._count(pod, sign)

    def survives(self, node: str, change: str) -> bool:
        return True

    def _count(self, pod: Object, sign: int) -> None:
        if pod["metadata"]["namespace"] == self.namespace and not self.names.isdisjoint(claim_names(pod)):
            self.holders += sign


class Wanted(NamedTuple):
    """`volumes` must be reachable; each of `unbound` needs a free volume or one that can be made."""

    volumes: Objects
    unbound: list[tuple[Object, Object]]
    available: Objects


class VolumeBinding(Plugin):
    """Bound volumes must be reachable from the node; claims that wait for their first consumer must find one there."""

    name = "VolumeBinding"
    helped_by = (ADDED, LABELS)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        claims = _claims(pod, cache)
        if not claims:
            return None
        waiting = []
        for claim in claims:
            if _bound(claim):
                continue
            found = _class_of(claim, cache)
            if found is None or found.get("volumeBindingMode") != "WaitForFirstConsumer" or _volume_name(claim):
                raise Rejected("pod has unbound immediate PersistentVolumeClaims")
            waiting.append((claim, found))
        available = cache.view.list("persistentvolumes") if waiting else []
        return Wanted(_volumes(claims, cache), waiting, sorted(available, key=_size))

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        if not all(_reaches(volume, node) for volume in state.volumes):
            return ELSEWHERE
        return None if volumes_for(state, node) is not None else NONE_TO_BIND

    def reserve(self, state: Any, node: NodeInfo) -> Any:
        """(claim, the volume to bind it to; None: to be provisioned) of the claims that waited for their first consumer."""
        return volumes_for(state, node) if state.unbound else None

    def pre_bind(self, pod: Object, reserved: Any, node: NodeInfo) -> Generator[Action, Outcome, bool]:
        """Claim the volumes, or have them provisioned; the volume controller does the rest, so the pod waits."""
        for claim, volume in reserved:
            meta = claim["metadata"]
            if volume is None:
                if (meta.get("annotations") or {}).get(SELECTED_NODE) != node.name:
                    key = Key("persistentvolumeclaims", meta["namespace"], meta["name"])
                    yield Patch(key, {"metadata": {"annotations": {SELECTED_NODE: node.name}}})
            elif not volume["spec"].get("claimRef"):
                yield Patch(Key("persistentvolumes", "", volume["metadata"]["name"]), _claim_fields(claim))
        return True


def _claim_fields(claim: Object) -> Object:
    """What reserves a volume for a claim; the volume controller does the rest."""
    meta = claim["metadata"]
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
    }
    if "uid" in meta:
        reference["uid"] = meta["uid"]
    return {"metadata": {"annotations": {BOUND_BY_CONTROLLER: "yes"}}, "spec": {"claimRef": reference}}


def volumes_for(state: Wanted, node: NodeInfo) -> list[tuple[Object, Object | None]] | None:
    """(claim, the volume to bind it to; None: to be provisioned) on this node; None if a claim finds nothing."""
    taken: set[str] = set()
    found: list[tuple[Object, Object | None]] = []
    for claim, storage_class in state.unbound:
        volume = next(
            (one for one in state.available if one["metadata"]["name"] not in taken and _serves(one, claim, node)), None
        )
        if volume is not None:
            taken.add(volume["metadata"]["name"])
        elif not _provisions(storage_class, node):
            return None
        found.append((claim, volume))
    return found


def _size(volume: Object) -> int:
    return quantity.value(volume["spec"]["capacity"]["storage"])


def _reaches(volume: Object, node: NodeInfo) -> bool:
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or any(term_matches(term, node.name, node.labels) for term in required["nodeSelectorTerms"])


def _serves(volume: Object, claim: Object, node: NodeInfo) -> bool:
    """Whether an unbound volume fits a claim (pkg/controller/volume/persistentvolume FindMatchingVolume)."""
    spec, wanted, meta = volume["spec"], claim["spec"], claim["metadata"]
    reserved = spec.get("claimRef")
    if reserved and (reserved.get("namespace"), reserved["name"]) != (meta["namespace"], meta["name"]):
        return False
    if "deletionTimestamp" in volume["metadata"] or (
        not reserved and volume.get("status", {}).get("phase") == "Released"
    ):
        return False
    if (spec.get("storageClassName") or "") != (wanted.get("storageClassName") or ""):
        return False
    if (spec.get("volumeMode") or "Filesystem") != (wanted.get("volumeMode") or "Filesystem"):
        return False
    if not set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ()):
        return False
    if wanted.get("selector") and not label_selector(wanted["selector"]).matches(volume["metadata"].get("labels")):
        return False
    return _size(volume) >= quantity.value(wanted["resources"]["requests"]["storage"]) and _reaches(volume, node)


def _provisions(storage_class: Object, node: NodeInfo) -> bool:
    if storage_class.get("provisioner", PROVISIONED_ELSEWHERE) == PROVISIONED_ELSEWHERE:
        return False
    topologies: Sequence[Object] = storage_class.get("allowedTopologies") or ()
    return not topologies or any(
        all(node.labels.get(found["key"]) in found["values"] for found in one.get("matchLabelExpressions") or ())
        for one in topologies
    )


class VolumeZone(Plugin):
    """Volumes with zone labels can be used in that zone only."""

    name = "VolumeZone"
    helped_by = (ADDED, LABELS)

    def pre_filter(self, pod: Object, cache: Cache) -> Any:
        """(label, the zones that serve) of every zone label of the bound volumes."""
        return [
            (key, frozenset(value.split("__")))
            for volume in _volumes(_claims(pod, cache), cache)
            for key, value in (volume["metadata"].get("labels") or {}).items()
            if key in ZONE_LABELS
        ] or None

    def place(self, state: Any, node: NodeInfo) -> Refusal | None:
        if not any(key in node.labels for key in ZONE_LABELS):
            return None
        return None if all(node.labels.get(key) in zones for key, zones in state) else OTHER_ZONE
