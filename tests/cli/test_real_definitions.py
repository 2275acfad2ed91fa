"""CustomResourceDefinitions as projects ship them (without descriptions), and objects of theirs.

From cert-manager 2d0d7f7, argo-cd 37ee009, prometheus-operator 6adcebc, knative serving 98e5ef9, gateway-api 4564255; Apache-2.0.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

pytest.importorskip("cel_expr_python")
DEFINITIONS = gzip.decompress(
    Path(__file__).parents[1].joinpath("data", "definitions", "real.json.gz").read_bytes()
).decode()
OBJECTS = """
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c}
spec: {secretName: c-tls, dnsNames: [a.example.com], issuerRef: {name: ss}}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: guestbook}
spec:
  project: default
  source: {repoURL: "https://example.com/x", path: guestbook, helm: {valuesObject: {a: {b: 1}}}}
  destination: {server: https://kubernetes.default.svc, namespace: guestbook}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: k8s}
spec: {replicas: 2, version: v3.0.0}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: r}
spec: {groups: [{name: g, partial_response_strategy: WARN, rules: [{alert: Down, expr: up == 0, for: 5m}]}]}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec: {template: {spec: {containers: [{image: hello, ports: [{containerPort: 8080}]}]}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g}
spec: {gatewayClassName: gc, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {hostnames: [a.example.com], parentRefs: [{name: g}], rules: [{backendRefs: [{name: s, port: 80}]}]}
"""
WRONG = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wrong}
spec:
  parentRefs: [{name: g}, {name: g}]
  rules:
  - matches: [{path: {type: PathPrefix, value: a//b}}]
    backendRefs: [{name: s}]
    timeouts: {request: 1s, backendRequest: 2s}
"""
TABLE = """\
NAME                            READY   SECRET   AGE
certificate.cert-manager.io/c           c-tls    0s

NAME                                SYNC STATUS   HEALTH STATUS
application.argoproj.io/guestbook                 

NAME                                   VERSION   DESIRED   READY   RECONCILED   AVAILABLE   AGE
prometheus.monitoring.coreos.com/k8s   v3.0.0    2                                          0s

NAME                                     AGE
prometheusrule.monitoring.coreos.com/r   0s

NAME                                URL   LATESTCREATED   LATESTREADY   READY   REASON
service.serving.knative.dev/hello                                               

NAME                                  CLASS   ADDRESS   PROGRAMMED   AGE
gateway.gateway.networking.k8s.io/g   gc                             0s

NAME                                    HOSTNAMES           AGE
httproute.gateway.networking.k8s.io/r   ["a.example.com"]   0s
"""


@pytest.fixture
def kpy_with(kpy: Callable[..., Result]) -> Callable[..., Result]:
    for text in (DEFINITIONS, OBJECTS):
        done = kpy("apply", "--server-side", "-f", "-", stdin=text)
        assert (done.code, done.err) == (0, ""), done.err
    return kpy


def test_their_objects_go_in_and_print(kpy_with: Callable[..., Result]) -> None:
    assert kpy_with("get", "cert,app,prom,promrule,ksvc,gtw,httproute").out == TABLE
    rule = json.loads(kpy_with("get", "httproute", "r", "-o", "json").out)["spec"]["rules"][0]
    assert rule["backendRefs"] == [{"group": "", "kind": "Service", "name": "s", "port": 80, "weight": 1}]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    # The Prometheus definition scales shards.
    assert kpy_with("scale", "prom", "k8s", "--replicas=3").code == 0
    assert kpy_with("get", "prom", "k8s", "-o", "jsonpath={.spec.replicas} {.spec.shards}").out == "2 3"


def test_their_rules_are_held_to(kpy_with: Callable[..., Result]) -> None:
    refused = kpy_with("apply", "-f", "-", stdin=WRONG).err
    for told in (
        "spec.parentRefs: Invalid value: sectionName must be unique when parentRefs includes 2 or more references to the same parent",
        "spec.rules[0].backendRefs[0]: Invalid value: Must have port for Service reference",
        "spec.rules[0].matches[0].path: Invalid value: must not contain '//' when type one of ['Exact', 'PathPrefix']",
        "spec.rules[0].timeouts: Invalid value: backendRequest timeout cannot be longer than request timeout",
    ):
        assert told in refused


def test_a_definition_takes_its_objects_along(kpy_with: Callable[..., Result]) -> None:
    assert kpy_with("delete", "crd", "httproutes.gateway.networking.k8s.io").code == 0
    assert kpy_with("get", "httproute").err == 'error: the server doesn\'t have a resource type "httproute"\n'
