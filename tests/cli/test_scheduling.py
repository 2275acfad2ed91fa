"""kpy explain-schedule and kpy capacity."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: web, image: nginx, resources: {requests: {cpu: 700m, memory: 64Mi}}}
"""
SELECTIVE = '{"spec":{"nodeSelector":{"disk":"ssd"}}}'


def test_a_waiting_pod_is_explained_as_things_are(kpy: Callable[..., Any]) -> None:
    kpy("run", "web", "--image=nginx")
    text = kpy("explain-schedule", "web").out
    assert text.startswith("Pod default/web would go to worker-")
    assert "control-plane   TaintToleration: node(s) had untolerated taint(s)" in text
    found = json.loads(kpy("explain-schedule", "web", "-o", "json").out)
    control, worker, _ = found["nodes"]
    assert found["node"] is None
    assert (control["feasible"], control["total"], control["scores"]) == (False, None, {})
    assert control["filters"]["TaintToleration"] == "node(s) had untolerated taint(s)"
    assert control["filters"]["NodeResourcesFit"] == "not asked"
    assert worker["filters"]["NodeResourcesFit"] == "passed"
    assert worker["scores"]["TaintToleration"] == {
        "plugin": "TaintToleration",
        "raw": 0,
        "normalized": 100,
        "weight": 3,
        "weighted": 300,
    }
    assert worker["total"] == sum(score["weighted"] for score in worker["scores"].values())
    best = max((node for node in found["nodes"] if node["feasible"]), key=lambda node: node["total"])
    assert found["winner"] == best["name"]


def test_a_placed_pod_is_explained_as_things_were(kpy: Callable[..., Any]) -> None:
    for name in ("one", "two"):
        kpy("run", name, "--image=nginx")
        kpy("reconcile")
    before = kpy("get", "pods", "-o", "wide").out
    node = json.loads(kpy("get", "pod", "one", "-o", "json").out)["spec"]["nodeName"]
    for name in ("worker-1", "worker-2"):
        kpy("cordon", name)
    found = json.loads(kpy("explain-schedule", "one", "-o", "json").out)
    assert (found["node"], found["winner"]) == (node, node)
    assert [entry["feasible"] for entry in found["nodes"]] == [False, True, True]
    assert kpy("explain-schedule", "one").out.startswith(f"Pod default/one went to {node} at revision ")
    assert kpy("get", "pods", "-o", "wide").out == before, "nothing is written"


def test_a_pod_without_hope_is_told_why(kpy: Callable[..., Any]) -> None:
    kpy("run", "web", "--image=nginx", "--overrides", SELECTIVE)
    assert kpy("explain-schedule", "web").out.startswith(
        "Pod default/web has no node to go to: 0/3 nodes are available: 1 node(s) had untolerated taint(s), "
        "2 node(s) didn't match Pod's node affinity/selector.\n"
    )


def test_a_missing_pod_and_one_that_nobody_scheduled_are_refused(kpy: Callable[..., Any]) -> None:
    result = kpy("explain-schedule", "nope")
    assert (result.code, result.err) == (1, 'Error from server (NotFound): pods "nope" not found\n')
    kpy("run", "web", "--image=nginx", "--overrides", '{"spec":{"nodeName":"worker-1"}}')
    assert "was created with its node, worker-1: nobody scheduled it" in kpy("explain-schedule", "web").err


def test_capacity_counts_the_copies_and_says_what_ends_them(kpy: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    before = kpy("digest").out
    found = json.loads(kpy("capacity", "-f", str(file), "-o", "json").out)
    assert [(node["name"], node["copies"]) for node in found["nodes"]] == [
        ("control-plane", 0),
        ("worker-1", 5),  # 5 * 700m of 4 cpus
        ("worker-2", 5),
    ]
    assert found["copies"] == 10
    assert found["endedBy"] == {
        "message": "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.",
        "plugins": {"TaintToleration": 1, "NodeResourcesFit": 2},
    }
    text = kpy("capacity", "-f", str(file)).out
    assert text.startswith("10 copies fit; the next one: 0/3 nodes are available: ")
    assert "worker-1        5        Insufficient cpu\n" in text
    assert kpy("digest").out == before, "nothing is written"


def test_capacity_stops_where_it_is_told_to(kpy: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    found = json.loads(kpy("capacity", "-f", str(file), "--until", "3", "-o", "json").out)
    assert (found["copies"], found["endedBy"]) == (3, None)


def test_capacity_takes_templates_and_minds_quotas(kpy: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(kpy("create", "deployment", "web", "--image=nginx", "--dry-run=client", "-o", "yaml").out)
    kpy("create", "quota", "few", "--hard=pods=4")
    kpy("reconcile")
    found = json.loads(kpy("capacity", "-f", str(file), "-o", "json").out)
    assert found["copies"] == 4
    assert "exceeded quota: few, requested: pods=1, used: pods=4, limited: pods=4" in found["endedBy"]["message"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--until", "0"), "error: --until must be 'full' or a number of copies, not '0'"),
        (("-o", "xml"), "error: unknown output format 'xml', must be 'table' or 'json'"),
    ],
)
def test_wrong_words_are_refused(words: tuple[str, ...], message: str, kpy: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD)
    result = kpy("capacity", "-f", str(file), *words)
    assert (result.code, result.err.splitlines()[0]) == (1, message)


def test_what_has_no_template_has_no_capacity(kpy: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")
    assert kpy("capacity", "-f", str(file)).err == "error: a Namespace has no pod template\n"
