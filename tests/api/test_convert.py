"""Versions of one kind: HorizontalPodAutoscalers, Events, custom resources."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import convert
from minikube_py.api.decode import decode
from minikube_py.api.kinds import Kind, Registry

REGISTRY = Registry()
HPA = REGISTRY.resource("horizontalpodautoscalers.autoscaling")
Object = dict[str, Any]
REF = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def hpa(version: str, **spec: Any) -> Object:
    obj = {"apiVersion": f"autoscaling/{version}", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {"scaleTargetRef": REF, "maxReplicas": 5, **spec}}  # fmt: skip
    return decode(HPA, obj)[0]


def resource(target: Object, name: str = "cpu") -> Object:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


CPU = resource({"type": "Utilization", "averageUtilization": 80})


def test_a_v1_autoscaler_is_stored_as_v2() -> None:
    stored = convert.to_stored(HPA, hpa("v1", minReplicas=2, targetCPUUtilizationPercentage=80))
    assert stored == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": REF, "minReplicas": 2, "maxReplicas": 5, "metrics": [CPU]},
        "status": {"currentMetrics": None, "desiredReplicas": 0},
    }


METRICS = [
    [CPU],
    [CPU, resource({"type": "AverageValue", "averageValue": "500Mi"}, "memory")],
    [resource({"type": "Utilization", "averageUtilization": 50}, "memory")],
    [{"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "10"}}}],
    [{"type": "External", "external": {"metric": {"name": "q", "selector": {"matchLabels": {"a": "b"}}}, "target": {"type": "Value", "value": "30"}}}],
    [{"type": "Object", "object": {"describedObject": REF, "metric": {"name": "hits"}, "target": {"type": "Value", "value": "2k"}}}],
    [{"type": "Object", "object": {"describedObject": REF, "metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "3"}}}],
]  # fmt: skip


@pytest.mark.parametrize("metrics", METRICS, ids=lambda metrics: "+".join(one["type"] for one in metrics))
def test_v2_to_v1_and_back_loses_nothing(metrics: list[Object]) -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]}}  # fmt: skip
    stored = hpa("v2", metrics=metrics, behavior=behavior)
    v1 = convert.to_version(HPA, "autoscaling/v1", stored)
    assert v1["apiVersion"] == "autoscaling/v1"
    assert "metrics" not in v1["spec"]
    assert convert.to_stored(HPA, v1) == stored


def test_v1_tells_status_in_annotations() -> None:
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 40, "averageValue": "40m"}}}  # fmt: skip
    condition = {"type": "AbleToScale", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z", "reason": "ReadyForNewScale"}  # fmt: skip
    stored = {**hpa("v2", metrics=[CPU]), "status": {"currentMetrics": [current], "desiredReplicas": 3, "conditions": [condition]}}  # fmt: skip
    v1 = convert.to_version(HPA, "autoscaling/v1", stored)
    assert v1["spec"]["targetCPUUtilizationPercentage"] == 80
    assert v1["status"] == {"currentReplicas": 0, "desiredReplicas": 3, "currentCPUUtilizationPercentage": 40}
    assert v1["metadata"]["annotations"][convert.CURRENT] == (
        '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":40,"currentAverageValue":"40m"}}]'
    )
    assert convert.to_stored(HPA, v1)["status"] == stored["status"]


def test_events_have_two_faces() -> None:
    events = REGISTRY.resource("events.events.k8s.io")
    core = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p"},
        "message": "m", "source": {"component": "kubelet"}, "firstTimestamp": None, "lastTimestamp": None,
        "eventTime": None, "reportingComponent": "", "reportingInstance": "", "count": 2, "type": "Normal",
    }  # fmt: skip
    new = convert.to_version(events, "events.k8s.io/v1", core)
    assert new["regarding"] == core["involvedObject"]
    assert (new["note"], new["deprecatedCount"], new["deprecatedSource"]) == ("m", 2, {"component": "kubelet"})
    assert convert.to_stored(events, new) == core


def test_only_the_version_of_a_custom_resource_changes() -> None:
    kind = Kind("Widget", "example.com/v1", "widgets", others=("example.com/v1alpha1",))
    stored = {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"a": 1}}
    old = convert.to_version(kind, "example.com/v1alpha1", stored)
    assert old == {**stored, "apiVersion": "example.com/v1alpha1"}
    assert convert.to_stored(kind, old) == stored
    assert convert.to_stored(kind, stored) is stored
