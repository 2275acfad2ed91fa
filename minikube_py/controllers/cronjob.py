"""The CronJob controller: a Job at each scheduled minute.

`step` runs on cronjobs.batch and is woken by: the CronJob itself; the Jobs that it controls. Its wake: the next scheduled
moment, in the background: a cluster with a CronJob in it can be settled.

A sync sees to the Jobs first: those that finished leave `status.active`, old finished ones are deleted down to the history
limits. Then it starts at most one Job, that of the latest scheduled moment since the last one; earlier ones are skipped.
    schedule */5, last Job at 10:00, now 10:17: the Job of 10:15, named after its minute since 1970
Source: k8s.io/kubernetes/pkg/controller/cronjob/cronjob_controllerv2.go.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from minikube_py.api.types import Create, Delete, Patch, Record, Remember, Wake
from minikube_py.base import patch
from minikube_py.base.clock import seconds, timestamp
from minikube_py.base.errors import AlreadyExists, KpyError
from minikube_py.controllers import conditions, ownership, schedule
from minikube_py.controllers.job import is_finished

if TYPE_CHECKING:
    from collections.abc import Generator

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View
    from minikube_py.base.clock import Clock

STEP, RESOURCE, JOBS, COMPONENT = "cronjob", "cronjobs.batch", "jobs.batch", "cronjob-controller"
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_NAME_MAX = 52  # leaves room for the minute


def step(cron: Object, view: View, clock: Clock) -> Actions:
    if ownership.is_deleting(cron):
        return
    jobs = [job for job in view.owned(cron["metadata"]["uid"], JOBS) if ownership.is_controlled_by(job, cron)]
    old = cron.get("status") or {}
    key = ownership.key_of(RESOURCE, cron)
    told = _Told(view.memory(STEP, key), _occasion(cron, jobs, clock))
    yield from _clean_up(cron, jobs)
    status = yield from _look_after(cron, jobs, old, told)
    if not cron["spec"].get("suspend"):
        status = yield from _start(cron, jobs, status, clock, told)
    fields = patch.diff(old, status)
    if fields:
        yield Patch(key, {"status": fields}, "status")
    if told.now != told.before:
        yield Remember(told.now)
    yield from _wake(cron, clock)


class _Told:
    """What was told of: what -> the occasion. A real controller tells again at each look, so here at each new occasion."""

    def __init__(self, before: Object, occasion: str) -> None:
        self.before, self.occasion, self.now = before, occasion, dict[str, str]()

    def is_new(self, what: str) -> bool:
        self.now[what] = self.occasion
        return bool(self.before.get(what) != self.occasion)


def _occasion(cron: Object, jobs: Objects, clock: Clock) -> str:
    """What makes the controller look: a change of the CronJob or one of its Jobs, or a scheduled moment.

    '12 14,15 1795561200': versions of the CronJob and of its Jobs, and the latest moment of the schedule.
    """
    versions = [str(one["metadata"].get("resourceVersion", "")) for one in (cron, *jobs)]
    moment: int | None = None
    spec = cron["spec"]
    if not spec.get("suspend"):
        with suppress(ValueError):
            born_s = seconds(cron["metadata"]["creationTimestamp"])
            moment = schedule.latest(spec["schedule"], spec.get("timeZone", ""), born_s, clock.now_s)
    return f"{versions[0]} {','.join(versions[1:])} {moment or ''}"


def _tell(cron: Object, reason: str, text: str, kind: str = "Normal") -> Record:
    return Record(cron, kind, reason, text, COMPONENT)


# --- the Jobs that are there -------------------------------------------------------------------------------------------


def _look_after(cron: Object, jobs: Objects, old: Object, told: _Told) -> Generator[Action, Outcome, Object]:
    """Take finished and missing Jobs out of `active`, and tell of Jobs that were not started here."""
    active: Objects = old.get("active") or []
    known = {one["uid"] for one in active}
    there = {job["metadata"]["uid"] for job in jobs}
    status = dict(old)
    for job in jobs:
        name, uid = job["metadata"]["name"], job["metadata"]["uid"]
        if uid not in known and not is_finished(job):
            text = f"Saw a job that the controller did not create or forgot: {name}"
            if told.is_new(f"UnexpectedJob {name}"):
                yield _tell(cron, "UnexpectedJob", text, "Warning")
        elif uid in known and is_finished(job):
            active = [one for one in active if one["uid"] != uid]
            complete = conditions.get(job.get("status") or {}, "Complete")
            what = "Complete" if complete is not None else "Failed"
            yield _tell(cron, "SawCompletedJob", f"Saw completed job: {name}, condition: {what}")
            ended = (job.get("status") or {}).get("completionTime")
            if ended and seconds(ended) > seconds(status.get("lastSuccessfulTime", "1970-01-01T00:00:00Z")):
                status["lastSuccessfulTime"] = ended
    for one in active:
        if one["uid"] not in there:
            yield _tell(cron, "MissingJob", f"Active job went missing: {one['name']}")
            active = [other for other in active if other["uid"] != one["uid"]]
    return _with_active(status, active)


def _with_active(status: Object, active: Objects) -> Object:
    kept = {name: value for name, value in status.items() if name != "active"}
    return {**kept, "active": active} if active else kept


def _clean_up(cron: Object, jobs: Objects) -> Actions:
    """Delete the oldest finished Jobs beyond the two history limits."""
    for name, limit, default in (
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ):
        done = [job for job in jobs if conditions.get(job.get("status") or {}, name) and not ownership.is_deleting(job)]
        done.sort(key=lambda job: ((job["status"].get("startTime") or ""), job["metadata"]["name"]))
        for job in done[: max(0, len(done) - cron["spec"].get(limit, default))]:
            yield from _delete(cron, job)


def _delete(cron: Object, job: Object) -> Generator[Action, Outcome, bool]:
    outcome = yield Delete(ownership.key_of(JOBS, job), propagation="Background", uid=job["metadata"]["uid"])
    if isinstance(outcome, KpyError):
        yield _tell(cron, "FailedDelete", f"Deleted job: {outcome}", "Warning")
        return False
    yield _tell(cron, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")
    return True


# --- the next Job ------------------------------------------------------------------------------------------------------


def _start(
    cron: Object, jobs: Objects, status: Object, clock: Clock, told: _Told
) -> Generator[Action, Outcome, Object]:
    """Start the Job of the latest scheduled moment that has none yet, if the policy lets it."""
    due_s = yield from _due_s(cron, status, clock)
    if due_s is None:
        return status
    deadline = cron["spec"].get("startingDeadlineSeconds")
    if deadline is not None and due_s + int(deadline) < clock.now_s:
        text = f"Missed scheduled time to start a job: {timestamp(due_s)}"
        if told.is_new("MissSchedule"):
            yield _tell(cron, "MissSchedule", text, "Warning")
        return status
    active: Objects = status.get("active") or []
    policy = cron["spec"].get("concurrencyPolicy", "Allow")
    if policy == "Forbid" and active:
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        if told.is_new("JobAlreadyActive"):
            yield _tell(cron, "JobAlreadyActive", text)
        return status
    if policy == "Replace":
        running = {one["uid"] for one in active}
        for job in jobs:
            if job["metadata"]["uid"] in running and not (yield from _delete(cron, job)):
                return status
        active = []

    job = _job(cron, due_s)
    outcome = yield Create(job)
    if isinstance(outcome, AlreadyExists):
        return {**_with_active(status, active), "lastScheduleTime": timestamp(due_s)}
    if isinstance(outcome, KpyError):
        yield _tell(cron, "FailedCreate", f"Error creating job: {outcome}", "Warning")
        return status
    yield _tell(cron, "SuccessfulCreate", f"Created job {job['metadata']['name']}")
    made = _with_active(status, [*active, _reference(outcome or job)])
    return {**made, "lastScheduleTime": timestamp(due_s)}


def _due_s(cron: Object, status: Object, clock: Clock) -> Generator[Action, Outcome, int | None]:
    spec = cron["spec"]
    since = status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"]
    try:
        return schedule.latest(spec["schedule"], spec.get("timeZone", ""), seconds(since), clock.now_s)
    except ValueError as error:
        text = f"unparseable schedule: {spec['schedule']} : {error}"
        yield _tell(cron, "UnparseableSchedule", text, "Warning")
        return None


def _job(cron: Object, due_s: int) -> Object:
    template, name = cron["spec"]["jobTemplate"], cron["metadata"]["name"]
    described = template.get("metadata") or {}
    meta: Object = {
        "name": f"{name[:_NAME_MAX]}-{due_s // 60}",
        "namespace": cron["metadata"]["namespace"],
        "annotations": {**(described.get("annotations") or {}), SCHEDULED_AT: timestamp(due_s)},
        "ownerReferences": [ownership.reference_to(cron, "batch/v1", "CronJob")],
    }
    if described.get("labels"):
        meta["labels"] = described["labels"]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}


def _reference(job: Object) -> Object:
    meta = job["metadata"]
    told = {name: meta[name] for name in ("name", "namespace", "uid", "resourceVersion") if name in meta}
    return {"apiVersion": "batch/v1", "kind": "Job", **told}


def _wake(cron: Object, clock: Clock) -> Generator[Action, Outcome, None]:
    spec = cron["spec"]
    if spec.get("suspend"):
        return
    try:
        next_s = schedule.following(spec["schedule"], spec.get("timeZone", ""), clock.now_s)
    except ValueError:
        return  # told of by the start
    if next_s is not None:
        yield Wake(next_s, background=True)
