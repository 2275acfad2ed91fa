"""What the server counts of itself, and of the cluster, in Prometheus' text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base import clock
from minikube_py.http.paths import place_of

if TYPE_CHECKING:
    from minikube_py.http.world import World

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0)


class Metrics:
    """Requests by verb, resource and code, and how long they took."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int], int] = {}
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._seconds = 0.0

    @staticmethod
    def now() -> float:
        """A point in real time, in seconds."""
        return clock.wall_seconds()

    def count(self, method: str, path: str, code: int, seconds: float) -> None:
        place = place_of(method, path, {})
        words = (place.verb.upper() or method, place.resource) if place is not None else (method, "")
        key = (*words, code)
        if len(self._requests) > 5_000:  # names that nobody serves must not fill the memory
            self._requests.clear()
        self._requests[key] = self._requests.get(key, 0) + 1
        self._seconds += seconds
        slot = next((index for index, bound in enumerate(BUCKETS_S) if seconds <= bound), len(BUCKETS_S))
        self._buckets[slot] += 1

    def text(self, world: World) -> str:
        store, clock_ = world.cluster.store, world.cluster.clock
        lines = [
            "# HELP apiserver_request_total Requests by verb, resource and code.",
            "# TYPE apiserver_request_total counter",
        ]
        for (verb, resource, code), count in sorted(self._requests.items()):
            lines.append(
                f'apiserver_request_total{{verb="{_quoted(verb)}",resource="{_quoted(resource)}",code="{code}"}} {count}'
            )
        lines += self._histogram()
        lines += _gauge("apiserver_longrunning_requests", "Watches that are open.", len(world.hub.watchers))
        lines += _gauge("kpy_revision", "The newest resourceVersion.", store.revision)
        lines += _gauge("kpy_virtual_time_seconds", "The cluster's time, in seconds since 1970.", clock_.now_s)
        lines += ["# HELP apiserver_storage_objects Objects by resource.", "# TYPE apiserver_storage_objects gauge"]
        for kind in world.cluster.registry.kinds:
            if not kind.stored_as and "list" in kind.verbs:
                lines.append(
                    f'apiserver_storage_objects{{resource="{kind.resource}"}} {len(store.keys(kind.resource))}'
                )
        return "\n".join([*lines, ""])

    def _histogram(self) -> list[str]:
        name, total = "apiserver_request_duration_seconds", 0
        lines = [f"# HELP {name} Real time of requests.", f"# TYPE {name} histogram"]
        for bound, count in zip((*map(str, BUCKETS_S), "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{name}_sum {self._seconds:.6f}", f"{name}_count {total}"]


def _gauge(name: str, help_text: str, value: int) -> list[str]:
    return [f"# HELP {name} {help_text}", f"# TYPE {name} gauge", f"{name} {value}"]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
