"""`kubectl create token`: a token by which a service account is known (pkg/cmd/create/create_token.go).

The token has the shape of a real one, three parts of base64 with the claims in the middle. Nothing here checks tokens, so
it is signed with a key that anybody can make from the cluster's name and seed.
Source of the claims: k8s.io/kubernetes/pkg/serviceaccount/claims.go, pkg/registry/core/serviceaccount/storage/token.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import StatusError, UsageError
from minikube_py.cli import create, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]

ISSUER = "https://kubernetes.default.svc.cluster.local"
LIFETIME_S, SHORTEST_S = 3600, 600
BOUND = {"Node": "nodes", "Pod": "pods", "Secret": "secrets"}


def run(call: Call) -> None:
    name = create.one_name(call)
    lifetime_s = _check(call)
    try:
        select.check_name(name)
    except UsageError as error:
        raise UsageError(f"failed to create token: {error}") from None
    try:
        account = call.cluster.get("serviceaccounts", name, call.namespace)
        bound = _bound(call)
    except StatusError as error:
        raise UsageError(f"failed to create token: {error}") from None
    if lifetime_s and lifetime_s < SHORTEST_S:
        raise UsageError(
            'failed to create token: TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: '
            f"Invalid value: {lifetime_s}: may not specify a duration less than 10 minutes"
        )
    claims = _claims(call, account, bound, lifetime_s or LIFETIME_S)
    token = _signed(call, claims)
    if not call.text("output") and not call.text("template"):
        import sys

        call.say(token + ("\n" if sys.stdout.isatty() else ""))
        return
    from minikube_py.cli import show

    call.say(show.plan(call).render([_request(call, account, claims, token)], as_list=False))


def _check(call: Call) -> int:
    """The wanted lifetime in seconds, 0 where nothing was said."""
    lifetime_s = call.seconds("duration")
    kind, name = call.text("bound-object-kind"), call.text("bound-object-name")
    if lifetime_s < 0:
        raise UsageError("--duration must be greater than or equal to 0")
    if lifetime_s != int(lifetime_s):
        raise UsageError("--duration cannot be expressed in units less than seconds")
    if "" in call.list("audience"):
        raise UsageError("--audience must not be an empty string")
    for flag in ("name", "uid"):
        if not kind and call.text(f"bound-object-{flag}"):
            raise UsageError(f"--bound-object-{flag} can only be set if --bound-object-kind is provided")
    if kind and kind not in BOUND:
        raise UsageError(f"supported --bound-object-kind values are {', '.join(BOUND)}")
    if kind and not name:
        raise UsageError("--bound-object-name is required if --bound-object-kind is provided")
    return int(lifetime_s)


def _bound(call: Call) -> dict[str, dict[str, str]]:
    """{'pod': {'name', 'uid'}} of the object that the token is bound to; {} without one."""
    kind, name = call.text("bound-object-kind"), call.text("bound-object-name")
    if not kind:
        return {}
    found = call.cluster.get(BOUND[kind], name, call.namespace)
    return {kind.lower(): {"name": name, "uid": found["metadata"]["uid"]}}


def _claims(call: Call, account: Object, bound: dict[str, dict[str, str]], lifetime_s: int) -> Object:
    meta, clock = account["metadata"], call.cluster.clock
    own = {"name": meta["name"], "uid": meta["uid"]}
    return {
        "aud": call.list("audience") or [ISSUER],
        "exp": clock.now_s + lifetime_s,
        "iat": clock.now_s,
        "iss": ISSUER,
        "jti": clock.uid("token", meta["uid"], str(clock.now_s)),
        "kubernetes.io": {"namespace": meta["namespace"], **bound, "serviceaccount": own},
        "nbf": clock.now_s,
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
    }


def _signed(call: Call, claims: Object) -> str:
    """The claims as a JSON Web Token."""
    import hmac
    import json
    from base64 import urlsafe_b64encode

    def part(data: bytes) -> str:
        return urlsafe_b64encode(data).rstrip(b"=").decode()

    info = call.cluster.info
    key = f"{info.name}/{info.seed}".encode()
    head = {"alg": "HS256", "kid": hmac.new(key, b"key", "sha256").hexdigest()[:16]}
    body = ".".join(part(json.dumps(one, separators=(",", ":")).encode()) for one in (head, claims))
    return f"{body}.{part(hmac.new(key, body.encode(), 'sha256').digest())}"


def _request(call: Call, account: Object, claims: Object, token: str) -> Object:
    """The TokenRequest as the API server answers it."""
    from minikube_py.base.clock import Clock

    clock, meta = call.cluster.clock, account["metadata"]
    reference = None
    if call.text("bound-object-kind"):
        kind = call.text("bound-object-kind")
        bound = claims["kubernetes.io"][kind.lower()]
        reference = {"apiVersion": "v1", "kind": kind, **bound}
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {
            "creationTimestamp": clock.timestamp,
            "name": meta["name"],
            "namespace": meta["namespace"],
        },
        "spec": {
            "audiences": claims["aud"],
            "boundObjectRef": reference,
            "expirationSeconds": claims["exp"] - claims["iat"],
        },
        "status": {"expirationTimestamp": Clock(claims["exp"]).timestamp, "token": token},
    }
