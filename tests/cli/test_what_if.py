"""`kpy what-if` compares futures of one cluster, which itself stays as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

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
    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}], resources: {requests: {cpu: 200m}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: sim.kpy.dev/v1alpha1
kind: Program
metadata: {name: web}
spec: {match: {}, requests: {cpu: 10m, latency: 20ms, perSecond: 50}}
"""
TRAFFIC = """
apiVersion: sim.kpy.dev/v1alpha1
kind: Traffic
metadata: {name: load}
spec: {target: {service: {name: web, port: 80}}, rate: 200}
"""


def hpa(most: int) -> str:
    return f"""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
  minReplicas: 2
  maxReplicas: {most}
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 50}}}}}}]
"""


@pytest.fixture
def shop(kpy: Callable[..., Any], tmp_path: Path) -> Path:
    kpy("apply", "-f", "-", stdin=MANIFEST)
    kpy("reconcile")
    for name, text in (("few", hpa(3)), ("many", hpa(10)), ("traffic", TRAFFIC)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def compared(kpy: Callable[..., Any], folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    files = [word for name in ("few", "many") for word in ("-f", str(folder / f"{name}.yaml"))]
    told = kpy("what-if", *files, "--traffic", str(folder / "traffic.yaml"), "--for", "20m", "-o", "json", *words)
    return {one["variant"]: one for one in json.loads(told.out)}


def test_more_pods_answer_more_requests_and_cost_more_pod_hours(kpy: Callable[..., Any], shop: Path) -> None:
    before = kpy("digest").out
    found = compared(kpy, shop, "--baseline")
    assert list(found) == ["as it is", "few", "many"]
    assert {one["requests"] for one in found.values()} == {200 * 1200}
    assert found["as it is"]["errors"] > found["few"]["errors"] > found["many"]["errors"]
    assert found["as it is"]["podHours"] < found["few"]["podHours"] < found["many"]["podHours"]
    assert (found["few"]["podsMost"], found["many"]["podsMost"]) == (3, 10)
    assert found["as it is"]["podHours"] == pytest.approx(2 / 3)
    assert kpy("digest").out == before  # the cluster itself has not moved


def test_the_table_has_a_column_for_each_file(kpy: Callable[..., Any], shop: Path) -> None:
    words = ("what-if", "-f", str(shop / "few.yaml"), "--traffic", str(shop / "traffic.yaml"), "--for", "5m")
    lines = kpy(*words, "--svg", str(shop / "w.svg"), "--png", str(shop / "w.png")).out.splitlines()
    assert lines[0].split() == ["few"]
    assert [line.split("  ")[0] for line in lines[1:]] == [
        "REQUESTS", "ERRORS", "ERRORS, %", "P50", "P95", "P99", "PODS, MOST", "POD-HOURS", "NODES, MOST", "NODE-HOURS", "COST",
    ]  # fmt: skip
    assert (shop / "w.svg").read_text().count("<polyline") > 6
    assert (shop / "w.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "nothing to compare"),
        (("-f", "missing.yaml"), 'the path "missing.yaml" does not exist'),
        (("--baseline", "--for", "0"), "--for must be longer than no time"),
        (("--baseline", "--for", "soon"), 'invalid duration "soon"'),
        (("--baseline", "-o", "xml"), "unknown output format"),
    ],
)
def test_what_cannot_be_compared_is_refused(kpy: Callable[..., Any], words: tuple[str, ...], problem: str) -> None:
    told = kpy("what-if", *words)
    assert told.code == 1
    assert problem in told.err


def test_a_file_that_is_refused_is_named(kpy: Callable[..., Any], tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: 3\n")
    told = kpy("what-if", "-f", str(bad))
    assert told.code == 1
    assert str(bad) in told.err
