"""Who deletes the Service of the API server finds it anew."""

from __future__ import annotations

import pytest

from minikube_py.cluster import Cluster

SLICES = "endpointslices.discovery.k8s.io"


@pytest.mark.parametrize("gone", [("services",), ("endpoints", SLICES), ("services", "endpoints", SLICES)])
def test_the_service_and_its_endpoints_come_back(gone: tuple[str, ...]) -> None:
    cluster = Cluster.memory(nodes=1)
    before = {
        resource: cluster.get(resource, "kubernetes", "default") for resource in ("services", "endpoints", SLICES)
    }
    for resource in gone:
        cluster.delete(resource, "kubernetes", "default")
    report = cluster.reconcile()
    assert report.settled
    for resource, old in before.items():
        new = cluster.get(resource, "kubernetes", "default")
        assert (new["metadata"]["uid"] != old["metadata"]["uid"]) == (resource in gone)
        for part in ("spec", "subsets", "endpoints", "ports"):
            assert new.get(part) == old.get(part)


def test_others_of_that_name_do_not() -> None:
    cluster = Cluster.memory(nodes=1)
    spec = {"ports": [{"port": 80}]}
    meta = {"name": "kubernetes", "namespace": "kube-public"}
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    cluster.delete("services", "kubernetes", "kube-public")
    cluster.reconcile()
    assert cluster.list("services", "kube-public") == []
