"""The Job controller: pods that run to completion, as many at a time and as many in all as the Job says.

`step` runs on jobs.batch and is woken by: the Job itself; its pods. Its wakes: a second after a pod finished, the end of a
back-off, the deadline. `release` runs on pods and is woken by: pods that carry the finalizer; the deletion of their Job.

Pods carry a finalizer until the Job's status has counted them, so that none is counted twice or missed. A sync
    1. makes or deletes pods,
    2. writes down the finished ones by uid (uncountedTerminatedPods),
    3. takes their finalizers away,
    4. writes their number instead of their uids.
Finished pods are seen a second late, as the real controller gathers the news of a second.

    completions 5, parallelism 2: waves of 2, 2 and 1
    backoffLimit 2, all fail: pods at 0 s, 10 s after the first failure, 20 s after the second; the third is one too many
Source: k8s.io/kubernetes/pkg/controller/job/job_controller.go, backoff_utils.go, indexed_job_utils.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.api.types import Create, Delete, Key, Patch, Record, Wake
from minikube_py.base import patch
from minikube_py.base.clock import seconds
from minikube_py.base.errors import KpyError, NotFound
from minikube_py.controllers import conditions, job_policy, ownership, retry
from minikube_py.controllers.job_indexes import indexed, missing, parsed, text_of
from minikube_py.controllers.job_pods import TRACKING, created_s, finished_s, is_tracked, new_pod
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

STEP, RESOURCE, COMPONENT = "job", "jobs.batch", "job-controller"
OURSELVES = "kubernetes.io/job-controller"
NEWS_S = 1  # SyncJobBatchPeriod
BACKOFF_S, BACKOFF_S_MAX = 10, 600
BURST = 500


def step(job: Object, view: View, clock: Clock) -> Actions:
    if is_deleting(job) or job["spec"].get("managedBy", OURSELVES) != OURSELVES:
        return
    work = _Work(job, view, clock)
    if is_finished(job):
        yield from _drop_finalizers(work.mine)
        return
    yield from _sync(work, view)


def is_finished(job: Object) -> bool:
    return any(
        (found := conditions.get(job.get("status") or {}, name)) is not None and found["status"] == "True"
        for name in ("Complete", "Failed")
    )


def release(pod: Object, view: View, clock: Clock) -> Actions:
    """A pod whose Job is gone is nobody's to count."""
    if TRACKING not in (pod["metadata"].get("finalizers") or ()):
        return
    owner = ownership.controller_of(pod)
    if owner is not None:
        job = view.get(Key(RESOURCE, pod["metadata"]["namespace"], owner["name"]))
        if job is not None and job["metadata"]["uid"] == owner["uid"] and not is_deleting(job):
            return
    yield from _drop_finalizers([pod])


