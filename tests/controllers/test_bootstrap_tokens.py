"""Bootstrap tokens end at their time, and sign kube-public/cluster-info until then."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from minikube_py.api.types import Delete, Key, Patch, Wake
from minikube_py.cluster import Cluster
from minikube_py.controllers.bootstrap_tokens import CLUSTER_INFO, clean, sign, signature
from tests.support import T0, FrozenView

Object = dict[str, Any]
JWS = "jws-kubeconfig-abcdef"
# printf '%s' eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9.aGVsbG8 | openssl dgst -sha256 -hmac 0123456789abcdef, in base64url
SIGNED = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImFiY2RlZiJ9..MxsnbCjBaYzcbNIFa06F-wuF9LX26rhMlrL4zA1511s"


def token(
    expires_in_s: int | None = None, expiration: str = "", name: str = "bootstrap-token-abcdef", signing: str = "true"
) -> Object:
    data = {"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-signing": signing}
    if expires_in_s is not None:
        expiration = T0.at(T0.now_s + expires_in_s).timestamp
    if expiration:
        data["expiration"] = expiration
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "kube-system", "uid": "s1"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: b64encode(value.encode()).decode() for key, value in data.items()},
    }


def info(**data: str) -> Object:
    meta = {"name": "cluster-info", "namespace": "kube-public", "uid": "i1"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"kubeconfig": "hello", **data}}


def signed(known: Object, *secrets: Object) -> list[Any]:
    return list(sign(known, FrozenView({"configmaps": [known], "secrets": list(secrets)}), T0))


def test_a_token_is_deleted_when_its_time_is_up() -> None:
    gone = [Delete(Key("secrets", "kube-system", "bootstrap-token-abcdef"), uid="s1")]
    view = FrozenView({})
    assert list(clean(token(), view, T0)) == []
    assert list(clean(token(60), view, T0)) == [Wake(T0.now_s + 60, background=True)]
    assert list(clean(token(0), view, T0)) == gone
    assert list(clean(token(expiration="soon"), view, T0)) == gone
    other = token(0)
    assert list(clean({**other, "type": "Opaque"}, view, T0)) == []
    elsewhere = {**other, "metadata": {**other["metadata"], "namespace": "default"}}
    assert list(clean(elsewhere, view, T0)) == []


def test_a_token_signs_cluster_info() -> None:
    assert signature("hello", "abcdef", "0123456789abcdef") == SIGNED
    assert signed(info(), token()) == [Patch(CLUSTER_INFO, {"data": {JWS: SIGNED}})]
    assert signed(info(**{JWS: SIGNED}), token()) == []


@pytest.mark.parametrize("secret", [token(0), token(name="bootstrap-token-x"), token(signing="false"), None])
def test_a_signature_goes_with_its_token(secret: Object | None) -> None:
    assert signed(info(**{JWS: SIGNED}), *([secret] if secret else [])) == [Patch(CLUSTER_INFO, {"data": {JWS: None}})]


def test_other_configmaps_are_left_alone() -> None:
    meta = {"name": "other", "namespace": "kube-public", "uid": "i2"}
    assert signed({**info(), "metadata": meta}, token()) == []
    assert signed({**info(), "data": {"ca": "x"}}, token()) == []


def test_a_cluster_signs_and_cleans() -> None:
    cluster = Cluster.memory(nodes=1)
    cluster.create(info())
    cluster.create(token(expiration=cluster.clock.at(cluster.clock.now_s + 120).timestamp))
    cluster.reconcile(for_s=10)
    assert cluster.get("configmaps", "cluster-info", "kube-public")["data"][JWS] == SIGNED
    cluster.reconcile(for_s=120)
    assert cluster.list("secrets", "kube-system") == []
    assert cluster.get("configmaps", "cluster-info", "kube-public")["data"] == {"kubeconfig": "hello"}
