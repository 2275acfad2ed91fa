"""Cells of a HorizontalPodAutoscaler. Source: formatHPAMetrics in pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.printers.cells.meta import at

if TYPE_CHECKING:
    from minikube_py.api.types import Object

FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
MOST = 2


def reference(hpa: Object, now_s: int) -> str:
    return f"{at(hpa, 'spec', 'scaleTargetRef', 'kind')}/{at(hpa, 'spec', 'scaleTargetRef', 'name')}"


def targets(hpa: Object, now_s: int) -> str:
    """'cpu: 35%/80%', 'cpu: <unknown>/80%, 5/10 (avg) + 1 more...'"""
    metrics = at(hpa, "spec", "metrics") or ()
    current = at(hpa, "status", "currentMetrics") or ()
    if not metrics:
        return "<none>"
    shown = [metric_text(one, current[index] if index < len(current) else {}) for index, one in enumerate(metrics)]
    joined = ", ".join(shown[:MOST])
    return f"{joined} + {len(shown) - MOST} more..." if len(shown) > MOST else joined


def metric_text(metric: Object, status: Object) -> str:
    """One metric: what it is now and what it should be."""
    field = FIELDS.get(metric.get("type", ""))
    if field is None:
        return "<unknown type>"
    source, now = metric.get(field) or {}, at(status, field, "current") or {}
    target = source.get("target") or {}
    if field == "pods":
        return f"{now.get('averageValue', '<unknown>')}/{target.get('averageValue', '0')}"
    if field in ("external", "object"):
        if target.get("averageValue") is not None:
            return f"{now.get('averageValue', '<unknown>')}/{target['averageValue']} (avg)"
        return f"{now.get('value', '<unknown>')}/{target.get('value', '<nil>')}"
    if target.get("averageValue") is not None:
        return f"{source.get('name')}: {now.get('averageValue', '<unknown>')}/{target['averageValue']}"
    return f"{source.get('name')}: {_percent(now, '<unknown>')}/{_percent(target, '<auto>')}"


def _percent(value: Object, missing: str) -> str:
    found = value.get("averageUtilization")
    return missing if found is None else f"{found}%"


def recommended_cpu(vpa: Object, now_s: int) -> str:
    """What a VerticalPodAutoscaler recommends for its first container."""
    return _recommended(vpa, "cpu")


def recommended_memory(vpa: Object, now_s: int) -> str:
    return _recommended(vpa, "memory")


def _recommended(vpa: Object, name: str) -> str:
    found = ((vpa.get("status") or {}).get("recommendation") or {}).get("containerRecommendations") or [{}]
    return str((found[0].get("target") or {}).get(name, ""))


def provided(vpa: Object, now_s: int) -> str:
    """The status of the condition RecommendationProvided."""
    conditions = (vpa.get("status") or {}).get("conditions") or ()
    return next((str(one["status"]) for one in conditions if one["type"] == "RecommendationProvided"), "")
