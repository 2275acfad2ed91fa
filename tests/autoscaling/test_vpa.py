"""VerticalPodAutoscalers in a cluster: recommendations, evictions, resizes, admission, conditions and events."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from minikube_py.cluster import Cluster

Object = dict[str, Any]
VPAS, CHECKPOINTS = "verticalpodautoscalers", "verticalpodautoscalercheckpoints"
EVICTED = "Pod was evicted by VPA Updater to apply resource recommendation."


def deployment(replicas: int = 2, *, cpu: str = "100m", memory: str = "50Mi", **resources: Object) -> Object:
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu, "memory": memory}, **resources}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }


def autoscaler(mode: str = "Recreate", *, name: str = "web", **spec: Any) -> Object:
    policy = {"updateMode": mode, **spec.pop("updatePolicy", {})}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"targetRef": target, "updatePolicy": policy, **spec},
    }


def cluster_with(*objects: Object, cpu: str = "500m", memory: Any = "40Mi") -> Cluster:
    cluster = Cluster.memory(nodes=3, seed=1)
    usage = {"match": {"selector": {"matchLabels": {"app": "web"}}}, "cpu": cpu, "memory": memory}
    cluster.create(
        {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Program", "metadata": {"name": "web"}, "spec": usage}
    )
    for one in objects:
        cluster.create(one)
    cluster.reconcile()
    return cluster


def requests(cluster: Cluster) -> list[Object]:
    return [pod["spec"]["containers"][0]["resources"]["requests"] for pod in cluster.list("pods", "default")]


def messages(cluster: Cluster, reason: str) -> list[str]:
    return sorted(one["message"] for one in cluster.list("events", "default") if one["reason"] == reason)


def conditions(cluster: Cluster) -> dict[str, tuple[str, str]]:
    status = cluster.get(VPAS, "web", "default")["status"]
    return {one["type"]: (one["status"], one.get("message", "")) for one in status["conditions"]}


def test_pods_that_ask_for_too_little_are_evicted_one_after_the_other_and_come_back_with_more() -> None:
    cluster = cluster_with(autoscaler(), deployment())
    cluster.reconcile(for_s=240)
    assert requests(cluster) == [{"cpu": "587m", "memory": "250Mi"}] * 2
    assert messages(cluster, "EvictedByVPA") == [EVICTED] * 2
    assert len(messages(cluster, "EvictedPod")) == 2
    for pod in cluster.list("pods", "default"):
        annotations = pod["metadata"]["annotations"]
        assert annotations["vpaUpdates"] == "Pod resources updated by web: container 0: cpu request, memory request"
        assert annotations["vpaObservedContainers"] == "c"
    assert conditions(cluster) == {"RecommendationProvided": ("True", "")}
    assert cluster.get(VPAS, "web", "default")["status"]["observedGeneration"] == 1


@pytest.mark.parametrize("mode", ["Off", "Initial"])
def test_modes_that_leave_running_pods_alone(mode: str) -> None:
    cluster = cluster_with(autoscaler(mode), deployment(1))
    cluster.reconcile(for_s=240)
    assert requests(cluster) == [{"cpu": "100m", "memory": "50Mi"}]
    cluster.delete("pods", cluster.list("pods", "default")[0]["metadata"]["name"], "default")
    cluster.reconcile()
    given = {"cpu": "587m", "memory": "250Mi"} if mode == "Initial" else {"cpu": "100m", "memory": "50Mi"}
    assert requests(cluster) == [given]


def test_in_place_no_pod_goes() -> None:
    cluster = cluster_with(autoscaler("InPlaceOrRecreate"), deployment())
    names = [pod["metadata"]["name"] for pod in cluster.list("pods", "default")]
    cluster.reconcile(for_s=240)
    pods = cluster.list("pods", "default")
    assert [pod["metadata"]["name"] for pod in pods] == names
    assert requests(cluster) == [{"cpu": "587m", "memory": "250Mi"}] * 2
    assert all(pod["metadata"]["annotations"]["vpaInPlaceUpdated"] == "true" for pod in pods)
    assert messages(cluster, "InPlaceResizedByVPA") == ["Pod was resized in place by VPA Updater."] * 2


def test_what_does_not_fit_in_place_is_evicted_in_the_end() -> None:
    """4 cores a node: 5 cores never fit, so the resize is infeasible."""
    cluster = cluster_with(autoscaler("InPlaceOrRecreate"), deployment(), cpu="4500m")
    cluster.reconcile(for_s=600)
    assert messages(cluster, "EvictedByVPA")


def test_limits_keep_their_proportion() -> None:
    cluster = cluster_with(autoscaler("Initial"), deployment(1, limits={"cpu": "200m", "memory": "100Mi"}), cpu="150m")
    cluster.reconcile(for_s=120)
    cluster.delete("pods", cluster.list("pods", "default")[0]["metadata"]["name"], "default")
    cluster.reconcile()
    (pod,) = cluster.list("pods", "default")
    resources = pod["spec"]["containers"][0]["resources"]
    assert resources["limits"]["memory"] == "500Mi"
    assert 2 * int(resources["requests"]["cpu"][:-1]) == int(resources["limits"]["cpu"][:-1])
    assert pod["metadata"]["annotations"]["vpaUpdates"].endswith("cpu request, memory request, cpu limit, memory limit")


def test_one_replica_is_not_evicted_unless_the_policy_says_so() -> None:
    cluster = cluster_with(autoscaler(), deployment(1))
    cluster.reconcile(for_s=240)
    assert messages(cluster, "EvictedByVPA") == []
    cluster.patch(VPAS, "web", "default", {"spec": {"updatePolicy": {"minReplicas": 1}}})
    cluster.reconcile(for_s=120)
    assert messages(cluster, "EvictedByVPA") == [EVICTED]


def budget(minimum: int) -> Object:
    spec = {"minAvailable": minimum, "selector": {"matchLabels": {"app": "web"}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec}


def test_a_disruption_budget_holds_the_updater_up() -> None:
    cluster = cluster_with(autoscaler(), deployment(3), budget(3))
    cluster.reconcile(for_s=600)
    assert messages(cluster, "EvictedByVPA") == []
    cluster.patch("poddisruptionbudgets.policy", "b", "default", {"spec": {"minAvailable": 2}})
    cluster.reconcile(for_s=600)
    assert len(messages(cluster, "EvictedByVPA")) == 3


@pytest.mark.parametrize("replicas", [2, 3, 5, 8])
def test_never_fewer_pods_than_tolerance_and_budget_allow(replicas: int) -> None:
    cluster = cluster_with(autoscaler(), deployment(replicas), budget(1), cpu="150m")
    before = cluster.store.revision
    alive = {pod["metadata"]["name"] for pod in cluster.list("pods", "default")}
    least = len(alive)

    for _ in range(10):
        cluster.reconcile(for_s=60)
    for change in cluster.changes(before):
        if change.key.resource == "pods":
            pod = change.new
            is_ready = pod is not None and "deletionTimestamp" not in pod["metadata"] and any(
                one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", ())
            )  # fmt: skip
            (alive.add if is_ready else alive.discard)(change.key.name)
            least = min(least, len(alive))
    assert least >= max(1, replicas - max(1, replicas // 2))
    assert requests(cluster) == [requests(cluster)[0]] * replicas
    assert requests(cluster)[0]["memory"] == "250Mi"


def test_a_rate_limit_spreads_evictions_over_time() -> None:
    cluster = cluster_with(autoscaler(), deployment(8), cpu="150m")
    meta = {"name": "vertical-pod-autoscaler-config", "namespace": "kube-system"}
    data = {"eviction-rate-limit": "0.05", "eviction-rate-burst": "1", "eviction-tolerance": "0.9"}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}, namespace="kube-system")
    before = cluster.store.revision
    cluster.reconcile(for_s=400)
    times = [
        change.time_s for change in cluster.changes(before) if "EvictedByVPA" in str((change.new or {}).get("reason"))
    ]
    assert len(times) == 8
    assert all(later - earlier >= 20 for earlier, later in pairwise(times))


def test_killed_for_want_of_memory_soon_after_its_start_a_pod_is_replaced_by_a_larger_one() -> None:
    course = [{"after": "0s", "value": "100Mi"}, {"after": "70s", "value": "340Mi"}]
    cluster = cluster_with(
        autoscaler(), deployment(memory="300Mi", limits={"memory": "320Mi"}), cpu="50m", memory=course
    )
    cluster.reconcile(for_s=600)
    pods = cluster.list("pods", "default")
    assert all(int(one["memory"]) > 400 << 20 for one in requests(cluster))
    assert sum(pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods) == 0


@pytest.mark.parametrize(
    ("requirement", "is_evicted"), [("TargetHigherThanRequests", True), ("TargetLowerThanRequests", False)]
)
def test_eviction_requirements_decide_by_direction(requirement: str, is_evicted: bool) -> None:
    wanted = {"evictionRequirements": [{"resources": ["cpu", "memory"], "changeRequirement": requirement}]}
    cluster = cluster_with(autoscaler(updatePolicy=wanted), deployment())
    cluster.reconcile(for_s=240)
    assert bool(messages(cluster, "EvictedByVPA")) == is_evicted


def test_a_target_that_is_not_there_or_not_the_topmost_is_told() -> None:
    cluster = cluster_with(autoscaler())
    cluster.reconcile(for_s=60)
    assert conditions(cluster) == {
        "ConfigUnsupported": ("True", "Cannot read targetRef. Reason: Deployment default/web does not exist"),
        "NoPodsMatched": ("True", "No pods match this VPA object"),
        "RecommendationProvided": ("False", "No pods match this VPA object"),
    }
    cluster.create(deployment(1))
    cluster.reconcile(for_s=120)
    assert conditions(cluster) == {"RecommendationProvided": ("True", "")}
    (owner,) = cluster.list("replicasets", "default")
    target = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner["metadata"]["name"]}
    cluster.patch(VPAS, "web", "default", {"spec": {"targetRef": target}})
    cluster.reconcile(for_s=60)
    told = conditions(cluster)["ConfigUnsupported"][1]
    assert told.startswith(f"The target apps/v1.ReplicaSet/{target['name']} has a parent controller")


def test_two_autoscalers_of_one_target_the_older_one_is_in_charge() -> None:
    cluster = cluster_with(
        autoscaler(resourcePolicy={"containerPolicies": [{"containerName": "*", "maxAllowed": {"cpu": "150m"}}]}),
        deployment(1),
    )
    cluster.reconcile(for_s=60)
    cluster.create(autoscaler(name="young"))
    cluster.reconcile(for_s=120)
    cluster.delete("pods", cluster.list("pods", "default")[0]["metadata"]["name"], "default")
    cluster.reconcile()
    assert requests(cluster)[0]["cpu"] == "150m"


def test_another_recommender_is_none_of_our_affair() -> None:
    cluster = cluster_with(autoscaler(recommenders=[{"name": "own"}]), deployment(1))
    cluster.reconcile(for_s=120)
    assert "status" not in cluster.get(VPAS, "web", "default")


def test_a_limit_range_bounds_what_a_pod_gets() -> None:
    limits = {"limits": [{"type": "Container", "max": {"memory": "200Mi"}}]}
    bounds = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": limits}
    cluster = cluster_with(bounds, autoscaler("Initial"), deployment(1, limits={"memory": "100Mi"}))
    cluster.reconcile(for_s=120)
    cluster.delete("pods", cluster.list("pods", "default")[0]["metadata"]["name"], "default")
    cluster.reconcile()
    assert requests(cluster)[0]["memory"] == "100Mi"  # its limit of twice as much is at the bound
    (pod,) = cluster.list("pods", "default")
    assert "memory capped to fit Max in container LimitRange" in pod["metadata"]["annotations"]["vpaUpdates"]


def test_checkpoints_are_written_and_go_with_their_autoscaler() -> None:
    cluster = cluster_with(autoscaler(), deployment(1))
    cluster.reconcile(for_s=7200)
    (checkpoint,) = cluster.list(CHECKPOINTS, "default")
    assert checkpoint["metadata"]["name"] == "web-c"
    assert checkpoint["spec"] == {"containerName": "c", "vpaObjectName": "web"}
    assert checkpoint["status"]["version"] == "v3"
    assert checkpoint["status"]["cpuHistogram"]["bucketWeights"] == {"25": 10_000}
    cluster.delete(VPAS, "web", "default")
    cluster.reconcile(for_s=600)
    assert cluster.list(CHECKPOINTS, "default") == []


def test_custom_resources_with_a_scale_can_be_targets() -> None:
    """An operator's Shop owns the pods' ReplicaSet; its scale says which pods are its."""
    cluster = cluster_with(SHOPS)
    shop = {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "main"}, "spec": {"replicas": 1}}
    stored = cluster.create(shop)
    cluster.patch("shops", "main", "default", {"status": {"replicas": 1, "selector": "app=web"}}, subresource="status")
    owner = {
        "apiVersion": "example.com/v1",
        "kind": "Shop",
        "name": "main",
        "uid": stored["metadata"]["uid"],
        "controller": True,
    }
    template = deployment(2)
    template |= {"kind": "ReplicaSet", "metadata": {"name": "shop", "ownerReferences": [owner]}}
    cluster.create(template)
    target = {"apiVersion": "example.com/v1", "kind": "Shop", "name": "main"}
    cluster.create(autoscaler(targetRef=target) | {"metadata": {"name": "web"}})
    cluster.reconcile(for_s=300)
    assert requests(cluster) == [{"cpu": "587m", "memory": "250Mi"}] * 2


SHOPS: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "shops.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "shops", "kind": "Shop"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas",
                        "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
            }
        ],
    },
}


def test_eight_days_bring_confidence() -> None:
    cluster = cluster_with(autoscaler("Off"), deployment(1))
    cluster.reconcile(for_s=8 * 86_400)
    (found,) = cluster.get(VPAS, "web", "default")["status"]["recommendation"]["containerRecommendations"]
    assert found["target"]["cpu"] == "587m"
    assert found["upperBound"]["cpu"] == "660m"  # 587m * (1 + 1/8)
    assert found["lowerBound"]["cpu"] == "586m"
