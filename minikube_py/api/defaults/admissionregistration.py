"""Defaults of webhooks and admission policies. Source: pkg/apis/admissionregistration/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import each, fill, within

Object = dict[str, Any]

_WEBHOOK: Object = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
}
_MATCH: Object = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
_PORT: Object = {"port": 443}
_SCOPE: Object = {"scope": "*"}


def validating_configuration(obj: Object) -> Object:
    return each(obj, "webhooks", _webhook)


def mutating_configuration(obj: Object) -> Object:
    return each(obj, "webhooks", lambda webhook: fill(_webhook(webhook), {"reinvocationPolicy": "Never"}))


def _webhook(webhook: Object) -> Object:
    webhook = within(fill(webhook, _WEBHOOK), "clientConfig", _client_config)
    return each(webhook, "rules", _rule)


def _client_config(config: Object) -> Object:
    return within(config, "service", lambda service: fill(service, _PORT))


def _rule(rule: Object) -> Object:
    return fill(rule, _SCOPE)


def validating_policy(obj: Object) -> Object:
    return within(fill(obj, {"status": {}}), "spec", _policy_spec)


def mutating_policy(obj: Object) -> Object:
    return within(obj, "spec", _policy_spec)


def _policy_spec(spec: Object) -> Object:
    return within(fill(spec, {"failurePolicy": "Fail"}), "matchConstraints", _match_resources)


def _match_resources(match: Object) -> Object:
    match = each(fill(match, _MATCH), "resourceRules", _rule)
    return each(match, "excludeResourceRules", _rule)


def policy_binding(obj: Object) -> Object:
    return within(obj, "spec", _binding_spec)


def _binding_spec(spec: Object) -> Object:
    spec = within(spec, "paramRef", lambda reference: fill(reference, {"parameterNotFoundAction": "Deny"}))
    return within(spec, "matchResources", _match_resources)
