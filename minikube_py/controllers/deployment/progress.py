"""The conditions Progressing and ReplicaFailure, and the deadline after which a rollout that stands still has failed.

Source: k8s.io/kubernetes/pkg/controller/deployment/progress.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Wake
from minikube_py.base.clock import seconds
from minikube_py.controllers import conditions
from minikube_py.controllers.deployment import sizes, sync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Actions, Object, Objects

COMPLETE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
DEFAULT_DEADLINE_S = 600
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"


def write(work: sync.Work, sets: sync.Sets) -> Actions:
    """Write the status of a rollout, and wake when its deadline may have passed."""
    status = sync.counted_status(work, sets)
    found = _progressing(work, sets, status)
    found = _replica_failure(found, sets)
    status = {**status, "conditions": found}
    yield from sync.write_status(work, status)
    yield from _wake_at_deadline(work, status)


def is_complete(deployment: Object, status: Object) -> bool:
    """All pods are of the new template and available, and no others are left."""
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return False
    counters = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(counter, 0) == sizes.replicas(deployment) for counter in counters)


def _has_progressed(old: Object, new: Object) -> bool:
    """More pods updated, ready or available than in the last status, or fewer old ones."""

    def count(status: Object, name: str) -> int:
        found = status.get(name, 0)
        return int(found)

    old_left = count(old, "replicas") - count(old, "updatedReplicas")
    new_left = count(new, "replicas") - count(new, "updatedReplicas")
    return (
        count(new, "updatedReplicas") > count(old, "updatedReplicas")
        or new_left < old_left
        or count(new, "readyReplicas") > count(old, "readyReplicas")
        or count(new, "availableReplicas") > count(old, "availableReplicas")
    )


def has_timed_out(deployment: Object, status: Object, now_s: int) -> bool:
    """No progress for longer than the deadline: since second 100 with a deadline of 10 s, this holds from 111 on."""
    current = conditions.get(status, "Progressing")
    if current is None or current["reason"] == COMPLETE:
        return False
    if current["reason"] == TIMED_OUT:
        return True
    deadline_s = deployment["spec"]["progressDeadlineSeconds"]
    return seconds(current["lastUpdateTime"]) + int(deadline_s) < now_s


def _progressing(work: sync.Work, sets: sync.Sets, status: Object) -> Objects:
    """The conditions with Progressing as it is now."""
    deployment = work.deployment
    found: Objects = status["conditions"]
    if not sync.has_deadline(deployment):
        return conditions.without(found, "Progressing")
    current = conditions.get(deployment.get("status") or {}, "Progressing")
    is_old = current is not None and current["reason"] == COMPLETE
    if is_old and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return found  # complete before: scaling and restarts of pods are no rollout
    what = f'Deployment "{work.key.name}"'
    if sets.new is not None:
        what = f'ReplicaSet "{sets.new["metadata"]["name"]}"'
    if is_complete(deployment, status):
        text = f"{what} has successfully progressed."
        return conditions.put(found, sync.condition("Progressing", "True", COMPLETE, text, work.clock))
    if _has_progressed(deployment.get("status") or {}, status):
        text = f"{what} is progressing."
        new = sync.condition("Progressing", "True", "ReplicaSetUpdated", text, work.clock)
        if current is not None and current["status"] == "True":
            new["lastTransitionTime"] = current["lastTransitionTime"]
        return [*conditions.without(found, "Progressing"), new]  # its lastUpdateTime moves each time
    if has_timed_out(deployment, status, work.clock.now_s):
        text = f"{what} has timed out progressing."
        return conditions.put(found, sync.condition("Progressing", "False", TIMED_OUT, text, work.clock))
    return found


def _replica_failure(found: Objects, sets: sync.Sets) -> Objects:
    """The failure of the new ReplicaSet, or else of the first old one that has one, shown on the Deployment."""
    newest_first = sets.old if sets.new is None else [sets.new, *sets.old]
    for rs in newest_first:
        failure = conditions.get(rs.get("status") or {}, "ReplicaFailure")
        if failure is not None:
            return conditions.put(found, {**failure, "lastUpdateTime": failure["lastTransitionTime"]})
    return conditions.without(found, "ReplicaFailure")


def _wake_at_deadline(work: sync.Work, status: Object) -> Iterator[Wake]:
    """One second past the deadline, as the real one waits, unless the rollout is over one way or the other.

    A deadline of the default ten minutes or more does not keep a cluster from being settled: a rollout that hangs on pods
    that will never be ready is no news for that long. A shorter one was set in order to be met.
    """
    current = conditions.get(status, "Progressing")
    if not sync.has_deadline(work.deployment) or current is None:
        return
    if current["reason"] == TIMED_OUT or is_complete(work.deployment, status):
        return
    if current["reason"] == COMPLETE:
        return  # complete once; pods that come and go are no rollout
    deadline_s = int(work.deployment["spec"]["progressDeadlineSeconds"])
    due_s = seconds(current["lastUpdateTime"]) + deadline_s + 1
    yield Wake(max(due_s, work.clock.now_s + 1), background=deadline_s >= DEFAULT_DEADLINE_S)


def note_pause(work: sync.Work) -> Actions:
    """Progressing is Unknown while paused, so that the deadline does not run."""
    current = conditions.get(work.deployment.get("status") or {}, "Progressing")
    reason = current["reason"] if current is not None else ""
    if not sync.has_deadline(work.deployment) or reason == TIMED_OUT:
        return
    paused = bool(work.deployment["spec"].get("paused"))
    if paused and reason != PAUSED:
        yield from sync.put_condition(work, "Progressing", "Unknown", PAUSED, "Deployment is paused")
    elif not paused and reason == PAUSED:
        yield from sync.put_condition(work, "Progressing", "Unknown", RESUMED, "Deployment is resumed")
