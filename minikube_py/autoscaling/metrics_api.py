"""What the metrics APIs answer: objects of metrics.k8s.io, and lists of custom.metrics.k8s.io and external.metrics.k8s.io.

    /apis/metrics.k8s.io/v1beta1/nodes[/NAME], .../[namespaces/NS/]pods[/NAME]
    /apis/custom.metrics.k8s.io/v1beta2/namespaces/NS/pods/*/METRIC, .../namespaces/NS/services/NAME/METRIC
    /apis/external.metrics.k8s.io/v1beta1/namespaces/NS/METRIC
A custom or external API is there as long as there are MetricSeries (or Traffic) for it; without a path behind its version it
lists its metrics. Sources: metrics-server, pkg/api; kubernetes-sigs/custom-metrics-apiserver; k8s.io/metrics/pkg/apis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.kinds import METRICS
from minikube_py.api.types import Key
from minikube_py.autoscaling import load, metrics
from minikube_py.autoscaling.samples import WINDOW_S, MetricError
from minikube_py.base import quantity, selector
from minikube_py.base.clock import timestamp
from minikube_py.base.errors import NotFound, not_found

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View
    from minikube_py.autoscaling.metrics import Scrape
    from minikube_py.base.clock import Clock

MISSING = "the server could not find the requested resource"
CUSTOM, EXTERNAL = "custom.metrics.k8s.io", "external.metrics.k8s.io"
VERSIONS = {CUSTOM: ("v1beta1", "v1beta2"), EXTERNAL: ("v1beta1",)}


# --- metrics.k8s.io ----------------------------------------------------------------------------------------------------


def listed(resource: str, namespace: str | None, view: View, clock: Clock) -> Objects:
    """The NodeMetrics ('nodes') or PodMetrics ('pods') that the metrics server has, by namespace and name."""
    scrape = metrics.Scrape(view, clock)
    if resource == "nodes":
        found = [_of_node(node, scrape) for node in view.list("nodes")]
    else:
        found = [_of_pod(pod, scrape) for pod in view.list("pods", namespace)]
    return [one for one in found if one is not None]


def one(resource: str, namespace: str, name: str, view: View, clock: Clock) -> Object:
    """The metrics of one node or pod. Raises NotFound."""
    found = view.get(Key(resource, namespace, name))
    where = f"{namespace}/{name}" if namespace else name
    if found is None:
        raise not_found(resource, where)
    scrape = metrics.Scrape(view, clock)
    told = _of_node(found, scrape) if resource == "nodes" else _of_pod(found, scrape)
    if told is None:
        raise not_found(f"{resource[:-1]}metrics.metrics.k8s.io", where)
    return told


def pod_metrics(pod: Object, view: View, clock: Clock) -> Object | None:
    """A PodMetrics, or None if there are none."""
    return _of_pod(pod, metrics.Scrape(view, clock))


def node_metrics(node: Object, view: View, clock: Clock) -> Object | None:
    """A NodeMetrics, or None if there are none."""
    return _of_node(node, metrics.Scrape(view, clock))


def _of_pod(pod: Object, scrape: Scrape) -> Object | None:
    used = scrape.pod(pod)
    if not used:
        return None
    containers = [{"name": name, "usage": _quantities(*amounts)} for name, amounts in used.items()]
    return {**_shell("PodMetrics", pod, scrape), "containers": containers}


def _of_node(node: Object, scrape: Scrape) -> Object | None:
    used = metrics.node_usage(node, scrape)
    return None if used is None else {**_shell("NodeMetrics", node, scrape), "usage": _quantities(*used)}


def _shell(kind: str, obj: Object, scrape: Scrape) -> Object:
    meta = obj["metadata"]
    kept = {name: meta[name] for name in ("name", "namespace", "labels") if name in meta}
    return {
        "apiVersion": METRICS,
        "kind": kind,
        "metadata": {**kept, "creationTimestamp": scrape.clock.timestamp},
        "timestamp": timestamp(scrape.at_s),
        "window": f"{WINDOW_S}s",
    }


def _quantities(cpu_m: int, memory: int) -> dict[str, str]:
    """Memory is told in whole Ki, as cgroups count pages."""
    return {"cpu": quantity.from_milli(cpu_m), "memory": quantity.from_value(memory >> 10 << 10)}


# --- custom and external metrics ---------------------------------------------------------------------------------------


def serves(group: str, version: str, view: View) -> bool:
    """Whether a custom or external metrics API is there, in a version."""
    return version in VERSIONS.get(group, ()) and bool(_names(group, view))


def answer(group: str, version: str, words: list[str], query: dict[str, str], view: View, clock: Clock) -> Object:
    """The answer to a GET below /apis/GROUP/VERSION; `query`: labelSelector, metricLabelSelector. Raises NotFound."""
    if not serves(group, version, view):
        raise NotFound(MISSING)
    if not words:
        return _resources(group, version, view)
    if words[0] != "namespaces" or len(words) not in (3, 5):
        raise NotFound(MISSING)
    namespace, rest = words[1], words[2:]
    measured = metrics.Measured(view, clock)
    try:
        if group == EXTERNAL and len(rest) == 1:
            return _external(rest[0], namespace, query, measured)
        if group == CUSTOM and len(rest) == 3:
            resource, name, metric = rest
            return _custom(version, resource, name, metric, namespace, query, measured)
    except MetricError as error:
        raise NotFound(str(error).rpartition("metrics API: ")[2]) from error
    raise NotFound(MISSING)


def _names(group: str, view: View) -> dict[str, bool]:
    """'pods/requests_per_second', 'services/queue' or 'orders' -> whether it is namespaced."""
    found = {}
    for series in view.list(metrics.SERIES):
        spec = series["spec"]
        if group == EXTERNAL and spec["type"] == "External":
            found[spec["metric"]] = True
        elif group == CUSTOM and spec["type"] == "Pods":
            found[f"pods/{spec['metric']}"] = True
        elif group == CUSTOM and spec["type"] == "Object":
            found[f"{_plural(spec['object']['kind'])}/{spec['metric']}"] = True
    if group == CUSTOM and view.list(load.TRAFFICS):
        found[f"pods/{load.REQUESTS}"] = True
    return dict(sorted(found.items()))


def _plural(kind: str) -> str:
    word = kind.lower()
    return f"{word}es" if word.endswith(("s", "x", "ch")) else f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


def _resources(group: str, version: str, view: View) -> Object:
    kind = "ExternalMetricValueList" if group == EXTERNAL else "MetricValueList"
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}",
        "resources": [
            {"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get"]}
            for name, namespaced in _names(group, view).items()
        ],
    }


def _external(metric: str, namespace: str, query: dict[str, str], measured: metrics.Measured) -> Object:
    chosen = selector.parse(query.get("labelSelector", ""))
    items = [
        {
            "metricName": metric,
            "metricLabels": series["spec"].get("labels") or {},
            "timestamp": measured.clock.timestamp,
            "value": quantity.from_milli(metrics.value_of(series, measured.clock)),
        }
        for series in measured.view.list(metrics.SERIES, namespace)
        if (series["spec"]["metric"], series["spec"]["type"]) == (metric, "External")
        and chosen.matches(series["spec"].get("labels") or {})
    ]
    return {"kind": "ExternalMetricValueList", "apiVersion": f"{EXTERNAL}/v1beta1", "metadata": {}, "items": items}


def _custom(
    version: str,
    resource: str,
    name: str,
    metric: str,
    namespace: str,
    query: dict[str, str],
    measured: metrics.Measured,
) -> Object:
    narrowed = _narrowed(query.get("metricLabelSelector", ""))
    if resource == "pods":
        samples = measured.pods(metric, namespace, selector.parse(query.get("labelSelector", "")), narrowed)
        if name != "*" and name not in samples:
            raise NotFound(f"the server could not find the metric {metric} for pods {name}")
        chosen = samples if name == "*" else {name: samples[name]}
        values = {own: sample.value_m for own, sample in chosen.items()}
        kind, api_version = "Pod", "/v1"
    else:
        about = next(
            (
                series["spec"]["object"]
                for series in measured.view.list(metrics.SERIES, namespace)
                if series["spec"]["type"] == "Object"
                and _plural(series["spec"]["object"]["kind"]) == resource.partition(".")[0]
            ),
            None,
        )
        if about is None:
            raise NotFound(MISSING)
        kind, api_version = about["kind"], about.get("apiVersion", "/v1")
        values = {name: measured.object(metric, namespace, {"kind": kind, "name": name}, narrowed)}
    items = [
        _item(version, {"kind": kind, "namespace": namespace, "name": own, "apiVersion": api_version}, metric, value_m, measured)
        for own, value_m in sorted(values.items())
    ]  # fmt: skip
    return {"kind": "MetricValueList", "apiVersion": f"{CUSTOM}/{version}", "metadata": {}, "items": items}


def _item(version: str, described: Object, metric: str, value_m: int, measured: metrics.Measured) -> Object:
    named: Any = {"metric": {"name": metric, "selector": None}} if version == "v1beta2" else {"metricName": metric}
    more: Any = {} if version == "v1beta2" else {"selector": None}
    value = quantity.from_milli(value_m)
    return {"describedObject": described, **named, "timestamp": measured.clock.timestamp, "value": value, **more}


def _narrowed(text: str) -> Object | None:
    """A metric's own selector as a LabelSelector, from its text: only 'a=b' terms."""
    if not text:
        return None
    return {"matchLabels": selector.parse(text).exact()}
