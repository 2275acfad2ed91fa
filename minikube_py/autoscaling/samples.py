"""What autoscalers ask of the metrics APIs, and the answers: samples, and errors in the words of the real clients.

Source: k8s.io/kubernetes/pkg/controller/podautoscaler/metrics/client.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.base.selector import Selector


class Sample(NamedTuple):
    """One value of one pod: thousandths of its unit, measured over the `window_s` seconds up to `at_s`."""

    value_m: int
    at_s: float
    window_s: int


class MetricError(Exception):
    """No metrics; the text goes into conditions and events."""


class Metrics(Protocol):
    """The three metrics APIs. All raise MetricError."""

    def resource(self, resource: str, namespace: str, selector: Selector, container: str) -> dict[str, Sample]:
        """metrics.k8s.io: usage of 'cpu' or 'memory' by pod name; `container` '' sums all containers of a pod."""
        ...

    def pods(self, metric: str, namespace: str, selector: Selector, narrowed: Object | None) -> dict[str, Sample]:
        """custom.metrics.k8s.io: a metric of pods, by pod name; `narrowed` is the metric's own LabelSelector."""
        ...

    def object(self, metric: str, namespace: str, described: Object, narrowed: Object | None) -> int:
        """custom.metrics.k8s.io: a metric of one object, in thousandths."""
        ...

    def external(self, metric: str, namespace: str, narrowed: Object | None) -> list[int]:
        """external.metrics.k8s.io: the values of a metric, in thousandths."""
        ...


WINDOW_S = 15
NO_RESOURCE_METRICS = "no metrics returned from resource metrics API"


def of_usage(
    answers: dict[str, tuple[float, dict[str, dict[str, str]]]], resource: str, container: str
) -> dict[str, Sample]:
    """Samples from what metrics.k8s.io answers: pod name -> (timestamp, container -> resource -> quantity).

    The containers of a pod are summed; a pod of which one container has no value for the resource is left out.
    """
    if not answers:
        raise MetricError(NO_RESOURCE_METRICS)
    found = {}
    for name, (at_s, containers) in answers.items():
        chosen = [usage for one, usage in containers.items() if not container or one == container]
        if chosen and all(usage.get(resource) is not None for usage in chosen):
            found[name] = Sample(sum(quantity.milli(usage[resource]) for usage in chosen), at_s, WINDOW_S)
    return found
