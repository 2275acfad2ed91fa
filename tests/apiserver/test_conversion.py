"""Custom resources between their versions: by a conversion webhook, a stub for one, or by nothing but the apiVersion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.apiserver import conversion
from minikube_py.base.errors import StatusError
from minikube_py.cluster import Cluster
from tests.apiserver.webhook_server import WebhookServer

if TYPE_CHECKING:
    from pathlib import Path

Object = dict[str, Any]


def definition(client: Object | None) -> Object:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    spec: Object = {
        "group": "x.io", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
        "versions": [
            {"name": name, "served": True, "storage": name == "v2", "schema": {"openAPIV3Schema": schema}} for name in ("v1", "v2")
        ],
    }  # fmt: skip
    if client is not None:
        spec["conversion"] = {
            "strategy": "Webhook",
            "webhook": {"clientConfig": client, "conversionReviewVersions": ["v1"]},
        }
    version = "apiextensions.k8s.io/v1"
    return {
        "apiVersion": version,
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.x.io"},
        "spec": spec,
    }


def thing(version: str, **spec: Any) -> Object:
    return {
        "apiVersion": f"x.io/{version}",
        "kind": "Thing",
        "metadata": {"name": "t", "namespace": "default"},
        "spec": spec,
    }


def converted(request: Object) -> Object:
    """v1 has `size`, v2 has `width`."""
    names = ("size", "width") if request["desiredAPIVersion"] == "x.io/v2" else ("width", "size")
    objects = [
        {**obj, "apiVersion": request["desiredAPIVersion"], "spec": {names[1]: obj["spec"].get(names[0])}}
        for obj in request["objects"]
    ]
    return {"result": {"status": "Success"}, "convertedObjects": objects}


def test_the_webhook_converts_what_is_written_and_read(tmp_path: Path) -> None:
    cluster = Cluster.memory(nodes=1)
    with WebhookServer(tmp_path, converted) as server:
        cluster.create(definition(server.config))
        made = cluster.create(thing("v1", size=3))
        assert (made["apiVersion"], made["spec"]) == ("x.io/v2", {"width": 3})
        kind = cluster.kind("things.x.io")
        old = conversion.to_version(cluster.view, cluster.clock, kind, "x.io/v1", cluster.list("things.x.io"))
        assert [one["spec"] for one in old] == [{"size": 3}]
        assert old[0]["metadata"] == made["metadata"]
        assert [one["desiredAPIVersion"] for one in server.asked] == ["x.io/v2", "x.io/v1"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"result": {"status": "Failure", "message": "too old"}}, "conversion webhook for x.io/v1, Kind=Thing failed: too old"),
        ({"result": {"status": "Success"}, "convertedObjects": []}, "conversion webhook for x.io/v1, Kind=Thing returned 0 objects, expected 1"),
        (
            {"result": {"status": "Success"}, "convertedObjects": [thing("v1")]},
            "returned invalid converted object at index 0: invalid groupVersion (expected x.io/v2, received x.io/v1)",
        ),
        (
            {"result": {"status": "Success"}, "convertedObjects": [{**thing("v2"), "metadata": {"name": "other"}}]},
            "returned invalid converted object at index 0: must have the same name: other != t",
        ),
        ((500, "no"), 'an error on the server ("no") has prevented the request from succeeding'),
    ],
)  # fmt: skip
def test_what_a_webhook_gets_wrong(tmp_path: Path, answer: Any, text: str) -> None:
    cluster = Cluster.memory(nodes=1)
    with WebhookServer(tmp_path, lambda request: answer) as server:
        cluster.create(definition(server.config))
        with pytest.raises(StatusError) as found:
            cluster.create(thing("v1", size=3))
    assert text in str(found.value)


def test_elsewhere_a_stub_answers() -> None:
    cluster = Cluster.memory(nodes=1)
    cluster.create(definition({"service": {"name": "convert", "namespace": "default"}}))
    cluster.create(thing("v2", width=1))
    cluster.delete("things.x.io", "t", "default")
    with pytest.raises(StatusError) as found:
        cluster.create(thing("v1", size=3))
    assert str(found.value) == (
        "conversion webhook for x.io/v1, Kind=Thing failed: "
        'Post "https://convert.default.svc:443/?timeout=30s": service "convert" not found'
    )
    stub = {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "WebhookStub", "metadata": {"name": "things.x.io"}}
    cluster.create({**stub, "spec": {"allowed": False, "message": "not now"}})
    with pytest.raises(StatusError, match="conversion webhook for x.io/v1, Kind=Thing failed: not now"):
        cluster.create(thing("v1", size=3))
    cluster.delete("webhookstubs", "things.x.io")
    cluster.create({**stub, "spec": {"allowed": True}})
    assert cluster.create(thing("v1", size=3))["spec"] == {"size": 3}


def test_without_a_webhook_only_the_version_changes() -> None:
    cluster = Cluster.memory(nodes=1)
    cluster.create(definition(None))
    assert cluster.create(thing("v1", size=3))["apiVersion"] == "x.io/v2"
