"""Names as CoreDNS answers them with kubeadm's configuration."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.network import dns
from minikube_py.network.places import Place
from tests.network import world

ZONE = "shop.svc.cluster.local"


def pod_ip(name: str) -> str:
    return str(world.cluster().get("pods", name, "shop")["status"]["podIP"])


def look(name: str, *types: str, source: str = "shop/client") -> dns.Answer:
    return dns.lookup(name, world.place(source), world.cluster().view, types or ("A", "AAAA"))


def test_a_service_is_its_cluster_ip() -> None:
    answer = look("web")
    assert [str(record) for record in answer.records] == [f"web.{ZONE}.\t30\tIN\tA\t{world.address('web')}"]


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("web", "shop/client", f"web.{ZONE}"),
        ("web.shop", "default/stranger", f"web.{ZONE}"),
        ("web.shop.svc", "default/stranger", f"web.{ZONE}"),
        ("WEB.Shop.svc.cluster.local", "default/stranger", f"web.{ZONE}"),
        (f"web.{ZONE}.", "default/stranger", f"web.{ZONE}"),
        ("kubernetes.default", "shop/client", "kubernetes.default.svc.cluster.local"),
    ],
)
def test_search_domains_complete_a_name(name: str, source: str, found: str) -> None:
    assert look(name, source=source).name == found


def test_the_names_that_are_tried_in_order() -> None:
    answer = look("nope.example")
    assert [name for name, _ in answer.tried] == [
        "nope.example.shop.svc.cluster.local",
        "nope.example.svc.cluster.local",
        "nope.example.cluster.local",
        "nope.example",
    ]
    assert answer.code == dns.NO_NAME


def test_five_dots_are_enough_to_be_tried_as_it_is_first() -> None:
    assert dns.names_tried("a.b.c.d.e.f", dns.Resolver("10.96.0.10", ("x.y",), 5)) == ["a.b.c.d.e.f", "a.b.c.d.e.f.x.y"]
    assert dns.names_tried("a.b.", dns.Resolver("10.96.0.10", ("x.y",), 5)) == ["a.b"]


def test_a_headless_service_is_its_ready_pods() -> None:
    assert sorted(look("db").addresses) == sorted(pod_ip(name) for name in ("db-0", "db-1"))
    assert look("db-0.db").addresses == [pod_ip("db-0")]
    assert look("db-ready").code == dns.NO_NAME, "no pod is ready"
    assert look("db-all").addresses == [pod_ip("slow")]


def test_endpoints_without_a_hostname_have_their_address_with_dashes() -> None:
    dashed = pod_ip("slow").replace(".", "-")
    assert look(f"{dashed}.db-all").addresses == [pod_ip("slow")]


def test_pods_have_names_by_their_address() -> None:
    assert look("10-1-2-3.shop.pod.cluster.local").addresses == ["10.1.2.3"]
    assert look("10-1-2-3.nowhere.pod.cluster.local").code == dns.NO_NAME


def test_srv_records_tell_ports() -> None:
    assert [record.value for record in look(f"_http._tcp.web.{ZONE}", "SRV").records] == [f"0 100 80 web.{ZONE}."]
    assert len(look(f"web.{ZONE}", "SRV").records) == 3
    assert look(f"_nope._tcp.web.{ZONE}", "SRV").code == dns.NO_NAME
    assert look(f"_http._udp.web.{ZONE}", "SRV").code == dns.NO_NAME
    assert sorted(record.value for record in look(f"_pg._tcp.db.{ZONE}", "SRV").records) == [
        f"0 50 5432 db-0.db.{ZONE}.",
        f"0 50 5432 db-1.db.{ZONE}.",
    ]


def test_an_external_name_is_a_cname_and_what_follows() -> None:
    records = look("ext").records
    assert [(record.type, record.value) for record in records] == [
        ("CNAME", f"web.{ZONE}."),
        ("A", world.address("web")),
    ]


def test_there_are_no_ipv6_addresses_here() -> None:
    assert look("web", "AAAA").code == dns.NO_DATA


@pytest.mark.parametrize("name", ["cluster.local.", "svc.cluster.local.", f"{ZONE}."])
def test_names_that_only_have_names_below_have_no_data(name: str) -> None:
    assert look(name).code == dns.NO_DATA


@pytest.mark.parametrize(
    ("spec", "server", "search", "ndots"),
    [
        ({}, "10.96.0.10", ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local"), 5),
        ({"dnsPolicy": "Default"}, "", (), 1),
        ({"hostNetwork": True}, "", (), 1),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, "10.96.0.10", ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local"), 5),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"], "searches": ["a.b."], "options": [{"name": "ndots", "value": "2"}]}}, "10.96.0.10", ("a.b",), 2),
        ({"dnsConfig": {"searches": ["corp.example"], "options": [{"name": "edns0"}]}}, "10.96.0.10", ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"), 5),
    ],
)  # fmt: skip
def test_resolv_conf_by_policy(spec: dict[str, Any], server: str, search: tuple[str, ...], ndots: int) -> None:
    pod = {"metadata": {"namespace": "shop", "name": "x"}, "spec": {"containers": [], **spec}}
    assert dns.resolver(Place("", pod)) == (server, search, ndots)
