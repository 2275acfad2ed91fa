"""Nobody can give away rights that they do not have: what a role or binding grants, its writer must be allowed to do.

It is no admission plugin in kube-apiserver but a part of the storage of these kinds (pkg/registry/rbac/*/policybased).
Components of the cluster (which have no groups here) and masters may write any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Key
from minikube_py.apiserver import authorizer
from minikube_py.apiserver.authorizer import Subject, Target
from minikube_py.base import errors, gotext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.apiserver.admission import Request

Object = dict[str, Any]

EVERYTHING: tuple[Object, ...] = (
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
)


def check(request: Request) -> None:
    if not request.groups or authorizer.MASTERS in request.groups or request.object is None:
        return
    subject = Subject(request.user, request.groups)
    rules = _bound(request, subject) if "roleRef" in request.object else _written(request, subject)
    if rules is not None:
        _confirm(request, subject, rules)


def _bound(request: Request, subject: Subject) -> list[Object] | None:
    """The rules that a binding gives away; None where the writer may bind the role, or changes nothing of the binding."""
    old, new = request.old or {}, request.object or {}
    if (old.get("roleRef"), old.get("subjects")) == (new.get("roleRef"), new.get("subjects")):
        return None
    reference, namespace = new["roleRef"], request.key.namespace
    plural = "clusterroles" if reference["kind"] == "ClusterRole" else "roles"
    if authorizer.allows(request.view, subject, "bind", _target(plural, namespace, reference["name"])):
        return None
    key = Key(f"{plural}{authorizer.RBAC}", "" if plural == "clusterroles" else namespace, reference["name"])
    role = request.view.get(key)
    if role is None:
        raise errors.not_found(key.resource, key.name)
    return role.get("rules") or []


def _written(request: Request, subject: Subject) -> list[Object] | None:
    """The rules of a role; None where the writer may escalate, or changes no rules. What is gathered may be anything."""
    old, new = request.old or {}, request.object or {}
    gathering = (old.get("aggregationRule"), new.get("aggregationRule"))
    if old.get("rules") == new.get("rules") and gathering[0] == gathering[1] and request.old is not None:
        return None
    target = _target(request.kind.plural, request.key.namespace, request.name)
    if authorizer.allows(request.view, subject, "escalate", target):
        return None
    if any(gathering):
        held = list(authorizer.rules(request.view, subject, ""))
        if not all(any(covers(one, part) for one in held) for part in EVERYTHING):
            _confirm(request, subject, new.get("rules") or [])
            raise request.forbidden("must have cluster-admin privileges to use the aggregationRule")
    return new.get("rules") or []


def _confirm(request: Request, subject: Subject, rules: list[Object]) -> None:
    """Raises Forbidden if the subject does not hold all of these rights."""
    held = list(authorizer.rules(request.view, subject, request.key.namespace))
    missing = [part for rule in rules for part in parts(rule) if not any(covers(one, part) for one in held)]
    if missing:
        groups = " ".join(gotext.quoted(group) for group in request.groups)
        raise request.forbidden(
            f"user {gotext.quoted(request.user)} (groups=[{groups}]) is attempting to grant RBAC permissions not currently "
            "held:\n" + "\n".join(sorted(_text(rule) for rule in _compact(missing)))
        )


def _target(plural: str, namespace: str, name: str) -> Target:
    return Target(authorizer.RBAC[1:], plural, namespace, name)


def parts(rule: Object) -> Iterator[Object]:
    """A rule broken down to one verb on one resource (of one name) or path each (validation/policy_comparator.go)."""
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule["verbs"]:
                part = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames")
                yield from ({**part, "resourceNames": [name]} for name in names) if names else (part,)
    for path in rule.get("nonResourceURLs") or ():
        for verb in rule["verbs"]:
            yield {"nonResourceURLs": [path], "verbs": [verb]}


def covers(held: Object, part: Object) -> bool:
    """Whether a rule allows what one part of another does."""
    if not _has(held, "verbs", part["verbs"][0]):
        return False
    if part.get("nonResourceURLs"):
        path = part["nonResourceURLs"][0]
        patterns = held.get("nonResourceURLs") or ()
        return any(one == path or (one.endswith("*") and path.startswith(one[:-1])) for one in patterns)
    resource = part["resources"][0]
    below = resource.partition("/")[2]
    names, name = held.get("resourceNames") or (), (part.get("resourceNames") or ("",))[0]
    return (
        _has(held, "apiGroups", part["apiGroups"][0])
        and (_has(held, "resources", resource) or bool(below and f"*/{below}" in held["resources"]))
        and (not names or name in names)
    )


def _has(rule: Object, field: str, wanted: str) -> bool:
    found = rule.get(field) or ()
    return wanted in found or "*" in found


def _compact(missing: list[Object]) -> list[Object]:
    """Parts about one resource as one rule with all their verbs."""
    found: dict[tuple[str, ...], Object] = {}
    for part in missing:
        place = tuple(
            "".join(part.get(field) or ()) for field in ("apiGroups", "resources", "resourceNames", "nonResourceURLs")
        )
        known = found.get(place)
        found[place] = part if known is None else {**known, "verbs": [*known["verbs"], *part["verbs"]]}
    return list(found.values())


def _text(rule: Object) -> str:
    """'{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}'."""
    shown = []
    for field, title in (
        ("nonResourceURLs", "NonResourceURLs"),
        ("apiGroups", "APIGroups"),
        ("resources", "Resources"),
        ("resourceNames", "ResourceNames"),
        ("verbs", "Verbs"),
    ):
        if rule.get(field):
            values = " ".join(gotext.quoted(value) for value in rule[field])
            shown.append(f"{title}:[{values}]")
    return "{" + ", ".join(shown) + "}"
