"""Eighteen Jobs of a real cluster: what their status, their pods and their events went through.

The stand-in kubelet of the recording made a pod Running and Ready 0.3 s after its creation and ended it `runSeconds` later
with the exit code of a rule; here it does so a whole second after the creation, and as many seconds later.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.traces.machine import Machine, Object, distinct, load, masked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES = {step["case"]: step for step in load("jobs")["steps"] if "case" in step}
FIELDS = (
    "active", "ready", "succeeded", "failed", "terminating", "completedIndexes", "failedIndexes",
)  # fmt: skip
NAMESPACE = "x-job"
DISRUPTED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "m"}


class Fate:
    """How a pod ends: after `after_s` of running with `code`; None: it runs on."""

    def __init__(
        self, code: int | None, after_s: int = 1, conditions: tuple[Object, ...] = (), *, restarts: int = 0
    ) -> None:
        self.code, self.after_s, self.conditions, self.restarts = code, after_s, conditions, restarts


def _first(then: Fate, others: Fate) -> Callable[[int | None, int, int], Fate]:
    return lambda index, attempt, second: then if attempt == 0 else others


RUNS_ON, GOOD, BAD = Fate(None), Fate(0), Fate(1)
# case -> the patches of the Job's spec, by the second in which they were made.
DEEDS: dict[str, dict[int, Object]] = {
    "parallelism-0": {1: {"parallelism": 2}},
    "elastic": {1: {"parallelism": 3, "completions": 3}},
    "suspend-mid": {1: {"suspend": True}, 4: {"suspend": False}},
}
# case -> (index, number of the pod, second of its creation) -> its fate
RULES: dict[str, Callable[[int | None, int, int], Fate]] = {
    "indexed-ok": lambda index, attempt, second: GOOD,
    "per-index": lambda index, attempt, second: BAD if index == 1 else GOOD,
    "max-failed-indexes": lambda index, attempt, second: BAD if index in (0, 1) else RUNS_ON,
    "pfp-failjob": _first(Fate(42), RUNS_ON),
    "pfp-ignore": _first(Fate(1, 1, (DISRUPTED,)), GOOD),
    "pfp-count": lambda index, attempt, second: BAD,
    "pfp-failindex": lambda index, attempt, second: Fate(42) if index == 0 else GOOD,
    "success-index0": lambda index, attempt, second: GOOD if index == 0 else RUNS_ON,
    "success-count": lambda index, attempt, second: GOOD if index in (1, 2) else RUNS_ON,
    "onfailure": lambda index, attempt, second: Fate(None, restarts=2),
    "elastic": lambda index, attempt, second: Fate(0, 4 - second),
    "suspend-mid": lambda index, attempt, second: RUNS_ON if second < 4 else GOOD,
    "managedby": lambda index, attempt, second: GOOD,
    "deadline-indexed": lambda index, attempt, second: RUNS_ON,
    "backoff0": _first(BAD, RUNS_ON),
    "workqueue": _first(GOOD, Fate(0, 4)),
    "parallelism-0": lambda index, attempt, second: GOOD,
    "ttl": lambda index, attempt, second: GOOD,
}


def _status(phase: str, ready: str, now: str, code: int | None, extra: tuple[Object, ...]) -> Object:
    state: Object = {"running": {"startedAt": now}}
    if code is not None:
        state = {
            "terminated": {
                "exitCode": code,
                "finishedAt": now,
                "startedAt": now,
                "reason": "Error" if code else "Completed",
            }
        }
    container = {
        "name": "c",
        "image": "busybox",
        "imageID": "",
        "ready": ready == "True",
        "restartCount": 0,
        "state": state,
    }
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": now, "lastProbeTime": None}, *extra]
    return {"phase": phase, "conditions": conditions, "containerStatuses": [container]}


class StandIn:
    """The kubelet of the recording, for pods that the scheduler leaves alone."""

    def __init__(self, machine: Machine, case: str) -> None:
        self.machine, self.rule = machine, RULES[case]
        self.seen: dict[str, tuple[int, Fate]] = {}
        self.start_s = machine.cluster.clock.now_s

    def act(self) -> None:
        cluster = self.machine.cluster
        now_s = cluster.clock.now_s
        for pod in sorted(cluster.list("pods", NAMESPACE), key=lambda pod: int(pod["metadata"]["resourceVersion"])):
            name = pod["metadata"]["name"]
            if name not in self.seen:
                index = pod["metadata"].get("annotations", {}).get("batch.kubernetes.io/job-completion-index")
                fate = self.rule(int(index) if index is not None else None, len(self.seen), now_s - self.start_s)
                self.seen[name] = (now_s, fate)
                self._write(pod, "Running", "True", None, ())
            else:
                started_s, fate = self.seen[name]
                if fate.restarts and now_s == started_s + 1:
                    self._write(pod, "Running", "True", None, (), fate.restarts)
                if fate.code is not None and pod["status"]["phase"] == "Running" and now_s >= started_s + fate.after_s:
                    self._write(pod, "Failed" if fate.code else "Succeeded", "False", fate.code, fate.conditions)

    def _write(
        self, pod: Object, phase: str, ready: str, code: int | None, extra: tuple[Object, ...], restarts: int = 0
    ) -> None:
        status = _status(phase, ready, self.machine.cluster.clock.timestamp, code, extra)
        status["containerStatuses"][0]["restartCount"] = restarts
        self.machine.cluster.patch("pods", pod["metadata"]["name"], NAMESPACE, {"status": status}, subresource="status")


def _job_row(status: Object) -> Object:
    found = {name: status[name] for name in FIELDS if status.get(name) is not None}
    conditions = [
        [one["type"], one["status"], one["reason"], masked(one.get("message", ""))]
        for one in status.get("conditions") or ()
    ]
    uncounted = {name: len(uids) for name, uids in (status.get("uncountedTerminatedPods") or {}).items()}
    return {**found, "conditions": conditions, "uncounted": uncounted}


def _recorded_row(row: Object) -> Object:
    found = {name: row[name] for name in FIELDS if row.get(name) is not None}
    conditions = [[*one[:3], masked(one[3])] for one in row.get("conditions") or ()]
    uncounted = {name: len(uids) for name, uids in (row.get("uncountedTerminatedPods") or {}).items()}
    return {**found, "conditions": conditions, "uncounted": uncounted}


def _masked_namespace(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub(r"x-job[a-z0-9-]*", "NS", value)
    if isinstance(value, list):
        return [_masked_namespace(one) for one in value]
    if isinstance(value, dict):
        return {key: _masked_namespace(one) for key, one in value.items()}
    return value


def replay(folder: Path, name: str) -> tuple[Object, Object]:
    """(recorded, found): the distinct rows of the Job, its events in order, the number of pods made."""
    case = CASES[name]
    machine = Machine(folder, ["fake-000"], [NAMESPACE])
    try:
        machine.cluster.create(
            {"apiVersion": "batch/v1", **case["job"], "metadata": {"name": "j", "namespace": NAMESPACE}},
            namespace=NAMESPACE,
        )
        stand_in = StandIn(machine, name)
        machine.pass_time(1)
        for second in range(40):
            if second in DEEDS.get(name, {}):
                machine.cluster.patch("jobs", "j", NAMESPACE, {"spec": DEEDS[name][second]})
                machine.pass_time(0)
            stand_in.act()
            machine.pass_time(1)
        changes = machine.changes(NAMESPACE)
        jobs = [
            _job_row(one.new.get("status") or {}) for one in changes if one.key.resource == "jobs.batch" and one.new
        ]
        events = [
            [one.new["type"], one.new["reason"], masked(one.new["message"])]
            for one in changes
            if one.key.resource == "events"
            and one.old is None
            and one.new
            and one.new["source"].get("component") == "job-controller"
        ]
        made = sum(1 for one in changes if one.key.resource == "pods" and one.old is None)
    finally:
        machine.close()
    rows = case["rows"]
    recorded = {
        "job": distinct(_recorded_row(row) for row in rows if row["kind"] == "Job" and row["event"] != "DELETED"),
        "events": sorted(
            [row["type"], row["reason"], masked(row["message"])]
            for row in rows
            if row["kind"] == "Event" and row["event"] == "ADDED" and row["source"] == "job-controller"
        ),
        "pods": sum(1 for row in rows if row["kind"] == "Pod" and row["event"] == "ADDED"),
    }
    found = {"job": distinct(jobs), "events": sorted(events), "pods": made}
    if name == "per-index":  # a pod's readiness is told at once here, a second later there: the rest is compared
        for side in (recorded, found):
            side["job"] = distinct(
                {field: value for field, value in row.items() if field != "ready"} for row in side["job"]
            )
    return _masked_namespace(recorded), _masked_namespace(found)


@pytest.mark.parametrize("name", RULES)
def test_a_job_goes_through_what_a_real_one_went_through(name: str, tmp_path: Path) -> None:
    recorded, found = replay(tmp_path, name)
    assert found == recorded
