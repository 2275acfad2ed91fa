"""The ReplicaSet controller: as many pods as `spec.replicas` says, and the ReplicationController, which is the same thing.

`step` runs on replicasets.apps and is woken by: the ReplicaSet itself; pods that it controls; pods without a controller
that its selector matches; pods that stopped matching. `replication_controller_step` runs on replicationcontrollers
likewise. Its wake: when the next ready pod becomes available (minReadySeconds), or a retry after a refused write.

    3 replicas wanted, 1 active pod  -> create 2
    3 replicas wanted, 5 active pods -> delete the 2 that come first in the order of `deletion_order`

The status is that of the pods as the sync found them: the pods it created count in the next sync.
Source: k8s.io/kubernetes/pkg/controller/replicaset/replica_set.go, replica_set_utils.go, pkg/controller/controller_utils.go.
"""

from __future__ import annotations

from functools import cmp_to_key
from math import log2
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.api.types import Create, Delete, Patch, Record, Wake
from minikube_py.base import patch, selector
from minikube_py.base.clock import seconds
from minikube_py.base.errors import KpyError, NotFound
from minikube_py.controllers import conditions, ownership, retry

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

BURST = 500  # pods created or deleted in one sync (BurstReplicas)
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class Flavour(NamedTuple):
    """What tells a ReplicaSet from a ReplicationController."""

    step: str
    resource: str
    api_version: str
    kind: str
    component: str
    counts_terminating: bool


REPLICA_SET = Flavour("replicaset", "replicasets.apps", "apps/v1", "ReplicaSet", "replicaset-controller", True)
REPLICATION_CONTROLLER = Flavour(
    "replicationcontroller", "replicationcontrollers", "v1", "ReplicationController", "replication-controller", False
)


def step(rs: Object, view: View, clock: Clock) -> Actions:
    """One sync of a ReplicaSet."""
    wanted = rs["spec"].get("selector") or {}
    labels = wanted.get("matchLabels")
    yield from _sync(rs, selector.from_label_selector(wanted), labels, REPLICA_SET, view, clock)


def replication_controller_step(rc: Object, view: View, clock: Clock) -> Actions:
    """One sync of a ReplicationController: its selector is a plain map."""
    labels = rc["spec"].get("selector") or {}
    if labels:
        yield from _sync(rc, selector.from_map(labels), labels, REPLICATION_CONTROLLER, view, clock)


def _sync(
    rs: Object, chosen: selector.Selector, labels: dict[str, str] | None, flavour: Flavour, view: View, clock: Clock
) -> Actions:
    key = ownership.key_of(flavour.resource, rs)
    found = ownership.candidates(rs, labels, view)
    reference = ownership.reference_to(rs, flavour.api_version, flavour.kind)
    active = [pod for pod in found if pods.is_active(pod)]
    inactive = [pod for pod in found if not pods.is_active(pod)] if len(active) < len(found) else []
    active = yield from ownership.claim(rs, reference, active, chosen, "pods")

    failure: KpyError | None = None
    held = retry.held(flavour.step, key, rs, view, clock) if len(active) < rs["spec"].get("replicas", 1) else None
    if not ownership.is_deleting(rs) and held is None:
        failure = yield from _manage(rs, active, reference, flavour, view, clock)
        if failure is not None and len(active) < rs["spec"].get("replicas", 1):
            failure = yield from _create_after_all(
                rs, failure, reference, flavour, retry.further_tries(flavour.step, key, view)
            )

    terminating = sum(_is_terminating(pod, rs, chosen) for pod in inactive) if flavour.counts_terminating else None
    status = _status(rs, active, terminating, failure, held is not None, clock)
    fields = patch.diff(rs.get("status") or {}, status)
    if fields:
        yield Patch(key, {"status": fields}, "status")

    yield from retry.after(flavour.step, key, rs, view, clock, waiting=held, refused=failure is not None)
    yield from _wake_for_availability(rs, active, clock)


def _is_terminating(pod: Object, rs: Object, chosen: selector.Selector) -> bool:
    return (
        pods.is_terminating(pod)
        and not pods.is_finished(pod)
        and ownership.is_controlled_by(pod, rs)
        and chosen.matches(pod["metadata"].get("labels") or {})
    )


# --- pods: create and delete -------------------------------------------------------------------------------------------


def _manage(
    rs: Object, active: Objects, reference: Object, flavour: Flavour, view: View, clock: Clock
) -> Generator[Action, Outcome, KpyError | None]:
    """Create or delete what is missing or too many, at most BURST. Returns the first refusal, None if all went well."""
    surplus = len(active) - rs["spec"].get("replicas", 1)
    if surplus < 0:
        return (yield from _create(rs, min(-surplus, BURST), reference, flavour))
    if surplus > 0:
        return (yield from _delete(rs, active, min(surplus, BURST), flavour, view, clock))
    return None


