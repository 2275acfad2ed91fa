"""The metrics APIs as a client sees them: objects of metrics.k8s.io, lists of custom and external metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: web}}
spec: {containers: [{name: a, image: nginx}, {name: b, image: nginx}]}
---
apiVersion: sim.kpy.dev/v1alpha1
kind: Program
metadata: {name: p}
spec: {match: {}, cpu: 250m, memory: 64Mi}
---
apiVersion: sim.kpy.dev/v1alpha1
kind: MetricSeries
metadata: {name: queue}
spec: {metric: queue_length, type: External, labels: {queue: orders}, value: 30}
---
apiVersion: sim.kpy.dev/v1alpha1
kind: MetricSeries
metadata: {name: hits}
spec: {metric: hits, type: Object, object: {apiVersion: networking.k8s.io/v1, kind: Ingress, name: main}, value: 1500m}
---
apiVersion: sim.kpy.dev/v1alpha1
kind: MetricSeries
metadata: {name: jobs}
spec: {metric: jobs, type: Pods, selector: {matchLabels: {app: web}}, value: 7}
"""


@pytest.fixture
def seen(kpy: Callable[..., Any]) -> Callable[..., Any]:
    kpy("apply", "-f", "-", stdin=MANIFEST)
    kpy("reconcile", "--for", "1m")
    return kpy


def raw(kpy: Callable[..., Any], path: str) -> Any:
    return json.loads(kpy("get", "--raw", f"/apis/{path}").out)


def test_pods_and_nodes_are_listed_with_what_they_use(seen: Callable[..., Any]) -> None:
    lines = seen("get", "pods.metrics.k8s.io").out.splitlines()
    assert [line.split() for line in lines] == [["NAME", "CPU", "MEMORY", "WINDOW"], ["one", "500m", "128Mi", "15s"]]
    assert "control-plane   50m" in seen("get", "nodes.metrics.k8s.io").out
    assert seen("get", "podmetrics", "-l", "app=none").err == "No resources found in default namespace.\n"
    one = json.loads(seen("get", "pods.metrics.k8s.io", "one", "-o", "json").out)
    assert [container["usage"]["cpu"] for container in one["containers"]] == ["250m", "250m"]


def test_nothing_can_be_written(seen: Callable[..., Any]) -> None:
    told = seen("delete", "pods.metrics.k8s.io", "one")
    assert (
        told.err
        == "Error from server (MethodNotAllowed): the server does not allow this method on the requested resource\n"
    )


def test_raw_lists_carry_no_kinds_in_their_items(seen: Callable[..., Any]) -> None:
    told = raw(seen, "metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dweb")
    assert (told["kind"], [one["metadata"]["name"] for one in told["items"]]) == ("PodMetricsList", ["one"])
    assert "kind" not in told["items"][0]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("external.metrics.k8s.io/v1beta1/namespaces/default/queue_length", ["30"]),
        ("external.metrics.k8s.io/v1beta1/namespaces/default/queue_length?labelSelector=queue%3Dother", []),
        ("custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/jobs", ["7"]),
        ("custom.metrics.k8s.io/v1beta1/namespaces/default/pods/one/jobs", ["7"]),
        ("custom.metrics.k8s.io/v1beta2/namespaces/default/ingresses.networking.k8s.io/main/hits", ["1500m"]),
    ],
)
def test_custom_and_external_metrics_have_their_values(seen: Callable[..., Any], path: str, values: list[str]) -> None:
    assert [one["value"] for one in raw(seen, path)["items"]] == values


def test_an_api_lists_its_metrics(seen: Callable[..., Any]) -> None:
    names = [one["name"] for one in raw(seen, "custom.metrics.k8s.io/v1beta2")["resources"]]
    assert names == ["ingresses/hits", "pods/jobs"]
    assert [one["name"] for one in raw(seen, "external.metrics.k8s.io/v1beta1")["resources"]] == ["queue_length"]


@pytest.mark.parametrize(
    "path",
    [
        "metrics.k8s.io/v1beta1/namespaces/default/pods/two",
        "metrics.k8s.io/v1beta1/namespaces/default/nodes",
        "metrics.k8s.io/v2/pods",
        "custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/none",
        "custom.metrics.k8s.io/v1/namespaces/default/pods/*/jobs",
        "custom.metrics.k8s.io/v1beta2/pods",
    ],
)
def test_what_is_not_there_is_not_found(seen: Callable[..., Any], path: str) -> None:
    told = seen("get", "--raw", f"/apis/{path}")
    assert told.code == 1
    assert told.err.startswith("Error from server (NotFound): ")


def test_without_series_there_is_no_such_api(kpy: Callable[..., Any]) -> None:
    assert kpy("get", "--raw", "/apis/external.metrics.k8s.io/v1beta1").code == 1
