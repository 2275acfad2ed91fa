"""trafficDistribution: requests stay in the client's zone or on its node as long as somebody is ready there."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py import bootstrap
from minikube_py.cluster import Cluster
from minikube_py.network import places, routes

Object = dict[str, Any]
NODES = {"a1": "east", "a2": "east", "b1": "west", "c1": ""}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A web pod and a client on each of four nodes, two of them in one zone, one in none."""
    made = Cluster.memory(nodes=1)
    for index, (node, zone) in enumerate(NODES.items()):
        with made.transaction():
            bootstrap.add_node(made.server, node, index=index + 1, cpu="4", memory="8Gi", zone=zone, version="v1.36.2")
        for app in ("web", "client"):
            container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}
            meta = {"name": f"{app}-{node}", "labels": {"app": app, "zoned": "yes" if zone else "no"}}
            spec = {"containers": [container], "nodeName": node}
            made.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    for name in ("PreferSameZone", "PreferSameNode", "PreferClose", ""):
        spec = {"selector": {"app": "web", "zoned": "yes"}, "ports": [{"port": 80}]}
        more = {"trafficDistribution": name} if name else {}
        meta = {"name": name.lower() or "plain"}
        made.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {**spec, **more}})
    made.reconcile()
    return made


def answering(cluster: Cluster, client: str, service: str) -> set[str]:
    place = places.of_pod(cluster.get("pods", f"client-{client}", "default"))
    found = routes.spread(cluster.view, cluster.clock, place, routes.parse(f"http://{service}/"))
    return {endpoint.pod.removeprefix("web-") for _, endpoint, _ in found if endpoint is not None}


ALL = {"a1", "a2", "b1"}


@pytest.mark.parametrize(
    ("client", "service", "pods"),
    [
        ("a1", "plain", ALL),
        ("a1", "prefersamezone", {"a1", "a2"}),
        ("a1", "preferclose", {"a1", "a2"}),
        ("b1", "prefersamezone", {"b1"}),
        ("c1", "prefersamezone", ALL),
        ("a1", "prefersamenode", {"a1"}),
        ("b1", "prefersamenode", {"b1"}),
        ("c1", "prefersamenode", ALL),
    ],
)
def test_requests_stay_near(cluster: Cluster, client: str, service: str, pods: set[str]) -> None:
    assert answering(cluster, client, service) == pods


def test_they_go_on_where_nobody_near_is_ready(cluster: Cluster) -> None:
    cluster.delete("pods", "web-b1", "default")
    cluster.reconcile()
    assert answering(cluster, "b1", "prefersamezone") == {"a1", "a2"}
