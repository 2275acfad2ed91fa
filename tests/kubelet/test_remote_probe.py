"""Probes that name a host go through the network, from the node."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster

Object = dict[str, Any]


def pod(name: str, probe: Object, **spec: Any) -> Object:
    container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}], "readinessProbe": probe}
    spec = {"containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def is_ready(cluster: Cluster, name: str) -> bool:
    conditions = cluster.get("pods", name, "default")["status"]["conditions"]
    return next(one["status"] == "True" for one in conditions if one["type"] == "Ready")


def unhealthy(cluster: Cluster, name: str) -> set[str]:
    return {
        event["message"]
        for event in cluster.list("events", "default")
        if event["reason"] == "Unhealthy" and event["involvedObject"]["name"] == name
    }


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (
            {"httpGet": {"host": "10.244.9.9", "port": 80}},
            'Get "http://10.244.9.9:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        ),
        (
            {"httpGet": {"host": "127.0.0.1", "port": 80, "path": "x"}},
            'Get "http://127.0.0.1:80/x": dial tcp 127.0.0.1:80: connect: connection refused',
        ),
        (
            {"httpGet": {"host": "web", "port": 80}},
            'Get "http://web:80/": dial tcp: lookup web: no such host',
        ),
        ({"tcpSocket": {"host": "10.244.9.9", "port": 80}}, "dial tcp 10.244.9.9:80: i/o timeout"),
    ],
)
def test_who_is_asked_does_not_answer(probe: Object, message: str) -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("p", {**probe, "periodSeconds": 5}))
    cluster.reconcile(for_s=120)
    assert not is_ready(cluster, "p")
    assert unhealthy(cluster, "p") == {f"Readiness probe failed: {message}"}


def test_the_answer_of_a_service_counts_as_it_comes_and_goes() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("web", {"tcpSocket": {"port": 80}}))
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], "clusterIP": "10.96.0.77"}
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    cluster.create(pod("p", {"httpGet": {"host": "10.96.0.77", "port": 80}, "periodSeconds": 5, "failureThreshold": 2}))
    assert cluster.reconcile().settled
    assert is_ready(cluster, "p")
    cluster.delete("pods", "web", "default")
    cluster.reconcile(for_s=30)
    assert not is_ready(cluster, "p")
    cluster.create(pod("web", {"tcpSocket": {"port": 80}}))
    cluster.reconcile(for_s=30)
    assert is_ready(cluster, "p")


def test_on_the_nodes_network_the_loopback_is_the_pods_own() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("p", {"httpGet": {"host": "127.0.0.1", "port": 80}}, hostNetwork=True))
    cluster.reconcile()
    assert is_ready(cluster, "p")
