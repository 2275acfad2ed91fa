"""Findings of NetworkPolicies, Ingresses and Jobs no recording holds: texts of the current sources."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.validation import batch, networking
from minikube_py.api.validation.causes import Causes


def policy(ports: list[dict[str, Any]], peers: list[dict[str, Any]]) -> list[tuple[str, str]]:
    causes = Causes()
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": ports, "from": peers}]}
    networking.network_policy(causes, {"metadata": {"name": "web"}, "spec": spec}, None, "")
    return [(cause.field, cause.message) for cause in causes.found]


@pytest.mark.parametrize(
    ("port", "field", "message"),
    [
        ({"port": 90, "endPort": 80}, "endPort", "Invalid value: 90: must be greater than or equal to `port`"),
        ({"endPort": 80}, "endPort", "Invalid value: 80: may not be specified when `port` is not specified"),
        (
            {"port": "web", "endPort": 80},
            "endPort",
            "Invalid value: 80: may not be specified when `port` is non-numeric",
        ),
        (
            {"port": 80, "protocol": "ICMP"},
            "protocol",
            'Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
        ),
    ],
)
def test_policy_ports(port: dict[str, Any], field: str, message: str) -> None:
    assert policy([port], []) == [(f"spec.ingress[0].ports[0].{field}", message)]


def test_policy_peers() -> None:
    block = {"ipBlock": {"except": ["10.0.0.0/24"]}}
    assert policy([], [block]) == [("spec.ingress[0].from[0].ipBlock.cidr", "Required value")]


def test_ingress_class_twice() -> None:
    causes = Causes()
    meta = {"name": "web", "annotations": {networking.CLASS_ANNOTATION: "a"}}
    spec = {"ingressClassName": "b", "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
    networking.ingress(causes, {"metadata": meta, "spec": spec}, None, "")
    assert [(cause.field, cause.message) for cause in causes.found] == [
        (
            "annotations.kubernetes.io/ingress.class",
            'Invalid value: "a": must match `ingressClassName` when both are specified',
        )
    ]


def job(**fields: Any) -> list[tuple[str, str]]:
    causes = Causes()
    pod = {
        "restartPolicy": "Never",
        "dnsPolicy": "ClusterFirst",
        "terminationGracePeriodSeconds": 30,
        "containers": [
            {
                "name": "main",
                "image": "busybox",
                "imagePullPolicy": "Always",
                "terminationMessagePolicy": "File",
            }
        ],
    }
    labels = {"app": "a"}
    spec = {
        "manualSelector": True,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
        **fields,
    }
    batch.job(causes, {"metadata": {"name": "work"}, "spec": spec}, None, "")
    return [(cause.field, cause.message) for cause in causes.found]


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (
            {"managedBy": "me"},
            "managedBy",
            'Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
        ),
        ({"backoffLimitPerIndex": 1}, "backoffLimitPerIndex", "Invalid value: 1: requires indexed completion mode"),
        (
            {"podFailurePolicy": {"rules": [{"action": "Ignore"}]}},
            "podFailurePolicy.rules[0]",
            "Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ),
        (
            {"podFailurePolicy": {"rules": [{"onPodConditions": [{"type": "Ready", "status": "True"}]}]}},
            "podFailurePolicy.rules[0].action",
            'Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
        ),
    ],
)
def test_jobs(fields: dict[str, Any], field: str, message: str) -> None:
    assert job(**fields) == [(f"spec.{field}", message)]
