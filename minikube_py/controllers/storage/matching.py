"""Which volume a claim gets.

Of the volumes that have all the access modes asked for, those with the fewest modes in all come first; among equals the
smallest that is large enough; a volume that is reserved for the claim before any other.

    a claim of 1Gi ReadWriteOnce: 50Gi [RWO] is chosen before 5Gi [RWO, RWX, ROX], and 5Gi [RWO] before 50Gi [RWO]

Sources: k8s.io/kubernetes/pkg/controller/volume/persistentvolume/index.go (findByClaim), k8s.io/component-helpers/storage/
volume/pv_helpers.go (FindMatchingVolume).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base import selector
from minikube_py.controllers.storage import names

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View


def best(claim: Object, view: View, *, delayed: bool) -> Object | None:
    """The volume for a claim, or None. `delayed`: it waits for its first consumer, so only a volume reserved for it counts."""
    found = None
    for volume in view.list(names.VOLUMES):
        if not _is_possible(volume, claim):
            continue
        if names.reserved_for(volume, claim):
            return volume
        if delayed or volume["spec"].get("claimRef") or not _is_free(volume, claim):
            continue
        if found is None or _rank(volume) < _rank(found):
            found = volume
    return found


def mismatch(volume: Object, claim: Object) -> str:
    """Why a volume that a claim asks for by name does not satisfy it; '' if it does (checkVolumeSatisfyClaim)."""
    if names.capacity(volume) < names.requested(claim):
        return "requested PV is too small"
    if names.class_name(volume) != names.class_name(claim):
        return "storageClassName does not match"
    if names.volume_mode(volume) != names.volume_mode(claim):
        return "incompatible volumeMode"
    return "" if _has_modes(volume, claim) else "incompatible accessMode"


def _rank(volume: Object) -> tuple[int, int]:
    return len(volume["spec"].get("accessModes") or ()), names.capacity(volume)


def _has_modes(volume: Object, claim: Object) -> bool:
    return set(claim["spec"].get("accessModes") or ()) <= set(volume["spec"].get("accessModes") or ())


def _is_possible(volume: Object, claim: Object) -> bool:
    return (
        _has_modes(volume, claim)
        and names.capacity(volume) >= names.requested(claim)
        and names.volume_mode(volume) == names.volume_mode(claim)
        and "deletionTimestamp" not in volume["metadata"]
    )


def _is_free(volume: Object, claim: Object) -> bool:
    if (volume.get("status") or {}).get("phase") != "Available":
        return False
    if names.class_name(volume) != names.class_name(claim):
        return False
    wanted = claim["spec"].get("selector")
    return not wanted or selector.from_label_selector(wanted).matches(volume["metadata"].get("labels") or {})
