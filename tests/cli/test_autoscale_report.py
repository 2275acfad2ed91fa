"""`kpy autoscale-report` tells what an autoscaler saw and why it did what it did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


VPA = """
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: web}
spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
"""


def test_a_vpas_bounds_are_told_step_by_step_with_what_was_done(kpy: Callable[..., Any]) -> None:
    kpy("apply", "-f", "-", stdin=MANIFEST + "---" + VPA)
    assert "has recommended nothing yet" in kpy("autoscale-report", "vpa/web").out
    kpy("reconcile", "--for", "1d")
    out = kpy("autoscale-report", "web").out
    assert "confidence 0.99" in out
    rows = [line.split() for line in out.splitlines() if line.startswith("c  ")]
    # 200m lie in the bucket that ends at 215m; 15 % more are 247m
    assert rows[1] == ["c", "cpu", "target", "215m", "247m", "247m", "247m", "247m"]
    assert out.count("evicted   outside the bounds, wants more") == 2
    told = json.loads(kpy("autoscale-report", "web", "-o", "json").out)
    assert {one["bound"] for one in told["containers"][0]["bounds"]} == {"lowerBound", "target", "upperBound"}


def test_charts_are_drawn_of_each_sort(kpy: Callable[..., Any], tmp_path: Path) -> None:
    group = '{"apiVersion":"sim.kpy.dev/v1alpha1","kind":"NodeGroup","metadata":{"name":"g"},"spec":{"minimum":1,"maximum":3}}'
    kpy("apply", "-f", "-", stdin=MANIFEST + "---" + VPA + "---\n" + group)
    kpy("autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu=50%")
    kpy("reconcile", "--for", "10m")
    for name, title in (("hpa/web", "HorizontalPodAutoscaler web"), ("vpa/web", "VerticalPodAutoscaler web"), ("cluster", "Cluster Autoscaler")):  # fmt: skip
        svg, png = tmp_path / "c.svg", tmp_path / "c.png"
        assert (
            kpy("autoscale-report", name, "--svg", str(svg), "--png", str(png)).err == f"{svg} written\n{png} written\n"
        )
        assert title in svg.read_text()
        header = png.read_bytes()[:24]
        assert header.startswith(b"\x89PNG\r\n\x1a\n")
        assert int.from_bytes(header[16:20], "big") == 1720
    assert "cannot write" in kpy("autoscale-report", "cluster", "--svg", str(tmp_path / "no" / "where.svg")).err
