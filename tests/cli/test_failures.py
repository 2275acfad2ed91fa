"""Errors on kubectl's standard error."""

from __future__ import annotations

import pytest

from minikube_py.base import errors
from minikube_py.base.errors import Cause, Invalid, StatusError, UsageError
from minikube_py.cli import failures

ONE = [Cause("spec.replicas", "FieldValueInvalid", "Invalid value: -1: must be greater than or equal to 0")]
TWO = [*ONE, Cause("spec.selector", "FieldValueRequired", "Required value")]


@pytest.mark.parametrize(
    ("error", "source", "expected"),
    [
        (errors.not_found("pods", "nope"), "", 'Error from server (NotFound): pods "nope" not found\n'),
        (errors.not_found("namespaces", "nowhere"), "STDIN", 'Error from server (NotFound): error when creating "STDIN": namespaces "nowhere" not found\n'),
        (errors.already_exists("deployments.apps", "web"), "", 'Error from server (AlreadyExists): deployments.apps "web" already exists\n'),
        (StatusError("failed to create typed patch object"), "", "Error from server: failed to create typed patch object\n"),
        (errors.Unauthorized("Unauthorized"), "", "error: You must be logged in to the server (Unauthorized)\n"),
        (Invalid("Deployment", "apps", "web", ONE), "STDIN", 'The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\n'),
        (Invalid("Deployment", "apps", "web", TWO), "", 'The Deployment "web" is invalid: \n* spec.replicas: Invalid value: -1: must be greater than or equal to 0\n* spec.selector: Required value\n'),
        (Invalid("Deployment", "apps", "web", ONE * 2), "", 'The Deployment "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\n'),
        (Invalid("", "", "", [Cause("patch", "FieldValueInvalid", 'Invalid value: "x": bad')]), "", 'The request is invalid: patch: Invalid value: "x": bad\n'),
        (UsageError("no objects passed to apply"), "", "error: no objects passed to apply\n"),
        (UsageError("error: already said"), "", "error: already said\n"),
        (UsageError("exactly one NAME is required, got 0", "See 'kubectl create configmap -h' for help and examples"), "", "error: exactly one NAME is required, got 0\nSee 'kubectl create configmap -h' for help and examples\n"),
    ],
)  # fmt: skip
def test_the_text_is_kubectls(error: errors.KpyError, source: str, expected: str) -> None:
    assert failures.text(failures.Sourced(error, "creating", source) if source else error) == expected


def test_one_error_of_several_has_no_prefix_of_its_own() -> None:
    several = failures.Several([errors.not_found("services", "nope"), UsageError("bad file")])
    assert failures.text(several) == 'Error from server (NotFound): services "nope" not found\nbad file\n'
