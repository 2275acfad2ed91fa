"""Jobs and CronJobs: traces/i_job_cronjob."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Key
from minikube_py.base.clock import Clock, seconds
from minikube_py.controllers import cronjob, job, job_indexes, schedule, ttl_after_finished
from tests.controllers.harness import Cluster

PI, TICK = Key("jobs.batch", "default", "pi"), Key("cronjobs.batch", "default", "tick")


def _described(**spec: Any) -> dict[str, Any]:
    pod_spec = {"containers": [{"name": "c", "image": "busybox"}], "restartPolicy": "Never"}
    template = {"metadata": {"labels": {"job-name": "pi"}}, "spec": pod_spec}
    base = {"completions": 1, "parallelism": 1, "backoffLimit": 6, "template": template}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "pi", "namespace": "default"},
        "spec": {**base, **spec},
    }


def _cluster(described: dict[str, Any]) -> Cluster:
    cluster = Cluster({"jobs.batch": ("job", job.step)})
    cluster.create(described)
    cluster.settle()
    return cluster


def _status(cluster: Cluster) -> dict[str, Any]:
    found = cluster.get(PI)
    assert found is not None
    return found["status"]  # type: ignore[no-any-return]


def _running(cluster: Cluster) -> list[dict[str, Any]]:
    return [pod for pod in cluster.list("pods") if "status" not in pod and "deletionTimestamp" not in pod["metadata"]]


def _finish(cluster: Cluster, phase: str = "Succeeded") -> None:
    """All running pods finish; a second later the controller sees it."""
    for pod in _running(cluster):
        cluster.finish(pod, phase)
    cluster.settle()
    cluster.advance(1)
    cluster.settle()


def _reasons(cluster: Cluster) -> list[tuple[str, str]]:
    return [(one["type"], one["reason"]) for one in _status(cluster).get("conditions", [])]


def test_five_completions_two_at_a_time_come_in_waves() -> None:
    cluster = _cluster(_described(completions=5, parallelism=2))
    waves = []
    while _running(cluster):
        waves.append(len(_running(cluster)))
        cluster.advance(2)
        _finish(cluster)
    assert waves == [2, 2, 1]
    assert _reasons(cluster) == [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    status = {name: value for name, value in _status(cluster).items() if name not in ("conditions", "startTime")}
    assert status == {
        "succeeded": 5,
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "completionTime": cluster.clock.timestamp,
    }
    assert cluster.events[-1] == ("Completed", "Job completed")
    assert all(not pod["metadata"].get("finalizers") for pod in cluster.list("pods"))


def test_finished_pods_are_first_written_down_and_then_counted() -> None:
    cluster = _cluster(_described(completions=2, parallelism=1))
    first = len(cluster.log)
    _finish(cluster)
    seen = [obj["status"] for _, key, obj in cluster.log[first:] if key == PI]
    assert [(one.get("succeeded"), len(one["uncountedTerminatedPods"].get("succeeded", ()))) for one in seen] == [
        (None, 1),
        (1, 0),
    ]


def test_failures_wait_longer_and_longer_until_the_limit() -> None:
    """backoffLimit 2: pods at 0, 10 and 30 s after the failures."""
    cluster = _cluster(_described(backoffLimit=2))
    waits = []
    for _ in range(2):
        failed_s = cluster.clock.now_s
        _finish(cluster, "Failed")
        assert _running(cluster) == []
        waits.append(cluster.wakes[PI] - failed_s)
        cluster.advance(cluster.wakes[PI] - cluster.clock.now_s)
        cluster.settle()
    assert waits == [10, 20]
    _finish(cluster, "Failed")
    assert _reasons(cluster) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert _status(cluster)["failed"] == 3
    assert cluster.events[-1] == ("BackoffLimitExceeded", "Job has reached the specified backoff limit")


def test_a_job_past_its_deadline_fails_when_its_pods_are_gone() -> None:
    cluster = _cluster(_described(activeDeadlineSeconds=4))
    assert cluster.wakes == {PI: cluster.clock.now_s + 4}
    cluster.advance(4)
    cluster.settle()
    assert _reasons(cluster) == [("FailureTarget", "DeadlineExceeded")]
    assert (_status(cluster)["failed"], _status(cluster)["terminating"]) == (1, 1)
    cluster.drop_terminating()
    cluster.settle()
    assert _reasons(cluster)[-1] == ("Failed", "DeadlineExceeded")


def test_a_suspended_job_has_no_pods_until_it_is_resumed() -> None:
    cluster = _cluster(_described(suspend=True))
    assert _running(cluster) == []
    assert _reasons(cluster) == [("Suspended", "JobSuspended")]
    assert "startTime" not in _status(cluster)
    cluster.patch(PI, {"spec": {"suspend": False}})
    cluster.settle()
    assert len(_running(cluster)) == 1
    assert _reasons(cluster) == [("Suspended", "JobResumed")]
    assert [reason for reason, _ in cluster.events] == ["Suspended", "SuccessfulCreate", "Resumed"]


def test_pods_of_a_job_that_is_suspended_have_not_failed() -> None:
    """misc/jobs: the finalizer goes first, so that they are not counted."""
    cluster = _cluster(_described(completions=2, parallelism=2))
    cluster.patch(PI, {"spec": {"suspend": True}})
    cluster.settle()
    status = {name: value for name, value in _status(cluster).items() if name != "conditions"}
    assert status == {"ready": 0, "terminating": 2, "uncountedTerminatedPods": {}}
    cluster.drop_terminating()
    cluster.settle()
    assert cluster.list("pods") == []
    assert _status(cluster)["terminating"] == 0


def test_less_parallelism_deletes_pods_that_have_not_failed() -> None:
    cluster = _cluster(_described(completions=4, parallelism=3))
    cluster.patch(PI, {"spec": {"parallelism": 1}})
    cluster.settle()
    assert (_status(cluster)["active"], _status(cluster)["terminating"]) == (1, 2)
    assert "failed" not in _status(cluster)


def test_an_indexed_job_gives_each_pod_its_index() -> None:
    cluster = _cluster(_described(completions=3, parallelism=2, completionMode="Indexed"))
    names = [pod["metadata"]["generateName"] for pod in _running(cluster)]
    assert names == ["pi-0-", "pi-1-"]
    assert _running(cluster)[1]["spec"]["hostname"] == "pi-1"
    while _running(cluster):
        _finish(cluster)
    assert (_status(cluster)["succeeded"], _status(cluster)["completedIndexes"]) == (3, "0-2")


@pytest.mark.parametrize("text", ["", "0", "0,1", "0-2", "0-2,5", "1,3-6,8,9"])
def test_indexes_and_their_text(text: str) -> None:
    assert job_indexes.text_of(job_indexes.parsed(text)) == text


def test_a_finished_job_is_deleted_when_its_time_is_up() -> None:
    cluster = _cluster(_described(ttlSecondsAfterFinished=3))
    _finish(cluster)
    cluster.steps = {"jobs.batch": ("ttl", ttl_after_finished.step)}
    cluster.run(PI)
    assert cluster.wakes == {PI: cluster.clock.now_s + 3}
    cluster.advance(3)
    cluster.settle()
    assert cluster.get(PI) is None


# --- CronJobs ----------------------------------------------------------------------------------------------------------

NOON = Clock(seconds("2026-11-24T12:00:00Z"), 1)


def _cron(**spec: Any) -> Cluster:
    """A CronJob made at noon, on the clock of noon."""
    cluster = Cluster({"cronjobs.batch": ("cronjob", cronjob.step)}, NOON)
    base = {"schedule": "*/5 * * * *", "jobTemplate": {"spec": _described()["spec"]}}
    made = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick", "namespace": "default"}}
    cluster.create({**made, "spec": {**base, **spec}})
    cluster.settle()
    return cluster


def _jobs(cluster: Cluster) -> list[str]:
    return [found["metadata"]["name"] for found in cluster.list("jobs.batch")]


def _until_next(cluster: Cluster) -> None:
    cluster.advance(cluster.wakes[TICK] - cluster.clock.now_s)
    cluster.settle()


def _complete(cluster: Cluster, name: str) -> None:
    done = {"type": "Complete", "status": "True", "lastTransitionTime": cluster.clock.timestamp}
    status = {"conditions": [done], "startTime": cluster.clock.timestamp, "completionTime": cluster.clock.timestamp}
    cluster.patch(Key("jobs.batch", "default", name), {"status": status}, "status")
    cluster.settle()


def test_a_job_is_named_after_its_minute() -> None:
    cluster = _cron()
    assert _jobs(cluster) == []
    _until_next(cluster)
    name = f"tick-{(NOON.now_s + 300) // 60}"
    assert _jobs(cluster) == [name]
    assert cluster.events == [("SuccessfulCreate", f"Created job {name}")]
    found = cluster.get(TICK)
    assert found is not None
    assert found["status"]["lastScheduleTime"] == "2026-11-24T12:05:00Z"
    assert [one["name"] for one in found["status"]["active"]] == [name]
    _complete(cluster, name)
    found = cluster.get(TICK)
    assert found is not None
    assert "active" not in found["status"]
    assert cluster.events[-1] == ("SawCompletedJob", f"Saw completed job: {name}, condition: Complete")


@pytest.mark.parametrize(("policy", "jobs"), [("Allow", 2), ("Forbid", 1), ("Replace", 1)])
def test_what_becomes_of_a_job_that_still_runs(policy: str, jobs: int) -> None:
    cluster = _cron(concurrencyPolicy=policy)
    _until_next(cluster)
    _until_next(cluster)
    assert len(_jobs(cluster)) == jobs
    last = {"Allow": "SuccessfulCreate", "Forbid": "JobAlreadyActive", "Replace": "SuccessfulCreate"}
    assert cluster.events[-1][0] == last[policy]


def test_old_jobs_are_deleted_down_to_the_limit() -> None:
    cluster = _cron(successfulJobsHistoryLimit=1)
    for _ in range(3):
        _until_next(cluster)
        _complete(cluster, _jobs(cluster)[-1])
    assert len(_jobs(cluster)) == 1


def test_a_suspended_cron_job_starts_the_missed_run_when_it_is_resumed() -> None:
    cluster = _cron(suspend=True)
    assert cluster.wakes == {}
    cluster.advance(700)
    cluster.patch(TICK, {"spec": {"suspend": False}})
    cluster.settle()
    assert _jobs(cluster) == [f"tick-{(NOON.now_s + 600) // 60}"]


@pytest.mark.parametrize(
    ("expression", "zone", "moment"),
    [
        ("*/5 * * * *", "", "2026-11-24T12:05:00Z"),
        ("@hourly", "", "2026-11-24T13:00:00Z"),
        ("0 9 * * 1-5", "America/New_York", "2026-11-24T14:00:00Z"),
    ],
)
def test_the_next_moment_of_a_schedule(expression: str, zone: str, moment: str) -> None:
    assert schedule.following(expression, zone, NOON.now_s) == seconds(moment)


def test_a_bad_schedule_is_told() -> None:
    cluster = _cron(schedule="every day")
    assert cluster.events[0][0] == "UnparseableSchedule"
    assert cluster.wakes == {}
