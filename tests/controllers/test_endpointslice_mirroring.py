"""Endpoints that people write become slices, as long as their Service has no selector."""

from __future__ import annotations

from typing import Any

from minikube_py.cluster import Cluster

Object = dict[str, Any]


def _cluster(selector: Object | None, labels: Object | None = None) -> Cluster:
    cluster = Cluster.memory(nodes=1, seed=1)
    spec: Object = {"ports": [{"port": 80}], **({"selector": selector} if selector else {})}
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": spec})
    subsets = [
        {
            "addresses": [{"ip": "192.0.2.1"}],
            "notReadyAddresses": [{"ip": "192.0.2.2"}],
            "ports": [{"name": "sql", "port": 5432}],
        }
    ]
    meta: Object = {"name": "db", **({"labels": labels} if labels else {})}
    cluster.create({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets})
    cluster.reconcile()
    return cluster


def _told(cluster: Cluster) -> list[tuple[str, bool, int]]:
    return [
        (endpoint["addresses"][0], endpoint["conditions"]["ready"], found["ports"][0]["port"])
        for found in cluster.list("endpointslices", "default", labels="kubernetes.io/service-name=db")
        for endpoint in found.get("endpoints") or ()
    ]


def test_addresses_are_mirrored_with_their_readiness() -> None:
    cluster = _cluster(None)
    assert _told(cluster) == [("192.0.2.1", True, 5432), ("192.0.2.2", False, 5432)]


def test_a_change_of_the_endpoints_changes_the_slice_and_their_end_ends_it() -> None:
    cluster = _cluster(None)
    subsets = [{"addresses": [{"ip": "192.0.2.9"}], "ports": [{"name": "sql", "port": 5432}]}]
    cluster.patch("endpoints", "db", "default", {"subsets": subsets})
    cluster.reconcile()
    assert _told(cluster) == [("192.0.2.9", True, 5432)]
    cluster.delete("endpoints", "db")
    cluster.reconcile()
    assert _told(cluster) == []


def test_those_that_say_so_are_not_mirrored() -> None:
    assert _told(_cluster(None, {"endpointslice.kubernetes.io/skip-mirror": "true"})) == []


def test_a_service_that_gets_a_selector_takes_its_mirrored_slices_away() -> None:
    cluster = _cluster(None)
    cluster.patch("services", "db", "default", {"spec": {"selector": {"app": "db"}}})
    cluster.reconcile()
    assert _told(cluster) == []
