"""Objects between the versions of their kind: HorizontalPodAutoscalers (autoscaling/v1 and v2), Events (core and
events.k8s.io), and custom resources, where only the apiVersion changes.

Sources: pkg/apis/autoscaling/v1/conversion.go, pkg/apis/events/v1/conversion.go of kubernetes/kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

METRICS = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"
EVENT_FIELDS = (  # core, events.k8s.io
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
)


def to_stored(kind: Kind, obj: Object) -> Object:
    """A decoded object of any of its kind's versions as it is stored; the object itself if it is of that version."""
    version = obj["apiVersion"]
    if version == "autoscaling/v1" and kind.name == "HorizontalPodAutoscaler":
        return _hpa_to_v2(obj)
    if version == "events.k8s.io/v1" and kind.stored_as == "events":
        return _printed("v1", "Event", _renamed(obj, {new: old for old, new in EVENT_FIELDS}))
    return obj if version == kind.version else {**obj, "apiVersion": kind.version}


def to_version(kind: Kind, api_version: str, obj: Object) -> Object:
    """A stored object as a client sees it that asks for `api_version`."""
    if obj["apiVersion"] == api_version:
        return obj
    if api_version == "autoscaling/v1" and kind.name == "HorizontalPodAutoscaler":
        return _hpa_to_v1(obj)
    if api_version == "events.k8s.io/v1":
        return _printed(api_version, "Event", _renamed(obj, dict(EVENT_FIELDS)))
    return {**obj, "apiVersion": api_version}


def _renamed(obj: Object, names: dict[str, str]) -> Object:
    return {names.get(field, field): value for field, value in obj.items()}


def _printed(api_version: str, kind: str, obj: Object) -> Object:
    """With the fields that Go always prints, and without those that it leaves out."""
    from minikube_py.api import gocodec, gotypes

    go = gotypes.type_of(api_version, kind)
    assert go is not None
    printed: Object = gocodec.codec(go).decode(gocodec.Run(), {**obj, "apiVersion": api_version, "kind": kind}, None)
    return printed


# ------------------------------------------------------------------------------- HorizontalPodAutoscaler v1 -> v2


def _hpa_to_v2(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj["metadata"].get("annotations") or {})
    target = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = [] if target is None else [_cpu({"target": {"type": "Utilization", "averageUtilization": target}})]
    metrics += [_metric_to_v2(one) for one in _loaded(annotations.pop(METRICS, ""))]
    behavior = _loaded(annotations.pop(BEHAVIOR, ""))
    now = status.pop("currentCPUUtilizationPercentage", None)
    told = [_metric_to_v2(one) for one in _loaded(annotations.pop(CURRENT, ""))]
    if not told and now is not None:
        told = [_cpu({"current": {"averageUtilization": now}})]
    conditions = _loaded(annotations.pop(CONDITIONS, ""))
    return _printed(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        {
            "metadata": {**obj["metadata"], "annotations": annotations},
            "spec": {**spec, "metrics": metrics, **({"behavior": _camel(behavior)} if behavior else {})},
            "status": {**status, "currentMetrics": told or None, "conditions": conditions or None},
        },
    )


def _cpu(more: Object) -> Object:
    return {"type": "Resource", "resource": {"name": "cpu", **more}}


def _loaded(text: str) -> Any:
    """The JSON of an annotation; [] if there is none or it cannot be read, as the real conversion ignores it."""
    import json

    try:
        return json.loads(text) if text else []
    except ValueError:
        return []


