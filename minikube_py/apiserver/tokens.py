"""Tokens by which a service account is known: the subresource `token`, and who a token belongs to.

A token has the shape of a real one, three parts of base64 with the claims in the middle. It is signed with a key that
anybody can make from the cluster's name and seed: it tells users apart, it keeps nobody out.

Source of the claims: k8s.io/kubernetes/pkg/serviceaccount/claims.go, pkg/registry/core/serviceaccount/storage/token.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Key
from minikube_py.apiserver.authorizer import SERVICE_ACCOUNT, Subject
from minikube_py.base import errors
from minikube_py.base.clock import Clock

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

ISSUER = "https://kubernetes.default.svc.cluster.local"
LIFETIME_S, SHORTEST_S, LONGEST_S = 3600, 600, 1 << 32
BOUND = {"Node": "nodes", "Pod": "pods", "Secret": "secrets"}


def issue(view: View, clock: Clock, key: bytes, account: Object, spec: Object) -> Object:
    """The TokenRequest that answers one with `spec` (audiences, expirationSeconds, boundObjectRef) for a service account.

    Raises Invalid, NotFound (what it is bound to).
    """
    lifetime_s = spec.get("expirationSeconds") or LIFETIME_S
    if not SHORTEST_S <= lifetime_s <= LONGEST_S:
        told = "less than 10 minutes" if lifetime_s < SHORTEST_S else "larger than 2^32 seconds"
        cause = errors.Cause(
            "spec.expirationSeconds", "FieldValueInvalid", f"Invalid value: {lifetime_s}: may not specify a duration {told}"
        )
        raise errors.Invalid("TokenRequest", "authentication.k8s.io", "", [cause])
    meta = account["metadata"]
    bound = _bound(view, meta["namespace"], spec.get("boundObjectRef") or {})
    claims = _claims(clock, meta, bound, list(spec.get("audiences") or ()) or [ISSUER], lifetime_s)
    reference = None
    if bound:
        kind = next(kind for kind in BOUND if kind.lower() in bound)
        reference = {"apiVersion": "v1", "kind": kind, **bound[kind.lower()]}
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"creationTimestamp": clock.timestamp, "name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"audiences": claims["aud"], "boundObjectRef": reference, "expirationSeconds": lifetime_s},
        "status": {"expirationTimestamp": Clock(claims["exp"]).timestamp, "token": signed(key, claims)},
    }


def _bound(view: View, namespace: str, reference: Object) -> dict[str, dict[str, str]]:
    """{'pod': {'name', 'uid'}} of the object that the token is bound to; {} without one."""
    kind, name = reference.get("kind"), reference.get("name") or ""
    if not kind:
        return {}
    if kind not in BOUND:
        raise errors.BadRequest(f"cannot bind token for serviceaccount to a type {reference.get('apiVersion')}, Kind={kind}")
    found = view.get(Key(BOUND[kind], "" if kind == "Node" else namespace, name))
    if found is None:
        raise errors.not_found(BOUND[kind], name)
    uid = found["metadata"]["uid"]
    if reference.get("uid") not in (None, "", uid):
        raise errors.conflict(BOUND[kind], name)
    return {kind.lower(): {"name": name, "uid": uid}}


def _claims(clock: Clock, meta: Object, bound: dict[str, dict[str, str]], audiences: list[str], lifetime_s: int) -> Object:
    own = {"name": meta["name"], "uid": meta["uid"]}
    return {
        "aud": audiences,
        "exp": clock.now_s + lifetime_s,
        "iat": clock.now_s,
        "iss": ISSUER,
        "jti": clock.uid("token", meta["uid"], str(clock.now_s)),
        "kubernetes.io": {"namespace": meta["namespace"], **bound, "serviceaccount": own},
        "nbf": clock.now_s,
        "sub": f"{SERVICE_ACCOUNT}{meta['namespace']}:{meta['name']}",
    }


def signed(key: bytes, claims: Object) -> str:
    """The claims as a JSON Web Token."""
    import hmac
    import json
    from base64 import urlsafe_b64encode

    def part(data: bytes) -> str:
        return urlsafe_b64encode(data).rstrip(b"=").decode()

    head = {"alg": "HS256", "kid": hmac.new(key, b"key", "sha256").hexdigest()[:16]}
    body = ".".join(part(json.dumps(one, separators=(",", ":")).encode()) for one in (head, claims))
    return f"{body}.{part(hmac.new(key, body.encode(), 'sha256').digest())}"


def owner_of(view: View, clock: Clock, key: bytes, token: str, audiences: tuple[str, ...] = (ISSUER,)) -> Subject | None:
    """Whose token it is; None for one that is forged, over, for others, or of an account that is gone."""
    claims = _read(key, token)
    if claims is None or clock.now_s >= claims["exp"] or not set(claims["aud"]) & set(audiences):
        return None
    told = claims["kubernetes.io"]
    namespace, account = told["namespace"], told["serviceaccount"]
    found = view.get(Key("serviceaccounts", namespace, account["name"]))
    if found is None or found["metadata"]["uid"] != account["uid"]:
        return None
    for kind, resource in BOUND.items():
        bound = told.get(kind.lower())
        if bound is not None:
            there = view.get(Key(resource, "" if kind == "Node" else namespace, bound["name"]))
            if there is None or there["metadata"]["uid"] != bound["uid"]:
                return None
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return Subject(f"{SERVICE_ACCOUNT}{namespace}:{account['name']}", groups)


def _read(key: bytes, token: str) -> Any:
    """The claims of a token that was signed with the key; None for any other text."""
    import json
    from base64 import urlsafe_b64decode

    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        return None
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    import hmac

    return claims if hmac.compare_digest(signed(key, claims), token) else None