class _Work:
    """One sync: the Job, its pods sorted out, and what has been counted before."""

    __slots__ = (
        "active", "clock", "failed", "failed_indexes", "job", "key", "last_failed", "mine", "news_s", "old", "spec",
        "succeeded", "terminating",
    )  # fmt: skip

    def __init__(self, job: Object, view: View, clock: Clock) -> None:
        self.job, self.spec, self.clock = job, job["spec"], clock
        self.key, self.old = ownership.key_of(RESOURCE, job), job.get("status") or {}
        self.mine = [pod for pod in view.owned(job["metadata"]["uid"], "pods") if ownership.is_controlled_by(pod, job)]
        late = [pod for pod in self.mine if pods.is_finished(pod) and finished_s(pod) + NEWS_S > clock.now_s]
        unseen = {pod["metadata"]["uid"] for pod in late}
        self.news_s = min((finished_s(pod) + NEWS_S for pod in late), default=0)
        seen = [pod for pod in self.mine if pod["metadata"]["uid"] not in unseen]
        self.active = [pod for pod in self.mine if pod["metadata"]["uid"] in unseen or pods.is_active(pod)]
        self.terminating = [pod for pod in seen if is_deleting(pod) and not pods.is_finished(pod)]
        self.succeeded = [pod for pod in seen if (pod.get("status") or {}).get("phase") == "Succeeded"]
        self.failed = [pod for pod in seen if (pod.get("status") or {}).get("phase") == "Failed"]
        if not self.replaces_failed_only:
            self.failed += self.terminating
        self.failed_indexes: list[int] | None = None
        self.last_failed: dict[int, Object] = {}
        if self.spec.get("backoffLimitPerIndex") is not None:
            tracked = [pod for pod in self.failed if is_tracked(pod)]
            self.failed_indexes = job_policy.failed_indexes(self.spec, self.old.get("failedIndexes", ""), tracked)
            born = {index: created_s(pod) + NEWS_S for pod in self.active if (index := indexed(pod)) is not None}
            working = {index for index, known_s in born.items() if known_s <= clock.now_s}
            self.last_failed = job_policy.last_failed(tracked, {*self.failed_indexes, *self.done_indexes(), *working})
            soon = [born[index] for index in self.last_failed if index in born]
            self.news_s = min(filter(None, (self.news_s, *soon)), default=0)

    @property
    def replaces_failed_only(self) -> bool:
        """A terminating pod is waited for, not counted as failed: podReplacementPolicy Failed, the only one with a
        podFailurePolicy."""
        default = "Failed" if self.spec.get("podFailurePolicy") else "TerminatingOrFailed"
        return bool(self.spec.get("podReplacementPolicy", default) == "Failed")

    @property
    def is_indexed(self) -> bool:
        return bool(self.spec.get("completionMode") == "Indexed")

    @property
    def completions(self) -> int | None:
        return self.spec.get("completions")  # type: ignore[no-any-return]

    @property
    def parallelism(self) -> int:
        return int(self.spec.get("parallelism", 1))

    def uncounted(self, found: Objects, name: str) -> list[str]:
        """The uids written down before, and those of finished pods that still carry the finalizer."""
        known = [*((self.old.get("uncountedTerminatedPods") or {}).get(name) or ())]
        held = [pod["metadata"]["uid"] for pod in found if is_tracked(pod)]
        return [*known, *(uid for uid in held if uid not in known)]

    def countable_failed(self, *, ending: bool) -> Objects:
        """Failed pods whose finalizer may go now: not the last of an index that waits for its next try, but at the end."""
        waiting = set() if ending else {pod["metadata"]["uid"] for pod in self.last_failed.values()}
        return [pod for pod in self.failed if pod["metadata"]["uid"] not in waiting]

    def counted_failed(self, found: Objects) -> Objects:
        """Those that the failure policy does not ignore."""
        return [pod for pod in found if job_policy.verdict(self.spec, pod).counts]

    def done_indexes(self) -> list[int]:
        before = parsed(self.old.get("completedIndexes", ""))
        return sorted({*before, *(index for pod in self.succeeded if (index := indexed(pod)) is not None)})

    def count(self, name: str, uids: list[str]) -> int:
        """How many succeeded or failed so far; of an indexed Job, how many indexes succeeded."""
        if name == "succeeded" and self.is_indexed:
            return len(self.done_indexes())
        return int(self.old.get(name, 0)) + len(uids)


