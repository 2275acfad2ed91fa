"""The resource claim controller: a ResourceClaim for each template that a pod names, and no longer than the pod needs it.

`pod_step` runs on pods with `resourceClaims` and is woken by: the pod itself when it comes, gets a node or another status of
its claims; the claims that it owns; claims it may have to be reserved for.
`claim_step` runs on resourceclaims.resource.k8s.io and is woken by: the claim itself; the end of a pod that uses it.
    pod p, claim gpu of template t: ResourceClaim p-gpu-x7k2p, owned by p; resourceClaimStatuses [{gpu, p-gpu-x7k2p}]
Source: k8s.io/kubernetes/pkg/controller/resourceclaim/controller.go, k8s.io/dynamic-resource-allocation/resourceclaim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Create, Delete, Key, Patch, Record
from minikube_py.base.errors import KpyError
from minikube_py.controllers import ownership, retry

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

STEP = "resourceclaim-pods"
COMPONENT = "resource_claim"
CLAIMS = "resourceclaims.resource.k8s.io"
TEMPLATES = "resourceclaimtemplates.resource.k8s.io"
OF_ENTRY = "resource.kubernetes.io/pod-claim-name"
FINALIZER = "resource.kubernetes.io/delete-protection"
BASE_MAX = 57  # of 63 letters of a name: a hyphen and five random ones come after it
CONSUMERS_MAX = 256


# -- pods ----------------------------------------------------------------------------------------------------------------


def pod_step(pod: Object, view: View, clock: Clock) -> Actions:
    """Make the claims that are missing, tell the pod their names; reserve allocated claims for a pod that has a node."""
    entries = pod["spec"].get("resourceClaims") or ()
    if not entries or pods.is_terminating(pod) or pods.is_finished(pod):  # `claim_step` deletes what a finished one had
        return
    key = ownership.key_of("pods", pod)
    waiting = retry.held(STEP, key, pod, view, clock)
    if waiting is not None:
        yield waiting
        return
    statuses: dict[str, Object] = {one["name"]: one for one in _statuses(pod)}
    for entry in entries:
        problem = yield from _make(pod, entry, statuses, view)
        if problem:
            message = f"PodResourceClaim {entry['name']}: {problem}"
            for _ in range(1 + retry.further_tries(STEP, key, view)):
                yield Record(pod, "Warning", "FailedResourceClaimCreation", message, COMPONENT)
            yield from retry.again(STEP, key, pod, view, clock)
            return
    yield from retry.forget(STEP, key, view)
    told = [statuses[entry["name"]] for entry in entries if entry["name"] in statuses]
    if told != _statuses(pod):
        yield Patch(key, {"status": {"resourceClaimStatuses": told}}, "status")
    if pods.node_of(pod):
        yield from _reserve(pod, entries, statuses, view)


def _statuses(pod: Object) -> Objects:
    return list((pod.get("status") or {}).get("resourceClaimStatuses") or ())


def _make(pod: Object, entry: Object, statuses: dict[str, Object], view: View) -> Generator[Action, Outcome, str]:
    """The claim of one entry, noted in `statuses`; what hindered it, or ''."""
    template_name = entry.get("resourceClaimTemplateName")
    if template_name is None:
        return ""
    namespace, name = pod["metadata"]["namespace"], entry["name"]
    if name in statuses:
        known = statuses[name].get("resourceClaimName")
        if known is None:  # it was found that none is needed
            return ""
        claim = view.get(Key(CLAIMS, namespace, known))
        if claim is not None and ownership.is_controlled_by(claim, pod):
            return ""
    claim = _orphan(pod, name, view)
    if claim is None:
        template = view.get(Key(TEMPLATES, namespace, template_name))
        if template is None:
            missing = f'resourceclaimtemplate.resource.k8s.io "{template_name}" not found'
            return f'resource claim template "{template_name}": {missing}'
        outcome = yield Create(_claim(pod, name, template["spec"]))
        if isinstance(outcome, KpyError):
            return f"create ResourceClaim : {outcome}"
        if outcome is None:  # nobody carried it out
            return ""
        claim = outcome
    statuses[name] = {"name": name, "resourceClaimName": claim["metadata"]["name"]}
    return ""


def _orphan(pod: Object, entry: str, view: View) -> Object | None:
    """A claim that was made for this entry and of which the pod was not told."""
    for claim in view.owned(pod["metadata"]["uid"], CLAIMS):
        annotations = claim["metadata"].get("annotations") or {}
        if annotations.get(OF_ENTRY) == entry and ownership.is_controlled_by(claim, pod):
            return claim
    return None


def _claim(pod: Object, entry: str, template: Object) -> Object:
    meta = template.get("metadata") or {}
    made: Object = {
        "generateName": base_name(pod["metadata"]["name"], entry),
        "namespace": pod["metadata"]["namespace"],
        "annotations": {**(meta.get("annotations") or {}), OF_ENTRY: entry},
        "ownerReferences": [ownership.reference_to(pod, "v1", "Pod")],
    }
    if meta.get("labels"):
        made["labels"] = meta["labels"]
    return {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": made, "spec": template["spec"]}


def base_name(pod: str, entry: str) -> str:
    """What the random letters come after: 'p', 'gpu' -> 'p-gpu-'. Where that is longer than 57 letters, both names are cut
    in proportion: 60 and 8 letters (with two hyphens 70) -> 60*57//70 = 48 and 8*57//70 = 6."""
    base = f"{pod}-{entry}-"
    if len(base) <= BASE_MAX:
        return base
    return f"{pod[: len(pod) * BASE_MAX // len(base)]}-{entry[: len(entry) * BASE_MAX // len(base)]}"


