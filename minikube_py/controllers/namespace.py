"""The namespace controller: empties a namespace that is being deleted, then lets it go.

`step` runs on namespaces and is woken by: the namespace itself; the deletion of an object in a namespace that is being
deleted. Its wake: the next pass.

The first pass comes 5 s after the deletion. A pass deletes all pods; only when no pod is left it deletes everything else,
Events last; then it writes the conditions, and when nothing is left it drops the finalizer `kubernetes`. With something
left the next pass comes 5 s after a change of the conditions, else after half of what the rest is expected to need, plus 1 s;
after a failure it comes sooner and then ever later. Pods that should be gone by now, by their grace periods, are a failure.
Source: k8s.io/kubernetes/pkg/controller/namespace/deletion/namespaced_resources_deleter.go, status_condition_utils.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Delete, Key, Patch, Remember, Wake
from minikube_py.base.clock import seconds
from minikube_py.base.errors import KpyError, NotFound
from minikube_py.controllers import kinds_of, retry
from minikube_py.controllers.ownership import is_deleting, key_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

STEP = "namespace"
FINALIZER = "kubernetes"
GRACE_S = 5  # between the deletion and the first pass, and after each change (namespaceDeletionGracePeriod)
FAILURE_S_MAX = 60  # the longest wait for a retry
HELD_S = 15  # what content with a finalizer is expected to need
_NOT_KEPT = ("bindings", "localsubjectaccessreviews.authorization.k8s.io")  # resources without objects


def step(namespace: Object, view: View, clock: Clock) -> Actions:
    if not is_deleting(namespace):
        return
    key = key_of("namespaces", namespace)
    first_s = seconds(namespace["metadata"]["deletionTimestamp"]) + GRACE_S
    due_s = view.memory(STEP, key).get("due", first_s)
    left = _left(key.name, view)
    if clock.now_s < due_s and left:
        yield Wake(due_s)
        return
    if clock.now_s < first_s:
        yield Wake(first_s)
        return

    failures = yield from _pass(key.name, left, view)
    left = _left(key.name, view)
    waits_for_pods = "pods" in left
    if waits_for_pods and _are_overdue(left["pods"], clock.now_s - first_s + GRACE_S):
        failures.append(f"unexpected items still remain in namespace: {key.name} for gvr: /v1, Resource=pods")
    changed = yield from _write_conditions(namespace, key, {} if waits_for_pods else left, failures, clock)
    if failures:
        count = view.memory(STEP, key).get("failures", 0) + 1
        next_s = clock.now_s + min(FAILURE_S_MAX, retry.delay_s(count))
        yield Remember({"due": next_s, "failures": count})
        yield Wake(next_s)
        return
    if left:
        next_s = clock.now_s + (GRACE_S if changed else _expected_s(left) // 2 + 1)
        yield Remember({"due": next_s})
        yield Wake(next_s)
        return
    others = [name for name in (namespace.get("spec") or {}).get("finalizers") or () if name != FINALIZER]
    yield Patch(key, {"spec": {"finalizers": others or None}}, "finalize")


def _left(namespace: str, view: View) -> dict[str, Objects]:
    """What is in the namespace: resource -> objects, Events last, resources without objects left out."""
    resources = [name for name in kinds_of.namespaced_resources(view) if name not in (*_NOT_KEPT, "events")]
    found = {resource: view.list(resource, namespace) for resource in [*resources, "events"]}
    return {resource: objects for resource, objects in found.items() if objects}


def _pass(namespace: str, left: dict[str, Objects], view: View) -> Generator[Action, Outcome, list[str]]:
    """Delete the pods; if that empties the namespace of pods, all the rest. Returns the texts of refusals."""
    failures: list[str] = []
    yield from _delete("pods", left.get("pods", []), failures)
    if view.list("pods", namespace):
        return failures
    for resource, objects in left.items():
        if resource != "pods":
            yield from _delete(resource, objects, failures)
    return failures


def _delete(resource: str, objects: Objects, failures: list[str]) -> Actions:
    for obj in objects:
        if not is_deleting(obj):
            outcome = yield Delete(key_of(resource, obj), propagation="Background")
            if isinstance(outcome, KpyError) and not isinstance(outcome, NotFound):
                failures.append(str(outcome))


def _are_overdue(pods: Objects, passed_s: int) -> bool:
    """Whether the longest grace period is over and no finalizer tells why a pod is still there (estimateGracefulTermination).

    Grace periods of 1 s, first pass after 5 s: overdue. Of 30 s: expected.
    """
    longest = max(pod["spec"].get("terminationGracePeriodSeconds", 30) for pod in pods)
    return passed_s >= longest and not any(pod["metadata"].get("finalizers") for pod in pods)


def _expected_s(left: dict[str, Objects]) -> int:
    """Seconds that the rest is expected to need: the longest grace period of a pod, 15 s for what a finalizer holds."""
    graces = [pod["spec"].get("terminationGracePeriodSeconds", 30) for pod in left.get("pods", ())]
    held = [HELD_S for objects in left.values() for obj in objects if obj["metadata"].get("finalizers")]
    return int(max([*graces, *held], default=HELD_S))


# --- conditions --------------------------------------------------------------------------------------------------------


def _write_conditions(
    namespace: Object, key: Key, left: dict[str, Objects], failures: list[str], clock: Clock
) -> Generator[Action, Outcome, bool]:
    """Write the five conditions; a condition whose status stays keeps its time. Returns whether anything changed."""
    status = namespace.get("status") or {}
    old = {one["type"]: one for one in status.get("conditions") or ()}
    new = dict(old)
    for name, value, reason, message in _conditions(left, failures):
        before = old.get(name, {})
        if (before.get("status"), before.get("reason"), before.get("message")) != (value, reason, message):
            kept = before.get("lastTransitionTime") if before.get("status") == value else None
            new[name] = {
                "type": name,
                "status": value,
                "lastTransitionTime": kept or clock.timestamp,
                "reason": reason,
                "message": message,
            }
    fields: Object = {} if new == old else {"conditions": list(new.values())}
    if status.get("phase") != "Terminating":
        fields["phase"] = "Terminating"
    if fields:
        yield Patch(key, {"status": fields}, "status")
    return bool(fields)


def _conditions(left: dict[str, Objects], failures: list[str]) -> list[tuple[str, str, str, str]]:
    """(type, status, reason, message) of the conditions, in their order."""
    remaining = ", ".join(
        f"{resource if '.' in resource else resource + '.'} has {len(objects)} resource instances"
        for resource, objects in sorted(left.items())
    )
    counts: dict[str, int] = {}
    for objects in left.values():
        for obj in objects:
            for finalizer in obj["metadata"].get("finalizers") or ():
                counts[finalizer] = counts.get(finalizer, 0) + 1
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(counts.items()))
    failed = "Failed to delete all resource types, {} remaining: {}".format(len(failures), ", ".join(failures))
    return [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        ("NamespaceDeletionContentFailure", "True", "ContentDeletionFailed", failed)
        if failures
        else (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {remaining}")
        if remaining
        else ("NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"),
        (
            "NamespaceFinalizersRemaining",
            "True",
            "SomeFinalizersRemain",
            f"Some content in the namespace has finalizers remaining: {held}",
        )
        if held
        else (
            "NamespaceFinalizersRemaining",
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    ]
