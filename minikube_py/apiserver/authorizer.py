"""RBAC: what a user may do, by the roles that are bound to them and to their groups.

    rules(view, subject, "default")   the rules that hold for a user in a namespace ('': in the cluster)
    allows(view, subject, "get", Target("apps", "deployments", "default", "web"))
    decision(...)                     the binding by which it is allowed, and which of its role's rules
    require(...)                      Forbidden in the API server's words where not

Kubelets (system:node:NAME in the group system:nodes) are asked about by `node_authorizer` first.

Sources: plugin/pkg/auth/authorizer/rbac (rbac.go, subject_locator.go), pkg/registry/rbac/validation/rule.go (appliesTo),
pkg/apis/rbac/v1/evaluation_helpers.go, apiserver/pkg/endpoints/filters/impersonation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Key
from minikube_py.base import gotext, selector
from minikube_py.base.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from minikube_py.api.types import Object, View
    from minikube_py.apiserver.admission import Note

RBAC = ".rbac.authorization.k8s.io"
MASTERS = "system:masters"  # may do anything, whatever the roles say
NODES = "system:nodes"
OF_NODES = ("configmaps", "persistentvolumeclaims", "persistentvolumes", "resourceclaims", "secrets")
SERVICE_ACCOUNT = "system:serviceaccount:"


class Subject(NamedTuple):
    """Who asks."""

    user: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Grant(NamedTuple):
    """A rule that holds for somebody, and why: the binding and which of its subjects. `role`: where the rule stands."""

    rule: Object
    binding: Object
    subject: Object
    role: Object

    def __str__(self) -> str:
        """'ClusterRoleBinding "admins" of ClusterRole "cluster-admin" to Group "crew"', as reviews and the audit tell it."""
        meta, reference, one = self.binding["metadata"], self.binding["roleRef"], self.subject
        namespace = meta.get("namespace") or ""
        name = f"{meta['name']}/{namespace}" if namespace else meta["name"]
        who = f"{one['name']}/{one.get('namespace') or namespace}" if one["kind"] == "ServiceAccount" else one["name"]
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        of = f"{reference['kind']} {gotext.quoted(reference['name'])}"
        return f"{kind} {gotext.quoted(name)} of {of} to {one['kind']} {gotext.quoted(who)}"


class Target(NamedTuple):
    """What is asked for: a resource ('pods', 'pods/status'; namespace '' for all or none), or a `path` that is none."""

    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    path: str = ""


def impersonated(
    user: str, groups: Iterable[str] = (), uid: str = "", extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
) -> Subject:
    """Somebody whom the administrator plays: the groups told, and those that the API server adds."""
    told = list(groups)
    if user.startswith(SERVICE_ACCOUNT) and not told:
        namespace = user.removeprefix(SERVICE_ACCOUNT).partition(":")[0]
        told = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    known = "system:unauthenticated" if user == "system:anonymous" else "system:authenticated"
    return Subject(user, tuple(dict.fromkeys((*told, known))), uid, extra)


def require(view: View, subject: Subject, verb: str, target: Target) -> None:
    """Raises Forbidden if the subject may not."""
    if allows(view, subject, verb, target):
        return
    quoted = f' "{target.name}"' if target.name else ""
    where = f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
    raise Forbidden(
        f'{_full(target)}{quoted} is forbidden: User "{subject.user}" cannot {verb} resource "{target.resource}" '
        f'in API group "{target.group}" {where}{_of_node(subject, verb, target)}',
        details={"name": target.name, "group": target.group, "kind": target.resource.partition("/")[0]},
    )


def _of_node(subject: Subject, verb: str, target: Target) -> str:
    """Why a node may not read what none of its pods uses (the node authorizer's words)."""
    if NODES not in subject.groups or verb != "get" or not target.name or target.resource not in OF_NODES:
        return ""
    return f": no relationship found between node '{subject.user.removeprefix('system:node:')}' and this object"


def _full(target: Target) -> str:
    plural = target.resource.partition("/")[0]
    return f"{plural}.{target.group}" if target.group else plural


def allows(view: View, subject: Subject, verb: str, target: Target) -> bool:
    if MASTERS in subject.groups:
        return True
    if NODES in subject.groups:
        from minikube_py.apiserver import node_authorizer

        if node_authorizer.allows(view, subject.user, verb, target):
            return True
    return decision(view, subject, verb, target) is not None


def decision(view: View, subject: Subject, verb: str, target: Target) -> Grant | None:
    """The first rule that allows it, None if no role does."""
    found = (grant for grant in grants(view, subject, target.namespace) if covers(grant.rule, verb, target))
    return next(found, None)


def notes(view: View, subject: Subject, verb: str, target: Target) -> Iterator[Note]:
    """What RBAC decides about a request, for those who trace it: every rule that allows it, by its place in its role."""
    from minikube_py.apiserver.admission import Note

    what = f"{verb} {_full(target)}" + (f" {target.name}" if target.name else "")
    found = False
    for grant in grants(view, subject, target.namespace):
        if covers(grant.rule, verb, target):
            found = True
            yield Note(
                "RBAC", rule_name(grant.role, grant.role["rules"].index(grant.rule)), "allows", f"{what}, by {grant}"
            )
    if not found:
        by_node = allows(view, subject, verb, target)
        yield Note("RBAC", "", "allows" if by_node else "denies", f"{what} for {subject.user}")


def rule_name(role: Object, index: int) -> str:
    """'Role/shop/reader rule 1', 'ClusterRole/view rule 3': counted from 1."""
    meta = role["metadata"]
    namespace = meta.get("namespace")
    return (
        f"Role/{namespace}/{meta['name']} rule {index + 1}"
        if namespace
        else f"ClusterRole/{meta['name']} rule {index + 1}"
    )


def rules(view: View, subject: Subject, namespace: str) -> Iterator[Object]:
    """The rules of all roles bound to the subject: cluster wide, then in the namespace."""
    return (grant.rule for grant in grants(view, subject, namespace))


def grants(view: View, subject: Subject, namespace: str) -> Iterator[Grant]:
    for binding in view.list(f"clusterrolebindings{RBAC}"):
        one = _named(binding, subject, "")
        if one is not None:
            yield from _granted(view, binding, one, "")
    for binding in view.list(f"rolebindings{RBAC}", namespace) if namespace else ():
        one = _named(binding, subject, namespace)
        if one is not None:
            yield from _granted(view, binding, one, namespace)


def _named(binding: Object, subject: Subject, namespace: str) -> Object | None:
    """Which subject of a binding is the one who asks."""
    subjects: list[Object] = binding.get("subjects") or []
    for one in subjects:
        if one["kind"] == "ServiceAccount":
            if subject.user == f"{SERVICE_ACCOUNT}{one.get('namespace') or namespace}:{one['name']}":
                return one
        elif one["name"] in (subject.groups if one["kind"] == "Group" else (subject.user,)):
            return one
    return None


def _granted(view: View, binding: Object, one: Object, namespace: str) -> Iterator[Grant]:
    """The rules of a binding's role; of a ClusterRole also those of the roles that it gathers."""
    reference = binding["roleRef"]
    cluster_wide = reference["kind"] == "ClusterRole"
    resource = f"clusterroles{RBAC}" if cluster_wide else f"roles{RBAC}"
    role = view.get(Key(resource, "" if cluster_wide else namespace, reference["name"]))
    if role is None:
        return
    for rule in role.get("rules") or ():
        yield Grant(rule, binding, one, role)
    for wanted in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
        chosen = selector.from_label_selector(wanted)
        for other in view.list(resource):
            if other is not role and chosen.matches(other["metadata"].get("labels") or {}):
                for rule in other.get("rules") or ():
                    yield Grant(rule, binding, one, other)


def covers(rule: Object, verb: str, target: Target) -> bool:
    if not _has(rule, "verbs", verb):
        return False
    if target.path:
        return any(_path_matches(pattern, target.path) for pattern in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _has(rule, "apiGroups", target.group) and _has_resource(rule, target.resource)
        and (not names or target.name in names)
    )  # fmt: skip


def _has(rule: Object, field: str, wanted: str) -> bool:
    found = rule.get(field) or ()
    return wanted in found or "*" in found


def _has_resource(rule: Object, wanted: str) -> bool:
    """'pods/status' is covered by itself, by '*' and by '*/status'."""
    subresource = wanted.partition("/")[2]
    return _has(rule, "resources", wanted) or bool(subresource and f"*/{subresource}" in rule["resources"])


def _path_matches(pattern: str, path: str) -> bool:
    """'/healthz', or '/api/*' for all that begins with '/api/'."""
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))
