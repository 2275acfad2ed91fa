"""matchLabelKeys and mismatchLabelKeys of a new pod become label selector requirements with the pod's own values.

Source: mutatePodAffinity and mutateTopologySpreadConstraints in pkg/registry/core/pod/strategy.go.
"""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import each, within

Object = dict[str, Any]


def merged(spec: Object, labels: dict[str, str]) -> Object:
    """A pod's spec with those keys merged into its selectors.

    Example: matchLabelKeys [pod-template-hash] of a pod labelled pod-template-hash=abc adds
    {key: pod-template-hash, operator: In, values: [abc]}. Keys that the pod does not carry add nothing.
    """

    def term(obj: Object) -> Object:
        return _mismatching(_matching(obj, labels), labels)

    def affinity(obj: Object) -> Object:
        obj = each(obj, "requiredDuringSchedulingIgnoredDuringExecution", term)
        return each(
            obj,
            "preferredDuringSchedulingIgnoredDuringExecution",
            lambda weighted: within(weighted, "podAffinityTerm", term),
        )

    def both(obj: Object) -> Object:
        return within(within(obj, "podAffinity", affinity), "podAntiAffinity", affinity)

    spec = within(spec, "affinity", both)
    return each(spec, "topologySpreadConstraints", lambda constraint: _matching(constraint, labels))


def _matching(holder: Object, labels: dict[str, str]) -> Object:
    return _require(holder, holder.get("matchLabelKeys"), "In", labels)


def _mismatching(holder: Object, labels: dict[str, str]) -> Object:
    return _require(holder, holder.get("mismatchLabelKeys"), "NotIn", labels)


def _require(holder: Object, keys: list[str] | None, operator: str, labels: dict[str, str]) -> Object:
    selector = holder.get("labelSelector")
    added = [{"key": key, "operator": operator, "values": [labels[key]]} for key in keys or () if key in labels]
    if selector is None or not added:
        return holder
    expressions = [*(selector.get("matchExpressions") or ()), *added]
    return {**holder, "labelSelector": {**selector, "matchExpressions": expressions}}
