"""Defaults of priority and fairness. Source: pkg/apis/flowcontrol/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, fill, within

Object = dict[str, Any]

_EXEMPT: Object = {"lendablePercent": 0, "nominalConcurrencyShares": 0}
_LIMITED: Object = {"lendablePercent": 0, "limitResponse": {}, "nominalConcurrencyShares": 30}
_QUEUING: Object = {"handSize": 8, "queueLengthLimit": 50, "queues": 64}


def flow_schema(obj: Object) -> Object:
    return always(fill(obj, {"status": {}}), "spec", lambda spec: fill(spec, {"matchingPrecedence": 1000}))


def priority_level(obj: Object) -> Object:
    return always(fill(obj, {"status": {}}), "spec", _priority_level_spec)


def _priority_level_spec(spec: Object) -> Object:
    spec = within(spec, "exempt", lambda exempt: fill(exempt, _EXEMPT))
    return within(spec, "limited", _limited)


def _limited(limited: Object) -> Object:
    limited = fill(limited, _LIMITED)
    return within(
        limited,
        "limitResponse",
        lambda response: within(response, "queuing", lambda queuing: fill(queuing, _QUEUING)),
    )
