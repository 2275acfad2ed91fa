"""Tokens of service accounts: TokenRequest, what a token is worth, TokenReview.

    request(view, clock, account, wanted)        the TokenRequest with its token
    user_of(view, clock, token, audiences)       whose token it is: a UserInfo; Rejected where it is worth nothing

A token names its account, for whom it is (audiences), how long it holds, and what it is bound to: a pod, node or secret,
with whose end it ends. Time is the cluster's. Tokens of Secrets of type kubernetes.io/service-account-token hold for ever.
Sources: pkg/serviceaccount (claims.go, legacy.go, jwt.go), pkg/registry/core/serviceaccount/storage/token.go,
pkg/apis/authentication/validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.accounts import ISSUER, LEGACY, LEGACY_ISSUER, PREFIX
from minikube_py.api.types import Key
from minikube_py.apiserver.authorizer import Subject
from minikube_py.base import errors, gotext, jwt
from minikube_py.base.clock import timestamp

if TYPE_CHECKING:
    from minikube_py.api.types import View
    from minikube_py.base.clock import Clock

Object = dict[str, Any]

CREDENTIAL = "authentication.kubernetes.io/credential-id"
EXTRA = "authentication.kubernetes.io/"
LIFETIME_S, SHORTEST_S, LONGEST_S = 3600, 600, 1 << 32
WARNED_S, EXTENDED_S = 3607, 365 * 86400  # a kubelet's token is asked for 3607 s, and holds for a year
BOUND = {"Pod": "pods", "Node": "nodes", "Secret": "secrets"}


class Rejected(Exception):
    """A token that is worth nothing, in the words of a TokenReview's status.error."""


class User(NamedTuple):
    """Whose a token is, and which of the audiences asked for it is for."""

    name: str
    groups: tuple[str, ...]
    uid: str
    extra: tuple[tuple[str, tuple[str, ...]], ...]
    audiences: tuple[str, ...]


# -- TokenRequest -------------------------------------------------------------------------------------------------


def request(view: View, clock: Clock, account: Object, wanted: Object) -> Object:
    """A TokenRequest for a ServiceAccount, answered. Raises Invalid, NotFound, Conflict, BadRequest."""
    spec = wanted.get("spec") or {}
    lifetime_s = spec.get("expirationSeconds")
    lifetime_s = LIFETIME_S if lifetime_s is None else lifetime_s
    _check_lifetime(lifetime_s)
    audiences = spec.get("audiences") or [ISSUER]
    reference = spec.get("boundObjectRef")
    meta = account["metadata"]
    claims = _claims(clock, meta, audiences, lifetime_s)
    claims["kubernetes.io"].update(_bound(view, account, reference) if reference else {})
    if lifetime_s == WARNED_S and reference and reference.get("kind") == "Pod" and ISSUER in audiences:
        claims["exp"] = clock.now_s + EXTENDED_S
        claims["kubernetes.io"]["warnafter"] = clock.now_s + lifetime_s
    claims["kubernetes.io"] = dict(sorted(claims["kubernetes.io"].items()))
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"creationTimestamp": clock.timestamp, "name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"audiences": audiences, "boundObjectRef": reference, "expirationSeconds": lifetime_s},
        "status": {
            "expirationTimestamp": timestamp(clock.now_s + lifetime_s),
            "token": jwt.sign(clock.seed, dict(sorted(claims.items()))),
        },
    }


def _check_lifetime(lifetime_s: int) -> None:
    told = ""
    if lifetime_s < SHORTEST_S:
        told = "may not specify a duration less than 10 minutes"
    elif lifetime_s > LONGEST_S:
        told = "may not specify a duration larger than 2^32 seconds"
    if told:
        cause = errors.Cause("spec.expirationSeconds", "FieldValueInvalid", f"Invalid value: {lifetime_s}: {told}")
        raise errors.Invalid("TokenRequest", "authentication.k8s.io", "", [cause])


def _claims(clock: Clock, meta: Object, audiences: list[str], lifetime_s: int) -> Object:
    own = {"name": meta["name"], "uid": meta["uid"]}
    return {
        "aud": audiences,
        "exp": clock.now_s + lifetime_s,
        "iat": clock.now_s,
        "iss": ISSUER,
        "jti": clock.uid("token", meta["uid"], clock.now_s),
        "kubernetes.io": {"namespace": meta["namespace"], "serviceaccount": own},
        "nbf": clock.now_s,
        "sub": f"{PREFIX}{meta['namespace']}:{meta['name']}",
    }


