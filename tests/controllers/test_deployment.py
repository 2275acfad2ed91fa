from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Key, Patch, Record, Wake
from minikube_py.base.clock import timestamp
from minikube_py.controllers import deployment, replicaset
from minikube_py.controllers.deployment import sizes
from tests.controllers.harness import Cluster
from tests.support import T0, Create, FrozenView, actions, of_type

WEB = Key("deployments.apps", "default", "web")
REVISION = "deployment.kubernetes.io/revision"


def _described(image: str = "nginx:1", replicas: int = 3, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
            "strategy": rolling,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **spec,
        },
    }


def _cluster(described: dict[str, Any], *, ready: bool = True) -> Cluster:
    cluster = Cluster(
        {"deployments.apps": ("deployment", deployment.step), "replicasets.apps": ("replicaset", replicaset.step)}
    )
    cluster.create(described)
    return _rolled(cluster) if ready else cluster


def _rolled(cluster: Cluster) -> Cluster:
    """Until all pods are ready and nothing moves."""
    for _ in range(30):
        cluster.settle()
        cluster.drop_terminating()
        cluster.settle()
        waiting = [pod for pod in cluster.list("pods") if pod.get("status") is None]
        if not waiting:
            return cluster
        for pod in waiting:
            cluster.make_ready(pod)
    raise AssertionError("the rollout does not end")


def _image(image: str) -> dict[str, Any]:
    return {"spec": {"template": _described(image)["spec"]["template"]}}


def _sizes(cluster: Cluster) -> dict[str, int]:
    return {
        rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs["spec"]["replicas"]
        for rs in cluster.list("replicasets.apps")
    }


def _conditions(cluster: Cluster) -> dict[str, tuple[str, str, str]]:
    found = cluster.get(WEB)
    assert found is not None
    return {one["type"]: (one["status"], one["reason"], one["message"]) for one in found["status"]["conditions"]}


def _revisions(cluster: Cluster) -> dict[str, tuple[str, str | None]]:
    return {
        rs["spec"]["template"]["spec"]["containers"][0]["image"]: (
            rs["metadata"]["annotations"][REVISION],
            rs["metadata"]["annotations"].get("deployment.kubernetes.io/revision-history"),
        )
        for rs in cluster.list("replicasets.apps")
    }


