"""Defaults of priority and fairness. Source: pkg/apis/flowcontrol/v1/defaults.go."""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import always, fill, settle, within

Object = dict[str, Any]

_EXEMPT: Object = {"lendablePercent": 0, "nominalConcurrencyShares": 0}
_LIMITED: Object = {"lendablePercent": 0, "limitResponse": {}}
_QUEUING: Object = {"handSize": 8, "queueLengthLimit": 50, "queues": 64}


def flow_schema(obj: Object) -> Object:
    return always(fill(obj, {"status": {}}), "spec", lambda spec: settle(spec, {"matchingPrecedence": 1000}))


def priority_level(obj: Object) -> Object:
    return always(fill(obj, {"status": {}}), "spec", _priority_level_spec)


def _priority_level_spec(spec: Object) -> Object:
    spec = within(spec, "exempt", lambda exempt: settle(exempt, _EXEMPT))
    return within(spec, "limited", _limited)


def _limited(limited: Object) -> Object:
    if limited.get("nominalConcurrencyShares") is None:  # a given 0 stays
        limited = {**limited, "nominalConcurrencyShares": 30}
    limited = fill(limited, _LIMITED)
    return within(
        limited,
        "limitResponse",
        lambda response: within(response, "queuing", lambda queuing: settle(queuing, _QUEUING)),
    )