def _sync(work: _Work, view: View) -> Actions:
    succeeded = [] if work.is_indexed else work.uncounted(work.succeeded, "succeeded")
    failed = work.uncounted(work.counted_failed(work.failed), "failed")
    counts = {"succeeded": work.count("succeeded", succeeded), "failed": work.count("failed", failed)}
    found: Objects = work.old.get("conditions") or []
    start = work.old.get("startTime")
    suspended = bool(work.spec.get("suspend"))
    if not suspended and start is None:
        start = work.clock.timestamp

    target = _target(work, found, counts, start)
    change = _Change(len(work.active), [], False, 0)
    held = retry.held(STEP, work.key, work.job, view, work.clock)
    countable = work.countable_failed(ending=target is not None)
    failed = work.uncounted(work.counted_failed(countable), "failed")
    released = [*work.succeeded, *countable]
    if target is not None:
        found = conditions.put(found, target)
        gone = yield from _delete(work, work.active)
        change = _Change(len(work.active) - len(gone), gone, False, 0)
        released += gone
        if target["type"] == "FailureTarget":  # pods that a failed Job stops have failed
            failed += [pod["metadata"]["uid"] for pod in gone]
    elif suspended:
        gone = yield from _release_and_delete(work, work.active)
        change, start = _Change(len(work.active) - len(gone), gone, False, 0), None
    else:
        change = yield from _manage(work, counts, held=held is not None)
    counts["failed"] = work.count("failed", failed)
    found, told = _suspension(work, found, suspended)

    status = _status(work, change, found, start)
    written = {"succeeded": succeeded, "failed": failed}
    status["uncountedTerminatedPods"] = {name: uids for name, uids in written.items() if uids}
    yield from _write(work, status)
    if told is not None:
        yield told
    yield from _drop_finalizers(released)
    status = {**status, "uncountedTerminatedPods": {}, **{name: count for name, count in counts.items() if count}}
    if target is not None and not status.get("active") and not status["terminating"]:
        if work.old.get("uncountedTerminatedPods"):
            last = _finish(work, target)
            status = {**status, **last}
            yield from _write(work, status)
        else:
            yield from _write(work, status)
            yield from _write(work, {**status, **_finish(work, target)})
        yield _news(work, target)
    else:
        yield from _write(work, status)
    wakes = [at_s for at_s in (work.news_s, change.due_s, *_deadline(work, start, target)) if at_s]
    yield from retry.after(STEP, work.key, work.job, view, work.clock, waiting=held, refused=change.refused)
    if wakes:
        yield Wake(min(wakes))


class _Change(NamedTuple):
    """What a sync did to pods: how many are active then, which are going, whether a write was refused, and when a
    back-off ends (0: none)."""

    active: int
    gone: Objects
    refused: bool
    due_s: int


def _deadline(work: _Work, start: str | None, target: Object | None) -> list[int]:
    limit = work.spec.get("activeDeadlineSeconds")
    return [seconds(start) + int(limit)] if limit is not None and start is not None and target is None else []


# --- how it ends -------------------------------------------------------------------------------------------------------


def _target(work: _Work, found: Objects, counts: dict[str, int], start: str | None) -> Object | None:
    """The condition that says how the Job will end, once all pods are gone; None while it goes on."""
    for name in ("FailureTarget", "SuccessCriteriaMet"):
        known = next((one for one in found if one["type"] == name and one["status"] == "True"), None)
        if known is not None:
            return known
    failures = [job_policy.verdict(work.spec, pod) for pod in work.failed if pods.is_finished(pod)]
    fatal = next((one for one in failures if one.action == "FailJob"), None)
    if fatal is not None:
        return _condition(work, "FailureTarget", "PodFailurePolicy", fatal.message)
    limit_s = work.spec.get("activeDeadlineSeconds")
    if counts["failed"] > work.spec.get("backoffLimit", 6) or _restarts_exceeded(work):
        text = "Job has reached the specified backoff limit"
        return _condition(work, "FailureTarget", "BackoffLimitExceeded", text)
    if limit_s is not None and start is not None and work.clock.now_s >= seconds(start) + int(limit_s):
        text = "Job was active longer than specified deadline"
        return _condition(work, "FailureTarget", "DeadlineExceeded", text)
    failed = _failed_indexes(work)
    if failed is not None:
        return failed
    rule = job_policy.success_rule(work.spec, work.done_indexes()) if work.spec.get("successPolicy") else None
    if rule is not None:
        return _condition(work, "SuccessCriteriaMet", "SuccessPolicy", f"Matched rules at index {rule}")
    wanted = work.completions
    complete = counts["succeeded"] > 0 and not work.active if wanted is None else counts["succeeded"] >= wanted
    if complete:
        text = "Reached expected number of succeeded pods"
        return _condition(work, "SuccessCriteriaMet", "CompletionsReached", text)
    return None


def _failed_indexes(work: _Work) -> Object | None:
    """A Job with too many failed indexes fails at once; one with some when all others have succeeded."""
    if not work.failed_indexes:
        return None
    number, limit = len(work.failed_indexes), work.spec.get("maxFailedIndexes")
    if limit is not None and number > limit:
        text = "Job has exceeded the specified maximal number of failed indexes"
        return _condition(work, "FailureTarget", "MaxFailedIndexesExceeded", text)
    if number + len(work.done_indexes()) >= (work.completions or 0):
        return _condition(work, "FailureTarget", "FailedIndexes", "Job has failed indexes")
    return None


