"""`kpy top` prints what kubectl prints, from the last scrape of the metrics server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

POD = """
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "NAME"}, "spec": {"containers": [
  {"name": "b", "image": "nginx"}, {"name": "a", "image": "nginx"}]}}
---
apiVersion: sim.kpy.dev/v1alpha1
kind: Program
metadata: {name: busy}
spec: {match: {container: b}, cpu: 300m, memory: 200Mi}
"""


def test_pods_are_unknown_at_first_then_listed_with_their_containers_and_a_sum(kpy: Callable[..., Any]) -> None:
    kpy("apply", "-f", "-", stdin=POD.replace("NAME", "one"))
    kpy("reconcile")
    assert kpy("top", "pod") == (1, "", "error: metrics not available yet\n")
    name = 'Error from server (NotFound): podmetrics.metrics.k8s.io "default/one" not found\n'
    assert kpy("top", "pod", "one") == (1, "", name)
    kpy("reconcile", "--for", "45s")
    assert kpy("top", "pods").out == "NAME   CPU(cores)   MEMORY(bytes)   \none    301m         216Mi           \n"
    assert kpy("top", "po", "one", "--containers", "--sum", "--sort-by=cpu").out.split("\n") == [
        "POD   NAME   CPU(cores)   MEMORY(bytes)   ",
        "one   b      300m         200Mi           ",
        "one   a      1m           16Mi            ",
        "             ________     ________        ",
        "             301m         216Mi           ",
        "",
    ]
    assert kpy("top", "pod", "-l", "a=b") == (0, "", "No resources found in default namespace.\n")


def test_nodes_are_listed_with_the_share_of_what_they_can_give_and_unknown_when_they_are_down(
    kpy: Callable[..., Any],
) -> None:
    kpy("reconcile", "--for", "1m")
    lines = kpy("top", "node").out.splitlines()
    assert lines[0].split() == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert len(lines) > 1
    node = lines[1].split()[0]
    assert lines[1].split()[1:] and lines[1].split()[1] == "50m"
    kpy("node", "fail", node)
    kpy("reconcile", "--for", "2m")
    assert [node, *["<unknown>"] * 4] in [line.split() for line in kpy("top", "node").out.splitlines()]


def test_wrong_words_are_refused_in_kubectls_words(kpy: Callable[..., Any]) -> None:
    assert kpy("top", "pod", "--sort-by=disk").err == "error: --sort-by accepts only cpu or memory\n"
    assert kpy("top", "pod", "a", "-l", "b=c").err == "error: only one of NAME or selector can be provided\n"
    assert kpy("top", "node", "a", "-l", "b=c").err == "error: only one of NAME or --selector can be provided\n"
    assert kpy("top", "pod", "missing").err == 'Error from server (NotFound): pods "missing" not found\n'


def test_metrics_can_be_read_raw(kpy: Callable[..., Any]) -> None:
    import json

    kpy("reconcile", "--for", "1m")
    told = json.loads(kpy("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes").out)
    assert told["kind"] == "NodeMetricsList"
    assert {one["usage"]["cpu"] for one in told["items"]} == {"50m"}