def _create(rs: Object, count: int, reference: Object, flavour: Flavour) -> Generator[Action, Outcome, KpyError | None]:
    """Create `count` pods in batches of 1, 2, 4, ...; a batch with a refusal is the last one.

    So an exhausted quota costs one refused request when it is hit at the first pod, not `count` of them.
    """
    pod = pod_of(rs, reference)
    batch, failure = 1, None
    while count and failure is None:
        batch = min(batch, count)
        for _ in range(batch):
            outcome = yield Create(pod)
            if retry.namespace_goes(outcome):
                return None
            if isinstance(outcome, KpyError):
                failure = failure or outcome
                yield Record(rs, "Warning", "FailedCreate", f"Error creating: {outcome}", flavour.component)
            else:
                name = outcome["metadata"]["name"] if outcome else pod["metadata"]["generateName"]
                yield Record(rs, "Normal", "SuccessfulCreate", f"Created pod: {name}", flavour.component)
        count -= batch
        batch *= 2
    return failure


def _create_after_all(
    rs: Object, failure: KpyError, reference: Object, flavour: Flavour, tries: int
) -> Generator[Action, Outcome, KpyError | None]:
    """The next tries after a refusal, each with a single pod. Returns the last refusal, None if a pod was made."""
    last: KpyError | None = failure
    for _ in range(tries):
        last = yield from _create(rs, 1, reference, flavour)
        if last is None:
            break
    return last


def pod_of(rs: Object, reference: Object) -> Object:
    """The pod that the template of `rs` describes (controller.GetPodFromTemplate); all pods of a sync share this object."""
    template = rs["spec"]["template"]
    described = template.get("metadata") or {}
    meta: Object = {"generateName": f"{rs['metadata']['name']}-", "namespace": rs["metadata"]["namespace"]}
    for field in ("labels", "annotations", "finalizers"):
        if described.get(field):
            meta[field] = described[field]
    meta["ownerReferences"] = [reference]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template.get("spec") or {}}


