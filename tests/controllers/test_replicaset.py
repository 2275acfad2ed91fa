from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api.types import Key, Patch, Record, Wake
from minikube_py.base.errors import Forbidden
from minikube_py.controllers import replicaset
from tests.controllers.objects import at, owned_by, pod
from tests.controllers.objects import replicaset as described
from tests.support import T0, Create, Delete, FrozenView, actions, freeze, of_type, without_noise

SCALE_DOWN = json.loads((Path(__file__).parents[1] / "data/traces/scale_down.json").read_text())
KEY = Key("replicasets.apps", "default", "web-1")


def _view(rs: dict[str, Any], *pods: dict[str, Any]) -> FrozenView:
    return FrozenView({"replicasets.apps": [rs], "pods": list(pods)})


def _mine(rs: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    return pod(name, ownerReferences=owned_by(rs, "ReplicaSet"), **more)


def test_missing_pods_are_created_from_the_template() -> None:
    rs = described(replicas=3)
    view = _view(rs, _mine(rs, "web-1-a"))
    created = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "web-1-",
            "namespace": "default",
            "labels": {"app": "web"},
            "ownerReferences": owned_by(rs, "ReplicaSet"),
        },
        "spec": rs["spec"]["template"]["spec"],
    }
    status = {
        "replicas": 1,
        "fullyLabeledReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }
    taken = actions(replicaset.step, rs, view)
    assert without_noise(taken) == [Create(created), Create(created), Patch(KEY, {"status": status}, "status")]
    assert [(one.type, one.reason, one.message) for one in of_type(taken, Record)] == [
        ("Normal", "SuccessfulCreate", "Created pod: web-1-00001"),
        ("Normal", "SuccessfulCreate", "Created pod: web-1-00003"),
    ]


def test_one_sync_creates_at_most_500_pods() -> None:
    rs = described(replicas=700)
    assert len(of_type(actions(replicaset.step, rs, _view(rs)), Create)) == 500


def test_too_many_pods_are_deleted_and_told() -> None:
    rs = described(replicas=1)
    view = _view(rs, _mine(rs, "web-1-a"), _mine(rs, "web-1-b", ready_ago=None))
    taken = actions(replicaset.step, rs, view)
    assert of_type(taken, Delete) == [Delete(Key("pods", "default", "web-1-b"), uid="uid-web-1-b")]
    assert [one.message for one in of_type(taken, Record)] == ["Deleted pod: web-1-b"]


def test_terminating_and_finished_pods_do_not_count() -> None:
    rs = described(replicas=2)
    view = _view(
        rs,
        _mine(rs, "web-1-a"),
        _mine(rs, "web-1-b", deletionTimestamp=at(1)),
        _mine(rs, "web-1-c", phase="Failed", ready_ago=None),
    )
    taken = actions(replicaset.step, rs, view)
    assert len(of_type(taken, Create)) == 1
    assert of_type(taken, Patch)[0].fields["status"]["terminatingReplicas"] == 1


def test_matching_orphans_are_adopted_and_strangers_released() -> None:
    rs = described(replicas=1)
    orphan, stranger = pod("orphan"), _mine(rs, "stranger", labels={"app": "other"})
    other = pod("other", ownerReferences=owned_by(described("web-2"), "ReplicaSet"))
    taken = actions(replicaset.step, rs, _view(rs, orphan, stranger, other))
    metadata = [one for one in of_type(taken, Patch) if one.key.resource == "pods"]
    assert metadata == [
        Patch(Key("pods", "default", "orphan"), {"metadata": {"ownerReferences": owned_by(rs, "ReplicaSet")}}),
        Patch(Key("pods", "default", "stranger"), {"metadata": {"ownerReferences": None}}),
    ]
    assert of_type(taken, Create, Delete) == []


def test_a_refused_pod_ends_the_batch_and_shows_as_replica_failure() -> None:
    rs = described(replicas=10)
    running = replicaset.step(freeze(rs), _view(rs), T0)
    outcome, taken = None, []
    try:
        while True:
            action = running.send(outcome)
            taken.append(action)
            outcome = None
            if isinstance(action, Create) and len(of_type(taken, Create)) > 1:
                outcome = Forbidden('pods "web-1-x" is forbidden: exceeded quota: q')
    except StopIteration:
        pass
    assert len(of_type(taken, Create)) == 3 + 7, (
        "a batch of one, then a batch of two; then the other tries of that second"
    )
    assert [one.message for one in of_type(taken, Record)][1:] == [
        'Error creating: pods "web-1-x" is forbidden: exceeded quota: q'
    ] * (2 + 7)
    status = of_type(taken, Patch)[-1].fields["status"]
    assert [(one["type"], one["status"], one["reason"], one["message"]) for one in status["conditions"]] == [
        ("ReplicaFailure", "True", "FailedCreate", 'pods "web-1-x" is forbidden: exceeded quota: q')
    ]
    assert of_type(taken, Wake) == [Wake(T0.now_s + 1)]


def test_min_ready_seconds_count_before_a_pod_is_available() -> None:
    rs = described(replicas=2, minReadySeconds=30)
    view = _view(rs, _mine(rs, "web-1-a", ready_ago=40), _mine(rs, "web-1-b", ready_ago=10))
    taken = actions(replicaset.step, rs, view)
    status = of_type(taken, Patch)[0].fields["status"]
    assert (status["readyReplicas"], status["availableReplicas"]) == (2, 1)
    assert of_type(taken, Wake) == [Wake(T0.now_s + 20)]


def test_a_replication_controller_does_the_same() -> None:
    rc = described("rc", replicas=1, selector={"app": "web"})
    rc = {**rc, "apiVersion": "v1", "kind": "ReplicationController"}
    view = FrozenView({"replicationcontrollers": [rc], "pods": []})
    taken = actions(replicaset.replication_controller_step, rc, view)
    assert of_type(taken, Create)[0].object["metadata"]["ownerReferences"] == owned_by(
        rc, "ReplicationController", "v1"
    )
    assert of_type(taken, Record)[0].component == "replication-controller"
    assert of_type(taken, Patch)[0].fields == {"status": {"replicas": 0, "observedGeneration": 1}}


def _recorded_pod(given: dict[str, Any], created_ago: int, uid: str) -> dict[str, Any]:
    """A pod in the state of a recorded case."""
    more: dict[str, Any] = {"creationTimestamp": at(created_ago), "uid": uid}
    if "cost" in given:
        more["annotations"] = {replicaset.DELETION_COST: given["cost"]}
    ready_ago = given.get("readyAgo", 60) if given.get("ready") else None
    made = pod(
        given["id"], node=given.get("node", ""), phase=given.get("phase", "Pending"), ready_ago=ready_ago, **more
    )
    restarts = [{"name": "c", "restartCount": given.get("restarts", 0)}]
    return {**made, "status": {**made["status"], "containerStatuses": restarts}}


def _orders() -> list[tuple[str, dict[str, Any], list[str]]]:
    return [(owner, case, order) for owner, cases in SCALE_DOWN.items() for case in cases for order in case["orders"]]


@pytest.mark.parametrize(("owner", "case", "order"), _orders())
def test_pods_go_in_the_recorded_order(owner: str, case: dict[str, Any], order: list[str]) -> None:
    """Scaled down one by one. Ties are broken by uid, so uids in the recorded order must give the recorded order."""
    ages = [sum(case["createdApart"][index:]) for index in range(3)] if case["createdApart"] else [100] * 8
    uids = {name: f"{index:02d}" for index, name in enumerate(order)}
    left = [_recorded_pod(one, age, uids[one["id"]]) for one, age in zip(case["pods"], ages, strict=False)]
    gone = []
    while left:
        crowding: dict[str, int] = {}
        for one in left if owner == "Deployment" else ():
            node = one["spec"].get("nodeName", "")
            crowding[node] = crowding.get(node, 0) + 1
        first = replicaset.deletion_order(left, crowding, T0.now_s)[0]
        gone.append(first["metadata"]["name"])
        left.remove(first)
    assert gone == order


def test_a_refused_replica_set_waits_for_its_retry_and_keeps_its_failure() -> None:
    rs = described(replicas=3)
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "no",
        "lastTransitionTime": at(1),
    }
    rs = {**rs, "status": {"replicas": 0, "terminatingReplicas": 0, "observedGeneration": 1, "conditions": [failure]}}
    memory = {("replicaset", KEY): {"failures": 1, "due": T0.now_s + 1, "generation": 1}}
    view = FrozenView({"replicasets.apps": [rs], "pods": []}, memory)
    assert actions(replicaset.step, rs, view) == [Wake(T0.now_s + 1)]
    later = T0.at(T0.now_s + 1)
    assert len(of_type(actions(replicaset.step, rs, view, later), Create)) == 3
