"""Addresses of load balancers: after a delay, never the same twice, gone with what they were for."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cli.clusters import NO_CLOUD
from minikube_py.cluster import Cluster
from minikube_py.controllers import service_load_balancer as balancer

Object = dict[str, Any]


def service(name: str, **spec: Any) -> Object:
    full = {"type": "LoadBalancer", "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": full}


def ingress_of(cluster: Cluster, name: str) -> list[Object]:
    found: list[Object] = cluster.get("services", name, "default")["status"]["loadBalancer"].get("ingress") or []
    return found


@pytest.fixture
def cluster() -> Cluster:
    return Cluster.memory()


def test_an_address_comes_five_seconds_later(cluster: Cluster) -> None:
    cluster.create(service("web"))
    cluster.reconcile(for_s=4)
    assert ingress_of(cluster, "web") == []
    assert cluster.get("services", "web", "default")["metadata"]["finalizers"] == [balancer.FINALIZER]
    cluster.reconcile(for_s=1)
    assert ingress_of(cluster, "web") == [{"ip": "172.30.0.1", "ipMode": "VIP"}]
    reasons = [one["reason"] for one in cluster.list("events", "default") if one["involvedObject"]["kind"] == "Service"]
    assert sorted(reasons) == ["EnsuredLoadBalancer", "EnsuringLoadBalancer"]


def test_no_address_is_given_twice_and_freed_ones_are_given_again(cluster: Cluster) -> None:
    for name in "abc":
        cluster.create(service(name))
    cluster.reconcile()
    given = [ingress_of(cluster, name)[0]["ip"] for name in "abc"]
    assert len(set(given)) == 3
    cluster.delete("services", "b", "default")
    cluster.reconcile()
    assert not [one for one in cluster.list("services", "default") if one["metadata"]["name"] == "b"]
    cluster.create(service("d"))
    cluster.reconcile()
    assert ingress_of(cluster, "d")[0]["ip"] == given[1]


def test_the_address_that_was_asked_for(cluster: Cluster) -> None:
    cluster.create(service("a", loadBalancerIP="172.30.9.9"))
    cluster.create(service("b", loadBalancerIP="172.30.9.9"))
    cluster.reconcile()
    assert [ingress_of(cluster, name)[0]["ip"] for name in "ab"] == ["172.30.9.9", "172.30.0.1"]


def test_another_type_gives_the_address_back(cluster: Cluster) -> None:
    cluster.create(service("web"))
    cluster.reconcile()
    cluster.patch("services", "web", "default", {"spec": {"type": "ClusterIP"}})
    cluster.reconcile()
    found = cluster.get("services", "web", "default")
    assert found["status"] == {"loadBalancer": {}} and "finalizers" not in found["metadata"]


def test_a_class_is_somebody_elses(cluster: Cluster) -> None:
    cluster.create(service("web", loadBalancerClass="example.com/other"))
    report = cluster.reconcile()
    assert report.settled and ingress_of(cluster, "web") == []


def test_without_a_cloud_it_stays_pending_until_there_is_one(cluster: Cluster) -> None:
    cluster.create(NO_CLOUD, namespace="kube-system")
    cluster.create(service("web"))
    assert cluster.reconcile().settled
    assert ingress_of(cluster, "web") == []
    cluster.delete("configmaps", "cloud-provider", "kube-system")
    cluster.reconcile()
    assert ingress_of(cluster, "web") == [{"ip": "172.30.0.1", "ipMode": "VIP"}]
