"""ConfigMaps and Secrets that are missing, and what happens when they come."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.types import Key
from minikube_py.kubelet import references
from tests.kubelet.simulator import Simulation, container, make_pod

Object = dict[str, Any]


def of_key(kind: str, name: str, key: str, **fields: Any) -> Object:
    return {"name": "X", "valueFrom": {kind: {"name": name, "key": key, **fields}}}


def config(**data: str) -> tuple[str, Object]:
    return "configmaps", {"metadata": {"name": "conf", "namespace": "default"}, "data": data}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"env": [of_key("configMapKeyRef", "nope", "a")]}, 'configmap "nope" not found'),
        ({"env": [of_key("secretKeyRef", "nope", "a")]}, 'secret "nope" not found'),
        ({"env": [of_key("configMapKeyRef", "conf", "b")]}, "couldn't find key b in ConfigMap default/conf"),
        ({"envFrom": [{"configMapRef": {"name": "nope"}}]}, 'configmap "nope" not found'),
        ({"envFrom": [{"secretRef": {"name": "nope"}}]}, 'secret "nope" not found'),
    ],
)
def test_a_missing_reference_is_a_config_error(fields: Object, message: str) -> None:
    run = Simulation(make_pod(containers=[container(**fields)]), config(a="1")).until(100)
    assert run.state()["state"]["waiting"] == {"message": message, "reason": "CreateContainerConfigError"}
    assert run.told[-1] == (2, f"Failed Error: {message}")
    assert run.wake is None


def test_an_optional_reference_may_be_missing() -> None:
    env = [of_key("configMapKeyRef", "nope", "a", optional=True)]
    assert Simulation(make_pod(containers=[container(env=env)])).until(100).status["phase"] == "Running"


def test_the_container_starts_when_the_configmap_comes() -> None:
    env = [of_key("configMapKeyRef", "conf", "a")]
    run = Simulation(make_pod(containers=[container(env=env)])).until(50)
    run.put(*config(a="1"))
    run.until(100)
    assert run.status["phase"] == "Running"
    assert [second for second, text in run.told if text.startswith("Started")] == [51]


def test_a_missing_volume_keeps_the_pod_without_sandbox_until_it_comes() -> None:
    volumes = [{"name": "conf", "configMap": {"name": "conf"}}]
    run = Simulation(make_pod(volumes=volumes)).until(50)
    assert run.told == [(0, 'FailedMount MountVolume.SetUp failed for volume "conf" : configmap "conf" not found')]
    assert run.condition("PodReadyToStartContainers")["status"] == "False"
    assert "podIP" not in run.status
    assert run.state()["state"] == {"waiting": {"reason": "ContainerCreating"}}
    run.put(*config(a="1"))
    assert run.until(100).status["phase"] == "Running"


def test_a_missing_key_of_a_volume_is_named() -> None:
    volumes = [{"name": "conf", "configMap": {"name": "conf", "items": [{"key": "b", "path": "b"}]}}]
    run = Simulation(make_pod(volumes=volumes), config(a="1")).until(50)
    assert run.told[0][1].endswith('volume "conf" : references non-existent config key: b')


def test_a_pod_names_what_wakes_it() -> None:
    web = container(env=[of_key("secretKeyRef", "s1", "a")], envFrom=[{"configMapRef": {"name": "c1"}}])
    volumes = [
        {"name": "a", "secret": {"secretName": "s2"}},
        {
            "name": "b",
            "projected": {"sources": [{"configMap": {"name": "c2"}}, {"configMap": {"name": "kube-root-ca.crt"}}]},
        },
    ]
    assert references.wanted_by(make_pod(containers=[web], volumes=volumes)) == [
        Key("configmaps", "default", "c1"),
        Key("secrets", "default", "s1"),
        Key("secrets", "default", "s2"),
        Key("configmaps", "default", "c2"),
    ]


@pytest.mark.parametrize(
    ("image", "user", "why"),
    [
        ("nginx:1.27", None, "container has runAsNonRoot and image will run as root"),
        ("nginx:1.27", 0, "container's runAsUser breaks non-root policy"),
        ("nginx:1.27", 101, ""),
        ("prom/prometheus:v3.0.0", None, "image has non-numeric user (nobody), cannot verify user is non-root"),
        ("nginxinc/nginx-unprivileged:1.27", None, ""),
        ("example.com/own:1", None, ""),
    ],
)
@pytest.mark.parametrize("is_pods", [False, True])
def test_a_container_that_may_not_run_as_root(image: str, user: int | None, why: str, is_pods: bool) -> None:
    context = {"runAsNonRoot": True} | ({} if user is None else {"runAsUser": user})
    fields = {} if is_pods else {"securityContext": context}
    pod = make_pod(containers=[container(image=image, **fields)])
    if is_pods:
        pod["spec"]["securityContext"] = context
    run = Simulation(pod).until(10)
    state = run.state()["state"]
    if not why:
        assert "running" in state
        return
    assert state["waiting"]["reason"] == "CreateContainerConfigError"
    assert why in state["waiting"]["message"]
    assert state["waiting"]["message"].endswith('(pod: "web_default(uid-web)", container: web)')
    assert f"Failed Error: {state['waiting']['message']}" in [text for _, text in run.told]


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (None, 'failed to fetch PVC from API server: persistentvolumeclaims "data" not found'),
        ("Pending", "PVC is not bound"),
        ("Bound", ""),
    ],
)
def test_a_pod_waits_for_its_claim(claim: str | None, why: str) -> None:
    pod = make_pod(volumes=[{"name": "disk", "persistentVolumeClaim": {"claimName": "data"}}])
    run = Simulation(pod)
    found: Object = {"metadata": {"name": "data", "namespace": "default"}, "status": {"phase": claim}}
    if claim:
        run.put("persistentvolumeclaims", found)
    run.until(20)
    told = [text for _, text in run.told if text.startswith("FailedMount")]
    if not why:
        assert (told, run.status["phase"]) == ([], "Running")
        return
    head = "FailedMount Unable to attach or mount volumes: unmounted volumes=[disk], unattached volumes=[], "
    assert told == [f"{head}failed to process volumes=[disk]: error processing PVC default/data: {why}"]
    assert run.status["phase"] == "Pending"
    run.put("persistentvolumeclaims", {**found, "status": {"phase": "Bound"}})
    run.until(40)
    assert run.status["phase"] == "Running"
