"""What running containers use, as functions of time: worked out once for each pod, and again when the pod changes.

The program of a container says its cpu and memory over its life (Program, catalogue), and what a request of Traffic costs it.
    {cpu: 2m, memory: 1Mi, latency: 200ms, perSecond: 100} at 150 a second: 100 are served, 200m and 20Mi more
cpu is held at the container's limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.base import quantity
from minikube_py.base.clock import seconds
from minikube_py.base.duration import parse_go
from minikube_py.programs import behaviour as programs

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.programs.behaviour import Course

CACHE = "usage-meters"


def _is_steady(course: Course) -> bool:
    return len(course) == 1 and not course[0][0]


def _at(course: Course, second: int) -> float:
    return (course[0][1] if len(course) == 1 and not course[0][0] else programs.at(course, second)) or 0


class Cost(NamedTuple):
    """Of one request a second: millicores, and bytes held while it is under way; `most` a second are served (0: all)."""

    cpu_m: float
    memory: float
    most: float


class Meter(NamedTuple):
    """One running container."""

    name: str
    started_s: int
    cpu_m: Course
    memory: Course
    cost: Cost | None
    limit_m: int | None

    def read(self, at_s: int, rate: float) -> tuple[int, int]:
        """(millicores, bytes) at a second, with `rate` requests a second reaching its pod."""
        return self.cpu(at_s, rate), self.bytes(at_s, rate)

    def cpu(self, at_s: int, rate: float) -> int:
        course = self.cpu_m
        base = course[0][1] if len(course) == 1 and not course[0][0] else programs.at(course, at_s - self.started_s)
        cpu_m = int(base or 0)
        if self.cost is not None:
            most = self.cost.most
            cpu_m += round((rate if not most or rate < most else most) * self.cost.cpu_m)
        return cpu_m if self.limit_m is None or cpu_m < self.limit_m else self.limit_m

    def bytes(self, at_s: int, rate: float) -> int:
        memory = int(_at(self.memory, at_s - self.started_s))
        if self.cost is not None:
            most = self.cost.most
            memory += round((rate if not most or rate < most else most) * self.cost.memory)
        return memory

    def steady(self) -> tuple[int, int] | None:
        """What it reads at whatever second and rate; None if that depends."""
        if self.cost is None and _is_steady(self.cpu_m) and _is_steady(self.memory):
            return self.read(self.started_s, 0.0)
        return None


class Reading(NamedTuple):
    """The meters of a pod; `since_s`: when the last of its containers started; `steady`: what they read, if that is always the same."""

    pod: Object
    place: str  # 'namespace/name'
    meters: tuple[Meter, ...]
    only: Meter | None  # if there is one
    since_s: int
    steady: dict[str, tuple[int, int]] | None


class Meters:
    """The meters of the pods that somebody asked about. A pod's depend on the pod, on Programs, and on what it mounts."""

    resources = frozenset({"pods", "programs.sim.kpy.dev", "configmaps", "secrets"})

    def __init__(self, view: View) -> None:
        self._known: dict[tuple[str, str], Reading] = {}

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource == "pods":
            self._known.pop((key.namespace, key.name), None)
        else:
            self._known.clear()

    def of(self, pod: Object, view: View, clock: Clock) -> Reading:
        """Of the running containers of a pod, init containers first; of none if it is finished or has no node."""
        meta = pod["metadata"]
        place = (meta["namespace"], meta["name"])
        found = self._known.get(place)
        if found is None or found.pod is not pod:
            found = self._known[place] = _reading(pod, _meters(pod, view, clock))
        return found


def _reading(pod: Object, found: tuple[Meter, ...]) -> Reading:
    always = {meter.name: used for meter in found if (used := meter.steady()) is not None}
    since_s = max((meter.started_s for meter in found), default=0)
    meta = pod["metadata"]
    return Reading(
        pod,
        f"{meta['namespace']}/{meta['name']}",
        found,
        found[0] if len(found) == 1 else None,
        since_s,
        always if len(always) == len(found) else None,
    )


def known(view: View) -> Meters:
    """The meters of a view's cluster."""
    found: Meters = view.derived(CACHE, Meters)
    return found


def _meters(pod: Object, view: View, clock: Clock) -> tuple[Meter, ...]:
    if pods.is_finished(pod) or not pods.node_of(pod):
        return ()
    spec, status = pod["spec"], pod.get("status") or {}
    containers = {one["name"]: one for one in (*(spec.get("initContainers") or ()), *spec["containers"])}
    found = []
    for told in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        running = (told.get("state") or {}).get("running")
        container = containers.get(told["name"])
        if running is None or container is None:
            continue
        program = programs.behaviour(container, pod, view, clock)
        limit = ((container.get("resources") or {}).get("limits") or {}).get("cpu")
        found.append(
            Meter(
                told["name"],
                seconds(running["startedAt"]),
                program.cpu_m,
                program.memory,
                _cost(program.requests) if program.requests else None,
                quantity.milli(limit) if limit is not None else None,
            )
        )
    return tuple(found)


def _cost(told: Object) -> Cost:
    latency = told.get("latency", 0)
    latency_s = parse_go(latency) if isinstance(latency, str) and not latency.isdigit() else float(latency)
    memory = latency_s * quantity.value(told.get("memory", "0"))
    return Cost(quantity.milli(told.get("cpu", "0")), memory, float(told.get("perSecond") or 0))
