"""`--as`, `auth` and `create token`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

ROLES = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list]}
- {apiGroups: [apps], resources: [deployments/scale], resourceNames: [web], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
- {kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}
- {kind: Group, name: crew, apiGroup: rbac.authorization.k8s.io}
- {kind: ServiceAccount, name: robot, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: gathered}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {part: "yes"}}
rules:
- {apiGroups: ["*"], resources: ["*"], verbs: [list]}
- {nonResourceURLs: ["/logs/*"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: gathered}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: gathered}
subjects: [{kind: User, name: eve, apiGroup: rbac.authorization.k8s.io}]
"""
ROBOT = "system:serviceaccount:default:robot"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("get pods", "yes"),
        ("get pods --as=nobody", "no"),
        ("get configmaps --as=ann", "yes"),
        ("get cm/one --as=ann", "yes"),
        ("delete cm --as=ann", "no"),
        ("get cm --as=ann -n kube-system", "no"),
        ("get cm --as=x --as-group=crew", "yes"),
        (f"list cm --as={ROBOT}", "yes"),
        ("patch deploy/web --subresource=scale --as=ann", "yes"),
        ("patch deploy/api --subresource=scale --as=ann", "no"),
        ("patch deploy/web --as=ann", "no"),
        ("list secrets --as=eve -A", "yes"),
        ("get /logs/today --as=eve", "yes"),
        ("get /logs/today --as=ann", "no"),
        ("get /api/v1 --as=ann", "yes"),
        ("delete pods --as=x --as-group=system:masters", "yes"),
    ],
)
def test_the_roles_that_are_bound_decide(kpy: Callable[..., Result], words: str, answer: str) -> None:
    assert kpy("apply", "-f", "-", stdin=ROLES).code == 0
    assert kpy("auth", "can-i", *words.split()) == (0 if answer == "yes" else 1, f"{answer}\n", "")


def test_requests_of_somebody_else_are_checked(kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=ROLES)
    kpy("create", "configmap", "one")
    assert kpy("get", "cm", "one", "-o", "name", "--as=ann").out == "configmap/one\n"
    refused = kpy("delete", "cm", "one", "--as=ann")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
        'Error from server (Forbidden): configmaps "one" is forbidden: User "ann" cannot delete resource "configmaps" in '
        'API group "" in the namespace "default"\n'
    )
    assert kpy("get", "deploy", "web", "--as=eve").err == (
        'Error from server (Forbidden): deployments.apps "web" is forbidden: User "eve" cannot get resource "deployments" in '
        'API group "apps" in the namespace "default"\n'
    )
    assert kpy("get", "nodes", "--as-group=crew").err == (
        "Error in configuration: requesting uid, groups or user-extra for admin without impersonating a user\n"
    )


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        ("get nope", "the server doesn't have a resource type 'nope'"),
        ("get nodes", "resource 'nodes' is not namespace scoped"),
        ("get clusterroles", "resource 'clusterroles' is not namespace scoped in group 'rbac.authorization.k8s.io'"),
        ("frobnicate pods", "verb 'frobnicate' is not a known verb"),
    ],
)
def test_can_i_warns_of_what_the_api_does_not_know(kpy: Callable[..., Result], words: str, warning: str) -> None:
    assert kpy("auth", "can-i", *words.split()) == (0, "yes\n", f"Warning: {warning}\n\n")


def test_a_token_tells_whose_it_is_and_how_long(kpy: Callable[..., Result]) -> None:
    kpy("create", "serviceaccount", "robot")
    token = kpy("create", "token", "robot", "--duration=20m", "--audience=a,b").out
    middle = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert claims["sub"] == ROBOT
    assert claims["exp"] - claims["iat"] == 1200
    assert claims["aud"] == ["a,b"]
    assert kpy("create", "token", "robot", "--duration=20m", "--audience=a,b").out == token
    assert kpy("create", "token", "none").err == 'error: failed to create token: serviceaccounts "none" not found\n'
    assert "may not specify a duration less than 10 minutes" in kpy("create", "token", "robot", "--duration=5m").err
