"""A HorizontalPodAutoscaler scales whatever has a scale: here an operator's kind, once its status says which pods are its."""

from __future__ import annotations

from typing import Any

from minikube_py.cluster import Cluster
from tests.autoscaling.test_vpa import SHOPS, deployment

Object = dict[str, Any]


def conditions(cluster: Cluster) -> dict[str, tuple[str, str]]:
    status = cluster.get("horizontalpodautoscalers", "shop", "default")["status"]
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def test_a_custom_resource_is_scaled_through_the_paths_of_its_definition() -> None:
    cluster = Cluster.memory(nodes=2, seed=1)
    cluster.create(SHOPS)
    cluster.create(
        {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "main"}, "spec": {"replicas": 2}}
    )
    cluster.create(deployment(2) | {"kind": "ReplicaSet"})
    usage = {"match": {}, "cpu": "200m"}
    cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Program", "metadata": {"name": "p"}, "spec": usage})
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    spec = {
        "scaleTargetRef": {"apiVersion": "example.com/v1", "kind": "Shop", "name": "main"},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [{"type": "Resource", "resource": metric}],
    }
    meta = {"name": "shop"}
    cluster.create({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec})
    cluster.reconcile()
    cluster.reconcile(for_s=30)
    assert conditions(cluster)["ScalingActive"] == ("False", "InvalidSelector")
    cluster.patch("shops", "main", "default", {"status": {"replicas": 2, "selector": "app=web"}}, subresource="status")
    cluster.reconcile(for_s=60)
    assert cluster.get("shops", "main", "default")["spec"]["replicas"] == 5
    assert conditions(cluster)["ScalingLimited"] == ("True", "TooManyReplicas")
