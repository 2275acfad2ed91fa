"""The roles and bindings that an API server makes for itself when it starts: those for people and those of the components.

The rules of the ClusterRoles are data, in default_roles.txt; here are what gathers them, what they are bound to, and the
Roles of kube-system and kube-public.
Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy (policy.go, controller_policy.go, namespace_policy.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
GATHERED = (("admin", "edit"), ("edit", "view"), ("view", ""))  # roles that gather others, and who is gathered by them
PARTS = "system:aggregate-to-"
CONTROLLERS = "system:controller:"
EVENTS = "create,patch,update -,events.k8s.io events"
SYSTEM, PUBLIC = "kube-system", "kube-public"

# ClusterRoles and whom they are bound to: groups, users (with a slash in front) and service accounts of kube-system.
BINDINGS: dict[str, tuple[str, ...]] = {
    "cluster-admin": ("system:masters",),
    "system:basic-user": ("system:authenticated",),
    "system:discovery": ("system:authenticated",),
    "system:kube-controller-manager": ("/system:kube-controller-manager",),
    "system:kube-dns": ("@kube-dns",),
    "system:kube-scheduler": ("/system:kube-scheduler",),
    "system:monitoring": ("system:monitoring",),
    "system:node": (),  # nodes have an authorizer of their own
    "system:node-proxier": ("/system:kube-proxy",),
    "system:public-info-viewer": ("system:authenticated", "system:unauthenticated"),
    "system:service-account-issuer-discovery": ("system:serviceaccounts",),
    "system:volume-scheduler": ("/system:kube-scheduler",),
}
# Roles of a namespace: name, rules, the binding's name, its subjects.
ROLES: tuple[tuple[str, str, tuple[str, ...], str, tuple[str, ...]], ...] = (
    (
        SYSTEM, "extension-apiserver-authentication-reader",
        ("get,list,watch - configmaps extension-apiserver-authentication",),
        "system::extension-apiserver-authentication-reader",
        ("/system:kube-controller-manager", "/system:kube-scheduler"),
    ),
    (
        SYSTEM, "system::leader-locking-kube-controller-manager",
        ("watch - configmaps", "get,update - configmaps kube-controller-manager"),
        "system::leader-locking-kube-controller-manager",
        ("/system:kube-controller-manager", "@kube-controller-manager"),
    ),
    (
        SYSTEM, "system::leader-locking-kube-scheduler",
        ("watch - configmaps", "get,update - configmaps kube-scheduler"),
        "system::leader-locking-kube-scheduler", ("/system:kube-scheduler", "@kube-scheduler"),
    ),
    (
        SYSTEM, "system:controller:bootstrap-signer", ("get,list,watch - secrets",),
        "system:controller:bootstrap-signer", ("@bootstrap-signer",),
    ),
    (
        SYSTEM, "system:controller:cloud-provider", ("create,get,list,watch - configmaps",),
        "system:controller:cloud-provider", ("@cloud-provider",),
    ),
    (
        SYSTEM, "system:controller:token-cleaner", ("delete,get,list,watch - secrets", EVENTS),
        "system:controller:token-cleaner", ("@token-cleaner",),
    ),
    (
        PUBLIC, "system:controller:bootstrap-signer",
        ("get,list,watch - configmaps", "update - configmaps cluster-info", EVENTS),
        "system:controller:bootstrap-signer", ("@bootstrap-signer",),
    ),
)  # fmt: skip


def objects() -> Iterator[Object]:
    """All of them, as they are created."""
    roles = cluster_roles()
    for name, rules in roles.items():
        to = name.removeprefix(PARTS) if name.startswith(PARTS) else ""
        yield {**_object("ClusterRole", name, to), "rules": rules}
    for name, _ in GATHERED:
        to = next((above for above, below in GATHERED if below == name), "")
        chosen = {"matchLabels": {f"{AGGREGATE}{name}": "true"}}
        rules = list(_gathered(roles, name))
        yield {
            **_object("ClusterRole", name, to),
            "aggregationRule": {"clusterRoleSelectors": [chosen]},
            "rules": rules,
        }
    for name in roles:
        if name in BINDINGS or name.startswith(CONTROLLERS):
            subjects = BINDINGS.get(name, (f"@{name.removeprefix(CONTROLLERS)}",))
            yield _binding("ClusterRoleBinding", name, "ClusterRole", name, subjects)
    for namespace, name, lines, binding, subjects in ROLES:
        role = {**_object("Role", name), "rules": [_rule(line) for line in lines]}
        for obj in (role, _binding("RoleBinding", binding, "Role", name, subjects)):
            yield {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def cluster_roles() -> dict[str, list[Object]]:
    """The ClusterRoles that have rules of their own, sorted by name."""
    from importlib.resources import files

    found: dict[str, list[Object]] = {}
    rules: list[Object] = []
    for line in files("minikube_py.apiserver").joinpath("default_roles.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if line.startswith(" "):
            rules.append(_rule(EVENTS if line == " E" else line))
        else:
            rules = found[line] = []
    return found


def _rule(line: str) -> Object:
    """'get,list - pods' and 'get paths /healthz' as rules."""
    verbs, groups, words, *names = (part.split(",") for part in line.split())
    if groups == ["paths"]:
        return {"nonResourceURLs": words, "verbs": verbs}
    rule: Object = {
        "apiGroups": ["" if group == "-" else group for group in groups],
        "resources": words,
        "verbs": verbs,
    }
    return {**rule, "resourceNames": names[0]} if names else rule


def _gathered(roles: dict[str, list[Object]], name: str) -> Iterator[Object]:
    """What the aggregation controller would make of it: the rules of 'view', of 'edit' and what 'view' has, ..."""
    below = dict(GATHERED)[name]
    for part in sorted(filter(None, (PARTS + name, below))):
        yield from _gathered(roles, part) if part == below else roles[part]


def _object(kind: str, name: str, gathered_by: str = "") -> Object:
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    if gathered_by:
        labels[f"{AGGREGATE}{gathered_by}"] = "true"
    meta = {"annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"}, "labels": labels, "name": name}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta}


def _binding(kind: str, name: str, role_kind: str, role: str, subjects: tuple[str, ...]) -> Object:
    reference = {"apiGroup": GROUP, "kind": role_kind, "name": role}
    found = {**_object(kind, name), "roleRef": reference}
    return {**found, "subjects": [_subject(one) for one in subjects]} if subjects else found


def _subject(word: str) -> Object:
    if word.startswith("@"):
        return {"kind": "ServiceAccount", "name": word[1:], "namespace": SYSTEM}
    if word.startswith("/"):
        return {"apiGroup": GROUP, "kind": "User", "name": word[1:]}
    return {"apiGroup": GROUP, "kind": "Group", "name": word}
