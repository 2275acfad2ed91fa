"""Bootstrap tokens: the cleaner deletes those that have expired; the signer signs kube-public/cluster-info with the others.

`clean` runs on secrets of kube-system that hold a bootstrap token and is woken by: the secret itself. Its wake: the moment
of its expiry, in the background.
    expiration 2026-01-01T00:10:00Z: deleted at 00:10:00
`sign` runs on configmaps, for kube-public/cluster-info alone, and is woken by: it; a bootstrap token that comes, changes or
goes. `kubeadm join --token` trusts the ConfigMap by that signature; a cluster without the ConfigMap has nothing to sign.
Source: k8s.io/kubernetes/pkg/controller/bootstrap (tokencleaner.go, bootstrapsigner.go),
k8s.io/cluster-bootstrap (token/jws, util/secrets).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Delete, Key, Patch, Wake
from minikube_py.base import patch
from minikube_py.base.clock import seconds
from minikube_py.controllers import ownership

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

TYPE = "bootstrap.kubernetes.io/token"
NAMESPACE, PREFIX = "kube-system", "bootstrap-token-"
CLUSTER_INFO = Key("configmaps", "kube-public", "cluster-info")
SIGNATURE, SIGNED = "jws-kubeconfig-", "kubeconfig"


def is_token(secret: Object) -> bool:
    return secret.get("type") == TYPE and secret["metadata"]["namespace"] == NAMESPACE


def clean(secret: Object, view: View, clock: Clock) -> Actions:
    if not is_token(secret) or ownership.is_deleting(secret):
        return
    due_s = _expiry_s(secret)
    if due_s is None:
        return
    if clock.now_s < due_s:
        yield Wake(due_s, background=True)
    else:
        yield Delete(ownership.key_of("secrets", secret), uid=secret["metadata"]["uid"])


def _expiry_s(secret: Object) -> int | None:
    """When it expires; None: never. A time that nobody can read has passed."""
    text = _value(secret, "expiration")
    if not text:
        return None
    try:
        return seconds(text)
    except (ValueError, LookupError):
        return 0


def _value(secret: Object, name: str) -> str:
    from base64 import b64decode

    return b64decode((secret.get("data") or {}).get(name) or "").decode(errors="replace")


def sign(info: Object, view: View, clock: Clock) -> Actions:
    """Each token that may sign has its signature in the data, and no other."""
    data = info.get("data") or {}
    if ownership.key_of("configmaps", info) != CLUSTER_INFO or SIGNED not in data:
        return
    wanted = {name: value for name, value in data.items() if not name.startswith(SIGNATURE)}
    for secret in view.list("secrets", NAMESPACE):
        token = _signing_token(secret, clock)
        if token is not None:
            wanted[SIGNATURE + token[0]] = signature(data[SIGNED], *token)
    if wanted != data:
        yield Patch(CLUSTER_INFO, {"data": patch.diff(data, wanted)})


def _signing_token(secret: Object, clock: Clock) -> tuple[str, str] | None:
    """(id, secret part) of a token that is valid and may be used for signing."""
    if not is_token(secret) or ownership.is_deleting(secret):
        return None
    name, token, part = secret["metadata"]["name"], _value(secret, "token-id"), _value(secret, "token-secret")
    due_s = _expiry_s(secret)
    expired = due_s is not None and clock.now_s >= due_s
    if (
        expired
        or not token
        or not part
        or name != PREFIX + token
        or _value(secret, "usage-bootstrap-signing") != "true"
    ):
        return None
    return token, part


def signature(content: str, token: str, secret: str) -> str:
    """A detached JSON web signature, HS256, with its middle left out: '<header>..<digest>', all in base64url.

    Header of token abcdef: {"alg":"HS256","kid":"abcdef"}; the digest is over '<header>.<content>'.
    """
    from hashlib import sha256
    from hmac import new

    header = _base64url(f'{{"alg":"HS256","kid":"{token}"}}'.encode())
    digest = new(secret.encode(), f"{header}.{_base64url(content.encode())}".encode(), sha256).digest()
    return f"{header}..{_base64url(digest)}"


def _base64url(raw: bytes) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(raw).rstrip(b"=").decode()
