"""`explain`, `certificate`, `plugin`, `kustomize`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minikube_py.printers import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: trees.example.com}
spec:
  group: example.com
  names: {kind: Tree, plural: trees}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        description: A tree.
        type: object
        properties:
          spec:
            type: object
            required: [height]
            properties:
              height: {type: integer, description: In metres.}
              leaves: {type: object, additionalProperties: {type: string}}
"""
TREE = """GROUP:      example.com
KIND:       Tree
VERSION:    v1

FIELD: spec <Object>


DESCRIPTION:
    <empty>
FIELDS:
  height	<integer> -required-
    In metres.

  leaves	<map[string]string>
    <no description>


"""
REQUEST = """
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: c1}
spec:
  signerName: example.com/x
  usages: [client auth]
  request: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlITE1ITUNBUUF3RVRFUE1BMEdBMVVFQXd3R1lXNW5aV3hoTUZrd0V3WUhLb1pJemowQ0FRWUlLb1pJemowRApBUWNEUWdBRWhzbzJuVWpDZDFFV2h2cXRpb2FNN1d3MlB5RTQvd002N2tJdXMyQ1orcGl5ckswU1dGcW9rbUwxCjZFTlJSY1FHbWh6dFVBVGlobXhTSnUrTStKV0w5YUFBTUFvR0NDcUdTTTQ5QkFNQ0EwZ0FNRVVDSUIyTWc0QVgKdTVVclM2RHhRbWNxWDIrbXY2UEpTZFZaMGdqZG5RS1VpUjNOQWlFQXYreW5uZzhpZXRkRGRpQ0pWZ20yditZbQpmVmxxNElCQlUwcDhpT3F1cWUwPQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K
"""


def test_custom_resources_are_explained_from_their_definition(kpy: Callable[..., Result]) -> None:
    kpy("apply", "-f", "-", stdin=CRD)
    assert kpy("explain", "trees.spec") == (0, TREE, "")
    assert kpy("explain", "trees.spec.leaves.x").err == 'error: field "x" does not exist\n'


def test_one_field_is_told_with_all_its_values(kpy: Callable[..., Result]) -> None:
    text = kpy("explain", "ingresses.networking.k8s.io.spec.rules.http.paths.pathType").out
    assert (
        "FIELD: pathType <string>\nENUM:\n    Exact\n    ImplementationSpecific\n    Prefix\n\nDESCRIPTION:\n" in text
    )


@pytest.mark.parametrize(
    ("limit", "text", "wrapped"),
    [
        (10, "one two three four", "one two\nthree four"),
        (5, "a verylongword b", "a\nverylongword\nb"),
        (9, "ends\nhere and goes on", "ends\nhere and\ngoes on"),
        (20, "two  blanks stay", "two  blanks stay"),
        (3, "a b \nc", "a b\nc"),
    ],
)
def test_text_is_wrapped_as_go_wordwrap_does(limit: int, text: str, wrapped: str) -> None:
    assert explain.wrap(limit, text) == wrapped


def test_a_request_is_decided_once(kpy: Callable[..., Result]) -> None:
    kpy("create", "-f", "-", stdin=REQUEST)
    told = "certificatesigningrequest.certificates.k8s.io/c1 approved\n"
    assert kpy("certificate", "approve", "c1") == (0, told, "")
    assert kpy("certificate", "approve", "c1") == (0, told, "")
    assert kpy("certificate", "deny", "c1").err == ('error: certificate signing request "c1" is already Approved\n')
    assert kpy("get", "csr", "c1", "-o", "jsonpath={.status.conditions[*].reason}").out == "KubectlApprove"


def test_plugins_are_found_on_the_path(
    kpy: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minikube_py.cli import plugin

    for name in ("kpy-foo", "kpy-foo-b_r", "kubectl-get", "kubectl-dull"):
        tmp_path.joinpath(name).write_text("#!/bin/sh\n")
        tmp_path.joinpath(name).chmod(0o644 if name == "kubectl-dull" else 0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert plugin.find(["foo", "b-r", "x", "-y"]) == [f"{tmp_path}/kpy-foo-b_r", "x", "-y"]
    assert plugin.find(["foo", "x"]) == [f"{tmp_path}/kpy-foo", "x"]
    assert plugin.find(["dull"]) == []
    result = kpy("plugin", "list", "--name-only")
    assert result.out == (
        "The following compatible plugins are available:\n\nkpy-foo\nkpy-foo-b_r\nkubectl-dull\nkubectl-get\n"
    )
    assert result.err == (
        f"  - warning: {tmp_path}/kubectl-dull identified as a kubectl plugin, but it is not executable\n"
        '  - warning: kubectl-get overwrites existing command: "kubectl get"\n'
        "error: 2 plugin warnings were found\n"
    )
