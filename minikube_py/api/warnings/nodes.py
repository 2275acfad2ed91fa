"""Deprecated node labels. Source: pkg/api/node/util.go."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def in_term(path: str, term: Object) -> list[str]:
    """Deprecated labels in the expressions of a node selector term."""
    return [
        f"{path}.matchExpressions[{index}].key: {expression.get('key')} is {LABELS[expression['key']]}"
        for index, expression in enumerate(term.get("matchExpressions") or ())
        if expression.get("key") in LABELS
    ]
