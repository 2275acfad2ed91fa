"""Whether a node is one of those that a pod template asks for: node name, node selector, required node affinity.

What the DaemonSet controller needs of the scheduler's rules; it counts nodes by itself and leaves the binding to the scheduler.
Source: k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects


def wants(spec: Object, node: Object) -> bool:
    """Whether a pod of this spec may run on the node, its taints and resources aside."""
    meta = node["metadata"]
    labels = meta.get("labels") or {}
    if spec.get("nodeName") not in (None, "", meta["name"]):
        return False
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(_matches(term, meta["name"], labels) for term in required.get("nodeSelectorTerms") or ())


def _matches(term: Object, name: str, labels: dict[str, str]) -> bool:
    """All expressions and fields of a term; an empty term matches nothing."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    return _all(expressions, labels) and _all(fields, {"metadata.name": name})


def _all(requirements: Objects, labels: dict[str, str]) -> bool:
    return all(_holds(one, labels.get(one["key"])) for one in requirements)


def _holds(requirement: Object, value: str | None) -> bool:
    values, operator = requirement.get("values") or [], requirement["operator"]
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator in ("Exists", "DoesNotExist"):
        return bool((value is not None) == (operator == "Exists"))
    try:
        found, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return found > bound if operator == "Gt" else found < bound


def pinned(spec: Object, node: str) -> Object:
    """The spec with a required affinity to that one node; other terms of the affinity are replaced."""
    affinity = spec.get("affinity") or {}
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    about_nodes = {
        **(affinity.get("nodeAffinity") or {}),
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]},
    }
    return {**spec, "affinity": {**affinity, "nodeAffinity": about_nodes}}


def pinned_to(pod: Object) -> str:
    """The node that a pod is bound to or, before that, pinned to; '' if neither."""
    spec = pod["spec"]
    if spec.get("nodeName"):
        return str(spec["nodeName"])
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In" and len(field["values"]) == 1:
                return str(field["values"][0])
    return ""
