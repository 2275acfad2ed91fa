"""The official Python client (`kubernetes`) against the server: objects, watches, patches, the dynamic client, streams."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import yaml

kubernetes = pytest.importorskip("kubernetes")

from kubernetes import client, config, dynamic, utils, watch  # noqa: E402
from kubernetes.client.rest import ApiException  # noqa: E402
from kubernetes.stream import portforward, stream  # noqa: E402

from tests.cli import recorded  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.serving import Served

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def api(server: Served) -> Iterator[Any]:
    """The client; it leaves sockets open, which are closed here, where nobody complains."""
    found = config.new_client_from_config(str(server.kubeconfig))
    yield found
    found.close()
    found.rest_client.pool_manager.clear()
    del found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def deployment(name: str, replicas: int = 2) -> Any:
    container = client.V1Container(name="main", image="nginx:1.27", ports=[client.V1ContainerPort(container_port=80)])
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": name}), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1DeploymentSpec(
        replicas=replicas, selector=client.V1LabelSelector(match_labels={"app": name}), template=template
    )
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name), spec=spec)


def test_a_deployment_lives_from_creation_to_deletion(api: Any) -> None:
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    apps.create_namespaced_deployment("default", deployment("web"))
    found = apps.read_namespaced_deployment("web", "default")
    assert found.status.ready_replicas == 2
    found.spec.replicas = 3
    apps.replace_namespaced_deployment("web", "default", found)
    assert len(core.list_namespaced_pod("default", label_selector="app=web").items) == 3
    scale = apps.read_namespaced_deployment_scale("web", "default")
    assert (scale.spec.replicas, scale.status.selector) == (3, "app=web")
    apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 1}})
    assert apps.read_namespaced_deployment_status("web", "default").status.replicas == 1
    apps.delete_namespaced_deployment("web", "default", propagation_policy="Foreground")
    assert core.list_namespaced_pod("default", label_selector="app=web").items == []
    with pytest.raises(ApiException) as refused:
        apps.read_namespaced_deployment("web", "default")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/merge-patch+json", {"data": {"b": "2"}}),
        ("application/strategic-merge-patch+json", {"data": {"b": "2"}}),
        ("application/json-patch+json", [{"op": "add", "path": "/data/b", "value": "2"}]),
    ],
)
def test_patches(api: Any, media: str, body: Any) -> None:
    core, name = client.CoreV1Api(api), media.partition("/")[2].partition("+")[0]
    core.create_namespaced_config_map("default", client.V1ConfigMap(metadata={"name": name}, data={"a": "1"}))
    changed = core.patch_namespaced_config_map(name, "default", body, _content_type=media)
    assert changed.data == {"a": "1", "b": "2"}


def test_a_watch_sees_what_another_thread_does(api: Any) -> None:
    core, seen = client.CoreV1Api(api), []

    def write() -> None:
        time.sleep(0.3)
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata={"name": "seen"}))
        core.delete_namespaced_config_map("seen", "default")

    thread = threading.Thread(target=write)
    thread.start()
    watching = watch.Watch()
    for event in watching.stream(core.list_namespaced_config_map, "default", timeout_seconds=20):
        if event["object"].metadata.name == "seen":
            seen.append(event["type"])
        if event["type"] == "DELETED":
            watching.stop()
    thread.join()
    assert seen == ["ADDED", "DELETED"]


def test_a_dozen_kinds_are_created_by_the_clients_utils(api: Any) -> None:
    documents = [one for one in yaml.safe_load_all(recorded.recorded()[0]) if one]
    documents += [
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "100"}}},
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "b"},
            "spec": {"minAvailable": 1},
        },
    ]
    made = utils.create_from_yaml(api, yaml_objects=documents, namespace="default")
    kinds = {one.kind for many in made for one in (many if isinstance(many, list) else [many])}
    assert len(kinds) >= 12, sorted(kinds)
    pods = client.CoreV1Api(api).list_pod_for_all_namespaces().items
    assert any(pod.status.phase == "Running" for pod in pods)


def test_the_dynamic_client_finds_kinds_and_custom_ones(api: Any) -> None:
    found = dynamic.DynamicClient(api)
    nodes = found.resources.get(api_version="v1", kind="Node")
    assert [node.metadata.name for node in nodes.get().items] == ["control-plane", "worker-1", "worker-2"]
    crds = found.resources.get(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition")
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    crds.create(
        body={
            "metadata": {"name": "widgets.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
            },
        }
    )  # fmt: skip
    again = dynamic.DynamicClient(api)
    widgets = again.resources.get(api_version="example.com/v1", kind="Widget")
    widgets.create(
        namespace="default",
        body={"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}},
    )
    assert widgets.get(name="w", namespace="default").spec.size == 3
    widgets.server_side_apply(
        namespace="default", field_manager="test", force_conflicts=True,
        body={"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 4}},
    )  # fmt: skip
    assert widgets.get(name="w", namespace="default").spec.size == 4
    crds.delete(name="widgets.example.com")
    with pytest.raises(ApiException):
        widgets.get(name="w", namespace="default")


ELECTION = """
from kubernetes import config
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
import os
config.load_kube_config()
lead = lambda: (print("leading", flush=True), os._exit(0))
lock = ConfigMapLock("election", "default", "one")
wanted = electionconfig.Config(lock, 17, 15, 5, onstarted_leading=lead, onstopped_leading=None)
leaderelection.LeaderElection(wanted).run()
"""


def test_a_leader_is_elected(server: Served, api: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELECTION], env=server.environment, capture_output=True, text=True, timeout=60
    )
    assert "leading" in done.stdout, done.stderr
    found = client.CoreV1Api(api).read_namespaced_config_map("election", "default")
    assert '"holderIdentity": "one"' in found.metadata.annotations["control-plane.alpha.kubernetes.io/leader"]


@pytest.fixture(scope="module")
def pod(api: Any) -> str:
    spec = client.V1PodSpec(
        containers=[
            client.V1Container(name="main", image="nginx:1.27", ports=[client.V1ContainerPort(container_port=80)])
        ]
    )
    client.CoreV1Api(api).create_namespaced_pod(
        "default", client.V1Pod(metadata=client.V1ObjectMeta(name="p"), spec=spec)
    )
    return "p"


def test_commands_run_in_a_container(api: Any, pod: str) -> None:
    core = client.CoreV1Api(api)
    words = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    found = stream(
        core.connect_get_namespaced_pod_exec,
        pod,
        "default",
        command=words,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    found.run_forever(timeout=20)
    assert (found.read_stdout(), found.read_stderr(), found.returncode) == ("out\n", "err\n", 3)


def test_a_shell_reads_its_input(api: Any, pod: str) -> None:
    core = client.CoreV1Api(api)
    found = stream(
        core.connect_get_namespaced_pod_exec, pod, "default", command=["sh"], stdin=True, stdout=True, stderr=True,
        _preload_content=False,
    )  # fmt: skip
    found.write_stdin("cd /tmp; X=1\n")
    found.write_stdin("echo $X in $PWD\n")
    assert found.readline_stdout(timeout=20) == "1 in /tmp"
    found.write_stdin("exit 4\n")
    found.run_forever(timeout=20)
    assert found.returncode == 4


def test_logs_are_read(api: Any, pod: str) -> None:
    text = client.CoreV1Api(api).read_namespaced_pod_log(pod, "default", tail_lines=1)
    assert text.count("\n") == 1


def test_a_port_is_forwarded(api: Any, pod: str) -> None:
    connection = portforward(client.CoreV1Api(api).connect_get_namespaced_pod_portforward, pod, "default", ports="80")
    socket = connection.socket(80)
    socket.sendall(b"GET / HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
    found = io.BytesIO()
    while part := socket.recv(1024):
        found.write(part)
    assert found.getvalue().startswith(b"HTTP/1.1 200 OK\r\n")
    assert found.getvalue().endswith(b"200 from pod default/p (1.27)\n")
    assert connection.error(80) is None


def test_reviews_are_answered(api: Any) -> None:
    found = client.AuthorizationV1Api(api).create_self_subject_access_review(
        client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(
                resource_attributes=client.V1ResourceAttributes(verb="delete", resource="pods", namespace="default")
            )
        )
    )
    assert found.status.allowed
    who = client.AuthenticationV1Api(api).create_self_subject_review(client.V1SelfSubjectReview())
    assert who.status.user_info.username == "kubernetes-admin"
    token = client.CoreV1Api(api).create_namespaced_service_account_token(
        "default", "default", client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
    )
    told = client.AuthenticationV1Api(api).create_token_review(
        client.V1TokenReview(spec=client.V1TokenReviewSpec(token=token.status.token))
    )
    assert told.status.user.username == "system:serviceaccount:default:default"
