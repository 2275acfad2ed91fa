"""kr8s and lightkube against the server."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.clients.serving import Served

KR8S = """
import kr8s
from kr8s.objects import Deployment, Pod
api = kr8s.api()
web = Deployment({
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}]}}}}, api=api)
web.create()
web.wait("condition=Available", timeout=20)
pods = list(kr8s.get("pods", namespace="default", label_selector={"app": "web"}))
assert len(pods) == 2, pods
assert all(pod.ready() for pod in pods)
done = pods[0].exec(["sh", "-c", "echo hi"])
assert done.stdout == b"hi\\n", done
assert any("nginx" in line or "docker" in line for line in pods[0].logs())
web.scale(3)
web.refresh()
assert web.replicas == 3
web.label({"tier": "front"})
assert Deployment.get("web", namespace="default").labels["tier"] == "front"
web.delete()
assert not web.exists()
print("done")
"""

LIGHTKUBE = """
from lightkube import ApiError, Client, codecs
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod
client = Client()
made = client.create(ConfigMap(metadata=ObjectMeta(name="light", namespace="default"), data={"a": "1"}))
client.patch(ConfigMap, "light", {"data": {"b": "2"}}, namespace="default")
assert client.get(ConfigMap, "light", namespace="default").data == {"a": "1", "b": "2"}
client.apply(ConfigMap(metadata=ObjectMeta(name="applied", namespace="default"), data={"a": "1"}), field_manager="test")
assert {one.metadata.name for one in client.list(ConfigMap, namespace="default", chunk_size=1)} >= {"applied", "light"}
for event, obj in client.watch(ConfigMap, namespace="default", fields={"metadata.name": "light"}, resource_version=made.metadata.resourceVersion):
    assert (event, obj.data) == ("MODIFIED", {"a": "1", "b": "2"})
    break
client.delete(ConfigMap, "light", namespace="default")
try:
    client.get(ConfigMap, "light", namespace="default")
except ApiError as error:
    assert error.status.reason == "NotFound"
print("done")
"""


@pytest.mark.parametrize(("package", "program"), [("kr8s", KR8S), ("lightkube", LIGHTKUBE)])
def test_a_client_library_works(server: Served, package: str, program: str) -> None:
    pytest.importorskip(package)
    done = subprocess.run(
        [sys.executable, "-c", program], env=server.environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "done\n", done.stderr[-3000:]
