"""StatefulSets: traces/h_statefulset and misc/statefulsets."""

from __future__ import annotations

from typing import Any

from minikube_py.api.types import Key
from minikube_py.controllers import statefulset
from tests.controllers.harness import Cluster

DB = Key("statefulsets.apps", "default", "db")


def _described(image: str = "nginx:1", replicas: int = 3, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": template,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


def _cluster(described: dict[str, Any]) -> Cluster:
    cluster = Cluster({"statefulsets.apps": ("statefulset", statefulset.step)})
    cluster.create(described)
    cluster.settle()
    return cluster


def _names(cluster: Cluster) -> list[str]:
    return [pod["metadata"]["name"] for pod in cluster.list("pods")]


def _go_on(cluster: Cluster) -> None:
    """All pods become ready, terminating ones vanish, until nothing moves."""
    for _ in range(40):
        before = len(cluster.log)
        for pod in cluster.list("pods"):
            if "status" not in pod and "deletionTimestamp" not in pod["metadata"]:
                cluster.make_ready(pod)
        cluster.settle()
        cluster.drop_terminating()
        cluster.settle()
        if len(cluster.log) == before:
            return
    raise AssertionError("it does not end")


def _status(cluster: Cluster) -> dict[str, Any]:
    found = cluster.get(DB)
    assert found is not None
    return found["status"]  # type: ignore[no-any-return]


def test_pods_are_made_one_after_the_other() -> None:
    cluster = _cluster(_described())
    assert _names(cluster) == ["db-0"]
    assert _status(cluster)["replicas"] == 1
    cluster.make_ready(cluster.list("pods")[0])
    cluster.settle()
    assert _names(cluster) == ["db-0", "db-1"]
    _go_on(cluster)
    revision = _status(cluster)["currentRevision"]
    assert _status(cluster) == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
        "availableReplicas": 3,
    }
    assert cluster.events == [
        ("SuccessfulCreate", f"Create Pod db-{number} in StatefulSet db successful") for number in range(3)
    ]


def test_a_pod_has_its_name_its_labels_and_its_claim() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    cluster = _cluster(_described(volumeClaimTemplates=[claim]))
    (pod,) = cluster.list("pods")
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "statefulset.kubernetes.io/pod-name": "db-0",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": _status(cluster)["updateRevision"],
    }
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-0", "db")
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]
    assert [one["metadata"]["name"] for one in cluster.list("persistentvolumeclaims")] == ["data-db-0"]


def test_parallel_makes_all_at_once() -> None:
    assert _names(_cluster(_described(podManagementPolicy="Parallel"))) == ["db-0", "db-1", "db-2"]


def test_an_update_goes_from_the_last_pod_to_the_first() -> None:
    cluster = _cluster(_described())
    _go_on(cluster)
    cluster.events.clear()
    cluster.patch(DB, {"spec": {"template": _described("nginx:2")["spec"]["template"]}})
    cluster.settle()
    assert (_status(cluster)["currentReplicas"], _status(cluster).get("updatedReplicas")) == (2, None)
    _go_on(cluster)
    assert [message.split(" in ")[0] for _, message in cluster.events] == [
        f"{verb} Pod db-{number}" for number in (2, 1, 0) for verb in ("Delete", "Create")
    ]
    assert _status(cluster)["currentRevision"] == _status(cluster)["updateRevision"]
    assert [one["revision"] for one in cluster.list("controllerrevisions.apps")].count(2) == 1


def test_the_counters_of_a_creation_and_an_update_are_the_recorded_ones() -> None:
    """traces/h_statefulset: (replicas, ready, current, updated) after each write of the status."""
    cluster = _cluster(_described())
    while waiting := [pod for pod in cluster.list("pods") if "status" not in pod]:
        cluster.make_ready(waiting[0])
        cluster.settle()
    cluster.patch(DB, {"spec": {"template": _described("nginx:2")["spec"]["template"]}})
    cluster.settle()
    for _ in range(2):
        (going,) = [pod for pod in cluster.list("pods") if "deletionTimestamp" in pod["metadata"]]
        not_ready = {"type": "Ready", "status": "False", "lastTransitionTime": cluster.clock.timestamp}
        key = Key("pods", "default", going["metadata"]["name"])
        cluster.patch(key, {"status": {"conditions": [not_ready]}}, "status")
        cluster.settle()
        cluster.drop_terminating()
        cluster.settle()
        cluster.make_ready(next(pod for pod in cluster.list("pods") if "status" not in pod))
        cluster.settle()
    names = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas")
    seen: list[tuple[int, ...]] = []
    for _, key, obj in cluster.log:
        if key == DB and "status" in obj:
            counters = tuple(obj["status"].get(name, 0) for name in names)
            if not seen or counters != seen[-1]:
                seen.append(counters)
    creation = [(0, 0, 0, 0), (1, 0, 1, 1), (1, 1, 1, 1), (2, 1, 2, 2), (2, 2, 2, 2), (3, 2, 3, 3), (3, 3, 3, 3)]
    update = [
        (3, 3, 2, 0),
        (3, 2, 2, 0),
        (2, 2, 2, 0),
        (3, 2, 2, 1),
        (3, 3, 1, 1),
        (3, 2, 1, 1),
        (2, 2, 1, 1),
        (3, 2, 1, 2),
    ]
    assert seen == [*creation, *update, (3, 3, 0, 2)]


def test_pods_below_the_partition_keep_the_old_revision() -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    cluster = _cluster(_described(replicas=4, updateStrategy=rolling))
    _go_on(cluster)
    cluster.patch(DB, {"spec": {"template": _described("nginx:2")["spec"]["template"]}})
    _go_on(cluster)
    images = [pod["spec"]["containers"][0]["image"] for pod in cluster.list("pods")]
    assert images == ["nginx:1", "nginx:1", "nginx:2", "nginx:2"]
    assert _status(cluster)["currentRevision"] != _status(cluster)["updateRevision"]


def test_scaling_down_takes_the_last_pod_first_and_waits_until_it_is_gone() -> None:
    cluster = _cluster(_described(replicas=3))
    _go_on(cluster)
    cluster.patch(DB, {"spec": {"replicas": 1}})
    cluster.settle()
    going = [pod["metadata"]["name"] for pod in cluster.list("pods") if "deletionTimestamp" in pod["metadata"]]
    assert going == ["db-2"]
    _go_on(cluster)
    assert _names(cluster) == ["db-0"]


def test_a_template_that_comes_back_reuses_its_revision() -> None:
    """rollout history shows 2 and 3 after an undo."""
    cluster = _cluster(_described())
    _go_on(cluster)
    for image in ("nginx:2", "nginx:1"):
        cluster.patch(DB, {"spec": {"template": _described(image)["spec"]["template"]}})
        _go_on(cluster)
    assert sorted(one["revision"] for one in cluster.list("controllerrevisions.apps")) == [2, 3]


def test_a_failed_pod_is_made_again() -> None:
    cluster = _cluster(_described(replicas=1))
    _go_on(cluster)
    cluster.finish(cluster.list("pods")[0], "Failed")
    cluster.settle()
    assert ("RecreatingFailedPod", "StatefulSet default/db is recreating failed Pod db-0") in cluster.events
    _go_on(cluster)
    assert cluster.list("pods")[0]["status"]["phase"] == "Running"