def _restarts_exceeded(work: _Work) -> bool:
    """Containers that restart in place count as failures: with restartPolicy OnFailure no pod ever fails."""
    if work.spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(
        one.get("restartCount", 0)
        for pod in work.active
        for one in (pod.get("status") or {}).get("containerStatuses") or ()
    )
    limit = int(work.spec.get("backoffLimit", 6))
    return restarts > 0 if limit == 0 else bool(restarts >= limit)


def _finish(work: _Work, target: Object) -> Object:
    """What the last write adds to the status."""
    good = target["type"] == "SuccessCriteriaMet"
    last = _condition(work, "Complete" if good else "Failed", target["reason"], target["message"])
    found = conditions.put(work.old.get("conditions") or [], last)
    return {"conditions": found, **({"completionTime": work.clock.timestamp} if good else {})}


def _news(work: _Work, target: Object) -> Record:
    if target["type"] == "SuccessCriteriaMet":
        return Record(work.job, "Normal", "Completed", "Job completed", COMPONENT)
    return Record(work.job, "Warning", target["reason"], target["message"], COMPONENT)


def _condition(work: _Work, name: str, reason: str, text: str, status: str = "True") -> Object:
    now = work.clock.timestamp
    times = {"lastProbeTime": now, "lastTransitionTime": now}
    return {"type": name, "status": status, **times, "reason": reason, "message": text}


def _suspension(work: _Work, found: Objects, suspended: bool) -> tuple[Objects, Record | None]:
    """The condition Suspended, and the event if it changes."""
    known = next((one for one in found if one["type"] == "Suspended"), None)
    was = known is not None and known["status"] == "True"
    if suspended == was:
        return found, None
    word, value = ("Suspended", "True") if suspended else ("Resumed", "False")
    text = f"Job {word.lower()}"
    new = conditions.put(found, _condition(work, "Suspended", f"Job{word}", text, value))
    return new, Record(work.job, "Normal", word, text, COMPONENT)


# --- pods --------------------------------------------------------------------------------------------------------------


def _manage(work: _Work, counts: dict[str, int], *, held: bool) -> Generator[Action, Outcome, _Change]:
    """Make pods that are missing, or delete those that are too many."""
    active = len(work.active)
    wanted = work.parallelism
    if work.completions is not None:
        wanted = min(wanted, max(0, work.completions - counts["succeeded"] - len(work.failed_indexes or ())))
    elif counts["succeeded"]:
        wanted = active
    if active > wanted:
        surplus = sorted(work.active, key=lambda pod: (pods.is_ready(pod), pod["metadata"]["name"]))[: active - wanted]
        gone = yield from _release_and_delete(work, surplus)
        return _Change(active - len(gone), gone, False, 0)
    number = wanted - active
    if work.replaces_failed_only:
        number -= len(work.terminating)
    if number <= 0 or held:
        return _Change(active, [], False, 0)
    due_s = _backoff_end_s(work) if work.failed_indexes is None else 0
    if work.clock.now_s < due_s:
        return _Change(active, [], False, due_s)
    made, refused = yield from _create(work, min(number, BURST))
    return _Change(active + made, [], refused, min((at_s for at_s in _next_tries(work).values() if at_s), default=0))


def _next_tries(work: _Work) -> dict[int, int]:
    """index -> when its next pod may be made, of the indexes whose last pod failed and that still wait (0: now).

    An index's second failure at 14: 14 + 20 = 34.
    """
    tries = {}
    for index, pod in work.last_failed.items():
        delay_s = min(BACKOFF_S_MAX, BACKOFF_S * int(2 ** min(job_policy.absolute_failures(pod), 10)))
        at_s = finished_s(pod) + delay_s
        tries[index] = at_s if at_s > work.clock.now_s else 0
    return tries


def _backoff_end_s(work: _Work) -> int:
    """After the last failure 10 s, doubled for each failure since the last success, at most 600 s; 0 without failure.

    Failures at 3 and 14, no success: 14 + 20 = 34.
    """
    failures = [finished_s(pod) for pod in work.failed if pods.is_finished(pod)]
    success_s = max((finished_s(pod) for pod in work.succeeded), default=0)
    since = [at_s for at_s in failures if at_s > success_s]
    if not since:
        return 0
    return max(since) + min(BACKOFF_S_MAX, BACKOFF_S * int(2 ** min(len(since) - 1, 10)))


