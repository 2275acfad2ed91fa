"""A request followed: what the client sees, and which step decided."""

from __future__ import annotations

import pytest

from minikube_py.network import routes
from tests.network import world

REFUSED, TIMEOUT, NO_NAME = 7, 28, 6


@pytest.mark.parametrize(
    ("source", "url", "expected", "step"),
    [
        ("shop/client", "web", 200, "pod"),
        ("shop/client", "http://web.shop.svc.cluster.local./", 200, "pod"),
        ("default/stranger", "web.shop", 200, "pod"),
        ("default/stranger", "web", NO_NAME, "dns"),
        ("shop/client", "web/nope", 404, "pod"),
        ("shop/client", "web:81", REFUSED, "pod"),  # a targetPort on which nobody listens
        ("shop/client", "web:82", REFUSED, "service"),  # a named targetPort that no pod has
        ("shop/client", "web:83", TIMEOUT, "service"),  # not a port of the Service
        ("shop/client", "empty", REFUSED, "service"),
        ("shop/client", "by-hand", REFUSED, "service"),  # without selector and endpoints
        ("shop/client", "ext", 200, "pod"),  # a CNAME to web
        ("shop/client", "local", TIMEOUT, "service"),  # its only endpoint is on another node
        ("worker-1", f"{'local'}.shop", NO_NAME, "dns"),  # nodes do not ask CoreDNS
        ("default/shut", "web.shop", TIMEOUT, "dns"),  # a policy keeps it from CoreDNS
        ("shop/client", "db:5432", 200, "pod"),  # headless: straight to a pod
        ("shop/client", "db-0.db:5432", 200, "pod"),
        ("shop/client", "db-7.db:5432", NO_NAME, "dns"),
        ("default/stranger", "db.shop:5432", TIMEOUT, "policy"),
        ("shop/client", "db-ready:5432", NO_NAME, "dns"),  # not ready
        ("shop/client", "db-all:5432", 200, "pod"),  # publishNotReadyAddresses
        ("outside", "web.shop.svc.cluster.local", NO_NAME, "dns"),
        ("outside", "192.168.10.2:30080", 200, "pod"),
        ("outside", "192.168.10.3:30080", 200, "pod"),  # every node has the port
        ("outside", "192.168.10.2:30079", REFUSED, "node"),
        ("outside", "192.168.10.2:30081", 200, "pod"),  # externalTrafficPolicy Local, on the endpoint's node
        ("outside", "192.168.10.3:30081", TIMEOUT, "service"),  # and on another one
        ("outside", "10.96.0.1:443", TIMEOUT, "service"),
        ("outside", "10.244.1.2", TIMEOUT, "endpoint"),
        ("shop/client", "10.244.99.99", TIMEOUT, "endpoint"),
        ("shop/client", "localhost", REFUSED, "pod"),
        ("shop/client", "https://kubernetes.default", 60, "service"),
        ("outside", "shop.example.com", 200, "pod"),
        ("outside", "shop.example.com/empty", 503, "service"),
        ("outside", "shop.example.com/empty/", 503, "service"),
        ("outside", "shop.example.com/empty/exact", 404, "pod"),  # an Exact path before the longest Prefix
        ("outside", "shop.example.com/emptyish", 404, "pod"),  # a prefix matches whole elements: '/' serves it
        ("outside", "shop.example.com/gone", 503, "service"),
        ("outside", "shop.example.com/wrong", 502, "pod"),
        ("outside", "any.example.com", 200, "pod"),  # the wildcard
        ("outside", "a.b.example.com", NO_NAME, "dns"),  # which stands for one label
        ("outside", "safe.example.com", 308, "ingress"),
        ("outside", "https://safe.example.com", 200, "pod"),
        ("outside", "https://shop.example.com", 60, "ingress"),
        ("outside", "shop.example.com:8080", REFUSED, "ingress"),
        ("outside", "lost.example.org", NO_NAME, "dns"),  # nobody serves the class
        ("outside", "api.example.net", 200, "pod"),
        ("outside", "api.example.net/exact", 503, "service"),
        ("outside", "api.example.net/exactly", 404, "pod"),
        ("outside", "api.example.net/old/page", 301, "gateway"),
        ("outside", "api.example.net/missing", 500, "gateway"),
        ("outside", "api.example.net:81", REFUSED, "gateway"),
        ("outside", "foreign.example.net", NO_NAME, "dns"),  # the listener takes routes of its own namespace
    ],
)  # fmt: skip
def test_what_the_client_sees(source: str, url: str, expected: int, step: str) -> None:
    outcome = world.ask(source, url)
    assert (outcome.status or outcome.exit_code, outcome.hops[-1].step) == (expected, step), outcome
    assert bool(outcome.message) == (outcome.status == 0)


