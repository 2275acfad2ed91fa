"""DaemonSets: misc/daemonsets."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Key
from minikube_py.controllers import daemonset, placement
from tests.controllers.harness import Cluster

AGENT = Key("daemonsets.apps", "default", "agent")


def _described(image: str = "nginx:1", rolling: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling or {"maxUnavailable": 1, "maxSurge": 0}}
    pod_spec = {"containers": [{"name": "c", "image": image}], **spec}
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": pod_spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}},
            "template": template,
            "updateStrategy": strategy,
            "revisionHistoryLimit": 10,
        },
    }


def _node(name: str, labels: dict[str, str] | None = None, taints: list[Any] | None = None) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": taints or []}}


def _cluster(described: dict[str, Any], *nodes: dict[str, Any]) -> Cluster:
    cluster = Cluster({"daemonsets.apps": ("daemonset", daemonset.step)})
    for node in nodes or [_node(f"n{number}") for number in range(5)]:
        cluster.create(node)
    cluster.create(described)
    cluster.settle()
    return cluster


def _ready(cluster: Cluster) -> None:
    """Pods run where they are pinned to, terminating ones vanish."""
    for pod in cluster.list("pods"):
        if "status" not in pod:
            key = Key("pods", "default", pod["metadata"]["name"])
            node = placement.pinned_to(pod)
            cluster.make_ready(pod)
            cluster.patch(key, {"spec": {"nodeName": node}})
    cluster.settle()
    cluster.drop_terminating()
    cluster.settle()


def _status(cluster: Cluster) -> dict[str, Any]:
    found = cluster.get(AGENT)
    assert found is not None
    return found["status"]  # type: ignore[no-any-return]


def _nodes(cluster: Cluster) -> list[str]:
    return sorted(placement.pinned_to(pod) for pod in cluster.list("pods"))


def test_every_node_gets_a_pod() -> None:
    cluster = _cluster(_described())
    assert _nodes(cluster) == ["n0", "n1", "n2", "n3", "n4"]
    assert _status(cluster) == {
        "currentNumberScheduled": 5,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 5,
        "numberReady": 0,
        "observedGeneration": 1,
        "updatedNumberScheduled": 5,
        "numberUnavailable": 5,
    }
    _ready(cluster)
    assert (_status(cluster)["numberAvailable"], "numberUnavailable" in _status(cluster)) == (5, False)
    assert len(cluster.events) == 5
    assert {reason for reason, _ in cluster.events} == {"SuccessfulCreate"}


def test_a_pod_carries_the_tolerations_of_daemons_and_its_revision() -> None:
    cluster = _cluster(_described(), _node("n0"))
    (pod,) = cluster.list("pods")
    assert [(one["key"].rpartition("/")[2], one["effect"]) for one in pod["spec"]["tolerations"]] == [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ]
    (revision,) = cluster.list("controllerrevisions.apps")
    assert revision["metadata"]["name"] == f"agent-{pod['metadata']['labels']['controller-revision-hash']}"


def _taint(effect: str, key: str = "dedicated") -> list[dict[str, str]]:
    return [{"key": key, "effect": effect}]


@pytest.mark.parametrize(
    ("node", "runs"),
    [
        (_node("x", {"disk": "ssd"}), True),
        (_node("x", {"disk": "hdd"}), False),
        (_node("x", {"disk": "ssd"}, _taint("NoSchedule")), False),
        (_node("x", {"disk": "ssd"}, _taint("NoSchedule", "node.kubernetes.io/unschedulable")), True),
        (_node("x", {"disk": "ssd"}, _taint("NoExecute", "node.kubernetes.io/unreachable")), True),
    ],
    ids=["selected", "not selected", "tainted", "cordoned", "unreachable"],
)
def test_which_nodes_get_one(node: dict[str, Any], runs: bool) -> None:
    assert bool(_cluster(_described(nodeSelector={"disk": "ssd"}), node).list("pods")) == runs


@pytest.mark.parametrize(("effect", "stays"), [("NoSchedule", True), ("NoExecute", False)])
def test_a_new_taint_and_the_pod_that_is_there(effect: str, stays: bool) -> None:
    cluster = _cluster(_described(), _node("n0"))
    _ready(cluster)
    cluster.patch(Key("nodes", "", "n0"), {"spec": {"taints": _taint(effect)}})
    cluster.run(AGENT)
    cluster.settle()
    cluster.drop_terminating()
    assert bool(cluster.list("pods")) == stays


def _update(cluster: Cluster) -> None:
    cluster.patch(AGENT, {"spec": {"template": _described("nginx:2")["spec"]["template"]}})
    cluster.settle()


@pytest.mark.parametrize(("unavailable", "at_once"), [(1, 1), (2, 2), ("25%", 2)])
def test_a_rolling_update_replaces_a_few_pods_at_a_time(unavailable: int | str, at_once: int) -> None:
    cluster = _cluster(_described(rolling={"maxUnavailable": unavailable, "maxSurge": 0}))
    _ready(cluster)
    _update(cluster)
    going = [pod for pod in cluster.list("pods") if "deletionTimestamp" in pod["metadata"]]
    assert len(going) == at_once
    for _ in range(12):
        _ready(cluster)
    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.list("pods")} == {"nginx:2"}
    assert _status(cluster)["updatedNumberScheduled"] == 5


def test_a_surging_update_makes_the_new_pod_first() -> None:
    cluster = _cluster(_described(rolling={"maxUnavailable": 0, "maxSurge": 1}))
    _ready(cluster)
    _update(cluster)
    assert len(cluster.list("pods")) == 6
    assert not [pod for pod in cluster.list("pods") if "deletionTimestamp" in pod["metadata"]]
    for _ in range(12):
        _ready(cluster)
    assert _nodes(cluster) == ["n0", "n1", "n2", "n3", "n4"]
    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.list("pods")} == {"nginx:2"}


def test_a_failed_pod_is_removed_and_made_again() -> None:
    cluster = _cluster(_described(), _node("n0"))
    _ready(cluster)
    cluster.finish(cluster.list("pods")[0], "Failed")
    cluster.settle()
    assert [reason for reason, _ in cluster.events][1:] == ["FailedDaemonPod", "SuccessfulDelete", "SuccessfulCreate"]
    _ready(cluster)
    assert len(cluster.list("pods")) == 1


def test_a_pod_that_fails_again_and_again_is_made_again_more_and_more_slowly() -> None:
    """It fails as soon as it is there: removed at 0, then with a back-off of 1, 2, 4 s."""
    cluster = _cluster(_described(), _node("n0"))
    removed, start_s = [], cluster.clock.now_s
    for _ in range(12):
        for pod in cluster.list("pods"):
            if "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") != "Failed":
                cluster.finish(pod, "Failed")
        cluster.settle()
        removed += [cluster.clock.now_s - start_s for reason, _ in cluster.events if reason == "FailedDaemonPod"]
        cluster.events.clear()
        cluster.drop_terminating()
        cluster.settle()
        cluster.advance(1)
        cluster.settle()
    assert removed == [0, 1, 3, 7]
