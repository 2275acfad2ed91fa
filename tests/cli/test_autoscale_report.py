"""`kpy autoscale-report` tells what an autoscaler saw and why it did what it did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx, resources: {requests: {cpu: 50m}}}]}
---
apiVersion: sim.kpy.dev/v1alpha1
kind: Program
metadata: {name: busy}
spec: {match: {}, cpu: 200m}
"""


def test_an_hpas_decisions_are_told_with_value_request_and_limit(kpy: Callable[..., Any]) -> None:
    kpy("apply", "-f", "-", stdin=MANIFEST)
    kpy("autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu=50%")
    assert kpy("autoscale-report", "web").out == "default/web has decided nothing yet\n"
    kpy("reconcile", "--for", "2m")
    lines = kpy("autoscale-report", "hpa/web").out.splitlines()
    assert lines[0].split() == ["TIME", "CURRENT", "METRICS", "ASKED", "WINDOW", "LIMIT", "REPLICAS"]
    assert "cpu resource utilization (percentage of request): 400% (200m) -> 16" in lines[1]
    assert lines[1].split()[-3:] == ["16", "ScaleUpLimit", "4"]
    told = json.loads(kpy("autoscale-report", "web", "-o", "json").out)
    assert [one["replicas"] for one in told][:2] == [4, 5]


def test_node_groups_are_told_with_their_cost(kpy: Callable[..., Any]) -> None:
    assert kpy("autoscale-report", "cluster").code == 1
    group = '{"apiVersion":"sim.kpy.dev/v1alpha1","kind":"NodeGroup","metadata":{"name":"g"},'
    kpy("apply", "-f", "-", stdin=group + '"spec":{"minimum":1,"maximum":3,"price":2}}')
    kpy("reconcile", "--for", "31m")
    out = kpy("autoscale-report", "cluster").out
    assert "cost so far: 1.0" in out
    assert "unneeded since" in out


def test_what_is_not_there_is_refused(kpy: Callable[..., Any]) -> None:
    assert "not found" in kpy("autoscale-report", "missing").err
    assert "unknown output format" in kpy("autoscale-report", "cluster", "-o", "xml").err