@pytest.mark.parametrize(
    ("source", "url", "message"),
    [
        ("shop/client", "nope", "curl: (6) Could not resolve host: nope"),
        (
            "shop/client",
            "empty",
            "curl: (7) Failed to connect to empty port 80 after 0 ms: Could not connect to server",
        ),
        ("shop/client", "web:83", "curl: (28) Connection timed out after 10000 milliseconds"),
        ("default/shut", "web.shop", "curl: (28) Resolving timed out after 10000 milliseconds"),
    ],
)
def test_failures_are_told_in_curls_words(source: str, url: str, message: str) -> None:
    assert world.ask(source, url).message == message


def test_load_balancers_are_reached_from_outside_by_those_who_may() -> None:
    assert world.ask("outside", world.address("web-lb")).status == 200
    refused = world.ask("outside", world.address("web-lb2"))
    assert refused.exit_code == TIMEOUT and "loadBalancerSourceRanges" in refused.hops[-1].text


def test_a_foreign_class_of_load_balancers_is_left_alone() -> None:
    service = world.cluster().get("services", "foreign", "shop")
    assert service["status"] == {"loadBalancer": {}}
    assert not [one for one in world.cluster().list("events", "shop") if one["involvedObject"]["name"] == "foreign"]


def test_every_step_names_the_rule_that_decided() -> None:
    hops = world.ask("outside", "shop.example.com").hops
    assert [hop.step for hop in hops] == ["dns", "ingress", "service", "endpoint", "policy", "pod"]
    assert "Ingress shop/shop rule shop.example.com / (Prefix, spec.rules[0].http.paths[0])" in hops[1].text
    denied = world.ask("default/stranger", "db.shop:5432").hops[-1].text
    assert denied == "no ingress rule of NetworkPolicy shop/db-for-clients allows it"


def test_a_host_header_counts_and_not_the_address() -> None:
    address = world.cluster().get("ingresses.networking.k8s.io", "shop", "shop")["status"]["loadBalancer"]["ingress"][
        0
    ]["ip"]
    assert world.ask("outside", address).status == 404
    assert world.ask("outside", address, headers=(("Host", "shop.example.com"),)).status == 200


def test_a_header_match_comes_before_none() -> None:
    plain = world.ask("outside", "api.example.net")
    canary = world.ask("outside", "api.example.net", headers=(("X-Canary", "yes"),))
    assert "shop/web " in plain.hops[2].text and "shop/sticky " in canary.hops[2].text


def test_weights_share_out_requests() -> None:
    view, clock = world.cluster().view, world.cluster().clock
    found = routes.spread(view, clock, world.place("outside"), routes.parse("api.example.net/split"))
    by_pod = {outcome.pod: round(share, 6) for share, _, outcome in found}
    assert by_pod.pop("shop/one") == 0.1
    assert list(by_pod.values()) == [0.3, 0.3, 0.3]


def test_a_sticky_service_sends_a_client_to_the_same_pod() -> None:
    pods = {world.ask("shop/client", "sticky", number).pod for number in range(50)}
    others = {world.ask("shop/client", "web", number).pod for number in range(50)}
    assert len(pods) == 1 and len(others) == 3


def test_the_spread_over_ready_endpoints_is_even_and_the_dice_follow_it() -> None:
    view, clock = world.cluster().view, world.cluster().clock
    found = routes.spread(view, clock, world.place("shop/client"), routes.parse("web"))
    assert [round(share, 9) for share, _, _ in found] == [round(1 / 3, 9)] * 3
    counts: dict[str, int] = {}
    for number in range(900):
        pod = world.ask("shop/client", "web", number).pod
        counts[pod] = counts.get(pod, 0) + 1
    assert len(counts) == 3 and all(240 <= count <= 360 for count in counts.values())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://web", 'curl: (1) Protocol "ftp" not supported'),
        ("http://", "curl: (3) URL rejected: No host part in the URL"),
        ("web:x", "curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535"),
        ("web:70000", "curl: (3) URL rejected: Port number was not a decimal number between 0 and 65535"),
    ],
)
def test_urls_that_are_none(url: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        routes.parse(url)
    assert str(caught.value) == message
