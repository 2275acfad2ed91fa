"""Pods that live the same life: what is played, what is not, and that nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.kubelet import twins

Object = dict[str, Any]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pods whose runs were played."""
    found: list[str] = []
    real = twins.play

    def play(tape: Any, pod: Object, *rest: Any) -> Any:
        found.append(pod["metadata"]["name"])
        return real(tape, pod, *rest)

    monkeypatch.setattr(twins, "play", play)
    return found


def deployment(replicas: int = 12, **container: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "example.com/web:1", **container}]},
            },
        },
    }


def script(text: str) -> Object:
    return {"image": "busybox:1.36", "command": ["sh", "-c", text]}


def settled(*objects: Object) -> Cluster:
    cluster = Cluster.memory(nodes=3)
    for obj in objects:
        cluster.apply(obj)
    assert cluster.reconcile().settled
    return cluster


def test_the_pods_of_a_controller_are_played_after_the_second(played: list[str]) -> None:
    cluster = settled(deployment())
    assert len(played) > 12
    pods = cluster.list("pods")
    assert all(pod["status"]["phase"] == "Running" for pod in pods)
    for words in (("status", "podIP"), ("metadata", "uid"), ("metadata", "name")):
        assert len({pod[words[0]][words[1]] for pod in pods}) == 12
    statuses = [pod["status"]["containerStatuses"][0] for pod in pods]
    assert len({status["containerID"] for status in statuses}) == 12
    hosts = {node["metadata"]["name"]: node["status"]["addresses"][0]["address"] for node in cluster.list("nodes")}
    assert all(pod["status"]["hostIP"] == hosts[pod["spec"]["nodeName"]] for pod in pods)
    told = {event["involvedObject"]["name"] for event in cluster.list("events") if event["reason"] == "Started"}
    assert told == {pod["metadata"]["name"] for pod in pods}


@pytest.mark.parametrize(
    "container",
    [
        {},
        {"readinessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5}},
        {"livenessProbe": {"exec": {"command": ["true"]}}, "startupProbe": {"tcpSocket": {"port": 80}}},
        script("hostname; sleep 3600"),
        script("sleep 2; exit 3"),
        {"lifecycle": {"postStart": {"exec": {"command": ["sleep", "1"]}}}},
        {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}}]},
        {"imagePullPolicy": "Never"},
    ],
    ids=str,
)
def test_nobody_can_tell_that_a_run_was_played(container: Object, monkeypatch: pytest.MonkeyPatch) -> None:
    config: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"a": "1"}}
    cluster = settled(config, deployment(**container))
    monkeypatch.setattr(twins.Twins, "key_of", lambda *words: None)
    assert cluster.digest() == settled(config, deployment(**container)).digest()


def test_a_script_is_not_played_for_it_may_ask_for_its_host_name(played: list[str]) -> None:
    settled(deployment(**script("hostname; sleep 3600")))
    assert not played


def test_a_run_that_reads_another_object_is_not_played(played: list[str]) -> None:
    config: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    settled(config, deployment(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "a"}}}]))
    of_the_first_second = len(played)
    played.clear()
    settled(config, deployment(env=[{"name": "A", "value": "1"}]))
    assert of_the_first_second < len(played), "creating the container reads the ConfigMap"


def test_a_pod_without_a_controller_is_never_played(played: list[str]) -> None:
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}"},
            "spec": {"containers": [{"name": "app", "image": "example.com/web:1"}]},
        }
        for number in range(4)
    ]
    settled(*pods)
    assert not played


def test_a_tape_ends_when_what_was_missing_appears() -> None:
    tapes = twins.Twins(Cluster.memory(nodes=1).view)
    assert tapes.seen(("like",), 5) is None
    assert tapes.seen(("like",), 5) is twins.SEEN_ONCE
    tapes.keep(("like",), None, ["programs.sim.kpy.dev"])
    from minikube_py.api.types import Key

    tapes.changed(Key("configmaps", "default", "x"), None, {})
    assert ("like",) in tapes._tapes
    tapes.changed(Key("programs.sim.kpy.dev", "default", "x"), None, {})
    assert ("like",) not in tapes._tapes


def test_the_tapes_of_one_second_do_not_outlive_it() -> None:
    tapes = twins.Twins(Cluster.memory(nodes=1).view)
    tapes.seen(("like",), 5)
    assert tapes.seen(("like",), 6) is None


def test_words_that_name_the_pod_make_no_tape() -> None:
    build = twins._Builder({"10.0.0.7": "ip"}, ("web-x7k2p",))
    made = build.function({"podIP": "10.0.0.7", "podIPs": [{"ip": "10.0.0.7"}], "phase": "Running"})
    assert made({"ip": "10.0.0.8"}) == {"podIP": "10.0.0.8", "podIPs": [{"ip": "10.0.0.8"}], "phase": "Running"}
    with pytest.raises(twins._Personal):
        build.function({"message": "restarting failed container of web-x7k2p_default"})
    with pytest.raises(twins._Personal):
        build.function({"message": "no route to 10.0.0.7"})
