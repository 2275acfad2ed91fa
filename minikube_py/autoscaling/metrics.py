"""The metrics APIs: usage of containers, pods and nodes as the metrics server saw it, and the values of MetricSeries.

Nothing is stored (`metrics_api` tells of it as objects). The metrics server scrapes every 15 seconds, on the grid of the clock, and needs two scrapes for a rate:
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
from minikube_py.autoscaling import load, meters, samples, targets
from minikube_py.autoscaling.samples import WINDOW_S, MetricError, Sample
from minikube_py.base import quantity, selector
from minikube_py.base.clock import Clock, seconds
from minikube_py.base.recall import Recall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object, Objects, View
    from minikube_py.autoscaling.meters import Reading
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


class Scrape:
    """What the metrics server saw when it looked last, read as it is asked for."""

    def __init__(self, view: View, clock: Clock) -> None:
        self.view, self.clock, self.at_s = view, clock, scraped_s(clock)
        self.first_s = self.at_s - SCRAPE_S  # of the two scrapes that it needs
        self.meters = meters.known(view)
        self.may_be_silent = bool(view.list(faults.FAULTS))
        self._rates: Rates | None = None

    @property
    def rates(self) -> Rates:
        if self._rates is None:
            self._rates = load.per_second(self.view, self.at_s)
        return self._rates

    def pod(self, pod: Object) -> Usage:
        """What each running container of a pod used; {} if the metrics server knows nothing of the pod."""
        reading = self.meters.of(pod, self.view, self.clock)
        if not self._knows(reading):
            return {}
        if reading.steady is not None:
            return reading.steady
        rate = self._rate(reading)
        return {meter.name: meter.read(self.at_s, rate) for meter in reading.meters}

    def total(self, pod: Object, resource: str, container: str) -> int | None:
        """What one container of a pod, or all ('') together used of 'cpu' (millicores) or 'memory' (bytes).

        -1: nothing of that, though the pod is known; None if the metrics server knows nothing of the pod.
        """
        reading = self.meters.of(pod, self.view, self.clock)
        if not reading.meters or reading.since_s > self.first_s or (self.may_be_silent and not self._knows(reading)):
            return None
        only = reading.only
        if only is not None and not container and resource == "cpu":  # nearly always
            if only.cost is None:
                return only.cpu(self.at_s, 0.0)
            rates = self.rates if self._rates is None else self._rates
            return only.cpu(self.at_s, rates.get(reading.place, 0.0))
        known = reading.meters
        chosen = [meter for meter in known if meter.name == container] if container else known
        if not chosen or resource not in ("cpu", "memory"):
            return -1
        rate, at_s = self._rate(reading), self.at_s
        if resource == "cpu":
            return sum([meter.cpu(at_s, rate) for meter in chosen])
        return sum([meter.bytes(at_s, rate) for meter in chosen])

    def _knows(self, reading: Reading) -> bool:
        """A pod is known only if there are two scrapes of each of its running containers."""
        if reading.since_s > self.first_s:
            return False
        return not self.may_be_silent or faults.silencing(pods.node_of(reading.pod), self.view) is None

    def _rate(self, reading: Reading) -> float:
        """Requests a second that reach the pod, if they cost it anything."""
        for meter in reading.meters:
            if meter.cost is not None:
                return self.rates.get(reading.place, 0.0)
        return 0.0


def pod_usage(pod: Object, view: View, clock: Clock) -> Usage:
    """What each running container of a pod used at the last scrape; {} if the metrics server knows nothing of the pod."""
    return Scrape(view, clock).pod(pod)


def node_usage(node: Object, scrape: Scrape) -> tuple[int, int] | None:
    """(millicores, bytes) of a node: its pods and the system; None while the metrics server cannot reach it."""
    name = node["metadata"]["name"]
    ready = pods.condition(node, "Ready")
    if ready is None or ready["status"] != "True" or faults.silencing(name, scrape.view) is not None:
        return None
    if seconds(node["metadata"]["creationTimestamp"]) > scrape.at_s - SCRAPE_S:
        return None
    cpu_m, memory = SYSTEM_CPU_M, SYSTEM_MEMORY
    for pod in scrape.view.on_node(name):
        for used in scrape.pod(pod).values():
            cpu_m, memory = cpu_m + used[0], memory + used[1]
    return cpu_m, memory


# --- what autoscalers ask ----------------------------------------------------------------------------------------------


class Measured:
    """The metrics of a simulated cluster at one moment (see `samples.Metrics`)."""

    def __init__(self, view: View, clock: Clock) -> None:
        self.view, self.clock = view, clock

    def resource(self, resource: str, namespace: str, chosen: Selector, container: str) -> dict[str, Sample]:
        scrape, found, known = Scrape(self.view, self.clock), {}, False
        at_s, unit = scrape.at_s, 1 if resource == "cpu" else 1000
        made: dict[int, Sample] = {}  # pods that use the same share a sample
        for pod in targets.pods_of(namespace, chosen, self.view):
            used = scrape.total(pod, resource, container)
            if used is not None:
                known = True
                if used >= 0:
                    sample = made.get(used)
                    if sample is None:
                        sample = made[used] = Sample(used * unit, at_s, WINDOW_S)
                    found[pod["metadata"]["name"]] = sample
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
    begun, values = _course(course)
    position = bisect_right(begun, clock.now_s - seconds(series["metadata"]["creationTimestamp"]))
    return values[position - 1] if position else 0


def _read_course(course: Objects) -> tuple[list[int], list[int]]:
    parsed = sorted((time_s(entry.get("after", 0)), quantity.milli(entry["value"])) for entry in course)
    return [after for after, _ in parsed], [value for _, value in parsed]


_course = Recall(_read_course, 256)
