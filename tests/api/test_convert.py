"""Versions of one kind: what goes in in one comes out in the other."""

from __future__ import annotations

from minikube_py.api import convert
from minikube_py.api.kinds import Registry
from tests.support import freeze

REGISTRY = Registry()
HPA = REGISTRY.resource("horizontalpodautoscalers.autoscaling")


def test_an_autoscaler_of_version_1_is_stored_as_version_2_and_comes_back() -> None:
    given = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50},
        "status": {"currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 70},
    }
    stored = convert.to_stored(HPA, "autoscaling/v1", freeze(given))
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    assert (stored["apiVersion"], stored["spec"]) == ("autoscaling/v2", {"maxReplicas": 3, "metrics": [metric]})
    assert convert.to_version(HPA, "autoscaling/v1", freeze(stored)) == given


def test_an_event_has_other_names_for_the_same_fields_in_the_new_group() -> None:
    kind = REGISTRY.resource("events.events.k8s.io")
    core = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod"},
        "message": "m",
        "reason": "R",
        "source": {"component": "c"},
        "count": 2,
        "reportingComponent": "c",
    }
    new = convert.to_version(kind, "events.k8s.io/v1", freeze(core))
    assert new == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "e"},
        "regarding": {"kind": "Pod"},
        "note": "m",
        "reason": "R",
        "deprecatedSource": {"component": "c"},
        "deprecatedCount": 2,
        "reportingController": "c",
    }
    assert convert.to_stored(kind, "events.k8s.io/v1", freeze(new)) == core


def test_other_kinds_and_versions_come_back_as_they_are() -> None:
    obj = freeze({"apiVersion": "apps/v1", "kind": "Deployment"})
    deployment = REGISTRY.resource("deployments.apps")
    assert convert.to_stored(deployment, "apps/v1", obj) is obj
    assert convert.to_version(HPA, "autoscaling/v2", obj) is obj
