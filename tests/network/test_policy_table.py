"""NetworkPolicy verdicts, written out: who reaches whom under which policies.

Columns: W, A, D are the pods web, api, db of namespace shop; B, U the pods web and audit of bank; O, P, Q are clients
outside at 203.0.113.10, 198.51.100.7 and 203.0.113.200; N is the target's own node. y: reaches, n: does not, -: itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from minikube_py.network import places, policy
from minikube_py.network.places import Place
from tests.support import FrozenView

Object = dict[str, Any]


class Scenario(NamedTuple):
    title: str
    policies: list[Object]
    rows: str


def pod(namespace: str, name: str, ip: str, node: str, labels: dict[str, str], ports: list[Object]) -> Object:
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"nodeName": node, "containers": [{"name": "main", "ports": ports}]},
        "status": {"podIP": ip, "phase": "Running"},
    }


API_PORTS = [
    {"name": "http", "containerPort": 8080},
    {"name": "metrics", "containerPort": 9090},
    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
]
PODS = {
    "W": pod("shop", "web", "10.244.1.2", "n1", {"app": "web", "tier": "front"}, []),
    "A": pod("shop", "api", "10.244.1.3", "n2", {"app": "api", "tier": "back"}, API_PORTS),
    "D": pod("shop", "db", "10.244.2.4", "n3", {"app": "db", "tier": "back"}, [{"name": "pg", "containerPort": 5432}]),
    "B": pod("bank", "web", "10.244.2.5", "n4", {"app": "web"}, [{"name": "http", "containerPort": 80}]),
    "U": pod("bank", "audit", "10.244.3.6", "n5", {"app": "audit", "role": "watch"}, []),
}
OUTSIDE = {"O": "203.0.113.10", "P": "198.51.100.7", "Q": "203.0.113.200"}
TARGETS = {"api": "A", "db": "D", "bank": "B", "web": "W"}
NAMESPACES = [
    {"metadata": {"name": name, "labels": {"team": name, "kubernetes.io/metadata.name": name}}}
    for name in ("shop", "bank")
]
COLUMNS = "WADBUOPQN"


def rule(name: str, subject: Object | None = None, *, namespace: str = "shop", **spec: Any) -> Object:
    """A policy about the pods with these labels (None: all)."""
    chosen = {} if subject is None else subject if "matchExpressions" in subject else {"matchLabels": subject}
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"podSelector": chosen, **spec}}


def pods(**labels: str) -> Object:
    return {"podSelector": {"matchLabels": labels}}


def spaces(**labels: str) -> Object:
    return {"namespaceSelector": {"matchLabels": labels}}


API = {"app": "api"}
WEB = {"app": "web"}

SCENARIOS = [
    Scenario("without policies everybody reaches everybody", [], """
        api:8080     y - y y y y y y y
        db:5432      y y - y y y y y y
        bank:80      y y y - y y y y y
    """),
    Scenario("an empty selector and no rules close a namespace for all but the node", [rule("deny", policyTypes=["Ingress"])], """
        api:8080     n - n n n n n n y
        db:5432      n n - n n n n n y
        bank:80      y y y - y y y y y
    """),
    Scenario("a rule without anything opens it again", [rule("deny", policyTypes=["Ingress"]), rule("open", ingress=[{}])], """
        api:8080     y - y y y y y y y
        db:5432      y y - y y y y y y
    """),
    Scenario("a pod selector means pods of the policy's namespace", [rule("a", API, ingress=[{"from": [pods(app="web")]}])], """
        api:8080     y - n n n n n n y
        api:9090     y - n n n n n n y
        db:5432      y y - y y y y y y
        bank:80      y y y - y y y y y
    """),
    Scenario("an empty pod selector means all pods of the policy's namespace", [rule("a", API, ingress=[{"from": [{"podSelector": {}}]}])], """
        api:8080     y - y n n n n n y
    """),
    Scenario("a namespace selector means all pods of these namespaces", [rule("a", API, ingress=[{"from": [spaces(team="bank")]}])], """
        api:8080     n - n y y n n n y
        db:5432      y y - y y y y y y
    """),
    Scenario("an empty namespace selector means all pods, but nobody outside", [rule("a", API, ingress=[{"from": [{"namespaceSelector": {}}]}])], """
        api:8080     y - y y y n n n y
    """),
    Scenario("both selectors in one peer must hold", [rule("a", API, ingress=[{"from": [{**spaces(team="bank"), **pods(app="web")}]}])], """
        api:8080     n - n y n n n n y
    """),
    Scenario("of two peers one is enough", [rule("a", API, ingress=[{"from": [spaces(team="bank"), pods(app="web")]}])], """
        api:8080     y - n y y n n n y
    """),
    Scenario("a namespace is known by its name label", [rule("a", API, ingress=[{"from": [spaces(**{"kubernetes.io/metadata.name": "bank"})]}])], """
        api:8080     n - n y y n n n y
    """),
    Scenario("a block of addresses, without its exceptions", [rule("a", API, ingress=[{"from": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}]}])], """
        api:8080     n - n n n y n n y
    """),
    Scenario("the whole world without the pods", [rule("a", API, ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}])], """
        api:8080     n - n n n y y y y
    """),
    Scenario("a block counts for pods too", [rule("a", API, ingress=[{"from": [{"ipBlock": {"cidr": "10.244.2.0/24"}}]}])], """
        api:8080     n - y y n n n n y
    """),
    Scenario("a single address", [rule("a", API, ingress=[{"from": [{"ipBlock": {"cidr": "198.51.100.7/32"}}]}])], """
        api:8080     n - n n n n y n y
    """),
    Scenario("a block of the other family matches nobody here", [rule("a", API, ingress=[{"from": [{"ipBlock": {"cidr": "::/0"}}]}])], """
        api:8080     n - n n n n n n y
    """),
    Scenario("a port opens that port to all", [rule("a", API, ingress=[{"ports": [{"port": 8080}]}])], """
        api:8080     y - y y y y y y y
        api:9090     n - n n n n n n y
    """),
    Scenario("two ports", [rule("a", API, ingress=[{"ports": [{"port": 8080}, {"port": 9090, "protocol": "TCP"}]}])], """
        api:8080     y - y y y y y y y
        api:9090     y - y y y y y y y
        api:9091     n - n n n n n n y
    """),
    Scenario("a port and a peer must both hold", [rule("a", API, ingress=[{"from": [pods(app="web")], "ports": [{"port": 8080}]}])], """
        api:8080     y - n n n n n n y
        api:9090     n - n n n n n n y
    """),
    Scenario("each rule by itself", [rule("a", API, ingress=[{"from": [pods(app="web")], "ports": [{"port": 8080}]}, {"from": [spaces(team="bank")], "ports": [{"port": 9090}]}])], """
        api:8080     y - n n n n n n y
        api:9090     n - n y y n n n y
    """),
    Scenario("a named port is looked up in the target", [rule("a", API, ingress=[{"ports": [{"port": "http"}]}])], """
        api:8080     y - y y y y y y y
        api:9090     n - n n n n n n y
    """),
    Scenario("a name that the target does not have opens nothing", [rule("a", ingress=[{"ports": [{"port": "http"}]}])], """
        api:8080     y - y y y y y y y
        db:5432      n n - n n n n n y
        db:8080      n n - n n n n n y
    """),
    Scenario("a range of ports with both ends", [rule("a", API, ingress=[{"ports": [{"port": 8000, "endPort": 8100}]}])], """
        api:7999     n - n n n n n n y
        api:8000     y - y y y y y y y
        api:8080     y - y y y y y y y
        api:8100     y - y y y y y y y
        api:8101     n - n n n n n n y
    """),
    Scenario("protocols are told apart", [rule("a", API, ingress=[{"ports": [{"port": 53, "protocol": "UDP"}]}])], """
        api:53/UDP   y - y y y y y y y
        api:53       n - n n n n n n y
        api:8080     n - n n n n n n y
    """),
    Scenario("a protocol without a port means all its ports", [rule("a", API, ingress=[{"ports": [{"protocol": "UDP"}]}])], """
        api:53/UDP   y - y y y y y y y
        api:999/UDP  y - y y y y y y y
        api:8080     n - n n n n n n y
    """),
    Scenario("a name belongs to its protocol", [rule("a", API, ingress=[{"ports": [{"port": "dns", "protocol": "UDP"}, {"port": "dns"}]}])], """
        api:53/UDP   y - y y y y y y y
        api:53       n - n n n n n n y
    """),
    Scenario("policies add up", [rule("one", API, ingress=[{"from": [pods(app="web")]}]), rule("two", API, ingress=[{"from": [spaces(team="bank")]}])], """
        api:8080     y - n y y n n n y
    """),
    Scenario("a policy that forbids takes nothing from one that allows", [rule("deny", policyTypes=["Ingress"]), rule("two", API, ingress=[{"from": [pods(app="db")]}])], """
        api:8080     n - y n n n n n y
        db:5432      n n - n n n n n y
    """),
    Scenario("policies of another namespace are about other pods", [rule("deny", namespace="bank", policyTypes=["Ingress"])], """
        api:8080     y - y y y y y y y
        bank:80      n n n - n n n n y
    """),
    Scenario("no way out of one pod", [rule("out", WEB, policyTypes=["Egress"])], """
        api:8080     n - y y y y y y y
        db:5432      n y - y y y y y y
        bank:80      n y y - y y y y y
        web:80       - y y y y y y y y
    """),
    Scenario("a way out to one pod and port", [rule("out", WEB, policyTypes=["Egress"], egress=[{"to": [pods(app="api")], "ports": [{"port": 8080}]}])], """
        api:8080     y - y y y y y y y
        api:9090     n - y y y y y y y
        db:5432      n y - y y y y y y
        bank:80      n y y - y y y y y
    """),
    Scenario("a way out to a named port of the target", [rule("out", WEB, policyTypes=["Egress"], egress=[{"ports": [{"port": "http"}]}])], """
        api:8080     y - y y y y y y y
        api:9090     n - y y y y y y y
        bank:80      y y y - y y y y y
        db:80        n y - y y y y y y
    """),
    Scenario("a way out to a block", [rule("out", WEB, policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": "10.244.2.0/24", "except": ["10.244.2.5/32"]}}]}])], """
        api:8080     n - y y y y y y y
        db:5432      y y - y y y y y y
        bank:80      n y y - y y y y y
    """),
    Scenario("a way out into another namespace", [rule("out", policyTypes=["Egress"], egress=[{"to": [spaces(team="bank")]}])], """
        api:8080     n - n y y y y y y
        bank:80      y y y - y y y y y
    """),
    Scenario("egress rules without policyTypes close the way in as well", [rule("both", API, egress=[{"to": [pods(app="db")]}])], """
        api:8080     n - n n n n n n y
        db:5432      y y - y y y y y y
        bank:80      y n y - y y y y y
    """),
    Scenario("ingress rules without policyTypes leave the way out open", [rule("in", API, ingress=[{"from": [pods(app="web")]}])], """
        db:5432      y y - y y y y y y
        bank:80      y y y - y y y y y
        api:8080     y - n n n n n n y
    """),
    Scenario("only Egress named leaves the way in open", [rule("out", API, policyTypes=["Egress"], ingress=[{"from": [pods(app="web")]}])], """
        api:8080     y - y y y y y y y
        db:5432      y n - y y y y y y
    """),
    Scenario("both ways must be open: out yes, in no", [rule("out", WEB, policyTypes=["Egress"], egress=[{"to": [pods(app="api")]}]), rule("in", API, ingress=[{"from": [pods(app="db")]}])], """
        api:8080     n - y n n n n n y
        db:5432      n y - y y y y y y
    """),
    Scenario("both ways must be open: out yes, in yes", [rule("out", WEB, policyTypes=["Egress"], egress=[{"to": [pods(app="api")]}]), rule("in", API, ingress=[{"from": [pods(app="web")]}])], """
        api:8080     y - n n n n n n y
    """),
    Scenario("a namespace closed both ways, and one way through it", [rule("deny", policyTypes=["Ingress", "Egress"]), rule("in", API, ingress=[{"from": [pods(app="web")]}]), rule("out", WEB, policyTypes=["Egress"], egress=[{"to": [pods(app="api")]}])], """
        api:8080     y - n n n n n n y
        db:5432      n n - n n n n n y
        bank:80      n n n - y y y y y
    """),
    Scenario("NotIn holds for pods without the label", [rule("a", API, ingress=[{"from": [{"namespaceSelector": {}, "podSelector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["back"]}]}}]}])], """
        api:8080     y - n y y n n n y
    """),
    Scenario("In, Exists and DoesNotExist", [rule("a", API, ingress=[{"from": [{"podSelector": {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front", "edge"]}]}}, {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}, "podSelector": {"matchExpressions": [{"key": "role", "operator": "Exists"}]}}]}])], """
        api:8080     y - n n y n n n y
    """),
    Scenario("a policy that selects no pod is about nobody", [rule("none", {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, policyTypes=["Ingress", "Egress"])], """
        api:8080     y - y y y y y y y
        db:5432      y y - y y y y y y
    """),
    Scenario("a selector by expression chooses its pods", [rule("some", {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["back"]}]}, policyTypes=["Ingress"])], """
        api:8080     n - n n n n n n y
        db:5432      n n - n n n n n y
        web:80       - y y y y y y y y
    """),
]  # fmt: skip


class Case(NamedTuple):
    scenario: Scenario
    target: str
    source: str
    expected: bool


def cases() -> list[Case]:
    found = []
    for scenario in SCENARIOS:
        for line in scenario.rows.strip().splitlines():
            target, *marks = line.split()
            assert len(marks) == len(COLUMNS), line
            found += [
                Case(scenario, target, column, mark == "y")
                for column, mark in zip(COLUMNS, marks, strict=True)
                if mark != "-"
            ]
    return found


CASES = cases()


def place(column: str, target: Object) -> Place:
    if column in PODS:
        return places.of_pod(PODS[column])
    if column == "N":
        return Place("192.168.10.9", None, target["spec"]["nodeName"], title="node")
    return Place(OUTSIDE[column], title="outside")


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 200
    assert 0.3 < sum(case.expected for case in CASES) / len(CASES) < 0.8


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_verdicts_are_those_of_the_table(scenario: Scenario) -> None:
    view = FrozenView({policy.RESOURCE: scenario.policies, "namespaces": NAMESPACES, "pods": list(PODS.values())})
    wrong = []
    for case in CASES:
        if case.scenario is not scenario:
            continue
        name, _, rest = case.target.partition(":")
        number, _, protocol = rest.partition("/")
        target = PODS[TARGETS[name]]
        source = place(case.source, target)
        found = policy.verdict(view, source, places.of_pod(target), int(number), protocol or "TCP")
        if found.allowed != case.expected:
            wrong.append(f"{case.source} -> {case.target}: {found}")
    assert not wrong, "\n".join(wrong)


def test_the_rule_that_decided_is_named() -> None:
    allowed = rule("front", API, ingress=[{"from": [pods(app="nobody")]}, {"from": [pods(app="web")]}])
    view = FrozenView({policy.RESOURCE: [allowed, rule("deny", policyTypes=["Ingress"])], "namespaces": NAMESPACES})
    web, api, db = (places.of_pod(PODS[one]) for one in "WAD")
    assert policy.verdict(view, web, api, 80).why == "NetworkPolicy shop/front allows it (spec.ingress[1])"
    assert policy.verdict(view, db, api, 80).why == "no ingress rule of NetworkPolicy shop/deny, shop/front allows it"


def test_a_pod_on_its_nodes_network_is_not_asked_about() -> None:
    host = {**PODS["D"], "spec": {**PODS["D"]["spec"], "hostNetwork": True}}
    view = FrozenView({policy.RESOURCE: [rule("deny", policyTypes=["Ingress", "Egress"])], "namespaces": NAMESPACES})
    assert policy.verdict(view, places.of_pod(host), places.of_pod(PODS["B"]), 80).allowed
    assert policy.verdict(view, places.OUTSIDE, places.of_pod(host), 80).allowed