def test_the_first_sync_creates_the_replica_set_and_tells_so() -> None:
    made = _described()
    made = {**made, "metadata": {**made["metadata"], "uid": "uid-web", "generation": 1, "annotations": {"note": "x"}}}
    taken = actions(deployment.step, made, FrozenView({"deployments.apps": [made]}))
    (rs,) = [one.object for one in of_type(taken, Create)]
    hashed = rs["metadata"]["labels"]["pod-template-hash"]
    assert rs["metadata"]["name"] == f"web-{hashed}"
    assert rs["metadata"]["annotations"] == {
        "note": "x",
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    assert rs["spec"]["selector"] == {"matchLabels": {"app": "web", "pod-template-hash": hashed}}
    assert rs["spec"]["replicas"] == 3
    assert [one.message for one in of_type(taken, Record)] == [f"Scaled up replica set web-{hashed} from 0 to 3"]
    noted = of_type(taken, Patch)[0]
    assert (noted.key, noted.subresource) == (WEB, "status"), (
        "an annotation written with the status is no new generation"
    )
    assert noted.fields["metadata"] == {"annotations": {REVISION: "1"}}
    assert [one["reason"] for one in noted.fields["status"]["conditions"]] == ["NewReplicaSetCreated"]


def test_the_conditions_and_counters_of_a_creation_are_the_recorded_ones() -> None:
    """traces/a_deployment_create: the steps of the status, pods becoming ready one by one."""
    cluster = _cluster(_described(), ready=False)
    cluster.settle()
    for pod in cluster.list("pods"):
        cluster.make_ready(pod)
        cluster.settle()
    counters = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")
    steps = []
    for _, key, obj in cluster.log:
        status = obj.get("status")
        if key.resource == "deployments.apps" and status:
            reasons = [one["reason"] for one in status["conditions"]]
            steps.append((status.get("observedGeneration"), *(status.get(name) for name in counters), reasons))
    waiting, moving = "MinimumReplicasUnavailable", "ReplicaSetUpdated"
    assert steps == [
        (None, None, None, None, None, None, ["NewReplicaSetCreated"]),
        (1, None, None, None, None, 3, ["NewReplicaSetCreated", waiting]),
        (1, 3, 3, None, None, 3, [waiting, moving]),
        (1, 3, 3, 1, 1, 2, [waiting, moving]),
        (1, 3, 3, 2, 2, 1, [waiting, moving]),
        (1, 3, 3, 3, 3, None, ["MinimumReplicasAvailable", "NewReplicaSetAvailable"]),
    ]


def test_recreate_waits_until_the_old_pods_are_gone() -> None:
    cluster = _cluster(_described(strategy={"type": "Recreate"}))
    cluster.patch(WEB, _image("nginx:2"))
    cluster.settle()
    assert _sizes(cluster) == {"nginx:1": 0}
    assert len(cluster.list("pods")) == 3, "all terminating"
    cluster.drop_terminating()
    cluster.settle()
    assert _sizes(cluster) == {"nginx:1": 0, "nginx:2": 3}


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    """traces/f_pause_resume"""
    cluster = _cluster(_described(replicas=4))
    cluster.patch(WEB, {"spec": {"paused": True}})
    cluster.settle()
    assert _conditions(cluster)["Progressing"] == ("Unknown", "DeploymentPaused", "Deployment is paused")
    cluster.patch(WEB, _image("nginx:2"))
    cluster.patch(WEB, {"spec": {"replicas": 6}})
    _rolled(cluster)
    assert _sizes(cluster) == {"nginx:1": 6}
    cluster.patch(WEB, {"spec": {"paused": None}})
    _rolled(cluster)
    assert _sizes(cluster) == {"nginx:1": 0, "nginx:2": 6}
    assert _conditions(cluster)["Progressing"][:2] == ("True", "NewReplicaSetAvailable")


def test_scaling_in_the_middle_of_a_rollout_is_proportional() -> None:
    """traces/f_pause_resume: 10 replicas stuck at old 8, new 5; to 15: 11 and 7; to 5: 3 and 5."""
    cluster = _cluster(_described(replicas=10, strategy={"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}))
    cluster.patch(WEB, _image("does-not-exist:1"))
    cluster.settle()
    assert _sizes(cluster) == {"nginx:1": 8, "does-not-exist:1": 5}
    cluster.patch(WEB, {"spec": {"replicas": 15}})
    cluster.settle()
    assert _sizes(cluster) == {"nginx:1": 11, "does-not-exist:1": 7}
    for pod in cluster.list("pods"):
        if pod.get("status") is None and pod["spec"]["containers"][0]["image"] == "nginx:1":
            cluster.make_ready(pod)
    cluster.settle()
    cluster.patch(WEB, {"spec": {"replicas": 5}})
    cluster.settle()
    assert _sizes(cluster) == {"nginx:1": 3, "does-not-exist:1": 5}


def test_a_rollout_that_stands_still_passes_its_deadline() -> None:
    """traces/g_deadline: 4 replicas, 10 s."""
    cluster = _cluster(_described(replicas=4, progressDeadlineSeconds=10))
    cluster.patch(WEB, _image("nginx:bad"))
    cluster.settle()
    cluster.drop_terminating()
    cluster.settle()
    assert cluster.wakes == {WEB: cluster.clock.now_s + 11}
    cluster.advance(11)
    cluster.run(WEB)
    cluster.settle()
    name = next(
        rs["metadata"]["name"] for rs in cluster.list("replicasets.apps") if "bad" in str(rs["spec"]["template"])
    )
    message = f'ReplicaSet "{name}" has timed out progressing.'
    assert _conditions(cluster) == {
        "Available": ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        "Progressing": ("False", "ProgressDeadlineExceeded", message),
    }
    found = cluster.get(WEB)
    assert found is not None
    status = {name: value for name, value in found["status"].items() if name != "conditions"}
    assert status == {
        "observedGeneration": 2,
        "replicas": 5,
        "updatedReplicas": 2,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "unavailableReplicas": 2,
        "terminatingReplicas": 0,
    }
    assert cluster.wakes == {}


@pytest.mark.parametrize(("deadline_s", "background"), [(10, False), (600, True)])
def test_the_default_deadline_does_not_keep_a_cluster_from_being_settled(deadline_s: int, background: bool) -> None:
    cluster = _cluster(_described(progressDeadlineSeconds=deadline_s), ready=False)
    cluster.settle()
    wakes = of_type(actions(deployment.step, cluster.list("deployments.apps")[0], cluster), Wake)
    assert wakes == [Wake(T0.now_s + deadline_s + 1, background)]


def test_a_template_that_comes_back_takes_its_replica_set_with_a_new_revision() -> None:
    """traces/d_4e_undo_history"""
    cluster = _cluster(_described("nginx:1.27"))
    for image in ("nginx:1.28", "nginx:1.29", "nginx:1.28", "nginx:1.27"):
        cluster.patch(WEB, _image(image))
        _rolled(cluster)
    assert _revisions(cluster) == {
        "nginx:1.29": ("3", None),
        "nginx:1.28": ("4", "2"),
        "nginx:1.27": ("5", "1"),
    }
    found = cluster.get(WEB)
    assert found is not None
    assert found["metadata"]["annotations"][REVISION] == "5"


def test_the_history_limit_keeps_the_youngest_old_revisions() -> None:
    """traces/f_extra: limit 1 after five revisions keeps 4 and 5."""
    cluster = _cluster(_described("nginx:1", revisionHistoryLimit=1))
    for number in range(2, 6):
        cluster.patch(WEB, _image(f"nginx:{number}"))
        _rolled(cluster)
    assert sorted(revision for revision, _ in _revisions(cluster).values()) == ["4", "5"]


def test_an_orphaned_replica_set_is_adopted() -> None:
    """misc/garbage_collection: the same Deployment again adopts what it left behind."""
    cluster = _cluster(_described())
    (rs,) = cluster.list("replicasets.apps")
    key = Key("replicasets.apps", "default", rs["metadata"]["name"])
    cluster.remove(WEB)
    cluster.patch(key, {"metadata": {"ownerReferences": None}})
    cluster.create(_described())
    cluster.settle()
    (adopted,) = cluster.list("replicasets.apps")
    found = cluster.get(WEB)
    assert found is not None
    assert adopted["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
    assert adopted["metadata"]["uid"] == rs["metadata"]["uid"]


def test_a_taken_name_counts_as_hash_collision_and_gets_another_hash() -> None:
    made = _described()
    first = _cluster(made)
    name = first.list("replicasets.apps")[0]["metadata"]["name"]
    cluster = _cluster(made, ready=False)
    other = {**_described("other"), "kind": "ReplicaSet", "metadata": {"name": name, "namespace": "default"}}
    other = {**other, "spec": {**other["spec"], "selector": {"matchLabels": {"app": "other"}}}}
    other["spec"]["template"] = {**other["spec"]["template"], "metadata": {"labels": {"app": "other"}}}
    cluster.create(other)
    _rolled(cluster)
    found = cluster.get(WEB)
    assert found is not None
    assert found["status"]["collisionCount"] == 1
    assert len(cluster.list("replicasets.apps")) == 2


def test_the_time_of_the_last_transition_stays_while_the_status_stays() -> None:
    cluster = _cluster(_described())
    start = timestamp(cluster.clock.now_s)
    cluster.advance(100)
    cluster.patch(WEB, _image("nginx:2"))
    _rolled(cluster)
    found = cluster.get(WEB)
    assert found is not None
    progressing = next(one for one in found["status"]["conditions"] if one["type"] == "Progressing")
    assert (progressing["lastTransitionTime"], progressing["lastUpdateTime"]) == (start, cluster.clock.timestamp)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "fenceposts"),
    [
        (10, "25%", "25%", (3, 2)),
        (1, "25%", "25%", (1, 0)),
        (3, 0, "10%", (0, 1)),
        (3, 0, "34%", (0, 1)),
        (4, "50%", "50%", (2, 2)),
        (10, 0, "100%", (0, 10)),
    ],
)
def test_fenceposts(replicas: int, surge: int | str, unavailable: int | str, fenceposts: tuple[int, int]) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    assert sizes.fenceposts(_described(replicas=replicas, strategy=rolling)) == fenceposts
