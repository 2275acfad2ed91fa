"""ServiceCIDRs: ready at once, kept while Services need them."""

from __future__ import annotations

from typing import Any

from minikube_py.api.types import Key, Patch, Wake
from minikube_py.cluster import Cluster
from minikube_py.controllers.service_cidrs import FINALIZER, IN_USE, READY, step
from tests.support import T0, FrozenView

Object = dict[str, Any]
KEY = Key("servicecidrs.networking.k8s.io", "", "more")


def block(name: str = "more", cidr: str = "10.1.0.0/24", **meta: Any) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR",
        "metadata": {"name": name, **meta}, "spec": {"cidrs": [cidr]},
    }  # fmt: skip


def leaving(ago_s: int = 0) -> Object:
    return block(finalizers=[FINALIZER], deletionTimestamp=T0.at(T0.now_s - ago_s).timestamp)


def service(address: str) -> Object:
    return {"metadata": {"name": "s", "namespace": "default"}, "spec": {"clusterIPs": [address]}}


def found(one: Object, *others: Object, services: tuple[Object, ...] = ()) -> list[Any]:
    return list(step(one, FrozenView({KEY.resource: [one, *others], "services": list(services)}), T0))


def ready(status: str, reason: str, message: str) -> Patch:
    condition = {
        "type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": T0.timestamp,
    }  # fmt: skip
    return Patch(KEY, {"status": {"conditions": [condition]}}, "status")


def test_a_new_block_is_protected_and_ready() -> None:
    wanted = ready("True", "", READY)
    assert found(block()) == [Patch(KEY, {"metadata": {"finalizers": [FINALIZER]}}), wanted]
    assert found({**block(finalizers=[FINALIZER]), "status": wanted.fields["status"]}) == []


def test_a_block_that_nobody_needs_goes_after_ten_seconds() -> None:
    assert found(leaving(4)) == [Wake(T0.now_s + 6)]
    assert found(leaving(10)) == [Patch(KEY, {"metadata": {"finalizers": None}})]


def test_a_block_waits_for_the_addresses_that_no_other_holds() -> None:
    used = service("10.1.0.7")
    assert found(leaving(10), services=(used,)) == [ready("False", "Terminating", IN_USE)]
    gone = [Patch(KEY, {"metadata": {"finalizers": None}})]
    assert found(leaving(10), services=(service("10.2.0.7"), service("None"))) == gone
    assert found(leaving(10), block("all", "10.0.0.0/8"), services=(used,)) == gone
    assert found(leaving(10), block("part", "10.1.0.0/28"), services=(used,)) == gone
    going = block("all", "10.0.0.0/8", deletionTimestamp=T0.timestamp)
    assert found(leaving(10), going, services=(used,)) == [ready("False", "Terminating", IN_USE)]


def test_a_block_lives_and_goes_in_a_cluster() -> None:
    cluster = Cluster.memory(nodes=1)
    cluster.create(block())
    cluster.reconcile()
    one = cluster.get("servicecidrs", "more")
    assert (one["metadata"]["finalizers"], one["status"]["conditions"][0]["status"]) == ([FINALIZER], "True")
    cluster.delete("servicecidrs", "more")
    cluster.reconcile(for_s=5)
    assert "deletionTimestamp" in cluster.get("servicecidrs", "more")["metadata"]
    cluster.reconcile(for_s=6)
    assert cluster.list("servicecidrs") == []


def test_the_clusters_own_block_serves_its_services() -> None:
    mine = {**leaving(10), "spec": {"cidrs": ["10.96.0.0/28"]}}
    assert found(mine, services=(service("10.96.0.1"),)) == [Patch(KEY, {"metadata": {"finalizers": None}})]
