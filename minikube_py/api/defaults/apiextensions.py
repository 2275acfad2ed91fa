"""Defaults of CustomResourceDefinitions. Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, each, fill, within

Object = dict[str, Any]

STATUS: Object = {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": None}


def custom_resource_definition(obj: Object) -> Object:
    return always(always(obj, "spec", _spec), "status", lambda status: fill(status, STATUS))


def _spec(spec: Object) -> Object:
    spec = always(spec, "names", _names)
    spec = always(fill(spec, {"conversion": {"strategy": "None"}}), "conversion", _conversion)
    return each(spec, "versions", lambda version: each(version, "additionalPrinterColumns", _column))


def _names(names: Object) -> Object:
    kind = names.get("kind")
    return fill(names, {"singular": kind.lower(), "listKind": f"{kind}List"}) if kind else names


def _conversion(conversion: Object) -> Object:
    """A conversion webhook's service listens on 443."""
    return within(
        conversion,
        "webhook",
        lambda webhook: within(
            webhook,
            "clientConfig",
            lambda config: within(config, "service", lambda service: fill(service, {"port": 443})),
        ),
    )


def _column(column: Object) -> Object:
    return fill(column, {"jsonPath": ""})
