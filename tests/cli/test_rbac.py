"""RBAC: what --as may do, and how it is told that it may not, as recorded on a real cluster."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "data" / "rbac.json").read_text())
# The first shows what else was in that cluster; the other went over a web socket, whose error has words of its own.
NOT_COMPARED = ("get nodes --as=bob --as-group=system:masters", "exec p -- ls --as=alice")
VARYING = re.compile(r"\b\d+[smhd]\b|kube-api-access-\w+|\d{4}-\d\d-\d\dT[\d:]+Z| +")
POD = """{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {schedulerName: none, containers: [{name: c, image: 'nginx:1.27'}]}}"""


def words_of(command: str) -> list[str]:
    """The words of a command line; the JSON behind -p was not quoted when it was written down."""
    before, flag, json_text = command.partition(" -p ")
    return [*shlex.split(before)[1:], *(["-p", json_text] if flag else [])]


def masked(text: str) -> str:
    return VARYING.sub(" ", text)


def test_recorded_commands_are_allowed_and_refused_in_the_same_words(kpy: Callable[..., Result]) -> None:
    kpy("create", "namespace", "x-rbac")
    kpy("-n", "x-rbac", "create", "-f", "-", stdin=POD)
    different, counted = [], 0
    for step in RECORDED:
        found = kpy(*words_of(step["cmd"]), stdin=step["stdin"])
        if any(step["cmd"].endswith(other) for other in NOT_COMPARED):
            continue
        counted += 1
        if (found.code, masked(found.out), masked(found.err)) != (
            step["rc"],
            masked(step["stdout"]),
            masked(step["stderr"]),
        ):
            different.append((step["cmd"], found))
    print(f"{counted - len(different)} of {counted} recorded commands are equal")
    assert [command for command, _ in different] == []


@pytest.mark.parametrize(
    ("role", "verb", "what", "answer"),
    [
        ("view", "get", "pods", "yes"),
        ("view", "get", "secrets", "no"),
        ("view", "delete", "deployments.apps", "no"),
        ("edit", "get", "secrets", "yes"),
        ("edit", "delete", "deployments.apps", "yes"),
        ("edit", "create", "rolebindings", "no"),
        ("admin", "create", "rolebindings", "yes"),
        ("admin", "create", "nodes", "no"),
    ],
)
def test_the_default_roles_allow_what_kubernetes_says(
    kpy: Callable[..., Result], role: str, verb: str, what: str, answer: str
) -> None:
    kpy("create", "rolebinding", "rb", f"--clusterrole={role}", "--user=bob")
    assert kpy("auth", "can-i", verb, what, "--as=bob").out == f"{answer}\n"


def test_a_role_that_is_labelled_for_it_is_gathered_by_view(kpy: Callable[..., Result]) -> None:
    kpy("create", "rolebinding", "rb", "--clusterrole=view", "--user=bob")
    kpy("create", "clusterrole", "more", "--verb=get", "--resource=nodes")
    kpy("label", "clusterrole", "more", "rbac.authorization.k8s.io/aggregate-to-view=true")
    kpy("reconcile")
    rules = kpy("get", "clusterrole", "view", "-o", "jsonpath={.rules[0]}").out
    assert json.loads(rules) == {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}


ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: fresh}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
"""
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r, namespace: fresh}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: User, name: bob, apiGroup: rbac.authorization.k8s.io}]
"""


def test_auth_reconcile_makes_what_is_missing_and_its_namespace(kpy: Callable[..., Result]) -> None:
    done = kpy("auth", "reconcile", "-f", "-", stdin=f"{ROLE}---{BINDING}")
    assert (
        done.out == "role.rbac.authorization.k8s.io/r reconciled\nrolebinding.rbac.authorization.k8s.io/r reconciled\n"
    )
    assert done.err == (
        "\treconciliation required create\n\tmissing rules added:\n"
        "\t\t{Verbs:[get list] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}\n"
        "\treconciliation required create\n\tmissing subjects added:\n"
        "\t\t{Kind:User APIGroup:rbac.authorization.k8s.io Name:bob Namespace:}\n"
    )
    assert kpy("get", "pods", "-n", "fresh", "--as=bob").code == 0
    assert kpy("auth", "reconcile", "-f", "-", stdin=f"{ROLE}---{BINDING}").err == ""


def test_auth_reconcile_adds_and_removes_only_if_told(kpy: Callable[..., Result]) -> None:
    kpy("auth", "reconcile", "-f", "-", stdin=ROLE)
    changed = ROLE.replace("[get, list]", "[get, watch]")
    kpy("auth", "reconcile", "-f", "-", stdin=changed)
    verbs = "jsonpath={.rules[*].verbs}"
    assert kpy("get", "role", "r", "-n", "fresh", "-o", verbs).out == '["get","list"] ["watch"]'
    done = kpy("auth", "reconcile", "-f", "-", "--remove-extra-permissions", stdin=changed)
    assert "extra rules removed:\n\t\t{Verbs:[list] " in done.err
    assert kpy("get", "role", "r", "-n", "fresh", "-o", verbs).out == '["get","watch"]'


def test_a_shell_in_a_pod_needs_a_right_of_its_own(kpy: Callable[..., Result]) -> None:
    kpy("create", "-f", "-", stdin=POD.replace("schedulerName: none, ", ""))
    kpy("reconcile")
    kpy("create", "rolebinding", "view", "--clusterrole=view", "--user=bob")
    for words in (["exec", "p", "--as=bob", "--", "ls"], ["cp", "p:/etc/hostname", "x", "--as=bob"]):
        refused = kpy(*words)
        assert refused.code == 1
        assert (
            'pods "p" is forbidden: User "bob" cannot create resource "pods/exec" in API group "" in the namespace "default"'
        ) in refused.err
    assert 'cannot create resource "pods/attach"' in kpy("attach", "p", "--as=bob").err
    kpy("create", "rolebinding", "edit", "--clusterrole=edit", "--user=bob")
    assert kpy("exec", "p", "--as=bob", "--", "hostname").out == "p\n"