def _bound(view: View, account: Object, reference: Object) -> Object:
    """{'pod': {'name', 'uid'}} of what a token is to be bound to; a pod's also names its node."""
    kind, name, meta = reference.get("kind") or "", reference.get("name") or "", account["metadata"]
    version = "/".join(filter(None, (reference.get("apiVersion") or "v1",)))
    if kind not in BOUND or version != "v1":
        raise errors.BadRequest(f"cannot bind token to object of type {version}, Kind={kind}")
    found = view.get(Key(BOUND[kind], "" if kind == "Node" else meta["namespace"], name))
    if found is None:
        raise errors.not_found(BOUND[kind], name)
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        raise errors.Conflict(
            f'Operation cannot be fulfilled on {BOUND[kind]} "{name}": the UID in the bound object reference '
            f"({reference['uid']}) does not match the UID in record. The object might have been deleted and then recreated"
        )
    claims = {kind.lower(): {"name": name, "uid": uid}}
    if kind == "Pod":
        if found["spec"].get("serviceAccountName") != meta["name"]:
            raise errors.BadRequest(
                f"cannot bind token for serviceaccount {gotext.quoted(meta['name'])} to pod running with different "
                "serviceaccount name."
            )
        node = view.get(Key("nodes", "", found["spec"].get("nodeName") or ""))
        if node is not None:
            claims["node"] = {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
    return claims


# -- TokenReview --------------------------------------------------------------------------------------------------


def user_of(view: View, clock: Clock, token: str, audiences: tuple[str, ...] = ()) -> User | None:
    """Whose token it is; None if it is no token of a service account at all. `audiences`: for whom it must be, the API
    server unless told. Raises Rejected."""
    claimed = jwt.unverified(token)
    if claimed is None or claimed.get("iss") not in (ISSUER, LEGACY_ISSUER):
        return None
    try:
        claims = jwt.read(clock.seed, token)
    except ValueError as error:
        raise Rejected(str(error)) from None
    wanted = audiences or (ISSUER,)
    if claims["iss"] == LEGACY_ISSUER:
        return _legacy_user(view, token, claims, wanted)
    for_whom = tuple(one for one in wanted if one in claims["aud"])
    if not for_whom:
        own, asked = (" ".join(map(gotext.quoted, some)) for some in (claims["aud"], wanted))
        raise Rejected(f"token audiences [{own}] is invalid for the target audiences [{asked}]")
    if clock.now_s >= claims["exp"]:
        raise Rejected("service account token has expired")
    if clock.now_s < claims["nbf"]:
        raise Rejected("service account token is not valid yet")
    return _bound_user(view, claims, for_whom)


def owner_of(view: View, clock: Clock, token: str, audiences: tuple[str, ...] = ()) -> Subject | None:
    """Whose token it is, as somebody who asks; None for one that is worth nothing."""
    try:
        found = user_of(view, clock, token, audiences)
    except Rejected:
        return None
    return None if found is None else Subject(found.name, found.groups, found.uid, found.extra)


def _bound_user(view: View, claims: Object, audiences: tuple[str, ...]) -> User:
    own = claims["kubernetes.io"]
    namespace, account = own["namespace"], own["serviceaccount"]
    _check_account(view, namespace, account["name"], account["uid"])
    extra: dict[str, tuple[str, ...]] = {CREDENTIAL: (f"JTI={claims['jti']}",)}
    for kind in ("pod", "node", "secret"):
        if kind not in own:
            continue
        found = view.get(Key(BOUND[kind.capitalize()], "" if kind == "node" else namespace, own[kind]["name"]))
        is_primary = kind != "node" or "pod" not in own  # a pod's node may go before the pod
        if is_primary and (found is None or found["metadata"]["uid"] != own[kind]["uid"]):
            raise Rejected("service account token has been invalidated")
        if kind != "secret":
            extra[f"{EXTRA}{kind}-name"], extra[f"{EXTRA}{kind}-uid"] = (own[kind]["name"],), (own[kind]["uid"],)
    return _user(namespace, account["name"], account["uid"], tuple(sorted(extra.items())), audiences)


def _legacy_user(view: View, token: str, claims: Object, audiences: tuple[str, ...]) -> User:
    from base64 import b64encode

    if ISSUER not in audiences:
        asked = " ".join(map(gotext.quoted, audiences))
        raise Rejected(f"token audiences [{gotext.quoted(ISSUER)}] is invalid for the target audiences [{asked}]")
    namespace, name = claims[f"{LEGACY}namespace"], claims[f"{LEGACY}service-account.name"]
    secret = view.get(Key("secrets", namespace, claims[f"{LEGACY}secret.name"]))
    if secret is None or (secret.get("data") or {}).get("token") != b64encode(token.encode()).decode():
        raise Rejected("service account token has been invalidated")
    uid = claims[f"{LEGACY}service-account.uid"]
    _check_account(view, namespace, name, uid)
    return _user(namespace, name, uid, (), (ISSUER,))


def _check_account(view: View, namespace: str, name: str, uid: str) -> None:
    account = view.get(Key("serviceaccounts", namespace, name))
    if account is None:
        raise Rejected(f"serviceaccounts {gotext.quoted(name)} not found")
    if account["metadata"]["uid"] != uid:
        raise Rejected(f"service account UID ({account['metadata']['uid']}) does not match claim ({uid})")


def _user(
    namespace: str, name: str, uid: str, extra: tuple[tuple[str, tuple[str, ...]], ...], audiences: tuple[str, ...]
) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"{PREFIX}{namespace}:{name}", groups, uid, extra, audiences)
