"""A kopf operator, end to end: it follows custom resources, writes their status, and holds them by its finalizer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

pytest.importorskip("kopf")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.clients.serving import Served

SITES = "/apis/example.com/v1/namespaces/default/sites"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "sites.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Site", "plural": "sites", "singular": "site"},
        "versions": [
            {
                "name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"image": {"type": "string"}, "replicas": {"type": "integer", "default": 1}},
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}  # fmt: skip


@pytest.fixture
def operator(server: Served) -> Iterator[None]:
    server.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD)
    program = os.path.join(os.path.dirname(__file__), "operator.py")
    running = subprocess.Popen(
        [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace", "default", program],
        env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    yield
    running.terminate()
    told, _ = running.communicate(timeout=30)
    assert b"Traceback" not in told, told.decode()


def until(what: Callable[[], Any]) -> Any:
    """What comes, as soon as there is something."""
    for _ in range(300):
        try:
            found = what()
        except HTTPError:
            found = None
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("nothing came")


def test_an_operator_looks_after_its_resources(server: Served, operator: None) -> None:
    server.call(
        "POST",
        SITES,
        {
            "apiVersion": "example.com/v1",
            "kind": "Site",
            "metadata": {"name": "blog"},
            "spec": {"image": "nginx:1.27", "replicas": 2},
        },
    )
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    made = until(
        lambda: (found := server.call("GET", f"{deployments}/blog"))["status"].get("readyReplicas") == 2 and found
    )
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Site"
    site = until(lambda: (found := server.call("GET", f"{SITES}/blog")).get("status", {}).get("deploy") and found)
    assert site["status"]["deploy"] == {"replicas": 2}
    assert site["metadata"]["finalizers"] == ["example.com/operator"]
    server.call("PATCH", f"{SITES}/blog", {"spec": {"replicas": 3}}, "application/merge-patch+json")
    until(lambda: server.call("GET", f"{deployments}/blog")["status"].get("readyReplicas") == 3)
    about = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.kind%3DSite"
    events = until(lambda: (found := server.call("GET", about)["items"])[1:] and found)
    assert {one["message"] for one in events} == {"2 replicas of nginx:1.27", "3 replicas of nginx:1.27"}
    server.call("DELETE", f"{SITES}/blog")
    until(lambda: server.call("GET", "/api/v1/namespaces/default/configmaps/blog-was-here"))
    until(lambda: not server.call("GET", SITES)["items"])
    until(lambda: not server.call("GET", deployments)["items"])
