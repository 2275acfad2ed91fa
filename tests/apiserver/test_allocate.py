"""Addresses and node ports of Services."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Key
from minikube_py.apiserver import allocate
from minikube_py.base.errors import Invalid
from tests.apiserver.small import NOW, SmallServer
from tests.support import FrozenView

Object = dict[str, Any]


def service(name: str = "s", **spec: Any) -> Object:
    spec = {
        "type": "ClusterIP",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "selector": {"a": "b"},
        **spec,
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def test_a_service_gets_an_address_of_the_range_and_the_clusters_family() -> None:
    spec = SmallServer().create(service())["spec"]
    number = allocate._number(spec["clusterIP"])
    assert allocate._number("10.96.1.0") < number < allocate._number("10.111.255.255")
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


def test_the_same_seed_gives_the_same_addresses_and_no_address_twice() -> None:
    def addresses() -> list[str]:
        server = SmallServer()
        return [server.create(service(f"s{number}"))["spec"]["clusterIP"] for number in range(200)]

    first = addresses()
    assert first == addresses()
    assert len(set(first)) == 200


def test_a_taken_address_is_passed_over() -> None:
    view = FrozenView({})
    first = allocate.allocate(service(), None, view, NOW)["spec"]["clusterIP"]
    taken = {"metadata": {"name": "other", "namespace": "x"}, "spec": {"clusterIP": first, "clusterIPs": [first]}}
    second = allocate.allocate(service(), None, FrozenView({"services": [taken]}), NOW)["spec"]["clusterIP"]
    assert allocate._number(second) == allocate._number(first) + 1


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"clusterIP": "None"}, {"clusterIP": "None", "clusterIPs": ["None"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}),
        ({"clusterIP": "None", "selector": None}, {"clusterIP": "None", "clusterIPs": ["None"], "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack"}),
        ({"type": "ExternalName", "externalName": "a.b"}, {"clusterIP": None, "clusterIPs": None, "ipFamilies": None, "ipFamilyPolicy": None}),
    ],
)  # fmt: skip
def test_headless_and_external_services_have_no_address(spec: Object, expected: Object) -> None:
    made = allocate.allocate(service(**spec), None, FrozenView({}), NOW)["spec"]
    assert {field: made.get(field) for field in expected} == expected


def test_node_ports_are_drawn_from_the_range_and_kept_apart() -> None:
    server = SmallServer()
    ports = [
        {"name": name, "port": port, "protocol": "TCP", "targetPort": port} for name, port in (("a", 80), ("b", 81))
    ]
    drawn = [port["nodePort"] for number in range(50) for port in server.create(service(f"s{number}", type="NodePort", ports=ports))["spec"]["ports"]]  # fmt: skip
    assert len(set(drawn)) == 100
    assert all(number in allocate.PORTS for number in drawn)


def test_two_protocols_of_one_port_share_a_node_port() -> None:
    ports = [{"name": name, "port": 53, "protocol": name.upper(), "targetPort": 53} for name in ("tcp", "udp")]
    made = SmallServer().create(service(type="NodePort", ports=ports))["spec"]["ports"]
    assert made[0]["nodePort"] == made[1]["nodePort"]


def test_a_local_load_balancer_gets_a_health_check_port_and_no_node_ports_if_it_wants_none() -> None:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": False}
    made = allocate.allocate(service(**spec), None, FrozenView({}), NOW)["spec"]
    assert made["healthCheckNodePort"] in allocate.PORTS
    assert "nodePort" not in made["ports"][0]


def test_what_a_deleted_service_had_is_free_again() -> None:
    view = FrozenView({"services": [service(clusterIP="10.96.9.9", clusterIPs=["10.96.9.9"])]})
    in_use = view.derived("services-in-use", allocate.InUse)
    old = view.get(Key("services", "default", "s"))
    in_use.changed(Key("services", "default", "s"), old, None)
    made = allocate.allocate(service("t", clusterIP="10.96.9.9"), None, view, NOW)
    assert made["spec"]["clusterIPs"] == ["10.96.9.9"]


def test_a_service_keeps_its_address_when_it_changes() -> None:
    server = SmallServer()
    old = server.create(service(type="NodePort"))
    new = server.update({**old, "spec": {**old["spec"], "type": "ClusterIP", "ports": [{"port": 80}]}})
    assert new["spec"]["clusterIP"] == old["spec"]["clusterIP"]
    assert "nodePort" not in new["spec"]["ports"][0]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        ({"clusterIP": "10.0.0.1"}, 'spec.clusterIPs: Invalid value: ["10.0.0.1"]: failed to allocate IP 10.0.0.1: the provided network does not match the current range'),
        ({"ipFamilies": ["IPv6"]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 29999}]}, "spec.ports[0].nodePort: Invalid value: 29999: provided port is not in the valid range. The range of valid ports is 30000-32767"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_out_is_refused(spec: Object, cause: str) -> None:
    with pytest.raises(Invalid) as refused:
        allocate.allocate(service(**spec), None, FrozenView({}), NOW)
    assert list(map(str, refused.value.causes)) == [cause]
