"""Endpoints shared out among zones: topology-mode Auto."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.controllers import topology_hints
from tests.controllers.objects import node
from tests.support import FrozenView

Object = dict[str, Any]


def _node(name: str, zone: str, cpu: str, **labels: str) -> Object:
    made = node(name)
    made["metadata"]["labels"] = {topology_hints.ZONE: zone, **labels} if zone else labels
    made["status"]["allocatable"] = {"cpu": cpu}
    return made


def _endpoints(zones: str, unready: str = "") -> list[Object]:
    ready = [{"zone": zone, "conditions": {"ready": True}} for zone in zones]
    return [*ready, *({"zone": zone, "conditions": {"ready": False}} for zone in unready)]


def _hinted(zones: str, *nodes: Object, unready: str = "") -> tuple[str, str]:
    found = topology_hints.hints(_endpoints(zones, unready), FrozenView({"nodes": list(nodes)}))
    return "".join(found.zones[place] for place in sorted(found.zones)), found.told


EVEN = (_node("n1", "a", "2"), _node("n2", "b", "2"))


@pytest.mark.parametrize(
    ("zones", "nodes", "hinted", "told"),
    [
        ("aabb", EVEN, "aabb", topology_hints.ON),
        ("aaaa", EVEN, "bbaa", topology_hints.ON),  # the first ones of a serve b
        ("aaabbb", (_node("n1", "a", "4"), _node("n2", "b", "2")), "aaaabb", topology_hints.ON),
        ("a", EVEN, "", topology_hints.TOO_FEW.format(1, 2)),
        ("abb", (_node("n1", "a", "1"), _node("n2", "b", "2")), "abb", topology_hints.ON),
        ("ab", (_node("n1", "a", "1"), _node("n2", "b", "9")), "", topology_hints.TOO_UNEVEN.format(2, 2)),
        ("aab", (*EVEN, _node("n3", "", "2")), "", topology_hints.NO_NODES),
        ("aab", (_node("n1", "a", "2"),), "", topology_hints.NO_NODES),
        ("aabb", (*EVEN, _node("n3", "c", "8", **{"node-role.kubernetes.io/control-plane": ""})), "aabb", topology_hints.ON),
    ],
)  # fmt: skip
def test_zones_get_endpoints_by_their_cpu(zones: str, nodes: tuple[Object, ...], hinted: str, told: str) -> None:
    assert _hinted(zones, *nodes) == (hinted, told)


def test_endpoints_that_are_not_ready_get_no_hint() -> None:
    assert _hinted("ab", *EVEN, unready="a") == ("ab", topology_hints.ON)


def test_an_endpoint_without_a_zone_ends_it() -> None:
    endpoints = [*_endpoints("aab"), {"conditions": {"ready": True}}]
    assert topology_hints.hints(endpoints, FrozenView({"nodes": list(EVEN)})).told == topology_hints.NO_ZONE


def test_hints_come_with_the_annotation_and_go_with_a_zone() -> None:
    cluster = Cluster.memory(nodes=4, seed=1)
    for number, one in enumerate(cluster.list("nodes")):
        zone = {"metadata": {"labels": {topology_hints.ZONE: f"z{number % 2}"}}}
        cluster.patch("nodes", one["metadata"]["name"], patch=zone)
    container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 6, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    cluster.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    notes = {"annotations": {topology_hints.MODE: "Auto"}}
    service = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", **notes}, "spec": service})
    cluster.reconcile()

    def told() -> list[str]:
        found = [one for one in cluster.list("events", "default") if one["reason"].startswith("Topology")]
        return [one["message"].partition(" (")[0] for one in found]

    def hinted() -> list[bool]:
        slices = cluster.list("endpointslices", "default", labels="kubernetes.io/service-name=web")
        return ["hints" in endpoint for one in slices for endpoint in one["endpoints"]]

    assert hinted() == [True] * 6
    assert set(told()) == {"Insufficient number of endpoints", f"{topology_hints.ON}, addressType: IPv4"}
    cluster.patch("services", "web", "default", {"metadata": {"annotations": {topology_hints.MODE: None}}})
    cluster.reconcile()
    assert hinted() == [False] * 6
    assert f"{topology_hints.OFF}, addressType: IPv4" in told()
