"""Descriptions of recorded objects against what a real kubectl 1.37 printed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from minikube_py.api.kinds import Registry
from minikube_py.base import selector
from minikube_py.base.clock import seconds
from minikube_py.printers.describe import describe
from minikube_py.printers.describe.generic import label
from minikube_py.printers.describe.writer import align, rfc1123

Object = dict[str, Any]
DATA = Path(__file__).parents[2] / "data" / "describe"
REGISTRY = Registry()


class World:
    """A Lookup over the objects of a file."""

    def __init__(self, name: str) -> None:
        self.objects: list[tuple[str, Object]] = []
        for obj in yaml.safe_load((DATA / name).read_text()):
            kind = REGISTRY.find(obj["apiVersion"], obj["kind"])
            assert kind is not None
            self.objects.append((kind.resource, obj))
        self.objects.sort(key=lambda pair: pair[1]["metadata"]["name"])

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        found = [obj for obj in self.list(resource, namespace) if obj["metadata"]["name"] == name]
        return found[0] if found else None

    def list(self, resource: str, namespace: str | None, labels: str = "") -> list[Object]:
        wanted = selector.parse(labels)
        return [
            obj
            for one, obj in self.objects
            if one == resource
            and namespace in (None, obj["metadata"].get("namespace", ""))
            and wanted.matches(obj["metadata"].get("labels", {}))
        ]

    def on_node(self, node: str) -> list[Object]:
        return [pod for pod in self.list("pods", None) if pod["spec"].get("nodeName") == node]

    def events(self, obj: Object) -> list[Object]:
        uid = obj["metadata"].get("uid")
        return [event for event in self.list("events", None) if event["involvedObject"]["uid"] == uid]


WORLD = World("world.yaml")
MORE = World("more.yaml")
DESCRIBED: dict[str, str] = json.loads((DATA / "more.json").read_text())


def described(resource: str, name: str, now: str) -> str:
    kind = REGISTRY.resource(resource)
    obj = WORLD.get(resource, "default" if kind.namespaced else "", name)
    assert obj is not None
    return describe(kind, obj, WORLD, seconds(f"2026-11-24T{now}Z"))


@pytest.mark.parametrize(
    ("recorded", "resource", "name", "now"),
    [
        ("pod", "pods", "lonely", "22:21:44"),
        ("pod_pending", "pods", "toobig", "22:21:45"),
        ("deploy", "deployments.apps", "web", "22:21:46"),
        ("rs", "replicasets.apps", "web-fbd6855c6", "22:21:46"),
        ("svc_kubernetes", "services", "kubernetes", "22:21:46"),
        ("sts", "statefulsets.apps", "db", "22:21:46"),
        ("job", "jobs.batch", "pi", "22:21:46"),
        ("secret", "secrets", "cred", "22:21:46"),
        ("ing", "ingresses.networking.k8s.io", "web", "22:21:46"),
        ("ns", "namespaces", "default", "22:21:46"),
        ("sa", "serviceaccounts", "default", "22:21:46"),
        ("hpa", "horizontalpodautoscalers.autoscaling", "web", "22:21:54"),
    ],
)
def test_a_description_equals_the_recorded_one_to_the_byte(recorded: str, resource: str, name: str, now: str) -> None:
    assert described(resource, name, now) == (DATA / f"{recorded}.txt").read_text()


@pytest.mark.parametrize(
    ("recorded", "resource", "name"),
    [
        ("node", "nodes", "fake-000"),
        ("pod_broken", "pods", "broken"),
        ("ds", "daemonsets.apps", "agent"),
        ("pvc", "persistentvolumeclaims", "data"),
    ],
)
def test_a_description_equals_the_recorded_one_before_its_events(recorded: str, resource: str, name: str) -> None:
    def head(text: str) -> str:
        return re.split(r"^Events:", text, flags=re.MULTILINE)[0]

    assert head(described(resource, name, "22:21:46")) == head((DATA / f"{recorded}.txt").read_text())


@pytest.mark.parametrize("title", DESCRIBED)
def test_every_sort_of_object_is_described_as_the_real_kubectl_describes_it(title: str) -> None:
    """The objects of more.yaml, described by a kubectl 1.37 whose server answered with just these objects."""
    resource, _, name = title.partition("/")
    kind = REGISTRY.resource(resource)
    namespaces = ("d", "kube-node-lease") if kind.namespaced else ("",)
    obj = next(obj for obj in (MORE.get(resource, namespace, name) for namespace in namespaces) if obj)
    nobody = World.__new__(World)
    nobody.objects = [pair for pair in MORE.objects if pair[0] != "pods" or kind.name != "Node"]
    assert describe(kind, obj, nobody, 0) == DESCRIBED[title]


def test_the_first_of_several_pods_equals_the_recorded_one() -> None:
    first = (DATA / "pod_web.txt").read_text().split("\n\n\n")[0] + "\n"
    kind = REGISTRY.resource("pods")
    obj = WORLD.get("pods", "default", "web-fbd6855c6-7vnmp")
    assert obj is not None
    assert describe(kind, obj, WORLD, 0, show_events=False) == first


def test_columns_end_where_a_line_has_no_such_cell() -> None:
    assert align("a:\t1\nlonger:\t2\nplain\nb:\t3\n") == "a:       1\nlonger:  2\nplain\nb:  3\n"
    assert align("x\ty\tz\n\t\tw\n") == "x  y  z\n      w\n"


def test_times_are_printed_as_go_prints_them() -> None:
    assert rfc1123("2026-11-24T22:21:23Z") == "Tue, 24 Nov 2026 22:21:23 +0000"
    assert rfc1123(None) == "Mon, 01 Jan 0001 00:00:00 +0000"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("apiVersion", "API Version"),
        ("lastTransitionTime", "Last Transition Time"),
        ("uid", "UID"),
        ("podCIDRs", "Pod CIDRs"),
        ("kubernetes.io/name", "kubernetes.io/name"),
    ],
)
def test_fields_of_unknown_kinds_get_readable_titles(field: str, text: str) -> None:
    assert label(field) == text
