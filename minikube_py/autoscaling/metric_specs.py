"""One entry of spec.metrics of a HorizontalPodAutoscaler: the replicas it asks for, its status, its name in texts.

Source: k8s.io/kubernetes/pkg/controller/podautoscaler/horizontal.go (computeReplicasForMetric and below).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.autoscaling import replica_calculator as calculator
from minikube_py.autoscaling.samples import MetricError
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects
    from minikube_py.autoscaling.replica_calculator import Asked, Settings, Tolerance
    from minikube_py.autoscaling.samples import Metrics
    from minikube_py.base.selector import Selector

# The reason of the event and the condition when a metric of this type fails.
REASONS = {
    "Resource": "FailedGetResourceMetric",
    "ContainerResource": "FailedGetContainerResourceMetric",
    "Pods": "FailedGetPodsMetric",
    "Object": "FailedGetObjectMetric",
    "External": "FailedGetExternalMetric",
}


class Target(NamedTuple):
    """What is scaled, as far as metrics are concerned."""

    namespace: str
    selector: Selector
    pods: Objects
    replicas: int
    status_replicas: int
    tolerance: Tolerance
    now_s: float
    settings: Settings


class Proposal(NamedTuple):
    """`status`: the entry of status.currentMetrics; `name`: how texts call the metric."""

    asked: Asked
    name: str
    status: Object


class Refusal(NamedTuple):
    """A metric that cannot be had. `text` is that of the event, `long` that of the whole sync."""

    reason: str
    text: str
    long: str


def evaluate(spec: Object, target: Target, metrics: Metrics) -> Proposal | Refusal:
    """What one metric asks for, or why it cannot tell."""
    kind: str = spec["type"]
    field = kind[0].lower() + kind[1:]
    source: Object = spec.get(field) or {}
    try:
        return _OF[kind](source, target, metrics)
    except MetricError as error:
        text = _event_text(kind, source, str(error))
        return Refusal(REASONS[kind], text, _long_text(kind, source, text))


def _event_text(kind: str, source: Object, problem: str) -> str:
    if kind in ("Resource", "ContainerResource"):
        what = "usage" if source["target"].get("averageValue") is not None else "utilization"
        return f"failed to get {source['name']} {what}: {problem}"
    return problem


def _long_text(kind: str, source: Object, text: str) -> str:
    if kind == "Resource":
        return f"failed to get {source['name']} resource metric value: {text}"
    if kind == "ContainerResource":
        return f"failed to get {source['container']} container metric value: {text}"
    if kind == "External":
        name = source["metric"]["name"]
        is_average = source["target"].get("averageValue") is not None
        inner = f"failed to get {name} external metric" if is_average else f"failed to get external metric {name}"
        return f"failed to get {name} external metric value: {inner}: {text}"
    return f"failed to get {kind.lower()} metric value: {text}"


def _resource(source: Object, target: Target, metrics: Metrics) -> Proposal:
    """Resource and ContainerResource."""
    name, container, wanted = source["name"], source.get("container", ""), source["target"]
    try:
        samples = metrics.resource(name, target.namespace, target.selector, container)
    except MetricError as error:
        raise MetricError(f"unable to get metrics for resource {name}: {error}") from error
    middle, value = "container resource" if container else "resource", wanted.get("averageValue")
    common = (target.tolerance, target.now_s, target.settings)
    current: Object
    form = quantity.BINARY_SI if name == "memory" else quantity.DECIMAL_SI
    if value is not None:
        asked = calculator.average(samples, target.pods, target.replicas, quantity.milli(value), name, *common)
        current, title = {"averageValue": quantity.from_milli(asked.value_m, form)}, f"{name} {middle}"
    else:
        percent = wanted["averageUtilization"]
        asked = calculator.utilization(samples, target.pods, target.replicas, percent, name, container, *common)
        current = {"averageValue": quantity.from_milli(asked.value_m, form), "averageUtilization": asked.percent}
        title = f"{name} {middle} utilization (percentage of request)"
    named = {"name": name, "container": container} if container else {"name": name}
    kind = "ContainerResource" if container else "Resource"
    return Proposal(asked, title, {"type": kind, kind[0].lower() + kind[1:]: {**named, "current": current}})


def _pods(source: Object, target: Target, metrics: Metrics) -> Proposal:
    metric = source["metric"]
    try:
        samples = metrics.pods(metric["name"], target.namespace, target.selector, metric.get("selector"))
    except MetricError as error:
        raise MetricError(f"unable to get metric {metric['name']}: {error}") from error
    wanted_m = quantity.milli(source["target"]["averageValue"])
    common = (target.tolerance, target.now_s, target.settings)
    asked = calculator.average(samples, target.pods, target.replicas, wanted_m, "", *common)
    current = {"averageValue": quantity.from_milli(asked.value_m)}
    status = {"type": "Pods", "pods": {"metric": metric, "current": current}}
    return Proposal(asked, f"pods metric {metric['name']}", status)


def _object(source: Object, target: Target, metrics: Metrics) -> Proposal:
    metric, described = source["metric"], source["describedObject"]
    try:
        value_m = metrics.object(metric["name"], target.namespace, described, metric.get("selector"))
    except MetricError as error:
        # The real format string takes its arguments in this order.
        place = f"{described['kind']} on {target.namespace} {described['name']}/{error}"
        raise MetricError(f"unable to get metric {metric['name']}: {place}") from error
    asked, current = _whole(value_m, source["target"], target)
    title = f"{described['kind']} metric {metric['name']}"
    if "averageValue" in current:
        title = f"external metric {metric['name']}({selector_text(metric.get('selector'))})"
    return Proposal(
        asked,
        title,
        {"type": "Object", "object": {"metric": metric, "current": current, "describedObject": described}},
    )


def _external(source: Object, target: Target, metrics: Metrics) -> Proposal:
    metric = source["metric"]
    narrowed = selector_text(metric.get("selector"))
    try:
        value_m = sum(metrics.external(metric["name"], target.namespace, metric.get("selector")))
    except MetricError as error:
        place = f"{target.namespace}/{metric['name']}/{narrowed}"
        raise MetricError(f"unable to get external metric {place}: {error}") from error
    asked, current = _whole(value_m, source["target"], target)
    status = {"type": "External", "external": {"metric": metric, "current": current}}
    return Proposal(asked, f"external metric {metric['name']}({narrowed})", status)


def _whole(value_m: int, wanted: Object, target: Target) -> tuple[Asked, Object]:
    """A metric of the whole against a value, or against a value per pod."""
    if wanted.get("averageValue") is not None:
        wanted_m = quantity.milli(wanted["averageValue"])
        asked = calculator.per_pod(value_m, target.status_replicas, wanted_m, target.tolerance)
        return asked, {"averageValue": quantity.from_milli(asked.value_m)}
    wanted_m = quantity.milli(wanted["value"])
    asked = calculator.total(value_m, target.pods, target.replicas, wanted_m, target.tolerance)
    return asked, {"value": quantity.from_milli(asked.value_m)}


_OF = {
    "Resource": _resource,
    "ContainerResource": _resource,
    "Pods": _pods,
    "Object": _object,
    "External": _external,
}


def selector_text(narrowed: Object | None) -> str:
    """A metric's LabelSelector as Go prints it: '&LabelSelector{MatchLabels:map[string]string{q: a,},MatchExpressions:...'."""
    if narrowed is None:
        return "nil"
    labels = "".join(f"{key}: {value}," for key, value in sorted((narrowed.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},Values:[{' '.join(one.get('values') or ())}],}},"
        for one in narrowed.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