def _reserve(pod: Object, entries: Objects, statuses: dict[str, Object], view: View) -> Actions:
    """Somebody other than the scheduler placed the pod: what is allocated and has room is reserved for it."""
    meta = pod["metadata"]
    for entry in entries:
        name = entry.get("resourceClaimName") or statuses.get(entry["name"], {}).get("resourceClaimName")
        key = Key(CLAIMS, meta["namespace"], name or "")
        claim = view.get(key) if name else None
        status = (claim or {}).get("status") or {}
        reserved = status.get("reservedFor") or []
        if not status.get("allocation") or len(reserved) >= CONSUMERS_MAX:
            continue
        if all(one["uid"] != meta["uid"] for one in reserved):
            consumer = {"name": meta["name"], "resource": "pods", "uid": meta["uid"]}
            yield Patch(key, {"status": {"reservedFor": [*reserved, consumer]}}, "status")


# -- claims --------------------------------------------------------------------------------------------------------------


def claim_step(claim: Object, view: View, clock: Clock) -> Actions:
    """Drop reservations for pods that are gone or done; deallocate what nobody uses; delete what was made for a done pod."""
    key = ownership.key_of(CLAIMS, claim)
    status = claim.get("status") or {}
    reserved = status.get("reservedFor") or []
    if any(one.get("apiGroup") or one["resource"] != "pods" for one in reserved):
        return  # the real controller knows no other consumers and gives up
    valid = [one for one in reserved if _uses(view.get(Key("pods", key.namespace, one["name"])), one["uid"])]
    protected = FINALIZER in (claim["metadata"].get("finalizers") or ())
    left, fields = status.get("allocation"), {}
    if len(valid) < len(reserved):
        fields = {"reservedFor": valid or None}
    if protected and left and not valid and (fields or ownership.is_deleting(claim)):
        fields, left = {**fields, "allocation": None}, None
    if fields:
        yield Patch(key, {"status": fields}, "status")
    if protected and not valid and not left and (fields or ownership.is_deleting(claim)):
        others = [one for one in claim["metadata"]["finalizers"] if one != FINALIZER]
        yield Patch(key, {"metadata": {"finalizers": others or None}})
    if not valid and not ownership.is_deleting(claim) and _made_for_nobody(claim, view):
        yield Delete(key)


def _uses(pod: Object | None, uid: str) -> bool:
    return pod is not None and pod["metadata"]["uid"] == uid and not _is_done(pod)


def _is_done(pod: Object) -> bool:
    """None of its containers runs or ever will."""
    return pods.is_finished(pod) or (pods.is_terminating(pod) and not pods.node_of(pod))


def _made_for_nobody(claim: Object, view: View) -> bool:
    """Whether it was made for a pod that is done or was replaced. One that is gone is the garbage collector's affair."""
    owner = ownership.controller_of(claim)
    if owner is None or owner["kind"] != "Pod" or owner["apiVersion"] != "v1":
        return False
    pod = view.get(Key("pods", claim["metadata"]["namespace"], owner["name"]))
    return pod is not None and not _uses(pod, owner["uid"])
