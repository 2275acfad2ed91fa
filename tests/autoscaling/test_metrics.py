"""What the metrics server knows and when, the values of MetricSeries, and the HPA on a whole cluster."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.autoscaling import metrics
from minikube_py.autoscaling.samples import MetricError
from minikube_py.base import selector
from minikube_py.base.clock import Clock, timestamp
from minikube_py.cluster import Cluster
from tests.support import FrozenView

Object = dict[str, Any]
T = 1_790_000_010 - 1_790_000_010 % 15  # on the grid of the scrapes


def pod(started_s: int, limit: str = "") -> Object:
    container: Object = {"name": "c", "image": "example/app"}
    if limit:
        container["resources"] = {"limits": {"cpu": limit}}
    running = {"name": "c", "state": {"running": {"startedAt": timestamp(started_s)}}}
    return {
        "metadata": {"name": "p", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"nodeName": "n", "containers": [container]},
        "status": {"phase": "Running", "containerStatuses": [running]},
    }


def program(**spec: Any) -> Object:
    return {"metadata": {"name": "program", "namespace": "default"}, "spec": {"match": {}, **spec}}


def view(*programs: Object, series: list[Object] | None = None, pods: list[Object] | None = None) -> FrozenView:
    return FrozenView({"programs.sim.kpy.dev": list(programs), metrics.SERIES: series or [], "pods": pods or []})


@pytest.mark.parametrize(("age_s", "is_known"), [(0, False), (14, False), (15, True), (29, True)])
def test_a_pod_is_known_after_two_scrapes(age_s: int, is_known: bool) -> None:
    assert bool(metrics.pod_usage(pod(T), view(), Clock(T + age_s))) == is_known
    assert not metrics.pod_usage(pod(T + 1), view(), Clock(T + 29))


def test_usage_is_that_of_the_last_scrape_and_cpu_stops_at_its_limit() -> None:
    course = [{"after": "0s", "value": "20m"}, {"after": "60s", "value": "2"}]
    seen = view(program(cpu=course, memory="64Mi"))
    assert metrics.pod_usage(pod(T), seen, Clock(T + 59)) == {"c": (20, 64 << 20)}
    assert metrics.pod_usage(pod(T), seen, Clock(T + 74)) == {"c": (2000, 64 << 20)}
    assert metrics.pod_usage(pod(T, "500m"), seen, Clock(T + 74)) == {"c": (500, 64 << 20)}


def series(kind: str, value: Any, **spec: Any) -> Object:
    meta = {"name": kind.lower(), "namespace": "default", "creationTimestamp": timestamp(T)}
    return {"metadata": meta, "spec": {"metric": "rps", "type": kind, "value": value, **spec}}


def test_a_series_has_the_value_of_its_last_entry_that_has_begun() -> None:
    one = series("External", [{"after": "5m", "value": "200"}, {"after": "10s", "value": "500m"}])
    assert [metrics.value_of(one, Clock(T + age_s)) for age_s in (0, 10, 299, 300)] == [0, 500, 500, 200_000]


def test_external_series_are_chosen_by_the_labels_of_the_metric() -> None:
    seen = view(series=[series("External", 7, labels={"queue": "a"})])
    measured = metrics.Measured(seen, Clock(T))
    assert measured.external("rps", "default", {"matchLabels": {"queue": "a"}}) == [7000]
    with pytest.raises(MetricError, match="no metrics returned from external metrics API"):
        measured.external("rps", "default", {"matchLabels": {"queue": "b"}})


def test_a_shared_series_is_split_among_the_pods_that_are_ready() -> None:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": timestamp(T)}
    pods = []
    for name in ("a", "b", "c"):
        one = pod(T)
        one["metadata"]["name"] = name
        one["status"]["conditions"] = [ready] if name != "c" else []
        pods.append(one)
    seen = view(series=[series("Pods", 100, shared=True, selector={"matchLabels": {"app": "web"}})], pods=pods)
    found = metrics.Measured(seen, Clock(T)).pods("rps", "default", selector.parse("app=web"), None)
    assert {name: sample.value_m for name, sample in found.items()} == {"a": 50_000, "b": 50_000}


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ([], "no custom metrics API (custom.metrics.k8s.io) registered"),
        (["Pods"], "the server could not find the metric rps for services web"),
    ],
)
def test_a_metric_that_is_not_there_is_told_in_the_words_of_the_api(kinds: list[str], text: str) -> None:
    seen = view(series=[series(kind, 1) for kind in kinds])
    with pytest.raises(MetricError) as told:
        metrics.Measured(seen, Clock(T)).object("rps", "default", {"kind": "Service", "name": "web"}, None)
    assert str(told.value) == f"unable to fetch metrics from custom metrics API: {text}"


def deployment(replicas: int) -> Object:
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "50m"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    }


def autoscaler(metric: Object) -> Object:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 6,
            "metrics": [metric],
        },
    }


def test_on_a_cluster_the_deployment_follows_the_cpu_of_its_programs_up_and_down() -> None:
    cluster = Cluster.memory(nodes=2, seed=1)
    course = [{"after": 0, "value": "10m"}, {"after": "2m", "value": "100m"}, {"after": "10m", "value": "10m"}]
    cluster.create(
        {
            "apiVersion": "sim.kpy.dev/v1alpha1",
            "kind": "Program",
            "metadata": {"name": "p"},
            "spec": {"match": {}, "cpu": course},
        }
    )
    cluster.create(deployment(2))
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    cluster.create(autoscaler({"type": "Resource", "resource": resource}))
    assert cluster.reconcile().settled
    replicas = []
    for _ in range(12):
        cluster.reconcile(for_s=120)
        replicas.append(cluster.get("deployments.apps", "web", "default")["spec"]["replicas"])
    assert max(replicas) == 6
    assert replicas[-1] == 2
    scaled = [one["message"] for one in cluster.list("events", "default") if one["reason"] == "SuccessfulRescale"]
    assert "New size: 4; reason: cpu resource utilization (percentage of request) above target" in scaled


def test_on_a_cluster_a_queue_scales_a_deployment() -> None:
    cluster = Cluster.memory(nodes=2, seed=1)
    cluster.create(deployment(2))
    spec = {"metric": "queue", "type": "External", "value": [{"value": 20}, {"after": "1m", "value": 100}]}
    cluster.create(
        {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "MetricSeries", "metadata": {"name": "queue"}, "spec": spec}
    )
    target = {"type": "AverageValue", "averageValue": "20"}
    cluster.create(autoscaler({"type": "External", "external": {"metric": {"name": "queue"}, "target": target}}))
    cluster.reconcile(for_s=180)
    assert cluster.get("deployments.apps", "web", "default")["spec"]["replicas"] == 5
    status = cluster.get("horizontalpodautoscalers.autoscaling", "web", "default")["status"]
    assert status["currentMetrics"][0]["external"]["current"] == {"averageValue": "20"}


SHOP = {"match": {}, "cpu": "0", "requests": {"cpu": "2m", "latency": "20ms"}}


@pytest.mark.parametrize(
    ("metric", "replicas"),
    [
        # 100 a second cost 200m; at a target of 25m of 50m that is 8 pods: more than the 6 that are allowed.
        ({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}, 6),
        ({"type": "Pods", "pods": {"metric": {"name": "requests_per_second"},
                                   "target": {"type": "AverageValue", "averageValue": "25"}}}, 4),
    ],
)  # fmt: skip
def test_on_a_cluster_pods_follow_the_traffic(metric: Object, replicas: int) -> None:
    cluster = Cluster.memory(nodes=2, seed=1)
    simulated = {"apiVersion": "sim.kpy.dev/v1alpha1", "metadata": {"name": "shop"}}
    cluster.create({**simulated, "kind": "Program", "spec": SHOP})
    cluster.create(deployment(2))
    port = {"port": 80, "targetPort": 80}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    cluster.create({**service, "spec": {"selector": {"app": "web"}, "ports": [port]}})
    cluster.create(
        {**simulated, "kind": "Traffic", "spec": {"target": {"service": {"name": "web", "port": 80}}, "rate": 100}}
    )
    cluster.create(autoscaler(metric))
    cluster.reconcile(for_s=240)
    assert cluster.get("deployments.apps", "web", "default")["spec"]["replicas"] == replicas
