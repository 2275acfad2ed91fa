"""Who asks, and what they may: tokens, anonymous requests, impersonation, reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minikube_py.apiserver.authorizer import Subject
from tests.http.asgi import Api, config_map

if TYPE_CHECKING:
    from collections.abc import Iterator

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
ADMIN = {"authorization": "Bearer admin"}
BOB = {"authorization": "Bearer bob"}


@pytest.fixture
def guarded() -> Iterator[Api]:
    tokens = {"admin": Subject("kubernetes-admin", ("system:masters",)), "bob": Subject("bob", ("devs",))}
    with Api(tokens=tokens) as found:
        yield found


def test_a_wrong_token_is_not_let_in(guarded: Api) -> None:
    found = guarded.get(PODS, authorization="Bearer wrong")
    assert (found.code, found.json["message"], found.json["reason"]) == (401, "Unauthorized", "Unauthorized")
    assert guarded.get(PODS, **ADMIN).code == 200


def test_without_a_token_little_is_seen(guarded: Api) -> None:
    assert guarded.get("/version").code == 200
    assert guarded.get("/healthz").code == 200
    refused = guarded.get(PODS)
    assert (
        refused.json["message"]
        == 'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"'
    )
    assert guarded.get("/metrics").json["message"] == 'forbidden: User "system:anonymous" cannot get path "/metrics"'
    assert guarded.get("/api/v1/foos").code == 403


def test_roles_decide(guarded: Api) -> None:
    assert guarded.get(MAPS, **BOB).code == 403
    role = {
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "create"]}],
        "metadata": {"name": "r"},
    }
    binding = {
        "metadata": {"name": "r"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "Group", "name": "devs", "apiGroup": "rbac.authorization.k8s.io"}],
    }  # fmt: skip
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    assert guarded.post(f"{rbac}/roles", role, **ADMIN).code == 201
    assert guarded.post(f"{rbac}/rolebindings", binding, **ADMIN).code == 201
    assert guarded.get(MAPS, **BOB).code == 200
    assert guarded.post(MAPS, config_map("a"), **BOB).code == 201
    for refused in (
        guarded.patch(f"{MAPS}/a", {"data": {}}, **BOB), guarded.delete(f"{MAPS}/a", **BOB), guarded.delete(MAPS, **BOB),
        guarded.get("/api/v1/configmaps", **BOB), guarded.put(f"{MAPS}/a", config_map("a"), **BOB),
    ):  # fmt: skip
        assert (refused.code, refused.json["reason"]) == (403, "Forbidden")
    with guarded.watch(f"{MAPS}?watch=true", **BOB) as watch:
        assert watch.code == 403


def test_an_administrator_plays_others_and_others_do_not(guarded: Api) -> None:
    as_bob = {**ADMIN, "impersonate-user": "bob"}
    assert guarded.get(PODS, **as_bob).code == 403
    who = guarded.post(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, **as_bob, **{"impersonate-group": "devs"}
    )
    assert who.json["status"]["userInfo"] == {"groups": ["devs", "system:authenticated"], "username": "bob"}
    refused = guarded.get(PODS, **BOB, **{"impersonate-user": "alice"})
    assert (
        refused.json["message"]
        == 'users "alice" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope'
    )
    account = guarded.get(PODS, **BOB, **{"impersonate-user": "system:serviceaccount:default:default"})
    assert 'cannot impersonate resource "serviceaccounts"' in account.json["message"]
    assert guarded.get(PODS, **ADMIN, **{"impersonate-group": "devs"}).code == 500


def test_access_is_reviewed(guarded: Api) -> None:
    group = "/apis/authorization.k8s.io/v1"
    asked = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}
    own = guarded.post(f"{group}/selfsubjectaccessreviews", {"spec": asked}, **BOB)
    assert (own.code, own.json["status"]) == (201, {"allowed": False})
    other = guarded.post(
        f"{group}/subjectaccessreviews", {"spec": {**asked, "user": "x", "groups": ["system:masters"]}}, **ADMIN
    )
    assert other.json["status"] == {"allowed": True}
    local = f"{group}/namespaces/default/localsubjectaccessreviews"
    assert guarded.post(local, {"spec": {**asked, "user": "x"}}, **ADMIN).json["status"] == {"allowed": False}
    wrong = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "other"}, "user": "x"}
    assert guarded.post(local, {"spec": wrong}, **ADMIN).code == 422
    path = {
        "nonResourceAttributes": {"verb": "get", "path": "/version"},
        "user": "x",
        "groups": ["system:authenticated"],
    }
    assert guarded.post(f"{group}/subjectaccessreviews", {"spec": path}, **ADMIN).json["status"]["allowed"] is True
    assert guarded.post(f"{group}/subjectaccessreviews", {"spec": asked}, **ADMIN).code == 422
    assert guarded.post(f"{group}/selfsubjectaccessreviews", {"spec": {}}, **BOB).code == 422
    rules = guarded.post(f"{group}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}}, **ADMIN).json["status"]
    assert {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]} in rules["resourceRules"]
    assert guarded.get(f"{group}/selfsubjectaccessreviews", **ADMIN).code == 405


def test_who_wrote_is_kept(guarded: Api) -> None:
    guarded.post(f"{MAPS}?fieldManager=me", config_map("a"), **ADMIN)
    guarded.patch(f"{MAPS}/a", {"data": {"x": "y"}}, **ADMIN, **{"user-agent": "kubectl/v1.37.1 (linux/amd64)"})
    actors = [change.actor for change in guarded.cluster.changes() if change.key.name == "a"]
    assert actors == ["me", "kubectl"]
    assert guarded.post(f"{MAPS}?fieldManager={'x' * 129}", config_map("b"), **ADMIN).code == 422
