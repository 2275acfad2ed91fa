"""A definition that is deleted: its objects go first, with their finalizers honoured, and what they own goes with them."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.base.errors import NotFound
from minikube_py.cluster import Cluster

CRD = "customresourcedefinitions.apiextensions.k8s.io"
VERSION = {
    "name": "v1",
    "served": True,
    "storage": True,
    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "ws.ex.io"},
    "spec": {
        "group": "ex.io",
        "scope": "Namespaced",
        "names": {"plural": "ws", "singular": "w", "kind": "W"},
        "versions": [VERSION],
    },
}


def test_a_finalizer_holds_the_definition_and_what_the_object_owns() -> None:
    cluster = Cluster.memory(nodes=0)
    cluster.create(DEFINITION)
    for name, finalizers in (("free", []), ("held", ["ex.io/f"])):
        meta = {"name": name, "finalizers": finalizers}
        owner = cluster.create({"apiVersion": "ex.io/v1", "kind": "W", "metadata": meta})
        reference = {"apiVersion": "ex.io/v1", "kind": "W", "name": name, "uid": owner["metadata"]["uid"]}
        owned = {"name": f"of-{name}", "ownerReferences": [reference]}
        cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": owned})
    cluster.delete(CRD, "ws.ex.io")
    cluster.reconcile()
    conditions = {one["type"]: one for one in cluster.get(CRD, "ws.ex.io")["status"]["conditions"]}
    assert conditions["Terminating"]["reason"] == "InstanceDeletionInProgress"
    assert cluster.get("configmaps", "of-held", "default")
    with pytest.raises(NotFound):
        cluster.get("configmaps", "of-free", "default")
    cluster.patch("ws.ex.io", "held", "default", {"metadata": {"finalizers": None}})
    cluster.reconcile()
    for resource, name, namespace in ((CRD, "ws.ex.io", ""), ("configmaps", "of-held", "default")):
        with pytest.raises(NotFound):
            cluster.get(resource, name, namespace)
