"""Memory leaks: how they grow, what they do to a container and its node, and when they end."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.base.errors import Invalid
from minikube_py.cluster import Cluster
from minikube_py.programs import leaks

Object = dict[str, Any]
MEBI = 1 << 20


def fault(**spec: Any) -> Object:
    spec = {"type": "MemoryLeak", "selector": {"matchLabels": {"app": "web"}}, **spec}
    return {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": "f"}, "spec": spec}


def pod(name: str, limit: str = "") -> Object:
    container: Object = {"name": "c", "image": "nginx:1.27"}
    if limit:
        container["resources"] = {"limits": {"memory": limit}}
    meta = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


@pytest.mark.parametrize(
    ("per_minute", "since", "until", "found"),
    [
        (6 * MEBI, 5, 25, ((5, 0),)),  # too slow for the steps to be seen in that time
        (60 << 30, 5, 25, ((5, 0), (15, 10 << 30), (25, 20 << 30))),
        (60 << 30, 0, 0, ((0, 0),)),
    ],
)
def test_course(per_minute: int, since: int, until: int | None, found: object) -> None:
    assert leaks.course(per_minute, since, until)[:3] == found


@pytest.mark.parametrize("per_minute", [1, MEBI, 100 * MEBI, 1 << 40])
def test_a_course_never_grows_long(per_minute: int) -> None:
    assert len(leaks.course(per_minute, 0, None)) <= leaks.STEPS_MAX + 1


def test_courses_are_added() -> None:
    assert leaks.added(((0, 5), (10, 1)), ((5, 3),)) == ((0, 5), (5, 8), (10, 4))


def test_a_leak_kills_a_container_again_and_again_and_only_those_it_is_about() -> None:
    cluster = Cluster.memory(nodes=2)
    for name in ("web", "db"):
        cluster.create(pod(name, "1Gi"))
    cluster.reconcile()
    cluster.create(fault(perMinute="500Mi"))
    cluster.reconcile(for_s=600)
    status = cluster.get("pods", "web")["status"]["containerStatuses"][0]
    assert status["restartCount"] >= 3
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert cluster.get("pods", "db")["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_leak_without_a_limit_fills_the_node() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("web"))
    cluster.reconcile()
    cluster.create(fault(perMinute="1Gi", at="1m"))
    cluster.reconcile(for_s=60)
    assert "reason" not in cluster.get("pods", "web")["status"]
    cluster.reconcile(for_s=500)
    status = cluster.get("pods", "web")["status"]
    assert status.get("reason") == "Evicted" or status["containerStatuses"][0]["restartCount"]


def test_a_leak_that_is_over_keeps_what_it_has_until_the_container_ends() -> None:
    cluster = Cluster.memory(nodes=2)
    cluster.create(pod("web", "1Gi"))
    cluster.reconcile()
    cluster.create(fault(perMinute="600Mi", **{"for": "1m"}))
    cluster.reconcile(for_s=3600)
    status = cluster.get("pods", "web")["status"]["containerStatuses"][0]
    assert status["restartCount"] == 0
    from minikube_py.programs.behaviour import at, behaviour

    found = cluster.get("pods", "web")
    program = behaviour(found["spec"]["containers"][0], found, cluster.view, cluster.clock)
    assert at(program.memory, 3600) > 400 * MEBI


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({}, "spec.perMinute"),
        ({"perMinute": "0"}, "spec.perMinute"),
        ({"perMinute": "-5Mi"}, "spec.perMinute"),
        ({"perMinute": "1Mi", "selector": None}, "spec.image"),
        ({"type": "NodeDown", "node": "a", "selector": None, "perMinute": "1Mi"}, "spec.perMinute"),
    ],
)
def test_a_leak_says_where_and_how_much(spec: Object, path: str) -> None:
    wrong = fault(**spec)
    wrong["spec"] = {name: value for name, value in wrong["spec"].items() if value is not None}
    with pytest.raises(Invalid, match=path.replace(".", r"\.")):
        Cluster.memory(nodes=2).create(wrong)
