"""Pods that were put on a node past the scheduler."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kubelet.simulator import Simulation, container, make_pod

Object = dict[str, Any]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def asking(cpu: str, name: str = "web") -> Object:
    return make_pod(name, containers=[container(resources={"requests": {"cpu": cpu}})])


@pytest.mark.parametrize(
    ("pod", "reason", "message"),
    [
        (
            asking("4500m"),
            "OutOfcpu",
            "Node didn't have enough resource: cpu, requested: 4500, used: 500, capacity: 4000",
        ),
        (
            make_pod(nodeSelector={"disk": "ssd"}),
            "NodeAffinity",
            "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
        (
            make_pod(
                affinity={
                    "nodeAffinity": {
                        REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}
                    }
                }
            ),
            "NodeAffinity",
            "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
        (
            make_pod(containers=[container(ports=[{"containerPort": 80, "hostPort": 8080}])]),
            "NodePorts",
            "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
        ),
    ],
)
def test_a_pod_that_does_not_fit_is_refused_for_good(pod: Object, reason: str, message: str) -> None:
    other = asking("500m", "other")
    other["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 8080}]
    run = Simulation(pod, ("pods", other)).until(60)
    assert run.status["phase"] == "Failed"
    assert (run.status["reason"], run.status["message"]) == (reason, f"Pod was rejected: {message}")
    assert run.told == [(0, f"{reason} {message}")]


def test_a_pod_that_fits_or_was_scheduled_is_taken() -> None:
    assert Simulation(asking("3500m"), ("pods", asking("500m", "other"))).until(60).status["phase"] == "Running"
    scheduled = asking("9")
    scheduled["status"] = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    assert Simulation(scheduled).until(60).status["phase"] == "Running"
