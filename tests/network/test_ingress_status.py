"""What the controllers of Ingresses, Gateways and HTTPRoutes write."""

from __future__ import annotations

from typing import Any

from minikube_py.api import pods as facts
from minikube_py.cluster import Cluster
from minikube_py.network import gateway, ingress
from tests.network import world

Object = dict[str, Any]


def condition(obj: Object, name: str) -> tuple[str, str]:
    found = facts.condition(obj, name)
    assert found is not None, name
    return found["status"], found["reason"]


def one(name: str, host: str, **spec: Any) -> Object:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    full = {"ingressClassName": "nginx", "rules": rules, **spec}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name}, "spec": full}


CLASS: Object = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}  # fmt: skip


def test_ingresses_of_a_class_share_its_address() -> None:
    cluster = Cluster.memory()
    for obj in (CLASS, one("a", "a.example"), one("b", "b.example")):
        cluster.create(obj)
    cluster.reconcile(for_s=4)
    assert not ingress.addresses_of(cluster.get(ingress.RESOURCE, "a", "default"))
    cluster.reconcile(for_s=1)
    found = [ingress.addresses_of(cluster.get(ingress.RESOURCE, name, "default")) for name in "ab"]
    assert found == [["172.30.0.1"]] * 2


def test_an_ingress_without_a_class_waits_for_one() -> None:
    cluster = Cluster.memory()
    cluster.create(one("a", "a.example"))
    assert cluster.reconcile().settled
    assert not ingress.addresses_of(cluster.get(ingress.RESOURCE, "a", "default"))
    cluster.create(CLASS)
    cluster.reconcile()
    assert ingress.addresses_of(cluster.get(ingress.RESOURCE, "a", "default")) == ["172.30.0.1"]
    cluster.delete("ingressclasses.networking.k8s.io", "nginx")
    cluster.reconcile()
    assert not ingress.addresses_of(cluster.get(ingress.RESOURCE, "a", "default"))


def test_the_default_class_serves_those_that_name_none() -> None:
    cluster = Cluster.memory()
    notes = {"annotations": {ingress.DEFAULT_CLASS: "true"}}
    cluster.create({**CLASS, "metadata": {"name": "nginx", **notes}})
    obj = one("a", "a.example")
    del obj["spec"]["ingressClassName"]
    cluster.create(obj)
    cluster.reconcile()
    assert ingress.addresses_of(cluster.get(ingress.RESOURCE, "a", "default")) == ["172.30.0.1"]


def test_a_gateway_is_programmed_and_counts_its_routes() -> None:
    found = world.cluster().get(gateway.GATEWAYS, "edge", "shop")
    assert condition(found, "Programmed") == ("True", "Programmed")
    assert len(gateway.addresses_of(found)) == 1
    assert found["status"]["listeners"] == [{"attachedRoutes": 1, "name": "http"}]


def test_a_route_tells_whether_it_is_taken_and_whether_its_services_are_there() -> None:
    own = world.cluster().get(gateway.ROUTES, "api", "shop")["status"]["parents"][0]
    foreign = world.cluster().get(gateway.ROUTES, "foreign", "default")["status"]["parents"][0]
    assert condition({"status": own}, "Accepted") == ("True", "Accepted")
    assert condition({"status": own}, "ResolvedRefs") == ("False", "BackendNotFound")
    assert condition({"status": foreign}, "Accepted") == ("False", "NoMatchingParent")
