"""Thirteen rolling updates of a real cluster, replayed: new pods become ready one at a time, oldest first, when all is quiet.

`tests/data/traces/lockstep.json` holds for each case the sizes (old, new) after every write, and at each quiet point the
counters [size, replicas, available] of both ReplicaSets, those of the Deployment, the reason of its condition Progressing
and the number of pods.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.controllers import deployment, replicaset
from tests.controllers.harness import Cluster

CASES = json.loads((Path(__file__).parents[1] / "data/traces/lockstep.json").read_text())
WEB = Key("deployments.apps", "default", "web")
COUNTERS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")


def _deployment(case: dict[str, Any], image: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    rolling = {"maxSurge": case["maxSurge"], "maxUnavailable": case["maxUnavailable"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": case["replicas"],
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        },
    }


def _rolled_out(case: dict[str, Any]) -> Cluster:
    """The first revision, all ready."""
    cluster = Cluster(
        {
            "deployments.apps": ("deployment", deployment.step),
            "replicasets.apps": ("replicaset", replicaset.step),
        }
    )
    cluster.create(_deployment(case, "nginx:1"))
    cluster.settle()
    for pod in cluster.list("pods"):
        cluster.make_ready(pod)
    cluster.settle()
    return cluster


def _images(cluster: Cluster) -> dict[str, dict[str, Any]]:
    return {rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs for rs in cluster.list("replicasets.apps")}


def _state(cluster: Cluster) -> dict[str, Any]:
    def counters(rs: dict[str, Any]) -> list[int]:
        status = rs.get("status", {})
        return [rs["spec"]["replicas"], status.get("replicas", 0), status.get("availableReplicas", 0)]

    sets, found = _images(cluster), cluster.get(WEB)
    assert found is not None
    reasons = {one["type"]: one["reason"] for one in found["status"]["conditions"]}
    return {
        "old": counters(sets["nginx:1"]),
        "new": counters(sets["nginx:2"]),
        "deploy": {name: found["status"].get(name, 0) for name in COUNTERS},
        "progressing": reasons["Progressing"],
        "pods": len(cluster.list("pods")),
    }


def _quiet(cluster: Cluster) -> None:
    cluster.settle()
    cluster.drop_terminating()
    cluster.settle()


def _next_pod(cluster: Cluster) -> dict[str, Any] | None:
    new = _images(cluster)["nginx:2"]
    waiting = [pod for pod in cluster.owned(new["metadata"]["uid"], "pods") if not pods.is_ready(pod)]
    return min(waiting, key=lambda pod: pod["metadata"]["uid"], default=None)


def _sizes(cluster: Cluster, first_write: int) -> list[list[int]]:
    """(old, new) after every write that changed one of them."""
    sizes = {"nginx:1": cluster.log[0][2]["spec"]["replicas"], "nginx:2": 0}
    seen = [list(sizes.values())]
    for _, key, obj in cluster.log[first_write:]:
        if key.resource == "replicasets.apps":
            sizes[obj["spec"]["template"]["spec"]["containers"][0]["image"]] = obj["spec"]["replicas"]
            if list(sizes.values()) != seen[-1]:
                seen.append(list(sizes.values()))
    return seen


@pytest.mark.parametrize("name", CASES)
def test_a_rolling_update_takes_the_steps_that_a_real_cluster_took(name: str) -> None:
    case = CASES[name]
    cluster = _rolled_out(case)
    first_write = len(cluster.log)
    cluster.advance(60)
    cluster.patch(WEB, {"spec": {"template": _deployment(case, "nginx:2")["spec"]["template"]}})
    _quiet(cluster)
    states = [_state(cluster)]
    while (pod := _next_pod(cluster)) is not None:
        cluster.advance(1)
        cluster.make_ready(pod)
        _quiet(cluster)
        states.append(_state(cluster))

    assert _sizes(cluster, first_write) == case["rs_sequence_old_new"]
    assert states == case["steps"]


def test_a_settled_deployment_and_its_replica_sets_do_nothing_more() -> None:
    cluster = _rolled_out(CASES["a10d"])
    writes = len(cluster.log)
    cluster.advance(100)
    for resource in ("deployments.apps", "replicasets.apps"):
        for obj in cluster.list(resource):
            cluster.run(Key(resource, "default", obj["metadata"]["name"]))
    assert len(cluster.log) == writes
    assert cluster.wakes == {}
