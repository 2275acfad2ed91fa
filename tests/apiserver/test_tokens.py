"""Tokens of service accounts: what they say, how long they hold, what ends them; and the reviews of who may do what."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.apiserver import authorizer, tokens
from minikube_py.base import jwt
from minikube_py.base.errors import BadRequest, Conflict, Invalid, NotFound
from minikube_py.cluster import Cluster

Object = dict[str, Any]
ROBOT = "system:serviceaccount:default:robot"


@pytest.fixture
def cluster() -> Cluster:
    found = Cluster.memory(nodes=2)
    found.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
    return found


def pod(name: str = "p", account: str = "robot") -> Object:
    spec = {"serviceAccountName": account, "containers": [{"name": "c", "image": "nginx"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def token(cluster: Cluster, **spec: Any) -> str:
    found: str = cluster.create_token("robot", "default", spec)["status"]["token"]
    return found


def review(cluster: Cluster, token: str, *audiences: str) -> Object:
    obj = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token, "audiences": list(audiences)},
    }
    found: Object = cluster.create(obj)["status"]
    return found


def error(cluster: Cluster, token: str, *audiences: str) -> str:
    status = review(cluster, token, *audiences)
    assert not status.get("authenticated")
    return str(status.get("error", ""))


def bound(kind: str, name: str, **more: str) -> Object:
    return {"boundObjectRef": {"apiVersion": "v1", "kind": kind, "name": name, **more}}


def test_the_bearer_is_the_account(cluster: Cluster) -> None:
    status = review(cluster, token(cluster))
    assert status["authenticated"] is True
    assert status["user"]["username"] == ROBOT
    assert status["user"]["groups"] == [
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    ]
    assert status["audiences"] == ["https://kubernetes.default.svc.cluster.local"]
    found = tokens.owner_of(cluster.view, cluster.clock, token(cluster))
    assert found is not None
    assert found.user == ROBOT


def test_a_token_ends_in_virtual_time(cluster: Cluster) -> None:
    found = token(cluster, expirationSeconds=600)
    cluster.reconcile(for_s=599)
    assert review(cluster, found)["authenticated"]
    cluster.reconcile(for_s=1)
    assert error(cluster, found) == "[invalid bearer token, service account token has expired]"
    assert tokens.owner_of(cluster.view, cluster.clock, found) is None


def test_a_token_is_for_its_audiences(cluster: Cluster) -> None:
    found = token(cluster, audiences=["vault", "db"])
    assert error(cluster, found) == (
        '[invalid bearer token, token audiences ["vault" "db"] is invalid for the target audiences '
        '["https://kubernetes.default.svc.cluster.local"]]'
    )
    assert review(cluster, found, "db", "x")["audiences"] == ["db"]


@pytest.mark.parametrize(
    ("spec", "error", "text"),
    [
        ({"expirationSeconds": 599}, Invalid, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": (1 << 32) + 1}, Invalid, "may not specify a duration larger than 2^32 seconds"),
        (bound("Pod", "none"), NotFound, 'pods "none" not found'),
        (bound("Pod", "p", uid="other"), Conflict, "does not match the UID in record"),
        (bound("Pod", "q"), BadRequest, "different serviceaccount name"),
        (bound("ConfigMap", "x"), BadRequest, "cannot bind token to object of type v1, Kind=ConfigMap"),
        (bound("Node", "none"), NotFound, 'nodes "none" not found'),
        (bound("Secret", "none"), NotFound, 'secrets "none" not found'),
    ],
)
def test_requests_that_are_refused(cluster: Cluster, spec: Object, error: type[Exception], text: str) -> None:
    cluster.create(pod())
    cluster.create(pod("q", "default"))
    with pytest.raises(error) as found:
        token(cluster, **spec)
    assert text in str(found.value)


def test_a_token_ends_with_the_pod_that_it_is_bound_to(cluster: Cluster) -> None:
    cluster.create(pod())
    cluster.reconcile()
    found = token(cluster, **bound("Pod", "p"))
    extra = review(cluster, found)["user"]["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["p"]
    assert extra["authentication.kubernetes.io/node-name"] == ["worker-1"]
    cluster.delete("pods", "p", "default", grace_s=0)
    assert error(cluster, found) == "[invalid bearer token, service account token has been invalidated]"


def test_a_kubelets_token_holds_for_a_year_and_says_from_when_it_is_old(cluster: Cluster) -> None:
    cluster.create(pod())
    answer = cluster.create_token("robot", "default", {"expirationSeconds": 3607, **bound("Pod", "p")})
    claims = jwt.unverified(answer["status"]["token"]) or {}
    assert claims["exp"] - claims["iat"] == 365 * 86400
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] == 3607


def test_a_token_ends_with_its_account(cluster: Cluster) -> None:
    found = token(cluster)
    cluster.delete("serviceaccounts", "robot", "default")
    assert error(cluster, found) == '[invalid bearer token, serviceaccounts "robot" not found]'
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
    assert "does not match claim" in error(cluster, found)


def test_what_is_no_token_of_the_cluster(cluster: Cluster) -> None:
    assert review(cluster, "nonsense") == {"user": {}}
    other = Cluster.memory(nodes=1, seed=9)
    other.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}})
    assert "error in cryptographic primitive" in error(cluster, token(other))
    with pytest.raises(BadRequest, match="token is required for TokenReview in authentication"):
        review(cluster, "")


def secret(name: str, account: str) -> Object:
    meta = {"name": name, "annotations": {"kubernetes.io/service-account.name": account}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/service-account-token"}


def test_a_secret_of_an_account_holds_a_token_without_end(cluster: Cluster) -> None:
    import base64

    cluster.create(secret("s", "robot"))
    cluster.create(secret("orphan", "nobody"))
    cluster.reconcile()
    data = cluster.get("secrets", "s", "default")["data"]
    assert set(data) == {"ca.crt", "namespace", "token"}
    found = base64.b64decode(data["token"]).decode()
    cluster.reconcile(for_s=10 * 365 * 86400)
    assert review(cluster, found)["user"]["username"] == ROBOT
    with pytest.raises(NotFound):
        cluster.get("secrets", "orphan", "default")
    cluster.delete("serviceaccounts", "robot", "default")
    cluster.reconcile()
    with pytest.raises(NotFound):
        cluster.get("secrets", "s", "default")
    assert "invalidated" in error(cluster, found)


# -- reviews ------------------------------------------------------------------------------------------------------


def access(cluster: Cluster, kind: str = "SubjectAccessReview", **spec: Any) -> Object:
    meta = {"namespace": "default"} if kind.startswith("Local") else {}
    found: Object = cluster.create(
        {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "metadata": meta, "spec": spec}
    )
    return found


PODS: Object = {"resourceAttributes": {"verb": "delete", "resource": "pods", "namespace": "default"}}
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}],
}  # fmt: skip


def bind(cluster: Cluster, *subjects: Object) -> None:
    group = "rbac.authorization.k8s.io"
    cluster.create(ROLE)
    reference = {"apiGroup": group, "kind": "Role", "name": "r"}
    obj = {"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": {"name": "b"}, "roleRef": reference}
    cluster.create({**obj, "subjects": list(subjects)})


@pytest.mark.parametrize(
    ("subject", "asked", "who"),
    [
        ({"kind": "User", "name": "jane"}, {"user": "jane"}, 'User "jane"'),
        ({"kind": "Group", "name": "crew"}, {"user": "x", "groups": ["crew"]}, 'Group "crew"'),
        ({"kind": "ServiceAccount", "name": "robot", "namespace": "default"}, {"user": ROBOT}, 'ServiceAccount "robot/default"'),
    ],
)  # fmt: skip
def test_a_review_tells_by_which_binding(cluster: Cluster, subject: Object, asked: Object, who: str) -> None:
    assert access(cluster, **asked, **PODS)["status"] == {"allowed": False}
    bind(cluster, subject)
    reason = f'RBAC: allowed by RoleBinding "b/default" of Role "r" to {who}'
    for kind in ("SubjectAccessReview", "LocalSubjectAccessReview"):
        assert access(cluster, kind, **asked, **PODS)["status"] == {"allowed": True, "reason": reason}


def test_one_asks_about_oneself(cluster: Cluster) -> None:
    bind(cluster, {"kind": "User", "name": "jane"})
    assert access(cluster, "SelfSubjectAccessReview", **PODS)["status"] == {"allowed": True}
    cluster.subject = authorizer.impersonated("jane", (), "7", (("k", ("v",)),))
    assert access(cluster, "SelfSubjectAccessReview", **PODS)["status"]["allowed"] is True
    status = access(cluster, "SelfSubjectRulesReview", namespace="default")["status"]
    assert {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]} in status["resourceRules"]
    assert status["nonResourceRules"][0]["verbs"] == ["get"]
    oneself = cluster.create({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    assert oneself["status"]["userInfo"] == {
        "extra": {"k": ["v"]}, "groups": ["system:authenticated"], "uid": "7", "username": "jane",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "spec", "text"),
    [
        ("SubjectAccessReview", {"user": "a"}, "exactly one of nonResourceAttributes or resourceAttributes must be specified"),
        ("SubjectAccessReview", PODS, "at least one of user or group must be specified"),
        ("SubjectAccessReview", {"user": "a", **PODS, "nonResourceAttributes": {"path": "/"}}, "cannot be specified in combination"),
        ("LocalSubjectAccessReview", {"user": "a", "resourceAttributes": {"namespace": "other"}}, "must match metadata.namespace"),
        ("SelfSubjectAccessReview", {}, "exactly one of nonResourceAttributes or resourceAttributes must be specified"),
    ],
)  # fmt: skip
def test_reviews_that_ask_nothing_are_refused(cluster: Cluster, kind: str, spec: Object, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        access(cluster, kind, **spec)


def test_reviews_leave_nothing_behind(cluster: Cluster) -> None:
    before = cluster.store.revision
    access(cluster, user="a", **PODS)
    review(cluster, token(cluster))
    assert cluster.store.revision == before


def test_a_binding_gives_a_pod_its_node(cluster: Cluster) -> None:
    cluster.create({**pod(), "spec": {**pod()["spec"], "schedulerName": "mine"}})
    target = {"apiVersion": "v1", "kind": "Node", "name": "control-plane"}
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p", "namespace": "default"},
        "target": target,
    }
    cluster.create(binding)
    assert cluster.get("pods", "p")["spec"]["nodeName"] == "control-plane"
    with pytest.raises(Conflict, match="already assigned to node"):
        cluster.create(binding)
    with pytest.raises(Invalid, match=r"target.name: Required value"):
        cluster.create({**binding, "target": {"kind": "Node", "name": ""}})
