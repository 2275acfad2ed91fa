"""What must hold in every cluster at every rest: checkers know nothing of the workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.base import quantity
from minikube_py.store import indexes

if TYPE_CHECKING:
    from minikube_py.cluster import Cluster


def check_all(cluster: Cluster) -> None:
    revisions_have_no_gaps(cluster)
    the_index_is_true(cluster)
    counters_are_true(cluster)
    no_node_is_over_its_capacity(cluster)


def check_settled(cluster: Cluster) -> None:
    check_all(cluster)
    no_orphans(cluster)
    endpoints_are_the_ready_pods(cluster)


def _objects(cluster: Cluster) -> list[tuple[Key, dict[str, Any]]]:
    return [(key, obj) for key in cluster.store.keys("*") if (obj := cluster.store.get(key)) is not None]


def revisions_have_no_gaps(cluster: Cluster) -> None:
    row = cluster.store.connection.execute("SELECT count(*), min(revision), max(revision) FROM log").fetchone()
    assert row[0] == row[2] and row[1] == 1, row


def the_index_is_true(cluster: Cluster) -> None:
    rows = cluster.store.connection.execute(
        "SELECT o.resource, o.namespace, o.name, b.bucket FROM bucket b JOIN object o ON o.id = b.object"
    )
    stored = sorted(tuple(row) for row in rows)
    wanted = sorted((*key, bucket) for key, obj in _objects(cluster) for bucket in indexes.buckets(key, obj))
    assert stored == wanted


def counters_are_true(cluster: Cluster) -> None:
    sums: dict[str, dict[str, int]] = {}
    for pod in cluster.list("pods"):
        if pods.node_of(pod) and not pods.is_finished(pod):
            total = sums.setdefault(pods.node_of(pod), {})
            for name, amount in pods.counters(pod).items():
                total[name] = total.get(name, 0) + amount
    for node in cluster.list("nodes"):
        name = node["metadata"]["name"]
        assert cluster.view.counters(name) == sums.get(name, {}), name


def no_node_is_over_its_capacity(cluster: Cluster) -> None:
    for node in cluster.list("nodes"):
        used, room = cluster.view.counters(node["metadata"]["name"]), node["status"]["allocatable"]
        assert used.get("pods", 0) <= int(room["pods"])
        assert used.get("cpu", 0) <= quantity.milli(room["cpu"])
        assert used.get("memory", 0) <= quantity.value(room["memory"])


def no_orphans(cluster: Cluster) -> None:
    uids = {obj["metadata"]["uid"] for _, obj in _objects(cluster)}
    for key, obj in _objects(cluster):
        for ref in obj["metadata"].get("ownerReferences", ()):
            assert ref["uid"] in uids or "deletionTimestamp" in obj["metadata"], (key, ref)


def endpoints_are_the_ready_pods(cluster: Cluster) -> None:
    for service in cluster.list("services"):
        chosen = service["spec"].get("selector")
        if not chosen:
            continue
        namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
        ready = sorted(
            pod["status"]["podIP"]
            for pod in cluster.view.selected(namespace, chosen)
            if pods.is_ready(pod) and not pods.is_terminating(pod)
        )
        slices = cluster.list("endpointslices", namespace, labels=f"kubernetes.io/service-name={name}")
        told = sorted(
            address
            for found in slices
            for endpoint in found.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
            for address in endpoint["addresses"]
        )
        assert told == ready, (name, told, ready)