def _create(work: _Work, number: int) -> Generator[Action, Outcome, tuple[int, bool]]:
    """Make pods; of an indexed Job for the lowest free indexes. Returns (pods made, a write was refused)."""
    indexes: Iterable[int | None] = [None] * number
    if work.is_indexed:
        taken = {index for pod in work.active if (index := indexed(pod)) is not None}
        taken.update(work.done_indexes(), work.failed_indexes or ())
        waiting = [index for index, at_s in _next_tries(work).items() if at_s]
        indexes = missing(work.completions or 0, {*taken, *waiting}, number)
    made = 0
    for index in indexes:
        notes = {}
        if work.failed_indexes is not None and index is not None:
            notes = job_policy.failure_notes(work.spec, work.last_failed.get(index))
        outcome = yield Create(new_pod(work.job, index, notes))
        if retry.namespace_goes(outcome):
            return made, False
        if isinstance(outcome, KpyError):
            yield Record(work.job, "Warning", "FailedCreate", f"Error creating: {outcome}", COMPONENT)
            return made, True
        made += 1
        if outcome is not None:
            text = f"Created pod: {outcome['metadata']['name']}"
            yield Record(work.job, "Normal", "SuccessfulCreate", text, COMPONENT)
    return made, False


def _release_and_delete(work: _Work, doomed: Objects) -> Generator[Action, Outcome, Objects]:
    """Delete pods that shall not count as failed: without the finalizer nobody counts them. Returns those that go."""
    yield from _drop_finalizers(doomed)
    return (yield from _delete(work, doomed))


def _delete(work: _Work, doomed: Objects) -> Generator[Action, Outcome, Objects]:
    """Delete pods. Returns those that go."""
    gone: Objects = []
    for pod in doomed:
        outcome = yield Delete(ownership.key_of("pods", pod), uid=pod["metadata"]["uid"])
        if isinstance(outcome, KpyError) and not isinstance(outcome, NotFound):
            yield Record(work.job, "Warning", "FailedDelete", f"Error deleting: {outcome}", COMPONENT)
        else:
            gone.append(pod)
            text = f"Deleted pod: {pod['metadata']['name']}"
            yield Record(work.job, "Normal", "SuccessfulDelete", text, COMPONENT)
    return gone


def _drop_finalizers(found: Objects) -> Actions:
    for pod in found:
        finalizers = pod["metadata"].get("finalizers") or []
        if TRACKING in finalizers:
            kept = [name for name in finalizers if name != TRACKING]
            yield Patch(ownership.key_of("pods", pod), {"metadata": {"finalizers": kept or None}})


# --- status ------------------------------------------------------------------------------------------------------------


def _status(work: _Work, change: _Change, found: Objects, start: str | None) -> Object:
    status: Object = {name: work.old[name] for name in ("succeeded", "failed") if work.old.get(name)}
    if start is not None:
        status["startTime"] = start
    if change.active:
        status["active"] = change.active
    going = [pod["metadata"]["uid"] for pod in change.gone]
    staying = [pod for pod in work.active if pod["metadata"]["uid"] not in going]
    ready = sum(1 for pod in staying if pods.is_ready(pod))
    ended = sum(1 for pod in staying if pods.is_finished(pod))  # a moment ago: the news of it is not in yet
    status["ready"] = max(ready, min(ready + ended, int(work.old.get("ready", 0))))
    status["terminating"] = len(work.terminating) + len(going)
    if work.is_indexed and work.done_indexes():
        status["succeeded"] = len(work.done_indexes())
        status["completedIndexes"] = text_of(work.done_indexes())
    if work.failed_indexes is not None:
        status["failedIndexes"] = text_of(work.failed_indexes)
    if found:
        status["conditions"] = found
    return status


def _write(work: _Work, status: Object) -> Actions:
    fields = patch.diff(work.old, status)
    if fields:
        yield Patch(work.key, {"status": fields}, "status")
        work.old = status
