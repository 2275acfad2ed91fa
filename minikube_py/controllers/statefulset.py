"""The StatefulSet controller: pods with a name and a claim each, made, updated and removed one after the other.

`step` runs on statefulsets.apps and is woken by: the StatefulSet itself; its pods and ControllerRevisions; pods without a
controller that its selector matches. Its wake: when a ready pod becomes available (minReadySeconds).

    web-0 must be running and ready before web-1 is made, web-2 is updated or removed before web-1: one change in each sync.
    podManagementPolicy Parallel makes and removes all at once, but still updates one by one.
The status counts the pods that the sync found.
Source: k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_control.go, stateful_set_utils.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Create, Delete, Patch, Record, Wake
from minikube_py.base import patch, selector
from minikube_py.base.clock import seconds
from minikube_py.base.errors import AlreadyExists, KpyError, NotFound
from minikube_py.controllers import history, ownership, retry, statefulset_claims
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

STEP, RESOURCE, COMPONENT = "statefulset", "statefulsets.apps", "statefulset-controller"


def step(owner: Object, view: View, clock: Clock) -> Actions:
    key = ownership.key_of(RESOURCE, owner)
    wanted = owner["spec"].get("selector") or {}
    reference = ownership.reference_to(owner, "apps/v1", "StatefulSet")
    found = [pod for pod in ownership.candidates(owner, wanted.get("matchLabels"), view) if ordinal(owner, pod) >= 0]
    mine = yield from ownership.claim(owner, reference, found, selector.from_label_selector(wanted), "pods")
    if is_deleting(owner):
        return

    old = owner.get("status") or {}
    past = history.revisions(owner, view)
    update, collisions = yield from history.current(owner, reference, past, old.get("collisionCount", 0))
    if update is None:
        yield from retry.again(STEP, key, owner, view, clock)
        return
    current = next((one for one in past if one["metadata"]["name"] == old.get("currentRevision")), update)

    work = _Work(owner, current, update, clock)
    status = work.counted(mine, collisions)
    held = retry.held(STEP, key, owner, view, clock)
    failure = False
    if held is None:
        failure = yield from _change(work, mine, reference, view, status)
        for _ in range(retry.further_tries(STEP, key, view) if failure else 0):
            failure = yield from _change(work, mine, reference, view, status)
    status = work.completed(status)
    fields = patch.diff(old, status)
    if fields:
        yield Patch(key, {"status": fields}, "status")

    in_use = [current["metadata"]["name"], update["metadata"]["name"], *(work.revision_of(pod) for pod in mine)]
    yield from history.truncate(owner, past, in_use)
    yield from retry.after(STEP, key, owner, view, clock, waiting=held, refused=failure)
    due = [at_s for pod in mine if (at_s := work.available_at_s(pod)) > clock.now_s]
    if due:
        yield Wake(min(due))


def ordinal(owner: Object, pod: Object) -> int:
    """The number in the pod's name; -1 if the name is not one of this StatefulSet's: web-3 of web is 3."""
    parent, _, number = pod["metadata"]["name"].rpartition("-")
    return int(number) if parent == owner["metadata"]["name"] and number.isdecimal() else -1


class _Work:
    """One sync: the StatefulSet with the revisions that its pods have and shall have."""

    __slots__ = ("clock", "current", "owner", "spec", "update")

    def __init__(self, owner: Object, current: Object, update: Object, clock: Clock) -> None:
        self.owner, self.spec, self.clock = owner, owner["spec"], clock
        self.current, self.update = current, update

    @property
    def one_by_one(self) -> bool:
        return bool(self.spec.get("podManagementPolicy", "OrderedReady") != "Parallel")

    @property
    def first(self) -> int:
        return int((self.spec.get("ordinals") or {}).get("start", 0))

    @property
    def beyond(self) -> int:
        """The ordinal behind the last one."""
        return self.first + int(self.spec.get("replicas", 1))

    @property
    def is_rolling(self) -> bool:
        return bool((self.spec.get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")

    @property
    def partition(self) -> int:
        """Pods with a lower ordinal keep the current revision."""
        rolling = (self.spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
        return int(rolling.get("partition", 0))

    def revision_of(self, pod: Object) -> str:
        return str((pod["metadata"].get("labels") or {}).get(history.HASH_LABEL, ""))

    def is_running(self, pod: Object) -> bool:
        return pods.is_ready(pod) and (pod.get("status") or {}).get("phase") == "Running"

    def available_at_s(self, pod: Object) -> int:
        """When a ready pod is or was available; 0 if it is not ready."""
        ready = pods.condition(pod, "Ready")
        if ready is None or not self.is_running(pod):
            return 0
        return seconds(ready["lastTransitionTime"]) + int(self.spec.get("minReadySeconds", 0))

    def is_available(self, pod: Object) -> bool:
        return 0 < self.available_at_s(pod) <= self.clock.now_s

    def revision_for(self, number: int) -> Object:
        """Which revision a pod is made of: below the partition the current one."""
        return self.current if self.is_rolling and number < self.partition else self.update

    def counted(self, mine: Objects, collisions: int) -> Object:
        """The status that the pods add up to."""
        current, update = self.current["metadata"]["name"], self.update["metadata"]["name"]
        staying = [self.revision_of(pod) for pod in mine if not is_deleting(pod)]
        status: Object = {
            "observedGeneration": self.owner["metadata"].get("generation", 0),
            "replicas": len(mine),
            "readyReplicas": sum(1 for pod in mine if self.is_running(pod)),
            "currentReplicas": staying.count(current),
            "updatedReplicas": staying.count(update),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": collisions,
            "availableReplicas": sum(1 for pod in mine if self.is_available(pod)),
        }
        return status

    def forget(self, status: Object, pod: Object) -> None:
        """A pod that was just deleted for an update no longer counts for its revision; one removed by scaling still does."""
        revision = self.revision_of(pod)
        for name, of in (("currentReplicas", self.current), ("updatedReplicas", self.update)):
            if revision == of["metadata"]["name"]:
                status[name] = max(0, status[name] - 1)

    def completed(self, status: Object) -> Object:
        """When all wanted pods are updated and ready, the update revision is the current one. Counts of zero are left out."""
        wanted = self.beyond - self.first
        if self.is_rolling and wanted == status["updatedReplicas"] == status["replicas"] == status["readyReplicas"]:
            status = {
                **status,
                "currentReplicas": status["updatedReplicas"],
                "currentRevision": status["updateRevision"],
            }
        optional = ("readyReplicas", "currentReplicas", "updatedReplicas")
        return {name: value for name, value in status.items() if value or name not in optional}


def _change(
    work: _Work, mine: Objects, reference: Object, view: View, status: Object
) -> Generator[Action, Outcome, bool]:
    """Make missing pods, else remove surplus ones, else update one. Returns whether a write was refused."""
    slots = {ordinal(work.owner, pod): pod for pod in mine}
    for number, pod in slots.items():
        beyond = not work.first <= number < work.beyond
        yield from statefulset_claims.set_owners(work.owner, pod, view, surplus=beyond)
    for number in range(work.first, work.beyond):
        done, failed = yield from _fill(work, number, slots.get(number), reference, view)
        if failed:
            return True
        if done and work.one_by_one:
            return False

    surplus = [number for number in sorted(slots, reverse=True) if not work.first <= number < work.beyond]
    unhealthy = [pod for _, pod in sorted(slots.items()) if not work.is_available(pod) or is_deleting(pod)]
    for number in surplus:
        pod = slots[number]
        if is_deleting(pod):
            if work.one_by_one:
                return False
            continue
        if work.one_by_one and not work.is_available(pod) and pod is not unhealthy[0]:
            return False
        yield from _delete(work, pod)
        if work.one_by_one:
            return False

    if work.is_rolling:
        yield from _update_one(work, slots, status)
    return False


def _fill(
    work: _Work, number: int, pod: Object | None, reference: Object, view: View
) -> Generator[Action, Outcome, tuple[bool, bool]]:
    """See to one ordinal. Returns (later ordinals have to wait, a write was refused)."""
    if pod is None:
        failed = yield from _create(work, number, reference, view)
        return True, failed
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Failed", "Succeeded") and not is_deleting(pod):
        meta = pod["metadata"]
        what, kind, reason = ("failed", "Warning", "RecreatingFailedPod")
        if phase == "Succeeded":
            what, kind, reason = ("terminated", "Normal", "RecreatingTerminatedPod")
        set_name = f"{meta['namespace']}/{work.owner['metadata']['name']}"
        yield Record(
            work.owner, kind, reason, f"StatefulSet {set_name} is recreating {what} Pod {meta['name']}", COMPONENT
        )
        yield from _delete(work, pod)
        return True, False
    return is_deleting(pod) or not work.is_available(pod), False


def _update_one(work: _Work, slots: dict[int, Object], status: Object) -> Actions:
    """Delete the last pod of another revision, if all behind it are updated and well.

    Three pods, update begun: web-2 is deleted; until the new web-2 is available nothing more; then web-1.
    """
    for number in range(work.beyond - 1, max(work.first, work.partition) - 1, -1):
        pod = slots.get(number)
        if pod is None or is_deleting(pod):
            return
        if work.revision_of(pod) != work.update["metadata"]["name"]:
            yield from _delete(work, pod)
            work.forget(status, pod)
            return
        if not work.is_available(pod):
            return


def _delete(work: _Work, pod: Object) -> Actions:
    outcome = yield Delete(ownership.key_of("pods", pod), uid=pod["metadata"]["uid"])
    if isinstance(outcome, NotFound):
        return
    yield _told(work, "Delete", pod["metadata"]["name"], outcome)


def _told(work: _Work, verb: str, name: str, outcome: Outcome) -> Record:
    about = f"{verb} Pod {name} in StatefulSet {work.owner['metadata']['name']}"
    if isinstance(outcome, KpyError):
        return Record(work.owner, "Warning", f"Failed{verb}", f"{about} failed error: {outcome}", COMPONENT)
    return Record(work.owner, "Normal", f"Successful{verb}", f"{about} successful", COMPONENT)


# --- pods and claims ---------------------------------------------------------------------------------------------------


def _create(work: _Work, number: int, reference: Object, view: View) -> Generator[Action, Outcome, bool]:
    """Make the claims that are missing, then the pod. Returns whether a write was refused."""
    name = f"{work.owner['metadata']['name']}-{number}"
    for claim in statefulset_claims.claims(work.owner, name):
        outcome: Outcome = None
        key = ownership.key_of("persistentvolumeclaims", claim)
        if view.get(key) is None:
            outcome = yield Create(claim)
            about = f"Claim {key.name} Pod {name} in StatefulSet {work.owner['metadata']['name']}"
            if isinstance(outcome, KpyError):
                yield Record(
                    work.owner, "Warning", "FailedCreate", f"Create {about} failed error: {outcome}", COMPONENT
                )
                return True
            yield Record(work.owner, "Normal", "SuccessfulCreate", f"Create {about} success", COMPONENT)
    outcome = yield Create(_pod(work, name, number, reference))
    if retry.namespace_goes(outcome):
        return False
    if isinstance(outcome, dict):
        yield from statefulset_claims.set_owners(work.owner, outcome, view, surplus=False)
    if not isinstance(outcome, AlreadyExists):
        yield _told(work, "Create", name, outcome)
    return isinstance(outcome, KpyError)


def _pod(work: _Work, name: str, number: int, reference: Object) -> Object:
    revision = work.revision_for(number)
    template = history.template_in(revision)
    described, spec = template.get("metadata") or {}, template["spec"]
    labels = {
        **(described.get("labels") or {}),
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": str(number),
        history.HASH_LABEL: revision["metadata"]["name"],
    }
    meta: Object = {"name": name, "namespace": work.owner["metadata"]["namespace"], "labels": labels}
    if described.get("annotations"):
        meta["annotations"] = described["annotations"]
    claimed = [
        {
            "name": claim["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": f"{claim['metadata']['name']}-{name}"},
        }
        for claim in work.spec.get("volumeClaimTemplates") or ()
    ]
    names = {volume["name"] for volume in claimed}
    volumes = [*claimed, *(volume for volume in spec.get("volumes") or () if volume["name"] not in names)]
    own: Object = {"hostname": name}
    if work.spec.get("serviceName"):
        own["subdomain"] = work.spec["serviceName"]
    if volumes:
        own["volumes"] = volumes
    meta["ownerReferences"] = [reference]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**spec, **own}}
