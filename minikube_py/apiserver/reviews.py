"""Questions that are asked by creating an object: who am I, may somebody do that, whose token is this. Nothing is stored.

Sources: pkg/registry/authentication/{selfsubjectreview,tokenreview}, pkg/registry/authorization/*accessreview.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.apiserver import authorizer
from minikube_py.apiserver.authorizer import Subject, Target
from minikube_py.apiserver.origin import ADMIN
from minikube_py.base import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock

    Authenticator = Callable[[str, tuple[str, ...]], Subject | None]

CREDENTIAL = "authentication.kubernetes.io/credential-id"
REVIEWS = (
    "SelfSubjectReview", "TokenReview", "LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview",
    "SubjectAccessReview",
)  # fmt: skip
AUDIENCE = "https://kubernetes.default.svc.cluster.local"


class Asking:
    """What a review may look at. `subject` None: the administrator, known by a certificate with that digest."""

    __slots__ = ("authenticator", "certificate", "clock", "subject", "view")

    def __init__(
        self, view: View, clock: Clock, subject: Subject | None, certificate: str, authenticator: Authenticator
    ) -> None:
        self.view, self.clock, self.subject = view, clock, subject
        self.certificate, self.authenticator = certificate, authenticator

    @property
    def user(self) -> Subject:
        return self.subject or Subject(ADMIN.user, ADMIN.groups)


def certificate_of(name: str, seed: int) -> str:
    """The digest of the certificate that the administrator of a cluster would have."""
    from hashlib import sha256

    return sha256(f"{name}/{seed}/{ADMIN.user}".encode()).hexdigest()


def review(asking: Asking, kind: Kind, obj: Object, namespace: str) -> Object:
    """The review with its status. Raises Invalid for a question that is none."""
    spec = obj.get("spec") or {}
    meta = {**(obj.get("metadata") or {})}
    if kind.name == "SelfSubjectReview":
        meta["creationTimestamp"] = asking.clock.timestamp
        return {"apiVersion": kind.version, "kind": kind.name, "metadata": meta, "status": {"userInfo": user_info(asking)}}
    if not isinstance(spec, dict):
        raise errors.BadRequest(f"{kind.name} in version \"v1\" cannot be handled as a {kind.name}: spec is no object")
    if kind.name == "TokenReview":
        spec, status = _token(asking, spec)
    elif kind.name == "SelfSubjectRulesReview":
        status = _rules(asking, spec.get("namespace") or "")
    else:
        status = _access(asking, kind, spec, namespace)
    return {"apiVersion": kind.version, "kind": kind.name, "metadata": meta, "spec": spec, "status": status}


def user_info(asking: Asking) -> Object:
    """authentication.k8s.io/v1 UserInfo of the one who asks."""
    who = asking.user
    info: Object = {"username": who.user, "groups": list(who.groups)}
    if asking.subject is None:
        info["extra"] = {CREDENTIAL: [f"X509SHA256={asking.certificate}"]}
    return dict(sorted(info.items()))


def _token(asking: Asking, spec: Object) -> tuple[Object, Object]:
    """(the spec as it is answered, the status)."""
    token, audiences = spec.get("token") or "", tuple(spec.get("audiences") or ()) or (AUDIENCE,)
    if not token:
        cause = errors.Cause("spec.token", "FieldValueRequired", "Required value: token is required for TokenReview in authentication")
        raise errors.Invalid("TokenReview", "authentication.k8s.io", "", [cause])
    found = asking.authenticator(str(token), audiences)
    spec = {**spec, "audiences": list(audiences)}
    if found is None:
        return spec, {"user": {}, "error": "[invalid bearer token, token lookup failed]"}
    return spec, {
        "authenticated": True,
        "user": {"username": found.user, "groups": list(found.groups)},
        "audiences": list(audiences),
    }


def _access(asking: Asking, kind: Kind, spec: Object, namespace: str) -> Object:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if bool(resource is None) == bool(path is None):
        told = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        cause = errors.Cause("spec.resourceAttributes", "FieldValueInvalid", f"Invalid value: null: {told}")
        raise errors.Invalid(kind.name, kind.group, "", [cause])
    who = asking.user
    if kind.name != "SelfSubjectAccessReview":
        user, groups = spec.get("user") or "", spec.get("groups") or []
        if not user and not groups:
            told = "Required value: at least one of user or group must be specified"
            raise errors.Invalid(kind.name, kind.group, "", [errors.Cause("spec.user", "FieldValueRequired", told)])
        who = Subject(str(user), tuple(map(str, groups)))
    asked = resource or path or {}
    if kind.name == "LocalSubjectAccessReview" and asked.get("namespace") != namespace:
        told = f"Invalid value: {asked.get('namespace', '')!r}: must match metadata.namespace".replace("'", '"')
        cause = errors.Cause("spec.resourceAttributes.namespace", "FieldValueInvalid", told)
        raise errors.Invalid(kind.name, kind.group, "", [cause])
    return {"allowed": authorizer.allows(asking.view, who, str(asked.get("verb") or ""), _target(asked, resource is None))}


def _target(asked: Object, is_path: bool) -> Target:
    word = {name: str(value) for name, value in asked.items()}
    if is_path:
        return Target("", "", path=word.get("path", ""))
    below = f"/{word['subresource']}" if word.get("subresource") else ""
    return Target(
        word.get("group", ""), word.get("resource", "") + below, word.get("namespace", ""), word.get("name", "")
    )


def _rules(asking: Asking, namespace: str) -> Object:
    resources, paths = [], []
    for rule in authorizer.rules(asking.view, asking.user, namespace):
        if rule.get("nonResourceURLs"):
            paths.append({"verbs": list(rule["verbs"]), "nonResourceURLs": list(rule["nonResourceURLs"])})
        if rule.get("resources") or rule.get("apiGroups"):
            told = {"verbs": list(rule["verbs"]), "apiGroups": list(rule.get("apiGroups") or ()), "resources": list(rule.get("resources") or ())}
            if rule.get("resourceNames"):
                told["resourceNames"] = list(rule["resourceNames"])
            resources.append(told)
    return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
