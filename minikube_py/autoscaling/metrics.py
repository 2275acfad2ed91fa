"""The metrics APIs: usage of containers, pods and nodes as the metrics server saw it, and the values of MetricSeries.

Nothing is stored. The metrics server scrapes every 15 seconds, on the grid of the clock, and needs two scrapes for a rate:
    now 10:00:22: what it knows is of 10:00:15, and only about containers that started at 10:00:00 or before
Usage is what the program of a container does (Program, catalogue) at that second of its life, and what the requests of
Traffic cost it (Program's `requests`); cpu is held at its limit. The metric `requests_per_second` of pods comes from Traffic.

Custom and external metrics are objects of kind MetricSeries:

    apiVersion: sim.kpy.dev/v1alpha1
    kind: MetricSeries
    metadata: {name: orders, namespace: default}
    spec:
      metric: queue_length
      type: External                # or Pods, Object
      labels: {queue: orders}       # what a metric's own selector is held against
      selector: {matchLabels: {app: web}}      # Pods: whose metric it is
      object: {kind: Service, name: web}       # Object: whose metric it is
      value: 100                    # or [{after: 0s, value: 10}, {after: 5m, value: 200}] since its creation
      shared: true                  # Pods: the value is that of all together; each pod that is ready has its share

Sources: metrics-server (pkg/scraper, pkg/storage), k8s.io/metrics, kubernetes-sigs/custom-metrics-apiserver (errors.go).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from minikube_py.api import faults, pods
from minikube_py.api.machines import SYSTEM_MEMORY
from minikube_py.api.simulator import time_s
from minikube_py.autoscaling import load, samples, targets
from minikube_py.autoscaling.samples import WINDOW_S, MetricError, Sample
from minikube_py.base import quantity, selector
from minikube_py.base.clock import Clock, seconds, timestamp
from minikube_py.base.duration import parse_go
from minikube_py.programs import behaviour as programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object, Objects, View
    from minikube_py.base.selector import Selector

SCRAPE_S = 15  # --metric-resolution
SERIES = "metricseries.sim.kpy.dev"
SYSTEM_CPU_M = 50  # what a node uses beside its pods, in thousandths of a core: kubelet, container runtime, system

# container -> (millicores, bytes)
Usage = dict[str, tuple[int, int]]
# 'namespace/name' of a pod -> requests a second
Rates = dict[str, float]


def scraped_s(clock: Clock) -> int:
    """When the metrics server looked last: 37 -> 30."""
    return clock.now_s - clock.now_s % SCRAPE_S


def pod_usage(pod: Object, view: View, clock: Clock, rates: Rates | None = None) -> Usage:
    """What each running container of a pod used at the last scrape; {} if the metrics server knows nothing of the pod.

    `rates`: the requests a second of all pods then (`load.per_second`), for who asks about many pods.
    It knows a pod only if it has two scrapes of each running container.
    """
    at_s, found = scraped_s(clock), {}
    if pods.is_finished(pod) or not pods.node_of(pod):
        return {}
    spec, status = pod["spec"], pod.get("status") or {}
    containers = {one["name"]: one for one in (*(spec.get("initContainers") or ()), *spec["containers"])}
    for told in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        running = (told.get("state") or {}).get("running")
        container = containers.get(told["name"])
        if running is None or container is None:
            continue
        started_s = seconds(running["startedAt"])
        if started_s > at_s - SCRAPE_S:
            return {}
        found[told["name"]] = _used(container, pod, started_s, view, clock, rates)
    return {} if found and faults.silencing(pods.node_of(pod), view) is not None else found


def _used(
    container: Object, pod: Object, started_s: int, view: View, clock: Clock, rates: Rates | None
) -> tuple[int, int]:
    at_s = scraped_s(clock)
    program = programs.behaviour(container, pod, view, clock)
    cpu_m = int(programs.at(program.cpu_m, at_s - started_s) or 0)
    memory = int(programs.at(program.memory, at_s - started_s) or 0)
    if program.requests:
        meta = pod["metadata"]
        known = load.per_second(view, at_s) if rates is None else rates
        more = _of_requests(program.requests, known.get(f"{meta['namespace']}/{meta['name']}", 0.0))
        cpu_m, memory = cpu_m + more[0], memory + more[1]
    limit = ((container.get("resources") or {}).get("limits") or {}).get("cpu")
    return (min(cpu_m, quantity.milli(limit)) if limit is not None else cpu_m), memory


def _of_requests(cost: Object, rate: float) -> tuple[int, int]:
    """What requests cost a program: cpu for each that it can bear, memory while each is under way.

    {cpu: 2m, memory: 1Mi, latency: 200ms, perSecond: 100} at 150 a second: 100 are served, 200m and 20Mi.
    """
    served = min(rate, cost["perSecond"]) if cost.get("perSecond") else rate
    latency = cost.get("latency", 0)
    latency_s = parse_go(latency) if isinstance(latency, str) and not latency.isdigit() else float(latency)
    cpu_m = served * quantity.milli(cost.get("cpu", "0"))
    return round(cpu_m), round(served * latency_s * quantity.value(cost.get("memory", "0")))


def node_usage(node: Object, view: View, clock: Clock) -> tuple[int, int] | None:
    """(millicores, bytes) of a node: its pods and the system; None while the metrics server cannot reach it."""
    name = node["metadata"]["name"]
    ready = pods.condition(node, "Ready")
    if ready is None or ready["status"] != "True" or faults.silencing(name, view) is not None:
        return None
    if seconds(node["metadata"]["creationTimestamp"]) > scraped_s(clock) - SCRAPE_S:
        return None
    cpu_m, memory = SYSTEM_CPU_M, SYSTEM_MEMORY
    rates = load.per_second(view, scraped_s(clock))
    for pod in view.on_node(name):
        for used in pod_usage(pod, view, clock, rates).values():
            cpu_m, memory = cpu_m + used[0], memory + used[1]
    return cpu_m, memory


# --- as objects of metrics.k8s.io --------------------------------------------------------------------------------------


def pod_metrics(pod: Object, view: View, clock: Clock) -> Object | None:
    """A PodMetrics, or None if there are none."""
    used = pod_usage(pod, view, clock)
    if not used:
        return None
    containers = [{"name": name, "usage": _quantities(*amounts)} for name, amounts in used.items()]
    return {**_shell("PodMetrics", pod, clock), "containers": containers}


def node_metrics(node: Object, view: View, clock: Clock) -> Object | None:
    """A NodeMetrics, or None if there are none."""
    used = node_usage(node, view, clock)
    return None if used is None else {**_shell("NodeMetrics", node, clock), "usage": _quantities(*used)}


def _shell(kind: str, obj: Object, clock: Clock) -> Object:
    meta = obj["metadata"]
    kept = {name: meta[name] for name in ("name", "namespace", "labels") if name in meta}
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": kind,
        "metadata": {**kept, "creationTimestamp": clock.timestamp},
        "timestamp": timestamp(scraped_s(clock)),
        "window": f"{WINDOW_S}s",
    }


def _quantities(cpu_m: int, memory: int) -> dict[str, str]:
    """As the metrics server writes them: 250 millicores are '250000000n', memory is in Ki."""
    return {"cpu": f"{cpu_m * 1_000_000}n" if cpu_m else "0", "memory": f"{memory >> 10}Ki" if memory else "0"}


# --- what autoscalers ask ----------------------------------------------------------------------------------------------


class Measured:
    """The metrics of a simulated cluster at one moment (see `samples.Metrics`)."""

    def __init__(self, view: View, clock: Clock) -> None:
        self.view, self.clock = view, clock

    def resource(self, resource: str, namespace: str, chosen: Selector, container: str) -> dict[str, Sample]:
        index, unit = (0, 1) if resource == "cpu" else (1, 1000)
        at_s, found = scraped_s(self.clock), {}
        known, rates = False, load.per_second(self.view, at_s)
        for pod in targets.pods_of(namespace, chosen, self.view):
            used = pod_usage(pod, self.view, self.clock, rates)
            known = known or bool(used)
            values = [amounts[index] for name, amounts in used.items() if not container or name == container]
            if values and resource in ("cpu", "memory"):
                found[pod["metadata"]["name"]] = Sample(sum(values) * unit, at_s, WINDOW_S)
        if not known:
            raise MetricError(samples.NO_RESOURCE_METRICS)
        return found

    def pods(self, metric: str, namespace: str, chosen: Selector, narrowed: Object | None) -> dict[str, Sample]:
        everyone = targets.pods_of(namespace, chosen, self.view)
        if metric == load.REQUESTS and self.view.list(load.TRAFFICS):
            return self._requests(everyone)
        series = self._custom(metric, namespace, "Pods", narrowed, "pods")
        found: dict[str, Sample] = {}
        for one in series:
            own = selector.from_label_selector(one["spec"].get("selector") or {})
            alive = [pod for pod in everyone if not pods.is_finished(pod)]
            is_same = own == chosen
            whose = alive if is_same else [pod for pod in alive if own.matches(pod["metadata"].get("labels"))]
            if not whose:
                continue
            value_m = value_of(one, self.clock)
            if one["spec"].get("shared"):
                whose = [pod for pod in whose if pods.is_ready(pod)]
                value_m = value_m // max(1, len(whose))
            found.update({pod["metadata"]["name"]: Sample(value_m, self.clock.now_s, 60) for pod in whose})
        if not found:
            raise MetricError("no metrics returned from custom metrics API")
        return found

    def _requests(self, everyone: Objects) -> dict[str, Sample]:
        """Requests a second of each pod that runs, from Traffic; 0 for one that nobody asks."""
        rates, found = load.per_second(self.view, self.clock.now_s), {}
        for pod in everyone:
            if pods.is_ready(pod) and not pods.is_finished(pod):
                meta = pod["metadata"]
                rate = rates.get(f"{meta['namespace']}/{meta['name']}", 0.0)
                found[meta["name"]] = Sample(round(rate * 1000), self.clock.now_s, WINDOW_S)
        if not found:
            raise MetricError("no metrics returned from custom metrics API")
        return found

    def object(self, metric: str, namespace: str, described: Object, narrowed: Object | None) -> int:
        kind, name = described["kind"], described["name"]
        word = f"{kind.lower()}s"
        for one in self._custom(metric, namespace, "Object", narrowed, word, name):
            about = one["spec"].get("object") or {}
            if (about.get("kind"), about.get("name")) == (kind, name):
                return value_of(one, self.clock)
        raise MetricError(
            "unable to fetch metrics from custom metrics API: "
            f"the server could not find the metric {metric} for {word} {name}"
        )

    def external(self, metric: str, namespace: str, narrowed: Object | None) -> list[int]:
        if not any(one["spec"]["type"] == "External" for one in self.view.list(SERIES)):
            problem = f"the server could not find the requested resource (get {metric}.external.metrics.k8s.io)"
            raise MetricError(f"unable to fetch metrics from external metrics API: {problem}")
        found = list(self._series(metric, namespace, "External", narrowed))
        if not found:
            raise MetricError("no metrics returned from external metrics API")
        return [value_of(one, self.clock) for one in found]

    def _custom(
        self, metric: str, namespace: str, kind: str, narrowed: Object | None, word: str, name: str = ""
    ) -> Objects:
        """The series of a custom metric; if there are none, the words of the API or, without any series, of its absence."""
        where = "unable to fetch metrics from custom metrics API: "
        if not any(one["spec"]["type"] != "External" for one in self.view.list(SERIES)):
            raise MetricError(f"{where}no custom metrics API (custom.metrics.k8s.io) registered")
        found = list(self._series(metric, namespace, kind, narrowed))
        if not found:
            raise MetricError(f"{where}the server could not find the metric {metric} for {word} {name}".rstrip())
        return found

    def _series(self, metric: str, namespace: str, kind: str, narrowed: Object | None) -> Iterator[Object]:
        chosen = selector.from_label_selector({} if narrowed is None else narrowed)
        for one in self.view.list(SERIES, namespace):
            spec = one["spec"]
            if (spec["metric"], spec["type"]) == (metric, kind) and chosen.matches(spec.get("labels") or {}):
                yield one


def value_of(series: Object, clock: Clock) -> int:
    """The value of a MetricSeries now, in thousandths; 0 before its first entry.

    [{after: 0s, value: 10}, {after: 5m, value: 200}] is 10 for five minutes after its creation, then 200.
    """
    course = series["spec"]["value"]
    if not isinstance(course, list):
        return quantity.milli(course)
    known = _COURSES.get(id(course))
    if known is None:
        if len(_COURSES) >= _COURSES_MAX:
            _COURSES.clear()
        parsed = sorted((time_s(entry.get("after", 0)), quantity.milli(entry["value"])) for entry in course)
        known = _COURSES[id(course)] = (course, [after for after, _ in parsed], [value for _, value in parsed])
    _, begun, values = known
    position = bisect_right(begun, clock.now_s - seconds(series["metadata"]["creationTimestamp"]))
    return values[position - 1] if position else 0


# Parsed courses by identity; the entry keeps the list alive, and objects are never changed.
_COURSES: dict[int, tuple[Objects, list[int], list[int]]] = {}
_COURSES_MAX = 256
