"""A cluster that never comes to rest is told of in words, and left as it was."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.base.errors import RestlessError
from minikube_py.cluster import Cluster
from minikube_py.engine import engine

REPLICA_SET: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "example.com/web:1"}]},
        },
    },
}


def test_pods_that_lose_their_labels_are_made_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PASSES_MAX", 20)
    cluster = Cluster.memory(nodes=1)
    real = cluster.server.create

    def relabelled(kind: Any, obj: Any, **words: Any) -> Any:
        return real(kind, {**obj, "metadata": {**obj["metadata"], "labels": {"x": "y"}}}, **words)

    cluster.apply(REPLICA_SET)
    monkeypatch.setattr(cluster.server, "create", relabelled)
    before = cluster.digest()
    with pytest.raises(RestlessError) as raised:
        cluster.reconcile()
    assert str(raised.value) == (
        "the cluster does not come to rest at 2026-01-01T00:00:00Z: replicaset-controller with replicasets.apps default/web "
        "works on without end; nothing since 2026-01-01T00:00:00Z was kept"
    )
    assert cluster.digest() == before
    monkeypatch.undo()
    assert cluster.reconcile().settled, "once the cause is gone"
