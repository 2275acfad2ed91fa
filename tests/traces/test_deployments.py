"""Recorded Deployments: created, rolled, recreated, undone, paused, scaled in the middle, past their deadline.

What the watch of a real cluster saw is compared with what is written here: the Deployment's generations and conditions, the
events of its scaling in their order, and how all sets ended. The recorded pods became ready after some hundred milliseconds
each, so a rollout's later steps differ from run to run; `opening` tells how many scaling events are free of that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.traces import commands
from tests.traces.machine import Machine, Object, distinct, load, masked

if TYPE_CHECKING:
    from pathlib import Path

NODES = ("fake-000", "fake-001", "fake-002")
COMBINED = "(combined from similar events): "
COUNTERS = (
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
)


class Scenario(NamedTuple):
    """`before`: what was done and settled when the watch began; `deeds`: (seconds to wait first, command line or manifest)."""

    before: tuple[Any, ...]
    deeds: tuple[tuple[int, Any], ...]
    wait_s: int = 10
    opening: int | None = None


def deployment(namespace: str, replicas: int, image: str = "nginx:1.27", name: str = "web", **spec: Any) -> Object:
    container = {"name": "nginx", "image": image, "ports": [{"containerPort": 80}]}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def rolling(surge: Any, unavailable: Any) -> Object:
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


def _roll(replicas: int, surge: Any, unavailable: Any, opening: int) -> Scenario:
    namespace = "t"
    return Scenario(
        (deployment(namespace, replicas, **rolling(surge, unavailable)),),
        ((0, "kubectl -n t set image deployment/web nginx=nginx:1.28"),),
        40,
        opening,
    )


_NEVER_READY = deployment("t", 4, "nginx:1.28", progressDeadlineSeconds=10)
_NEVER_READY["spec"]["template"]["spec"]["readinessGates"] = [{"conditionType": "example.com/never"}]
SCENARIOS = {
    "a_deployment_create": Scenario((), ((0, deployment("t", 3)),), 5),
    "b_roll_25_25": _roll(10, "25%", "25%", 3),
    "b_roll_25_25_slow2s": _roll(10, "25%", "25%", 3),
    "c_roll_1_0": _roll(10, 1, 0, 20),
    "c_roll_0_1": _roll(10, 0, 1, 20),
    "c_roll_100_0": _roll(10, "100%", 0, 1),
    "c_roll_3_2": _roll(7, 3, 2, 3),
    "c_recreate": Scenario(
        (deployment("t", 3, strategy={"type": "Recreate"}),),
        ((0, "kubectl -n t set image deployment/web nginx=nginx:1.28"),),
    ),
    "d_4e_undo_history": Scenario(
        (
            deployment("t", 3),
            "kubectl -n t set image deployment/web nginx=nginx:1.28",
            "kubectl -n t annotate deployment/web kubernetes.io/change-cause=y --overwrite",
            "kubectl -n t set image deployment/web nginx=nginx:1.29",
            "kubectl -n t annotate deployment/web kubernetes.io/change-cause=z --overwrite",
        ),
        (
            (0, "kubectl -n t rollout undo deployment/web"),
            (10, "kubectl -n t rollout undo deployment/web --to-revision=1"),
            (10, "kubectl -n t rollout restart deployment/web"),
        ),
        opening=12,  # then the real recorder had had enough of events
    ),
    "f_pause_resume": Scenario(
        (deployment("t", 4),),
        (
            (0, "kubectl -n t rollout pause deployment/web"),
            (1, "kubectl -n t set image deployment/web nginx=nginx:1.28"),
            (5, "kubectl -n t scale deployment/web --replicas=6"),
            (2, "kubectl -n t rollout resume deployment/web"),
            (20, deployment("t", 10, name="prop", **rolling(3, 2))),
            (3, "kubectl -n t set image deployment/prop nginx=does-not-exist:1"),
            (3, "kubectl -n t scale deployment/prop --replicas=15"),
            (3, "kubectl -n t scale deployment/prop --replicas=5"),
        ),
        5,
        4,
    ),
    "g_deadline": Scenario(
        (deployment("t", 4, progressDeadlineSeconds=10),),
        (
            (0, _NEVER_READY),
            (15, "kubectl -n t rollout undo deployment/web"),
            (3, "kubectl -n t set image deployment/web nginx=does-not-exist:1"),
        ),
        14,
    ),
}


def _do(machine: Machine, deed: Any) -> None:
    if isinstance(deed, str):
        answer = machine.kpy(deed)
        assert answer.code == 0, answer
    else:
        machine.cluster.apply(deed)
    machine.pass_time(0)


def _found(machine: Machine, scenario: Scenario) -> Object:
    rows: dict[str, list[Object]] = {}
    images: dict[str, str] = {}
    events: list[str] = []
    for change in machine.changes("t"):
        if change.key.resource == "deployments.apps" and change.new is not None:
            rows.setdefault(change.key.name, []).append(_deployment_row(change.new))
    for rs in machine.cluster.list("replicasets.apps", "t"):
        images[rs["metadata"]["name"]] = rs["spec"]["template"]["spec"]["containers"][0]["image"]
    for change in machine.changes("t"):
        if (
            change.key.resource == "events"
            and change.new is not None
            and change.new["involvedObject"]["kind"] == "Deployment"
        ):
            events.append(change.new["message"])
    sets = machine.cluster.list("replicasets.apps", "t")
    return {
        "rows": {name: distinct(found) for name, found in rows.items()},
        "events": [_by_image(text, images) for text in events][: scenario.opening],
        "deployments": {
            one["metadata"]["name"]: _counters(one["status"]) for one in machine.cluster.list("deployments.apps", "t")
        },
        "sets": sorted(
            [images[one["metadata"]["name"]], one["spec"]["replicas"], _set_status(one["status"])] for one in sets
        ),
    }


def _counters(status: Object) -> Object:
    return {name: status.get(name) or 0 for name in COUNTERS}


def _set_status(status: Object) -> list[int]:
    return [status.get(name) or 0 for name in ("replicas", "readyReplicas", "availableReplicas")]


def _deployment_row(obj: Object) -> Object:
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    conditions = [
        [one["type"], one["status"], one["reason"], masked(one["message"])] for one in status.get("conditions") or ()
    ]
    return {
        "generation": meta["generation"],
        "replicas": spec["replicas"],
        "paused": spec.get("paused") or None,
        "revision": meta.get("annotations", {}).get("deployment.kubernetes.io/revision"),
        "conditions": sorted(conditions),
    }


def _by_image(text: str, images: dict[str, str]) -> str:
    text = text.removeprefix(COMBINED)
    for name, image in images.items():
        text = text.replace(name, image)
    return text


def _recorded(name: str, scenario: Scenario) -> Object:
    data = load(name)
    rows: dict[str, list[Object]] = {}
    images: dict[str, str] = {}
    events: list[str] = []
    sets: dict[str, list[Any]] = {}
    last: dict[str, Object] = {}
    for row in data["rows"]:
        fields = row["fields"]
        if row["kind"] == "replicasets":
            images[row["name"]] = fields["image"][0]
            sets[row["name"]] = [fields["image"][0], fields["specReplicas"], _set_status(fields["status"])]
        if row["kind"] == "deployments" and row["type"] != "DELETED":
            conditions = sorted([*one[:3], masked(one[3] or "")] for one in fields["conditions"])
            found = {"generation": fields["generation"], "replicas": fields["specReplicas"], "paused": fields["paused"]}
            rows.setdefault(row["name"], []).append({**found, "revision": fields["revision"], "conditions": conditions})
            last[row["name"]] = _counters(fields["status"])
    for rs in [
        *data.get("initialRS", ()),
        *data.get("final", {}).get("replicasets", ()),
        *data.get("rs_before_undo", ()),
    ]:
        if "spec" in rs:
            template = rs["spec"]["template"]["spec"]["containers"][0]
            images.setdefault(rs["metadata"]["name"], template["image"])
        else:
            images.setdefault(rs["name"], rs["image"])
    for row in data["rows"]:
        if row["kind"] == "events" and row["fields"]["object"].startswith("Deployment/"):
            events.append(row["fields"]["message"])
    return {
        "rows": {name: distinct(found) for name, found in rows.items()},
        "events": [_by_image(text, images) for text in events][: scenario.opening],
        "deployments": last,
        "sets": sorted(sets.values()),
    }


def replay(folder: Path, name: str) -> tuple[Object, Object]:
    """(recorded, found)."""
    scenario = SCENARIOS[name]
    machine = Machine(folder, NODES, ["t"])
    try:
        for deed in scenario.before:
            _do(machine, deed)
            machine.pass_time(30)
        machine.mark()
        for wait_s, deed in scenario.deeds:
            machine.pass_time(wait_s)
            _do(machine, deed)
        machine.pass_time(scenario.wait_s)
        return _without_chance(name, _recorded(name, scenario)), _without_chance(name, _found(machine, scenario))
    finally:
        machine.close()


RULES = SCENARIOS


def _without_chance(name: str, side: Object) -> Object:
    """f: the recorded controller lost a race at the resume (its first look at the new set came to nothing), and there pods
    became ready one by one, here all ten at once."""
    if name != "f_pause_resume":
        return side
    rows = side["rows"]
    rows["web"] = [
        row
        for row in rows["web"]
        if row["revision"] != "2" or row["conditions"][1][2] not in ("DeploymentResumed", "NewReplicaSetCreated")
    ]
    rows["prop"] = [
        row
        for row in rows["prop"]
        if row["generation"] > 1
        or (
            row["conditions"]
            and [one[2] for one in row["conditions"]] != ["MinimumReplicasAvailable", "ReplicaSetUpdated"]
        )
    ]
    return side


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_deployment_goes_through_what_a_real_one_went_through(name: str, tmp_path: Path) -> None:
    recorded, found = replay(tmp_path, name)
    assert found == recorded


EXTRA = {
    "undo_paused_with_history": "web", "history_paused": "web", "undo_dry_client": "rolled", "undo_dry_server": "rolled",
    "history_limit_1": "one", "rs_limit_1": "one",
}  # fmt: skip


@pytest.mark.parametrize("name", EXTRA)
def test_what_else_was_asked_of_deployments_is_answered_alike(name: str, tmp_path: Path) -> None:
    """A paused one with two revisions, one that is not paused, and one that keeps a single old ReplicaSet."""
    step = load("f_extra")[name]
    machine = Machine(tmp_path, NODES, ["t-x"])
    try:
        one = deployment("t-x", 1, "nginx:1.23", "one", revisionHistoryLimit=1)
        images = ("nginx:1.24", "nginx:1.25", "nginx:1.26", "nginx:1.27") if EXTRA[name] == "one" else ("nginx:1.28",)
        described = one if EXTRA[name] == "one" else deployment("t-x", 3)
        which = described["metadata"]["name"]
        _do(machine, described)
        machine.pass_time(10)
        for image in images:
            _do(machine, f"kubectl -n t-x set image deployment/{which} nginx={image}")
            machine.pass_time(10)
        if EXTRA[name] == "web":
            _do(machine, "kubectl -n t-x rollout pause deployment/web")
        outcome = commands.run(machine, {**step, "t": name})
    finally:
        machine.close()
    assert re.sub(r"hash=\w+", "hash=HASH", outcome.found) == re.sub(r"hash=\w+", "hash=HASH", outcome.expected)
