"""Webhook configurations: what is refused, with the field's path."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import validation
from minikube_py.api.kinds import BUILTIN

Object = dict[str, Any]
RULE: Object = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
GOOD: Object = {
    "name": "a.example.com",
    "clientConfig": {"url": "https://127.0.0.1:8443/x"},
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "rules": [RULE],
}


def causes(*hooks: Object, kind: str = "Validating") -> list[str]:
    version = "admissionregistration.k8s.io/v1"
    found = BUILTIN.find(version, f"{kind}WebhookConfiguration")
    assert found is not None
    obj = {"apiVersion": version, "kind": found.name, "metadata": {"name": "c"}, "webhooks": list(hooks)}
    return [str(cause) for cause in validation.validate(found, obj)]


def rule(**more: Any) -> Object:
    return {"rules": [{**RULE, **more}]}


def service(**more: Any) -> Object:
    return {"clientConfig": {"service": {"name": "s", "namespace": "n", **more}}}


HTTPS = "desired format: https://host[/path]"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"name": ""}, ["webhooks[0].name: Required value"]),
        ({"name": "a.b"}, ['webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots']),
        ({"sideEffects": None}, ["webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun"]),
        ({"sideEffects": "Some"}, ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"']),
        ({"admissionReviewVersions": []}, ["webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1"]),
        ({"admissionReviewVersions": ["v2"]}, ['webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1']),
        ({"admissionReviewVersions": ["v1", "v1"]}, ['webhooks[0].admissionReviewVersions[1]: Invalid value: "v1": duplicate version']),
        ({"timeoutSeconds": 31}, ["webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"]),
        ({"failurePolicy": "Maybe"}, ['webhooks[0].failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"']),
        ({"matchPolicy": "x"}, ['webhooks[0].matchPolicy: Unsupported value: "x": supported values: "Equivalent", "Exact"']),
        ({"clientConfig": {}}, ["webhooks[0].clientConfig: Required value: exactly one of url or service is required"]),
        ({"clientConfig": {"url": "http://a/b"}}, [f"webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; {HTTPS}"]),
        ({"clientConfig": {"url": "https:///b"}}, [f'webhooks[0].clientConfig.url: Invalid value: "": host must be specified; {HTTPS}']),
        ({"clientConfig": {"url": "https://a/b?c=d"}}, ['webhooks[0].clientConfig.url: Invalid value: "c=d": query parameters are not permitted in the URL']),
        ({"clientConfig": {"url": "https://me@a/b#c"}}, [
            'webhooks[0].clientConfig.url: Invalid value: "me": user information is not permitted in the URL',
            'webhooks[0].clientConfig.url: Invalid value: "c": fragments are not permitted in the URL',
        ]),
        (service(name=""), ["webhooks[0].clientConfig.service.name: Required value"]),
        (service(path="x"), ["webhooks[0].clientConfig.service.path: Invalid value: \"x\": must start with a '/'",
                             'webhooks[0].clientConfig.service.path: Invalid value: "x": segment[0] may not be empty']),
        (service(path="/a//b"), ['webhooks[0].clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty']),
        (service(port=0), ["webhooks[0].clientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive"]),
        (rule(operations=[]), ["webhooks[0].rules[0].operations: Required value"]),
        (rule(operations=["*", "CREATE"]), ["webhooks[0].rules[0].operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations"]),
        (rule(operations=["READ"]), ['webhooks[0].rules[0].operations[0]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"']),
        (rule(apiVersions=[""]), ["webhooks[0].rules[0].apiVersions[0]: Required value"]),
        (rule(resources=["*/*", "pods"]), ["webhooks[0].rules[0].resources: Invalid value: [\"*/*\",\"pods\"]: if '*/*' is present, must not specify other resources"]),
        (rule(resources=["*", "pods"]), ["webhooks[0].rules[0].resources: Invalid value: [\"*\",\"pods\"]: if '*' is present, must not specify other resources without subresources"]),
        (rule(resources=["pods/*", "pods/status"]), ["webhooks[0].rules[0].resources[1]: Invalid value: \"pods/status\": if 'pods/*' is present, must not specify pods/status"]),
        (rule(resources=["*/status", "pods/status"]), ["webhooks[0].rules[0].resources[1]: Invalid value: \"pods/status\": if '*/status' is present, must not specify pods/status"]),
        (rule(scope="All"), ['webhooks[0].rules[0].scope: Unsupported value: "All": supported values: "*", "Cluster", "Namespaced"']),
    ],
)  # fmt: skip
def test_what_is_refused(more: Object, expected: list[str]) -> None:
    hook = {name: value for name, value in {**GOOD, **more}.items() if value is not None}
    assert causes(hook) == expected


def test_names_are_unique_and_only_mutating_ones_are_asked_again() -> None:
    assert causes(GOOD, GOOD) == ['webhooks[1].name: Duplicate value: "a.example.com"']
    again = {**GOOD, "reinvocationPolicy": "Often"}
    assert causes(again, kind="Mutating") == [
        'webhooks[0].reinvocationPolicy: Unsupported value: "Often": supported values: "IfNeeded", "Never"'
    ]
