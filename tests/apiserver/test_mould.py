"""Pods made one after the other from the same object: the first goes through admission, the others are cast like it."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.apiserver.origin import Origin
from minikube_py.apiserver.verbs import ApiServer
from minikube_py.cluster import Cluster

Object = dict[str, Any]
CONTROLLER = Origin("replicaset-controller", trusted=True, user="system:replicaset-controller", groups=())
POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "generateName": "web-",
        "namespace": "default",
        "labels": {"app": "web"},
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u-1", "controller": True}
        ],
    },
    "spec": {"containers": [{"name": "app", "image": "example.com/web:1"}]},
}


@pytest.fixture
def cluster() -> Cluster:
    found = Cluster.memory(nodes=1)
    found.reconcile()
    return found


def made(
    cluster: Cluster, source: Object, monkeypatch: pytest.MonkeyPatch, before_each: Any = None
) -> tuple[int, list[Object]]:
    """(how many were cast, the pods) of three creations from one object."""
    cast = []
    real = ApiServer._cast

    def counted(self: ApiServer, *words: Any) -> Object:
        cast.append(1)
        return real(self, *words)

    monkeypatch.setattr(ApiServer, "_cast", counted)
    kind = cluster.registry.resource("pods")
    found = []
    with cluster.transaction():
        for number in range(3):
            if before_each is not None:
                before_each(number)
            found.append(cluster.server.create(kind, source, origin=CONTROLLER))
    return len(cast), found


def shape(pod: Object) -> Object:
    own = ("name", "uid", "resourceVersion")
    return {**pod, "metadata": {name: value for name, value in pod["metadata"].items() if name not in own}}


def test_pods_of_one_mould_differ_in_name_and_uid_alone(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cast, pods = made(cluster, POD, monkeypatch)
    assert cast == 2
    assert shape(pods[0]) == shape(pods[1]) == shape(pods[2])
    assert [list(pod["metadata"]) for pod in pods[1:]] == [list(pods[0]["metadata"])] * 2
    assert len({pod["metadata"]["name"] for pod in pods}) == len({pod["metadata"]["uid"] for pod in pods}) == 3


def test_they_are_what_the_long_way_makes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Cluster.memory(nodes=1)
    other.reconcile()
    monkeypatch.setattr(ApiServer, "_is_repeatable", lambda *words: False)
    cast, long_way = made(other, POD, monkeypatch)
    assert cast == 0
    monkeypatch.undo()
    assert made(cluster, POD, monkeypatch) == (2, long_way)


def test_a_pod_without_an_owner_has_no_mould(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    source = {**POD, "metadata": {"generateName": "web-", "namespace": "default"}}
    cast, pods = made(cluster, source, monkeypatch)
    assert cast == 0
    assert len({pod["spec"]["volumes"][0]["name"] for pod in pods}) == 3, "each has a token volume of its own name"


def quota() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "default"},
        "spec": {"hard": {"pods": "2"}},
    }


def test_where_pods_are_counted_each_is_counted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.apply(quota())
    cluster.reconcile()
    with pytest.raises(Exception, match="exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"):
        made(cluster, POD, monkeypatch)


def test_what_changes_in_between_is_seen(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l", "namespace": "default"},
        "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "70m"}}]},
    }
    cast, pods = made(cluster, POD, monkeypatch, lambda number: cluster.apply(limits) if number == 2 else None)
    assert cast == 1
    asked = [pod["spec"]["containers"][0]["resources"].get("requests") for pod in pods]
    assert asked == [None, None, {"cpu": "70m"}]


def test_a_webhook_is_asked_about_each(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "w"},
            "webhooks": [
                {
                    "name": "w.example.com",
                    "clientConfig": {"url": "https://127.0.0.1:1/"},
                    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
                    "sideEffects": "None",
                    "admissionReviewVersions": ["v1"],
                }
            ],
        }
    )  # fmt: skip
    assert made(cluster, POD, monkeypatch)[0] == 0
