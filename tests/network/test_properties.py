"""What holds in every cluster: who answers is ready and may be asked, load is even, no address is used twice."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.api import pods as pod_facts
from minikube_py.cluster import Cluster
from minikube_py.network import places, policy, routes, services
from tests.network import scenarios

if TYPE_CHECKING:
    from minikube_py.network.places import Place

Object = dict[str, Any]
NAMESPACES, APPS = ("default", "shop", "bank"), ("a", "b", "c")
SEEDS = range(8)


def random_cluster(seed: int) -> Cluster:
    """A few Deployments, some of which never get ready, Services of all types, and policies, some time into their life."""
    dice = Random(seed)
    cluster = Cluster.memory(nodes=dice.randint(2, 5), seed=seed)
    for namespace in NAMESPACES[1:]:
        cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {"team": namespace}}}
        )
    for namespace in NAMESPACES:
        for app in APPS:
            cluster.create(deployment(app, dice), namespace=namespace)
            cluster.create(service(app, dice), namespace=namespace)
        if dice.random() < 0.7:
            cluster.create(network_policy(dice), namespace=namespace)
    cluster.reconcile(for_s=dice.randint(5, 60))
    for namespace in NAMESPACES:
        size = {"spec": {"replicas": dice.randint(0, 4)}}
        cluster.patch("deployments.apps", dice.choice(APPS), namespace, size)
    cluster.reconcile(for_s=dice.randint(1, 3))
    return cluster


def deployment(app: str, dice: Random) -> Object:
    container: Object = {
        "name": "main",
        "image": f"example/{app}:{dice.randint(1, 2)}",
        "ports": [{"name": "http", "containerPort": 8080}],
    }
    if dice.random() < 0.5:
        container["readinessProbe"] = {"tcpSocket": {"port": 8080}, "initialDelaySeconds": dice.choice([0, 5, 3600])}
    if dice.random() < 0.5:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": dice.randint(1, 10)}}}
    template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}}
    spec = {"replicas": dice.randint(1, 5), "selector": {"matchLabels": {"app": app}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": app}, "spec": spec}


def service(app: str, dice: Random) -> Object:
    spec: Object = {"selector": {"app": app}, "ports": [{"port": 80, "targetPort": dice.choice([8080, "http"])}]}
    spec["type"] = dice.choice(["ClusterIP", "ClusterIP", "NodePort", "LoadBalancer"])
    if spec["type"] != "ClusterIP" and dice.random() < 0.5:
        spec["externalTrafficPolicy"] = "Local"
    elif spec["type"] == "ClusterIP" and dice.random() < 0.3:
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": app}, "spec": spec}


def network_policy(dice: Random) -> Object:
    peer = dice.choice(
        [
            {"podSelector": {"matchLabels": {"app": "a"}}},
            {"namespaceSelector": {}},
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.1.0/24"]}},
        ]
    )
    spec = {
        "podSelector": {"matchLabels": {"app": dice.choice(APPS)}},
        "ingress": [{"from": [peer], "ports": [{"port": 8080}]}],
    }
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "some"}, "spec": spec}


def urls(cluster: Cluster) -> list[str]:
    found = []
    for one in cluster.list("services"):
        meta, spec = one["metadata"], one["spec"]
        if meta["name"] not in APPS:
            continue
        port = 8080 if spec.get("clusterIP") == "None" else 80
        found.append(f"{meta['name']}.{meta['namespace']}.svc.cluster.local:{port}")
        found += [f"192.168.10.2:{one['nodePort']}" for one in spec["ports"] if one.get("nodePort")]
        found += [one["ip"] for one in one["status"]["loadBalancer"].get("ingress") or ()]
    return found


def seen_as(cluster: Cluster, url: str) -> list[Place]:
    """The nodes that put their own address in place of the client's: node ports and load balancers do, unless Local."""
    host, _, port = url.partition(":")
    for one in cluster.list("services"):
        ports = [str(entry.get("nodePort")) for entry in one["spec"].get("ports") or ()]
        balancers = [entry["ip"] for entry in one["status"]["loadBalancer"].get("ingress") or ()]
        if (port in ports or host in balancers) and one["spec"].get("externalTrafficPolicy") != "Local":
            return [places.of_node(node) for node in cluster.list("nodes")]
    return []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_answers_is_ready_and_may_be_asked(seed: int) -> None:
    cluster = random_cluster(seed)
    running = [one for one in cluster.list("pods") if one["status"].get("phase") == "Running"]
    sources = [places.OUTSIDE, *(places.of_pod(one) for one in running[:6])]
    answered = 0
    for source in sources:
        for url in urls(cluster):
            outcome = routes.request(cluster.view, cluster.clock, source, routes.parse(url))
            if not outcome.status:
                continue
            answered += 1
            namespace, _, name = outcome.pod.partition("/")
            pod = cluster.get("pods", name, namespace)
            assert pod_facts.is_ready(pod), (url, outcome)
            seen = [source, *seen_as(cluster, url)]
            target = places.of_pod(pod)
            assert any(policy.verdict(cluster.view, one, target, 8080).allowed for one in seen), (url, outcome)
    assert answered, "some request is answered in every cluster"


@pytest.mark.parametrize("seed", SEEDS)
def test_no_address_and_no_node_port_is_used_twice(seed: int) -> None:
    cluster = random_cluster(seed)
    used: Counter[str] = Counter()
    for one in cluster.list("services"):
        used.update(address for address in one["spec"].get("clusterIPs") or () if address != "None")
        used.update(str(port["nodePort"]) for port in one["spec"].get("ports") or () if port.get("nodePort"))
        used.update(entry["ip"] for entry in one["status"]["loadBalancer"].get("ingress") or ())
    alive = [one for one in cluster.list("pods") if not pod_facts.is_finished(one)]
    used.update(one["status"]["podIP"] for one in alive if one["status"].get("podIP"))
    used.update(places.node_address(node) for node in cluster.list("nodes"))
    assert not [address for address, times in used.items() if times > 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_shares_add_up_and_are_even(seed: int) -> None:
    cluster = random_cluster(seed)
    for one in cluster.list("services"):
        if one["metadata"]["name"] not in APPS or one["spec"].get("clusterIP") == "None":
            continue
        found = services.endpoints(one, one["spec"]["ports"][0], cluster.view)
        choice = services.choose(one, found, node="", external=False)
        assert all(endpoint.ready or endpoint.terminating for endpoint in choice.endpoints)
        asked = routes.parse(one["spec"]["clusterIP"])
        inside = places.Place("10.244.9.9", None, "", "default", (), "somebody")
        shares = [share for share, _, _ in routes.spread(cluster.view, cluster.clock, inside, asked)]
        assert sum(shares) == pytest.approx(1)
        assert max(shares) - min(shares) < 1e-9


@pytest.mark.parametrize("size", [2, 3, 7])
def test_load_spreads_within_one_percent(size: int) -> None:
    cluster = Cluster.memory(nodes=3)
    scenarios.apply(cluster, "zero-downtime.yaml")
    scenarios.apply(cluster, "shop.yaml")
    cluster.patch("deployments.apps", "shop", "default", {"spec": {"replicas": size}})
    cluster.reconcile(for_s=40)
    scenarios.apply(cluster, "visitors.yaml")
    cluster.reconcile(for_s=600)
    loads = [one[0] for one in scenarios.counts(cluster)["pods"].values()]
    assert len(loads) == size and sum(loads) == 60_000
    assert max(loads) <= min(loads) * 1.01
