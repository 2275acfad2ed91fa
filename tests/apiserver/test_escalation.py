"""Nobody gives away rights that they do not have, by a role, a binding, or a role that gathers others."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.apiserver import authorizer
from minikube_py.base.errors import Forbidden, NotFound
from minikube_py.cluster import Cluster

Object = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
PODS: Object = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
ROLES: Object = {"apiGroups": [GROUP], "resources": ["*"], "verbs": ["get", "create", "update"]}


def rbac(kind: str, name: str, **fields: Any) -> Object:
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, **fields}


def binding(name: str, role: str, kind: str = "ClusterRole", user: str = "bob") -> Object:
    reference = {"apiGroup": GROUP, "kind": kind, "name": role}
    return rbac(
        "ClusterRoleBinding", name, roleRef=reference, subjects=[{"kind": "User", "name": user, "apiGroup": GROUP}]
    )


def held_by_ann(*rules: Object) -> Cluster:
    cluster = Cluster.memory(nodes=1)
    cluster.create(rbac("ClusterRole", "anns", rules=[ROLES, *rules]))
    cluster.create(binding("anns", "anns", user="ann"))
    cluster.subject = authorizer.impersonated("ann")
    return cluster


@pytest.mark.parametrize(
    ("held", "wanted", "allowed"),
    [
        (PODS, PODS, True),
        (PODS, {**PODS, "verbs": ["get"]}, True),
        (PODS, {**PODS, "resourceNames": ["a"]}, True),
        ({**PODS, "resourceNames": ["a"]}, PODS, False),
        ({**PODS, "resourceNames": ["a", "b"]}, {**PODS, "resourceNames": ["b"]}, True),
        ({**PODS, "resources": ["*"]}, {**PODS, "resources": ["pods/log"]}, True),
        ({**PODS, "resources": ["*/log"]}, {**PODS, "resources": ["pods/log"]}, True),
        (PODS, {**PODS, "resources": ["pods/log"]}, False),
        (PODS, {**PODS, "verbs": ["*"]}, False),
        ({**PODS, "apiGroups": ["*"]}, {**PODS, "apiGroups": ["apps"]}, True),
        ({"nonResourceURLs": ["/a/*"], "verbs": ["get"]}, {"nonResourceURLs": ["/a/b"], "verbs": ["get"]}, True),
        ({"nonResourceURLs": ["/a/*"], "verbs": ["get"]}, {"nonResourceURLs": ["/b"], "verbs": ["get"]}, False),
    ],
)
def test_a_role_grants_what_its_writer_has(held: Object, wanted: Object, allowed: bool) -> None:
    cluster = held_by_ann(held)
    role = rbac("ClusterRole", "new", rules=[wanted])
    if allowed:
        cluster.create(role)
        return
    with pytest.raises(Forbidden, match="is attempting to grant RBAC permissions not currently held"):
        cluster.create(role)


@pytest.mark.parametrize(
    ("verb", "name", "allowed"), [("bind", "view", True), ("bind", "edit", False), ("escalate", "view", False)]
)
def test_whoever_may_bind_a_role_gives_it_away(verb: str, name: str, allowed: bool) -> None:
    cluster = held_by_ann(
        {"apiGroups": [GROUP], "resources": ["clusterroles"], "resourceNames": [name], "verbs": [verb]}
    )
    if allowed:
        cluster.create(binding("b", "view"))
        return
    with pytest.raises(Forbidden):
        cluster.create(binding("b", "view"))


def test_whoever_may_escalate_writes_any_role() -> None:
    cluster = held_by_ann({"apiGroups": [GROUP], "resources": ["clusterroles"], "verbs": ["escalate"]})
    cluster.create(rbac("ClusterRole", "new", rules=[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]))


def test_a_role_that_is_not_there_is_bound_only_by_those_who_may_bind() -> None:
    cluster = held_by_ann()
    with pytest.raises(NotFound, match=f'clusterroles.{GROUP} "nope" not found'):
        cluster.create(binding("b", "nope"))
    cluster.subject = None
    cluster.create(binding("b", "nope"))


def test_what_gathers_roles_needs_an_administrator() -> None:
    gathering = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    cluster = held_by_ann(PODS)
    with pytest.raises(Forbidden, match="must have cluster-admin privileges to use the aggregationRule"):
        cluster.create(rbac("ClusterRole", "new", aggregationRule=gathering))
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    held_by_ann(*everything).create(rbac("ClusterRole", "new", aggregationRule=gathering))


def test_labels_may_be_changed_without_the_rights() -> None:
    cluster = held_by_ann()
    obj = cluster.get(f"clusterroles.{GROUP}", "edit")
    cluster.update({**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}}})
