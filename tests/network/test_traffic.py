"""Traffic beyond the promise: its shapes, its ends, queues, retries, keep-alive, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.network import traffic
from tests.network import scenarios

Object = dict[str, Any]


def shop(replicas: int = 4, *, sleeps: bool = True) -> Cluster:
    """`sleeps`: pods wait in preStop; without it they refuse as soon as they are told to stop."""
    cluster = Cluster.memory(nodes=4)
    scenarios.apply(cluster, "zero-downtime.yaml")
    scenarios.apply(cluster, "shop.yaml")
    if not sleeps:
        path = "/spec/template/spec/containers/0/lifecycle"
        cluster.patch("deployments.apps", "shop", "default", [{"op": "remove", "path": path}], type="json")
    if replicas != 4:
        cluster.patch("deployments.apps", "shop", "default", {"spec": {"replicas": replicas}})
    cluster.reconcile(for_s=30)
    return cluster


def send(cluster: Cluster, **spec: Any) -> None:
    full = {"target": {"service": {"name": "shop"}}, "rate": 100, **spec}
    meta = {"name": "visitors"}
    cluster.create({"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Traffic", "metadata": meta, "spec": full})


def test_a_day_of_ten_thousand_a_second_costs_what_its_changes_cost() -> None:
    cluster = shop(replicas=60)
    send(cluster, rate={"sine": {"mean": 10_000, "amplitude": 5_000, "period": "24h"}})
    cluster.reconcile(for_s=1)
    before = cluster.store.revision
    cluster.reconcile(for_s=86_400)
    found = scenarios.counts(cluster)
    assert abs(found["requests"] - 864_000_000) < 100_000
    assert cluster.store.revision - before < 100


def test_it_ends_when_its_time_is_over() -> None:
    cluster = shop()
    send(cluster, duration="1m")
    cluster.reconcile(for_s=300)
    found = cluster.get(traffic.RESOURCE, "visitors", "default")["status"]
    assert (found["requests"], found["phase"]) == (6000, "Ended")


def test_it_pauses_and_goes_on() -> None:
    cluster = shop()
    send(cluster)
    cluster.reconcile(for_s=10)
    for paused in (True, False):
        cluster.patch(traffic.RESOURCE, "visitors", "default", {"spec": {"paused": paused}})
        cluster.reconcile(for_s=10)
    assert scenarios.counts(cluster)["requests"] == 2000


def test_another_rate_counts_from_when_it_is_set() -> None:
    cluster = shop()
    send(cluster)
    cluster.reconcile(for_s=10)
    cluster.patch(traffic.RESOURCE, "visitors", "default", {"spec": {"rate": 7}})
    cluster.reconcile(for_s=100)
    assert scenarios.counts(cluster)["requests"] == 1000 + 700


def test_too_many_requests_are_more_than_the_pods_bear() -> None:
    cluster = shop(replicas=2)  # which bear 200 a second each
    send(cluster, rate={"spike": {"base": 100, "peak": 800, "after": "10s", "for": "10s"}})
    cluster.reconcile(for_s=60)
    found = scenarios.counts(cluster)
    assert found["requests"] == 100 * 50 + 800 * 10
    assert found["causes"] == {"overload": 4000}


def test_latency_grows_with_the_load() -> None:
    p99 = []
    for rate in (10, 300, 390):
        cluster = shop(replicas=2)
        send(cluster, rate=rate)
        cluster.reconcile(for_s=60)
        p99.append(float(scenarios.counts(cluster)["latency"]["p99"].removesuffix("ms")))
    assert 20 <= p99[0] < p99[1] < p99[2]


def test_a_client_that_tries_again_is_rarely_refused_twice() -> None:
    errors = {}
    for retries in (0, 1):
        cluster = shop(sleeps=False)
        send(cluster, retries=retries)
        cluster.reconcile(for_s=10)
        scenarios.release("1.1")(cluster)
        cluster.reconcile(for_s=100)
        errors[retries] = scenarios.counts(cluster)["errors"]
    assert errors[0] == 4 * 25
    assert errors[1] == pytest.approx(4 * 25 / 4, abs=4), "a quarter of those that try again meet the same pod"


def test_nobody_asks_while_the_pods_that_would_are_not_there() -> None:
    cluster = shop()
    send(cluster, **{"from": {"podSelector": {"matchLabels": {"app": "front"}}}})
    cluster.reconcile(for_s=10)
    assert scenarios.counts(cluster)["requests"] == 0
    front = {"name": "front", "labels": {"app": "front"}}
    spec = {"containers": [{"name": "main", "image": "example/front"}]}
    cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": front, "spec": spec})
    cluster.reconcile(for_s=60)
    found = scenarios.counts(cluster)
    assert 5000 < found["requests"] < 6000 and found["errors"] == 0


def test_a_policy_stops_requests_and_is_named_as_the_cause() -> None:
    cluster = shop()
    send(cluster)
    cluster.reconcile(for_s=10)
    spec = {"podSelector": {"matchLabels": {"app": "shop"}}, "policyTypes": ["Ingress"]}
    cluster.create(
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny"}, "spec": spec}
    )
    cluster.reconcile(for_s=10)
    assert scenarios.counts(cluster)["causes"] == {"policy": 1000}


def test_a_proxy_hides_pods_that_refuse() -> None:
    cluster = shop(sleeps=False)
    cluster.apply({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}})  # fmt: skip
    backend = {"service": {"name": "shop", "port": {"number": 80}}}
    rules = [{"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]
    cluster.apply({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop"}, "spec": {"ingressClassName": "nginx", "rules": rules}})  # fmt: skip
    cluster.reconcile(for_s=10)
    send(cluster, target={"ingress": {"host": "shop.example.com"}})
    cluster.reconcile(for_s=10)
    scenarios.release("1.1")(cluster)
    cluster.reconcile(for_s=100)
    found = scenarios.counts(cluster)
    assert (found["requests"], found["errors"]) == (11_000, 0)


def test_keep_alive_stays_with_a_pod_that_waits_in_prestop() -> None:
    served = {}
    for keep_alive in (False, True):
        cluster = shop()
        send(cluster, keepAlive=keep_alive)
        cluster.reconcile(for_s=10)
        scenarios.release("1.1")(cluster)
        cluster.reconcile(for_s=100)
        found = scenarios.counts(cluster)
        assert found["errors"] == 0
        served[keep_alive] = found["versions"]["1.0"][0]
    assert served[True] > served[False], "open connections are served for as long as the old pods are there"


def test_two_runs_of_one_step_write_nothing_new() -> None:
    cluster = shop()
    send(cluster)
    cluster.reconcile(for_s=10)
    obj = cluster.get(traffic.RESOURCE, "visitors", "default")
    assert list(traffic.step(obj, cluster.view, cluster.clock)) == []
