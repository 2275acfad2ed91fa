"""The ClusterRoles and bindings that an API server makes for itself: for people, not those of the cluster's components.

Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]

GROUP = "rbac.authorization.k8s.io"
AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
READ = ("get", "list", "watch")
WRITE = ("create", "delete", "deletecollection", "patch", "update")
READ_WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
EVERYBODY = ("system:authenticated", "system:unauthenticated")


def objects() -> Iterator[Object]:
    """All of them, as they are created."""
    for name, text, to in ROLES:
        role = _object("ClusterRole", name, {f"{AGGREGATE}{to}": "true"} if to else {})
        yield {**role, "rules": list(_rules(text))}
    for name, to in (("admin", ""), ("edit", "admin"), ("view", "edit")):
        role = _object("ClusterRole", name, {f"{AGGREGATE}{to}": "true"} if to else {})
        chosen = {"matchLabels": {f"{AGGREGATE}{name}": "true"}}
        yield {**role, "aggregationRule": {"clusterRoleSelectors": [chosen]}, "rules": list(_gathered(name))}
    for name, groups in BINDINGS:
        subjects = [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in groups]
        reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": name}
        yield {**_object("ClusterRoleBinding", name, {}), "roleRef": reference, "subjects": subjects}


def _object(kind: str, name: str, labels: dict[str, str]) -> Object:
    meta = {
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults", **labels},
        "name": name,
    }
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta}


def _gathered(name: str) -> Iterator[Object]:
    """What the aggregation controller would make of it: the rules of 'view', of 'edit' and what 'view' has, ..."""
    below = {"admin": "edit", "edit": "view"}.get(name, "")
    parts = [
        (
            f"system:aggregate-to-{name}",
            list(_rules(next(text for role, text, _ in ROLES if role == f"system:aggregate-to-{name}"))),
        )
    ]
    if below:
        parts.append((below, list(_gathered(below))))
    for _, rules in sorted(parts, key=lambda part: part[0]):
        yield from rules


def _rules(given: tuple[tuple[tuple[str, ...], str, str], ...]) -> Iterator[Object]:
    for verbs, group, words in given:
        if group == PATHS:
            yield {"nonResourceURLs": words.split(), "verbs": list(verbs)}
        else:
            yield {"apiGroups": [group], "resources": words.split(), "verbs": list(verbs)}


PATHS = "paths"  # in the place of a group: the words are paths and not resources
_PUBLIC = "/healthz /livez /readyz /version /version/"
_DISCOVERY = "/.well-known /.well-known/* /api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"
_WORKLOADS = "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale"
_OLD_WORKLOADS = (
    "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale "
    "replicationcontrollers/scale"
)
_REVIEWS = "selfsubjectaccessreviews selfsubjectrulesreviews"

# Name, rules (verbs, API group, resources), and the role that gathers it.
ROLES: tuple[tuple[str, tuple[tuple[tuple[str, ...], str, str], ...], str], ...] = (
    ("cluster-admin", ((("*",), "*", "*"), (("*",), PATHS, "*")), ""),
    (
        "system:aggregate-to-admin",
        (
            (("create",), "authorization.k8s.io", "localsubjectaccessreviews"),
            (READ_WRITE, GROUP, "rolebindings roles"),
        ),
        "admin",
    ),
    (
        "system:aggregate-to-edit",
        (
            (READ, "", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
            (("impersonate",), "", "serviceaccounts"),
            (WRITE, "", "pods pods/attach pods/exec pods/portforward pods/proxy"),
            (("create",), "", "pods/eviction"),
            (
                WRITE,
                "",
                "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
                "serviceaccounts services services/proxy",
            ),
            (("create",), "", "serviceaccounts/token"),
            (WRITE, "apps", _WORKLOADS),
            (WRITE, "autoscaling", "horizontalpodautoscalers"),
            (WRITE, "batch", "cronjobs jobs"),
            (WRITE, "extensions", _OLD_WORKLOADS),
            (WRITE, "policy", "poddisruptionbudgets"),
            (WRITE, "networking.k8s.io", "ingresses networkpolicies"),
            (READ_WRITE, "coordination.k8s.io", "leases"),
            (WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
        ),
        "edit",
    ),
    (
        "system:aggregate-to-view",
        (
            (
                READ,
                "",
                "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
                "replicationcontrollers/scale serviceaccounts services services/status",
            ),
            (
                READ,
                "",
                "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
                "resourcequotas resourcequotas/status",
            ),
            (READ, "", "namespaces"),
            (READ, "discovery.k8s.io", "endpointslices"),
            (
                READ,
                "apps",
                "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
                "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
            ),
            (READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
            (READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
            (
                READ,
                "extensions",
                "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status "
                "networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
            ),
            (READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
            (READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
            (READ, "events.k8s.io", "events"),
            (READ, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
        ),
        "view",
    ),
    (
        "system:basic-user",
        (
            (("create",), "authorization.k8s.io", _REVIEWS),
            (("create",), "authentication.k8s.io", "selfsubjectreviews"),
        ),
        "",
    ),
    ("system:discovery", ((("get",), PATHS, _DISCOVERY),), ""),
    ("system:public-info-viewer", ((("get",), PATHS, _PUBLIC),), ""),
)
BINDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cluster-admin", ("system:masters",)),
    ("system:basic-user", ("system:authenticated",)),
    ("system:discovery", ("system:authenticated",)),
    ("system:public-info-viewer", EVERYBODY),
)
