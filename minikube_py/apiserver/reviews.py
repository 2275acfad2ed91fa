"""Kinds that are questions and not objects: they are created, answered, and nothing is stored.

SubjectAccessReview and its three sisters, SelfSubjectReview and TokenReview; a Binding gives a pod its node.
Sources: pkg/registry/authorization/*/rest.go, pkg/registry/authentication/*/{rest,storage}.go,
pkg/apis/authorization/validation/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.accounts import ISSUER
from minikube_py.api.types import Key
from minikube_py.apiserver import authorizer, tokens
from minikube_py.apiserver.authorizer import Subject, Target
from minikube_py.apiserver.origin import ADMIN
from minikube_py.base import errors, gotext

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.apiserver.origin import Origin
    from minikube_py.apiserver.verbs import ApiServer

Object = dict[str, Any]


def answer(
    server: ApiServer, kind: Kind, obj: Object, namespace: str, origin: Origin, *, dry_run: bool = False
) -> Object:
    """The object with its status. Raises Invalid, BadRequest; of a Binding also NotFound and Conflict."""
    if kind.name == "Binding":
        return _bind(server, obj, namespace, origin, dry_run)
    spec = obj.get("spec") or {}
    meta = dict(obj.get("metadata") or {})
    if kind.namespaced:
        meta["namespace"] = meta.get("namespace") or namespace or "default"
    status = _ANSWERS[kind.name](server, kind, spec, meta, origin)
    shown: Object = {"apiVersion": kind.version, "kind": kind.name, "metadata": meta}
    if kind.name == "SelfSubjectReview":
        meta["creationTimestamp"] = server.clock.timestamp
    else:
        shown["spec"] = spec
    return {**shown, "status": status}


def _bind(server: ApiServer, obj: Object, namespace: str, origin: Origin, dry_run: bool) -> Object:
    meta, target = obj.get("metadata") or {}, obj.get("target") or {}
    causes = []
    if target.get("kind") not in (None, "", "Node"):
        told = f'Unsupported value: {gotext.quoted(target["kind"])}: supported values: "Node", "<empty>"'
        causes.append(errors.Cause("target.kind", "FieldValueNotSupported", told))
    if not target.get("name"):
        causes.append(errors.Cause("target.name", "FieldValueRequired", "Required value"))
    if causes:
        raise errors.Invalid("Binding", "", meta.get("name") or "", causes)
    home = meta.get("namespace") or namespace or "default"
    if not dry_run:
        server.bind(Key("pods", home, meta.get("name") or ""), target["name"], origin=origin)
    return {**obj, "metadata": {**meta, "namespace": home}}


# -- authorization ------------------------------------------------------------------------------------------------


def _access(server: ApiServer, kind: Kind, spec: Object, meta: Object, origin: Origin) -> Object:
    causes = _attribute_causes(spec)
    if not spec.get("user") and not spec.get("groups"):
        told = 'Invalid value: "": at least one of user or group must be specified'
        causes.append(errors.Cause("spec.user", "FieldValueInvalid", told))
    if kind.namespaced:
        wanted = (spec.get("resourceAttributes") or {}).get("namespace") or ""
        if wanted != meta["namespace"]:
            told = f"Invalid value: {gotext.quoted(wanted)}: must match metadata.namespace"
            causes.append(errors.Cause("spec.resourceAttributes.namespace", "FieldValueInvalid", told))
        if spec.get("nonResourceAttributes") is not None:
            told = "disallowed on this kind of request"
            causes.append(errors.Cause("spec.nonResourceAttributes", "FieldValueInvalid", f"Invalid value: {told}"))
    if causes:
        raise errors.Invalid(kind.name, kind.group, "", causes)
    subject = Subject(spec.get("user") or "", tuple(spec.get("groups") or ()))
    return _decided(server, subject, spec)


def _own_access(server: ApiServer, kind: Kind, spec: Object, meta: Object, origin: Origin) -> Object:
    causes = _attribute_causes(spec)
    if causes:
        raise errors.Invalid(kind.name, kind.group, "", causes)
    return _decided(server, Subject(origin.user, origin.groups), spec)


def _attribute_causes(spec: Object) -> list[errors.Cause]:
    both = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if both[0] is not None and both[1] is not None:
        told = "Invalid value: cannot be specified in combination with resourceAttributes"
        return [errors.Cause("spec.nonResourceAttributes", "FieldValueInvalid", told)]
    if both == (None, None):
        told = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [errors.Cause("spec.resourceAttributes", "FieldValueInvalid", told)]
    return []


def _decided(server: ApiServer, subject: Subject, spec: Object) -> Object:
    verb, target = _target(spec)
    if not authorizer.allows(server.view, subject, verb, target):
        return {"allowed": False}
    grant = None if authorizer.MASTERS in subject.groups else authorizer.decision(server.view, subject, verb, target)
    return {"allowed": True, "reason": f"RBAC: allowed by {grant}"} if grant is not None else {"allowed": True}


def _target(spec: Object) -> tuple[str, Target]:
    found = spec.get("nonResourceAttributes")
    if found is not None:
        return found.get("verb") or "", Target("", "", path=found.get("path") or "")
    found = spec["resourceAttributes"]
    below = found.get("subresource")
    resource = f"{found.get('resource') or ''}/{below}" if below else found.get("resource") or ""
    namespace, name = found.get("namespace") or "", found.get("name") or ""
    return found.get("verb") or "", Target(found.get("group") or "", resource, namespace, name)


def _own_rules(server: ApiServer, kind: Kind, spec: Object, meta: Object, origin: Origin) -> Object:
    namespace = spec.get("namespace") or ""
    if not namespace:
        raise errors.BadRequest("no namespace on request")
    found = list(authorizer.rules(server.view, Subject(origin.user, origin.groups), namespace))
    fields = ("verbs", "apiGroups", "resources", "resourceNames")
    return {
        "incomplete": False,
        "nonResourceRules": [
            {"nonResourceURLs": rule["nonResourceURLs"], "verbs": rule["verbs"]}
            for rule in found
            if rule.get("nonResourceURLs")
        ],
        "resourceRules": [
            {field: rule[field] for field in sorted(fields) if rule.get(field)}
            for rule in found
            if rule.get("resources")
        ],
    }


# -- authentication -----------------------------------------------------------------------------------------------


def _oneself(server: ApiServer, kind: Kind, spec: Object, meta: Object, origin: Origin) -> Object:
    extra = origin.extra
    if (origin.user, origin.groups) == (ADMIN.user, ADMIN.groups):  # who is known by a certificate
        extra = ((tokens.CREDENTIAL, (f"X509SHA256={_certificate_of(server.clock.seed)}",)),)
    return {"userInfo": _user_info(origin.user, origin.groups, origin.uid, extra)}


def _certificate_of(seed: int) -> str:
    """The digest of the certificate that the administrator of a cluster would have."""
    from hashlib import sha256

    return sha256(f"{seed}/{ADMIN.user}".encode()).hexdigest()


def _user_info(name: str, groups: tuple[str, ...], uid: str, extra: tuple[tuple[str, tuple[str, ...]], ...]) -> Object:
    found: Object = {"groups": list(groups), "username": name}
    if uid:
        found["uid"] = uid
    if extra:
        found["extra"] = {key: list(values) for key, values in extra}
    return dict(sorted(found.items()))


def _token(server: ApiServer, kind: Kind, spec: Object, meta: Object, origin: Origin) -> Object:
    if not spec.get("token"):
        raise errors.BadRequest("token is required for TokenReview in authentication")
    audiences = tuple(spec.get("audiences") or ())
    try:
        user = tokens.user_of(server.view, server.clock, spec["token"], audiences)
    except tokens.Rejected as error:
        return {"error": f"[invalid bearer token, {error}]", "user": {}}
    if user is not None:
        shown = _user_info(user.name, user.groups, user.uid, user.extra)
        return {"audiences": list(user.audiences), "authenticated": True, "user": shown}
    other = server.authenticator(spec["token"], audiences or (ISSUER,)) if server.authenticator is not None else None
    if other is None:
        return {"user": {}}
    shown = _user_info(other.user, other.groups, other.uid, other.extra)
    return {"audiences": list(audiences or (ISSUER,)), "authenticated": True, "user": shown}


_ANSWERS: dict[str, Callable[[ApiServer, Kind, Object, Object, Origin], Object]] = {
    "LocalSubjectAccessReview": _access,
    "SelfSubjectAccessReview": _own_access,
    "SelfSubjectReview": _oneself,
    "SelfSubjectRulesReview": _own_rules,
    "SubjectAccessReview": _access,
    "TokenReview": _token,
}