def _delete(
    rs: Object, active: Objects, count: int, flavour: Flavour, view: View, clock: Clock
) -> Generator[Action, Outcome, KpyError | None]:
    failure: KpyError | None = None
    doomed = active
    if count < len(active):
        doomed = deletion_order(active, _crowding(rs, flavour, view), clock.now_s)[:count]
    for pod in doomed:
        outcome = yield Delete(ownership.key_of("pods", pod), uid=pod["metadata"].get("uid", ""))
        if isinstance(outcome, NotFound):
            continue
        if isinstance(outcome, KpyError):
            failure = failure or outcome
            yield Record(rs, "Warning", "FailedDelete", f"Error deleting: {outcome}", flavour.component)
        else:
            yield Record(rs, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", flavour.component)
    return failure


# --- which pods go first -----------------------------------------------------------------------------------------------


def _crowding(rs: Object, flavour: Flavour, view: View) -> dict[str, int]:
    """Node -> active pods on it of all ReplicaSets with the same controller; without a controller nothing counts.

    So a Deployment that is scaled down takes the old ReplicaSet's pod from the node where the new one already runs.
    """
    owner = ownership.controller_of(rs)
    if owner is None:
        return {}
    counts: dict[str, int] = {}
    for sibling in view.owned(owner["uid"], flavour.resource):
        for pod in view.owned(sibling["metadata"]["uid"], "pods"):
            if pods.is_active(pod):
                node = pods.node_of(pod)
                counts[node] = counts.get(node, 0) + 1
    return counts


def deletion_order(active: Objects, crowding: dict[str, int], now_s: int) -> Objects:
    """The pods in the order in which they would be deleted (controller.ActivePodsWithRanks).

    Unassigned before assigned; Pending before Unknown before Running; not ready before ready; low deletion cost first;
    crowded nodes first; ready for a shorter time first; more restarts first; younger first. Ages are compared by their
    power of two, so that pods of about the same age are picked by chance, that is by uid.
    """
    ranked = [(_rank(pod, crowding), pod) for pod in active]

    def compare(one: tuple[_Rank, Object], other: tuple[_Rank, Object]) -> int:
        return _compare(one[0], other[0], now_s)

    return [pod for _, pod in sorted(ranked, key=cmp_to_key(compare))]


class _Rank(NamedTuple):
    """What decides about a pod: `first` is compared as it is, the times by their power of two."""

    first: tuple[int, ...]
    ready_s: int | None
    restarts: tuple[int, int]
    created_s: int
    uid: str


def _rank(pod: Object, crowding: dict[str, int]) -> _Rank:
    meta, status = pod["metadata"], pod.get("status") or {}
    node, ready = pods.node_of(pod), pods.condition(pod, "Ready")
    is_ready = ready is not None and ready.get("status") == "True"
    first = (
        1 if node else 0,
        _PHASES.get(status.get("phase", ""), 0),
        1 if is_ready else 0,
        _cost(meta.get("annotations") or {}),
        -crowding.get(node, 0),
    )
    ready_s = seconds(ready["lastTransitionTime"]) if ready is not None and is_ready else None
    regular = max((one.get("restartCount", 0) for one in status.get("containerStatuses") or ()), default=0)
    created_s = seconds(meta["creationTimestamp"]) if "creationTimestamp" in meta else 0
    return _Rank(first, ready_s, (-regular, -_sidecar_restarts(pod)), created_s, meta.get("uid", meta["name"]))


def _sidecar_restarts(pod: Object) -> int:
    sidecars = {one["name"] for one in pod["spec"].get("initContainers") or () if one.get("restartPolicy") == "Always"}
    statuses = (pod.get("status") or {}).get("initContainerStatuses") or ()
    return max((one.get("restartCount", 0) for one in statuses if one["name"] in sidecars), default=0)


def _cost(annotations: dict[str, str]) -> int:
    """The deletion cost; 0 if there is none or it is not a 32-bit number."""
    try:
        return int(annotations.get(DELETION_COST, 0))
    except ValueError:
        return 0


def _compare(one: _Rank, other: _Rank, now_s: int) -> int:
    """Negative if `one` is deleted before `other`."""
    if one.first != other.first:
        return -1 if one.first < other.first else 1
    if one.ready_s is not None and other.ready_s is not None and one.ready_s != other.ready_s:
        return _by_age(one.ready_s, other.ready_s, one.uid, other.uid, now_s)
    if one.restarts != other.restarts:
        return -1 if one.restarts < other.restarts else 1
    if one.created_s != other.created_s:
        return _by_age(one.created_s, other.created_s, one.uid, other.uid, now_s)
    return _sign(one.uid, other.uid)


def _by_age(since_s: int, other_since_s: int, uid: str, other_uid: str, now_s: int) -> int:
    """Younger first by the power of two of the age in nanoseconds, else by uid.

    log2(70e9) = 36.0 and log2(130e9) = 36.9 are one bucket; log2(140e9) = 37.03 is the next.
    """
    age, other_age = _bucket(now_s - since_s), _bucket(now_s - other_since_s)
    return age - other_age if age != other_age else _sign(uid, other_uid)


def _bucket(age_s: int) -> int:
    return int(log2(age_s * 1_000_000_000)) if age_s > 0 else -1


def _sign(one: str, other: str) -> int:
    return (one > other) - (one < other)


# --- status ------------------------------------------------------------------------------------------------------------


def _status(
    rs: Object, active: Objects, terminating: int | None, failure: KpyError | None, held: bool, clock: Clock
) -> Object:
    """The status as the API serves it: counts of zero are left out, except `replicas` and `terminatingReplicas`."""
    old, spec = rs.get("status") or {}, rs["spec"]
    min_ready_s = spec.get("minReadySeconds", 0)
    template_labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    labelled = 0
    fitting: dict[int, None] = {}
    for pod in active:
        labels = pod["metadata"].get("labels") or {}
        if id(labels) in fitting or template_labels.items() <= labels.items():
            fitting[id(labels)] = None  # most pods share their labels
            labelled += 1
    ready = [one for pod in active if (one := pods.condition(pod, "Ready")) and one.get("status") == "True"]
    until_s = clock.now_s - min_ready_s
    available = len(ready)
    if min_ready_s:
        available = sum(1 for one in ready if seconds(one["lastTransitionTime"]) <= until_s)
    counts = {"fullyLabeledReplicas": labelled, "readyReplicas": len(ready), "availableReplicas": available}
    new: Object = {"replicas": len(active), **{name: count for name, count in counts.items() if count}}
    if terminating is not None:
        new["terminatingReplicas"] = terminating
    new["observedGeneration"] = rs["metadata"].get("generation", 0)
    found: Objects = old.get("conditions") or []
    if not held:
        found = _conditions(found, len(active) - spec.get("replicas", 1), failure, clock)
    if found:
        new["conditions"] = found
    return new


def _conditions(old: Objects, surplus: int, failure: KpyError | None, clock: Clock) -> Objects:
    """ReplicaFailure stands with the text of the first refusal until a sync goes well."""
    if failure is None:
        return conditions.without(old, "ReplicaFailure")
    if any(one["type"] == "ReplicaFailure" for one in old):
        return old
    reason = "FailedCreate" if surplus < 0 else "FailedDelete"
    new = {
        "type": "ReplicaFailure",
        "status": "True",
        "lastTransitionTime": clock.timestamp,
        "reason": reason,
        "message": str(failure),
    }
    return conditions.put(old, new)


def _wake_for_availability(rs: Object, active: Objects, clock: Clock) -> Iterator[Wake]:
    """Look again when the next ready pod has been ready for minReadySeconds.

    minReadySeconds 10, pods ready since second 3 and second 5, now second 7: wake at second 13.
    """
    min_ready_s = rs["spec"].get("minReadySeconds", 0)
    if not min_ready_s:
        return
    due = [
        seconds(ready["lastTransitionTime"]) + min_ready_s
        for pod in active
        if (ready := pods.condition(pod, "Ready")) is not None and ready.get("status") == "True"
    ]
    later = [at_s for at_s in due if at_s > clock.now_s]
    if later:
        yield Wake(min(later))
