"""The volume controller: claims and volumes find each other.

`claim_step` runs on persistentvolumeclaims and is woken by: the claim itself; changes of volumes and StorageClasses, for every
claim that is not bound and for the claim that the volume names. `volume_step` runs on persistentvolumes and is woken by: the
volume itself; the claim that names it or that it names.

A claim that found nothing is looked at again only every 15 s (the binder's resync): a volume or a default class that comes
later waits for that. A volume made for one claim is bound at once.
Source: k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Key, Patch, Record, Remember, Wake
from minikube_py.base import patch
from minikube_py.controllers.ownership import key_of
from minikube_py.controllers.storage import matching, names, reclaim

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAME = "claim-binder"
RESYNC_S = 15
NO_VOLUME = "no persistent volumes available for this claim and no storage class is set"
FIRST_CONSUMER = "waiting for first consumer to be created before binding"
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system administrator. "
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered."
)


class Plan(NamedTuple):
    """What a claim without a volume comes to: bind `volume`, take the class `default`, ask `provisioner`, or wait; and the
    event that tells."""

    volume: Object | None = None
    default: str = ""
    provisioner: str = ""
    event: tuple[str, str, str] | None = None  # type, reason, message

    @property
    def text(self) -> str:
        bound = self.volume["metadata"]["name"] if self.volume is not None else ""
        return "/".join((bound, self.default, self.provisioner, self.event[2] if self.event else ""))


def claim_step(claim: Object, view: View, clock: Clock) -> Actions:
    if names.BIND_COMPLETED in names.notes_of(claim):
        yield from _keep(claim, view, clock)
        return
    plan = _asked_for(claim, view) if claim["spec"].get("volumeName") else _plan(claim, view)
    key, known = key_of(names.CLAIMS, claim), view.memory(NAME, key_of(names.CLAIMS, claim))
    asked = _asked(claim)
    if known.get("asked") == asked:
        if known.get("plan") == plan.text:
            return
        if not _made_for(plan.volume, claim):
            due_s = known.get("due") or (clock.now_s // RESYNC_S + 1) * RESYNC_S
            if clock.now_s < due_s:
                yield Remember({**known, "due": due_s})
                yield Wake(due_s)
                return
    if plan.volume is not None:
        yield from _bind(claim, plan.volume, view, clock)
    elif plan.default:
        yield Patch(key, {"spec": {"storageClassName": plan.default}})
    else:
        if plan.provisioner:
            notes = {names.PROVISIONER: plan.provisioner, names.PROVISIONER_BETA: plan.provisioner}
            if names.notes_of(claim).get(names.PROVISIONER) != plan.provisioner:
                yield Patch(key, {"metadata": {"annotations": notes}})
        if plan.event is not None:
            yield Record(claim, *plan.event, names.COMPONENT)
        yield Remember({"asked": asked, "plan": plan.text})


def _asked(claim: Object) -> str:
    """What a claim says of the volume it wants: when that changes, it is looked at again at once."""
    spec = claim["spec"]
    selected = names.notes_of(claim).get(names.SELECTED_NODE)
    return "/".join(str(part or "") for part in (spec.get("volumeName"), names.class_name(claim), selected))


def _made_for(volume: Object | None, claim: Object) -> bool:
    """Whether a volume's claimRef has the claim's uid: its provisioner or the scheduler wrote it."""
    return volume is not None and (volume["spec"].get("claimRef") or {}).get("uid") == claim["metadata"]["uid"]


def _plan(claim: Object, view: View) -> Plan:
    """A claim that names no volume (syncUnboundClaim)."""
    found = names.class_of(claim, view)
    delayed = (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"
    volume = matching.best(claim, view, delayed=delayed)
    if volume is not None:
        return Plan(volume=volume)
    if claim["spec"].get("storageClassName") is None and not names.class_name(claim):
        default = default_class(view)
        if default:
            return Plan(default=default)
    if delayed and names.SELECTED_NODE not in names.notes_of(claim):
        return Plan(event=("Normal", "WaitForFirstConsumer", FIRST_CONSUMER))
    name = names.class_name(claim)
    if not name:
        return Plan(event=("Normal", "FailedBinding", NO_VOLUME))
    if found is None:
        missing = f'storageclass.storage.k8s.io "{name}" not found'
        return Plan(event=("Warning", "ProvisioningFailed", missing))
    provisioner = found.get("provisioner") or ""
    if provisioner.startswith("kubernetes.io/"):
        unmatched = f"no volume plugin matched name: {provisioner}"
        return Plan(event=("Warning", "ProvisioningFailed", unmatched))
    return Plan(provisioner=provisioner, event=("Normal", "ExternalProvisioning", EXTERNAL.format(provisioner)))


def default_class(view: View) -> str:
    """The newest of the classes marked as default, of equals the first by name; '' if there is none."""
    marked = [
        one
        for one in view.list(names.CLASSES)
        if any(names.notes_of(one).get(name) == "true" for name in names.DEFAULT_CLASS)
    ]
    if not marked:
        return ""
    newest = max(one["metadata"].get("creationTimestamp") or "" for one in marked)
    found = next(one for one in marked if (one["metadata"].get("creationTimestamp") or "") == newest)
    return str(found["metadata"]["name"])


def _asked_for(claim: Object, view: View) -> Plan:
    """A claim that names its volume."""
    name = claim["spec"]["volumeName"]
    volume = view.get(Key(names.VOLUMES, "", name))
    if volume is None:
        return Plan()
    if not volume["spec"].get("claimRef"):
        problem = matching.mismatch(volume, claim)
        if problem:
            return Plan(event=("Warning", "VolumeMismatch", f'Cannot bind to requested volume "{name}": {problem}'))
        return Plan(volume=volume)
    if names.reserved_for(volume, claim):
        return Plan(volume=volume)
    taken = f'volume "{name}" already bound to a different claim.'
    return Plan(event=("Warning", "FailedBinding", taken))


def _bind(claim: Object, volume: Object, view: View, clock: Clock) -> Actions:
    """Volume first, then claim; each first its reference, then its phase (bind)."""
    meta, key, place = claim["metadata"], key_of(names.CLAIMS, claim), key_of(names.VOLUMES, volume)
    reserved = volume["spec"].get("claimRef")
    if not reserved or reserved.get("uid") != meta["uid"]:
        reference = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
            "resourceVersion": meta.get("resourceVersion", ""),
        }
        fields: Object = {"spec": {"claimRef": reference}}
        if not reserved:
            fields["metadata"] = {"annotations": {names.BOUND_BY_CONTROLLER: "yes"}}
        yield Patch(place, fields)
    yield from set_phase(volume, "Bound", clock)
    notes = {names.BIND_COMPLETED: "yes"}
    change: Object = {"metadata": {"annotations": notes}}
    if not claim["spec"].get("volumeName"):
        notes[names.BOUND_BY_CONTROLLER] = "yes"
        change["spec"] = {"volumeName": volume["metadata"]["name"]}
    yield Patch(key, change)
    yield from _mark_bound(claim, volume)
    if view.memory(NAME, key):
        yield Remember({})


def _mark_bound(claim: Object, volume: Object) -> Actions:
    """A claim that becomes Bound shows the size of its volume; later only a resize changes that."""
    old, spec = claim.get("status") or {}, volume["spec"]
    new = {**old, "phase": "Bound", "accessModes": spec.get("accessModes") or []}
    if old.get("phase") != "Bound":
        new["capacity"] = spec.get("capacity") or {}
    fields = patch.diff(old, new)
    if fields:
        yield Patch(key_of(names.CLAIMS, claim), {"status": fields}, "status")


def _keep(claim: Object, view: View, clock: Clock) -> Actions:
    """A claim that was bound: is its volume still its own (syncBoundClaim)?"""
    name = claim["spec"].get("volumeName")
    volume = view.get(Key(names.VOLUMES, "", name)) if name else None
    if not name:
        yield from _lose(
            claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
        )
    elif volume is None:
        yield from _lose(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
    elif not volume["spec"].get("claimRef") or names.reserved_for(volume, claim):
        if (volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]:
            yield from _bind(claim, volume, view, clock)
        else:
            yield from set_phase(volume, "Bound", clock)
            yield from _mark_bound(claim, volume)
    else:
        text = "Two claims are bound to the same volume, this one is bound incorrectly"
        yield from _lose(claim, "ClaimMisbound", text)


def _lose(claim: Object, reason: str, message: str) -> Actions:
    if (claim.get("status") or {}).get("phase") != "Lost":
        fields = {"phase": "Lost", "accessModes": None, "capacity": None}
        yield Patch(key_of(names.CLAIMS, claim), {"status": fields}, "status")
        yield Record(claim, "Warning", reason, message, names.COMPONENT)


def volume_step(volume: Object, view: View, clock: Clock) -> Actions:
    """The phase of a volume, and what becomes of it when its claim is gone (syncVolume)."""
    reference = volume["spec"].get("claimRef")
    if not reference or not reference.get("uid"):
        yield from set_phase(volume, "Available", clock)
        return
    claim = view.get(names.claim_key(reference))
    if claim is None or claim["metadata"]["uid"] != reference["uid"]:
        phase = (volume.get("status") or {}).get("phase")
        if phase not in ("Released", "Failed"):
            yield from set_phase(volume, "Released", clock)
        yield from reclaim.reclaim(volume, view, clock)
    elif claim["spec"].get("volumeName") == volume["metadata"]["name"]:
        yield from set_phase(volume, "Bound", clock)
    elif claim["spec"].get("volumeName"):
        yield from _let_go(volume, view, clock)


def _let_go(volume: Object, view: View, clock: Clock) -> Actions:
    """Its claim took another volume."""
    notes = names.notes_of(volume)
    if names.PROVISIONED_BY in notes and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
        yield from set_phase(volume, "Released", clock)
        yield from reclaim.reclaim(volume, view, clock)
        return
    fields: Object = {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}}
    if names.BOUND_BY_CONTROLLER in notes:
        fields = {"metadata": {"annotations": {names.BOUND_BY_CONTROLLER: None}}, "spec": {"claimRef": None}}
    yield Patch(key_of(names.VOLUMES, volume), fields)
    yield from set_phase(volume, "Available", clock)


def set_phase(volume: Object, phase: str, clock: Clock) -> Actions:
    if (volume.get("status") or {}).get("phase") != phase:
        fields = {"phase": phase, "message": None, "lastPhaseTransitionTime": clock.timestamp}
        yield Patch(key_of(names.VOLUMES, volume), {"status": fields}, "status")
