"""Clusters with IPv4 and IPv6: what the API server gives out and refuses, and the ways of both families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.base.errors import Invalid
from minikube_py.cluster import Cluster
from minikube_py.network import dns, places, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]
APP = {"app": "web"}


def start() -> Cluster:
    """Two web pods on workers, and a client."""
    cluster = Cluster.memory(nodes=3, dual_stack=True)
    for name in ("web-1", "web-2", "client"):
        labels = {"app": name.partition("-")[0]}
        container = {"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}
        meta = {"name": name, "labels": labels}
        cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
    cluster.reconcile()
    return cluster


@pytest.fixture
def cluster() -> Cluster:
    return start()


@pytest.fixture(scope="module")
def kept() -> Cluster:
    return start()


@pytest.fixture
def static(kept: Cluster) -> Iterator[Cluster]:
    """One for many tests that let no time pass: what they write is undone."""
    with kept.what_if():
        yield kept


def service(name: str = "web", **spec: Any) -> Object:
    spec = {"selector": APP, "ports": [{"port": 80, "protocol": "TCP"}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def families(made: Object) -> tuple[str, list[str], list[str]]:
    """(policy, families, the families of the addresses)"""
    spec = made["spec"]
    found = ["IPv6" if ":" in one else "IPv4" for one in spec.get("clusterIPs") or () if one != "None"]
    return spec["ipFamilyPolicy"], spec["ipFamilies"], found


def test_nodes_and_pods_have_an_address_of_each_family(static: Cluster) -> None:
    node = static.get("nodes", "worker-1")
    assert node["spec"]["podCIDRs"] == ["10.244.1.0/24", "fd00:10:244:1::/64"]
    assert [one["address"] for one in node["status"]["addresses"]] == ["192.168.10.2", "fd00:192:168::2", "worker-1"]
    pod = next(one for one in static.list("pods", "default") if one["spec"]["nodeName"] == "worker-1")
    status = pod["status"]
    assert [status["podIP"]] == [status["podIPs"][0]["ip"]] == ["10.244.1.2"]
    assert status["podIPs"][1]["ip"] == "fd00:10:244:1::2"
    assert [one["ip"] for one in status["hostIPs"]] == ["192.168.10.2", "fd00:192:168::2"]


def test_a_pod_on_its_nodes_network_has_the_nodes_addresses(cluster: Cluster) -> None:
    spec = {"hostNetwork": True, "nodeName": "worker-2", "containers": [{"name": "c", "image": "nginx"}]}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "host"}, "spec": spec})
    cluster.reconcile()
    status = cluster.get("pods", "host", "default")["status"]
    assert [one["ip"] for one in status["podIPs"]] == ["192.168.10.3", "fd00:192:168::3"]


V4, V6 = "IPv4", "IPv6"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ("SingleStack", [V4], [V4])),
        ({"ipFamilies": [V6]}, ("SingleStack", [V6], [V6])),
        ({"ipFamilyPolicy": "PreferDualStack"}, ("PreferDualStack", [V4, V6], [V4, V6])),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": [V6]}, ("RequireDualStack", [V6, V4], [V6, V4])),
        ({"clusterIP": "None"}, ("SingleStack", [V4], [])),
        ({"clusterIP": "None", "selector": None}, ("RequireDualStack", [V4, V6], [])),
        ({"clusterIP": "None", "selector": None, "ipFamilyPolicy": "SingleStack"}, ("SingleStack", [V4], [])),
        ({"clusterIP": "fd00:10:96::77", "clusterIPs": ["fd00:10:96::77"]}, ("SingleStack", [V6], [V6])),
        (
            {
                "clusterIP": "10.96.0.77",
                "clusterIPs": ["10.96.0.77", "fd00:10:96::77"],
                "ipFamilyPolicy": "PreferDualStack",
            },
            ("PreferDualStack", [V4, V6], [V4, V6]),
        ),
    ],
)
def test_what_a_new_service_is_given(static: Cluster, spec: Object, expected: tuple[str, list[str], list[str]]) -> None:
    assert families(static.create(service(**spec))) == expected


TWO = {"clusterIP": "10.96.0.77", "clusterIPs": ["10.96.0.77", "fd00:10:96::77"]}
MANY = "must be 'RequireDualStack' or 'PreferDualStack' when multiple %s are specified"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"ipFamilies": [V4, V6]},
            'spec.ipFamilyPolicy: Invalid value: "SingleStack": ' + MANY % "IP families",
        ),
        (TWO, 'spec.ipFamilyPolicy: Invalid value: "SingleStack": ' + MANY % "cluster IPs"),
        (
            {**TWO, "ipFamilyPolicy": "PreferDualStack", "clusterIPs": ["10.96.0.77", "fd00:11::1"]},
            'spec.clusterIPs: Invalid value: ["10.96.0.77","fd00:11::1"]: failed to allocate IP fd00:11::1: the provided network '
            "does not match the current range",
        ),
        (
            {**TWO, "ipFamilyPolicy": "PreferDualStack", "clusterIPs": ["10.96.0.77", "10.96.0.78"]},
            'spec.clusterIPs: Invalid value: ["10.96.0.77","10.96.0.78"]: may specify no more than one IP for each IP family',
        ),
        (
            {"ipFamilyPolicy": "Both"},
            'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", '
            '"SingleStack"',
        ),
    ],
)
def test_what_a_new_service_is_refused(static: Cluster, spec: Object, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        static.create(service(**spec))
    assert str(refused.value) == f'Service "web" is invalid: {message}'


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
        ),
        ({"ipFamilies": [V6]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
        (
            {"clusterIP": "fd00::1", "clusterIPs": ["fd00::1"]},
            'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
        ),
    ],
)
def test_a_cluster_with_one_family_refuses_the_other(spec: Object, message: str) -> None:
    single = Cluster.memory(nodes=1)
    with pytest.raises(Invalid) as refused:
        single.create(service(**spec))
    assert str(refused.value) == f'Service "web" is invalid: {message}'
    assert families(single.create(service(ipFamilyPolicy="PreferDualStack"))) == ("PreferDualStack", [V4], [V4])


def test_an_address_is_taken_until_it_is_given_back(static: Cluster) -> None:
    taken = service("first", ipFamilyPolicy="PreferDualStack", **TWO)
    static.create(taken)
    again = service("second", clusterIP="fd00:10:96::77", clusterIPs=["fd00:10:96::77"])
    with pytest.raises(Invalid, match="provided IP is already allocated"):
        static.create(again)
    single = static.patch("services", "first", "default", {"spec": {"ipFamilyPolicy": "SingleStack"}})
    assert families(single) == ("SingleStack", [V4], [V4])
    assert static.create(again)["spec"]["clusterIPs"] == ["fd00:10:96::77"]


def test_a_service_becomes_dual_and_keeps_its_first_address(cluster: Cluster) -> None:
    old = cluster.create(service())
    cluster.reconcile()
    new = cluster.patch("services", "web", "default", {"spec": {"ipFamilyPolicy": "RequireDualStack"}})
    assert families(new) == ("RequireDualStack", [V4, V6], [V4, V6])
    assert new["spec"]["clusterIP"] == old["spec"]["clusterIP"]
    with pytest.raises(Invalid, match="must be 'SingleStack' to release the secondary cluster IP"):
        cluster.patch("services", "web", "default", {"spec": {"clusterIPs": [old["spec"]["clusterIP"]]}})
    cluster.reconcile()
    slices = cluster.list("endpointslices.discovery.k8s.io", "default", labels="kubernetes.io/service-name=web")
    found = {one["addressType"]: [entry["addresses"][0] for entry in one["endpoints"]] for one in slices}
    pods = [one["status"]["podIPs"] for one in cluster.list("pods", "default", labels="app=web")]
    assert [sorted(found[V4]), sorted(found[V6])] == [sorted(pod[index]["ip"] for pod in pods) for index in (0, 1)]
    (subset,) = cluster.get("endpoints", "web", "default")["subsets"]
    assert all("." in one["ip"] for one in subset["addresses"])
    cluster.patch("services", "web", "default", {"spec": {"ipFamilyPolicy": "SingleStack"}})
    cluster.reconcile()
    left = cluster.list("endpointslices.discovery.k8s.io", "default", labels="kubernetes.io/service-name=web")
    assert [one["addressType"] for one in left] == [V4]


def ask(cluster: Cluster, url: str, source: str = "client", family: str = "") -> routes.Outcome:
    place = places.OUTSIDE if source == "outside" else places.of_pod(cluster.get("pods", source, "default"))
    asked = routes.parse(url)._replace(family=family)
    return routes.request(cluster.view, cluster.clock, place, asked)


def test_requests_go_by_the_family_that_they_are_made_in(cluster: Cluster) -> None:
    made = cluster.create(service(ipFamilyPolicy="RequireDualStack"))
    cluster.reconcile()
    v4, v6 = made["spec"]["clusterIPs"]
    assert dns.lookup("web", places.of_pod(cluster.get("pods", "client", "default")), cluster.view).addresses == [
        v4,
        v6,
    ]
    by_name = ask(cluster, "http://web/")
    assert by_name.status == 200 and by_name.hops[0].text.endswith(f": {v4}"), "private IPv6 comes after IPv4"
    for outcome in (ask(cluster, "http://web/", family=V6), ask(cluster, f"http://[{v6}]:80/")):
        assert outcome.status == 200
        assert any(hop.step == "endpoint" and hop.text.startswith("[fd00:10:244:") for hop in outcome.hops)
    assert ask(cluster, "http://web/", "outside", V6).cause == "dns"


def test_a_service_of_one_family_is_not_there_in_the_other(cluster: Cluster) -> None:
    made = cluster.create(service(type="NodePort", ipFamilies=[V6]))
    cluster.reconcile()
    port = made["spec"]["ports"][0]["nodePort"]
    assert ask(cluster, f"http://[fd00:192:168::2]:{port}/", "outside").status == 200
    assert ask(cluster, f"http://192.168.10.2:{port}/", "outside").cause == "refused"
    assert ask(cluster, "http://web/").status == 200
    assert ask(cluster, "http://web/", family=V4).cause == "dns"


def test_blocks_of_policies_are_about_their_own_family(cluster: Cluster) -> None:
    cluster.create(service(ipFamilyPolicy="RequireDualStack"))
    rule = {"from": [{"ipBlock": {"cidr": "fd00:10:244::/48"}}]}
    policy = {"podSelector": {"matchLabels": APP}, "policyTypes": ["Ingress"], "ingress": [rule]}
    meta = {"name": "six"}
    cluster.create({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": policy})
    cluster.reconcile()
    assert [ask(cluster, "http://web/", family=one).cause for one in (V4, V6)] == ["policy", ""]


def test_a_client_without_ipv6_reaches_no_ipv6_address() -> None:
    single = Cluster.memory(nodes=2)
    container = {"name": "c", "image": "nginx"}
    single.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": {"containers": [container]}}
    )
    single.reconcile()
    outcome = ask(single, "http://[fd00::1]/")
    assert (outcome.cause, outcome.exit_code) == ("refused", 7)
    assert outcome.hops[-1].text == "it has no IPv6 address to reach fd00::1 from"


def test_health_check_node_ports_count_the_nodes_own_endpoints(cluster: Cluster) -> None:
    made = cluster.create(service(type="LoadBalancer", externalTrafficPolicy="Local"))
    cluster.reconcile()
    port = made["spec"]["healthCheckNodePort"]
    here = [one["spec"]["nodeName"] for one in cluster.list("pods", "default", labels="app=web")]
    for index, name in enumerate(("control-plane", "worker-1", "worker-2")):
        outcome = ask(cluster, f"http://192.168.10.{1 + index}:{port}/", "outside")
        count = here.count(name)
        assert outcome.status == (200 if count else 503)
        assert f'"localEndpoints": {count},' in outcome.body
    cluster.patch("services", "web", "default", {"spec": {"externalTrafficPolicy": "Cluster"}})
    assert ask(cluster, f"http://192.168.10.2:{port}/", "outside").cause == "refused"


def test_a_load_balancer_has_an_address_for_each_family(cluster: Cluster) -> None:
    cluster.create(service(type="LoadBalancer", ipFamilyPolicy="RequireDualStack"))
    cluster.create(service("six", type="LoadBalancer", ipFamilies=[V6], loadBalancerIP="fd00:172:30::99"))
    cluster.reconcile()
    given = {
        name: [one["ip"] for one in cluster.get("services", name, "default")["status"]["loadBalancer"]["ingress"]]
        for name in ("web", "six")
    }
    assert given == {"web": ["172.30.0.1", "fd00:172:30::1"], "six": ["fd00:172:30::99"]}
    for address in ("172.30.0.1", "[fd00:172:30::1]", "[fd00:172:30::99]"):
        assert ask(cluster, f"http://{address}/", "outside").status == 200