def _metric_to_v2(metric: Object) -> Object:
    """One metric of an annotation, which has the shape of autoscaling/v1's MetricSpec or MetricStatus."""
    field = _field(metric)
    source = metric.get(field) or {}
    out: Object = {}
    if "target" in source:
        out["describedObject"] = source["target"]
    if field in ("resource", "containerResource"):
        out |= {name: source[name] for name in ("name", "container") if name in source}
    else:
        selector = source.get("metricSelector") or source.get("selector")
        out["metric"] = {"name": source.get("metricName", ""), **({"selector": selector} if selector else {})}
    values = {
        "averageUtilization": source.get("targetAverageUtilization", source.get("currentAverageUtilization")),
        "averageValue": source.get("targetAverageValue", source.get("currentAverageValue", source.get("averageValue"))),
        "value": source.get("targetValue", source.get("currentValue")),
    }
    given = {name: value for name, value in values.items() if value is not None}
    if any(name.startswith("current") for name in source):
        return {"type": metric["type"], field: {**out, "current": given}}
    if "averageValue" in given and given.get("value") in (0, "0"):
        del given["value"]  # v1 always prints an object's targetValue
    type = next(iter(given), "")
    return {"type": metric["type"], field: {**out, "target": {"type": type[:1].upper() + type[1:], **given}}} | (
        {} if type != "averageUtilization" else {field: {**out, "target": {"type": "Utilization", **given}}}
    )


def _field(metric: Object) -> str:
    type = str(metric.get("type", ""))
    return type[:1].lower() + type[1:]


def _camel(value: Any) -> Any:
    """The behaviour annotation is the internal type without JSON names: 'ScaleUp' -> 'scaleUp'."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _camel(one) for key, one in value.items() if one is not None}
    return [_camel(one) for one in value] if isinstance(value, list) else value


# ------------------------------------------------------------------------------- HorizontalPodAutoscaler v2 -> v1


def _hpa_to_v1(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj["metadata"].get("annotations") or {})
    others, target = [], None
    for metric in spec.pop("metrics", None) or ():
        utilization = ((metric.get("resource") or {}).get("target") or {}).get("averageUtilization")
        if target is None and (metric.get("resource") or {}).get("name") == "cpu" and utilization is not None:
            target = utilization
        else:
            others.append(_metric_to_v1(metric))
    told = status.pop("currentMetrics", None) or []
    conditions = status.pop("conditions", None) or []
    behavior = spec.pop("behavior", None)
    now = next((_utilization(one) for one in told if _utilization(one) is not None), None)
    for name, value in ((METRICS, others), (CURRENT, [_metric_to_v1(one) for one in told]), (CONDITIONS, conditions)):
        if value:
            annotations[name] = _text(value)
    if behavior:
        annotations[BEHAVIOR] = _text(_pascal(behavior))
    return _printed(
        "autoscaling/v1",
        "HorizontalPodAutoscaler",
        {
            "metadata": {**obj["metadata"], "annotations": annotations},
            "spec": {**spec, "targetCPUUtilizationPercentage": target},
            "status": {**status, "currentCPUUtilizationPercentage": now},
        },
    )


def _utilization(status: Object) -> int | None:
    resource = status.get("resource") or {}
    found: int | None = (resource.get("current") or {}).get("averageUtilization")
    return found if resource.get("name") == "cpu" else None


def _text(value: Any) -> str:
    import json

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: _pascal(one) for key, one in value.items()}
    return [_pascal(one) for one in value] if isinstance(value, list) else value


def _metric_to_v1(metric: Object) -> Object:
    """One metric of v2 in the shape of autoscaling/v1, as it stands in the annotations."""
    field = _field(metric)
    source = metric.get(field) or {}
    is_status = "current" in source
    prefix, given = ("current", source["current"]) if is_status else ("target", source.get("target") or {})
    out: Object = {name: source[name] for name in ("name", "container") if name in source}
    if "describedObject" in source:
        out["target"] = source["describedObject"]
    if "metric" in source:
        out["metricName"] = source["metric"].get("name", "")
        if source["metric"].get("selector"):
            out["metricSelector" if field == "external" else "selector"] = source["metric"]["selector"]
    if field == "object":
        out[f"{prefix}Value"] = given.get("value", "0")
        if "averageValue" in given:
            out["averageValue"] = given["averageValue"]
    else:
        for name in ("averageUtilization", "averageValue", "value"):
            if given.get(name) is not None:
                out[f"{prefix}{name[0].upper()}{name[1:]}"] = given[name]
    return {"type": metric["type"], field: out}
