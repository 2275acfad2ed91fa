"""What the recommender knows of one VerticalPodAutoscaler's pods: samples, gathered by labels and container.

cpu: every sample counts. Memory: one peak for each container and interval (a day); a higher sample takes the place of the
peak, a kill for want of memory counts as more than what was asked for or used:
    request 200Mi, peak 180Mi: max(200Mi + 100Mi, 200Mi * 1.2) = 300Mi
Only pods that a VPA is about are watched, from the moment on that it is there (--memory-saver).
Sources: vertical-pod-autoscaler/pkg/recommender/model/{container,aggregate_container_state,cluster}.go, input/oom/observer.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import vertical
from minikube_py.autoscaling import vpa_histogram as histogram
from minikube_py.base import quantity
from minikube_py.base.clock import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object, Objects
    from minikube_py.autoscaling.metrics import Usage
    from minikube_py.autoscaling.vpa_flags import Flags
    from minikube_py.base.selector import Selector

SAMPLE_WEIGHT = 0.1
GC_S = 3600


class State:
    """What is known of the containers of one name in pods with the same labels."""

    __slots__ = ("count", "cpu", "created_s", "first_s", "last_s", "memory")

    def __init__(self, stored: Object | None, flags: Flags, now_s: int) -> None:
        known: Any = stored or {}
        self.cpu = histogram.load(histogram.CPU, flags.half_life_cpu_s, known.get("cpu"))
        self.memory = histogram.load(histogram.MEMORY, flags.half_life_memory_s, known.get("memory"))
        self.first_s: int | None = known.get("first")
        self.last_s: int | None = known.get("last")
        self.count: int = known.get("count", 0)
        self.created_s: int = known.get("created", now_s)

    def stored(self) -> Object:
        return {
            "cpu": self.cpu.stored(),
            "memory": self.memory.stored(),
            "first": self.first_s,
            "last": self.last_s,
            "count": self.count,
            "created": self.created_s,
        }

    def add_cpu(self, cores: float, at_s: int) -> None:
        self.cpu.add(cores, SAMPLE_WEIGHT, at_s)
        self.last_s = at_s if self.last_s is None else max(self.last_s, at_s)
        self.first_s = at_s if self.first_s is None else min(self.first_s, at_s)
        self.count += 1

    def merge(self, other: State) -> None:
        self.cpu.merge(other.cpu.copy())
        self.memory.merge(other.memory.copy())
        firsts = [one for one in (self.first_s, other.first_s) if one is not None]
        lasts = [one for one in (self.last_s, other.last_s) if one is not None]
        self.first_s, self.last_s = min(firsts, default=None), max(lasts, default=None)
        self.count += other.count

    def is_expired(self, now_s: int, window_s: int) -> bool:
        since_s = self.created_s if self.last_s is None else self.last_s
        return now_s - since_s >= window_s


class Container(NamedTuple):
    """One container: when its samples were taken, its peaks in this interval, and when that ends (None: no sample yet)."""

    cpu_s: int = -1
    memory_s: int = -1
    peak: int = 0
    oom_peak: int = 0
    end_s: int | None = None
    oom_s: int = 0  # the last kill that was counted


class Model:
    """The knowledge, loaded from what was remembered; `stored` gives it back."""

    def __init__(self, memory: Object, chosen: Selector, flags: Flags, now_s: int) -> None:
        self.flags, self.now_s, self.chosen = flags, now_s, chosen
        self.began_s: int = memory.get("began", now_s)
        self.gc_s: int = memory.get("gc", now_s)
        self.live: set[str] = set()  # the labels of pods that there are
        self.labels: dict[str, dict[str, str]] = {}
        self.states: dict[str, dict[str, State]] = {}
        for name, labels in (memory.get("labels") or {}).items():
            if chosen.matches(labels):  # another selector than before: other pods
                self.labels[name] = labels
                kept = memory["states"].get(name) or {}
                self.states[name] = {one: State(stored, flags, now_s) for one, stored in kept.items()}
        self.pods: dict[str, dict[str, Container]] = {
            name: {one: Container(*told) for one, told in containers.items()}
            for name, containers in (memory.get("pods") or {}).items()
        }

    def stored(self) -> Object:
        return {
            "began": self.began_s,
            "gc": self.gc_s,
            "labels": self.labels,
            "states": {
                name: {one: state.stored() for one, state in states.items()} for name, states in self.states.items()
            },
            "pods": {
                name: {one: list(container) for one, container in containers.items()}
                for name, containers in self.pods.items()
            },
        }

    def take_in(self, matching: Objects, usages: dict[str, Usage], at_s: int) -> None:
        """One look: the pods there are (none that is Pending), what they use, and who was killed for want of memory."""
        self.pods = {pod["metadata"]["name"]: self.pods.get(pod["metadata"]["name"], {}) for pod in matching}
        for pod in matching:
            name, states = pod["metadata"]["name"], self._states_of(pod)
            containers = self.pods[name] = dict(self.pods[name])
            for one in pod["spec"]["containers"]:
                own = one["name"]
                state = states.get(own)
                if state is None:
                    state = states[own] = State(None, self.flags, self.now_s)
                known = containers.get(own, Container())
                if own in usages.get(name, ()):
                    known = self._sample(known, state, *usages[name][own], at_s)
                containers[own] = self._killed(known, state, pod, own)

    def _states_of(self, pod: Object) -> dict[str, State]:
        labels: dict[str, str] = pod["metadata"].get("labels") or {}
        name = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        self.live.add(name)
        self.labels.setdefault(name, labels)
        return self.states.setdefault(name, {})

    def _sample(self, known: Container, state: State, cpu_m: int, memory: int, at_s: int) -> Container:
        if at_s > known.cpu_s:
            state.add_cpu(cpu_m / 1000.0, at_s)
            known = known._replace(cpu_s=at_s)
        return self._peak(known, state, memory, at_s, False) if at_s >= known.memory_s else known

    def _peak(self, known: Container, state: State, memory: int, at_s: int, is_oom: bool) -> Container:
        """Count a sample of memory if it is the first of its interval, or higher than the peak before."""
        end_s = at_s if known.end_s is None else known.end_s
        before, peak, oom_peak = max(known.peak, known.oom_peak), known.peak, known.oom_peak
        is_new = False
        if at_s < end_s:
            if before and memory > before:
                state.memory.subtract(before, 1.0, end_s)
                is_new = True
        else:
            end_s += (at_s - end_s) // self.flags.interval_s * self.flags.interval_s + self.flags.interval_s
            peak, oom_peak, is_new = 0, 0, True
        if is_new:
            state.memory.add(memory, 1.0, end_s)
            peak, oom_peak = (peak, memory) if is_oom else (memory, oom_peak)
        return known._replace(memory_s=at_s, peak=peak, oom_peak=oom_peak, end_s=end_s)

    def _killed(self, known: Container, state: State, pod: Object, name: str) -> Container:
        killed_s = _oom_s(pod, name)
        if killed_s <= max(known.oom_s, self.began_s):
            return known
        known = known._replace(oom_s=killed_s)
        if known.memory_s >= 0 and killed_s < known.memory_s - self.flags.interval_s:
            return known
        requests, _ = vertical.resources_of(pod, name)
        used = max(quantity.value((requests or {}).get("memory", "0")), known.peak)
        needed = int(max(used + self.flags.oom_least, used * self.flags.oom_ratio))
        return self._peak(known, state, needed, killed_s, True)

    def collect(self) -> None:
        """Once an hour: forget what is older than the window, and what has neither samples nor pods."""
        if self.now_s - self.gc_s < GC_S:
            return
        self.gc_s = self.now_s
        for name, states in list(self.states.items()):
            kept = {
                one: state
                for one, state in states.items()
                if not state.is_expired(self.now_s, self.flags.window_s) and (state.count or name in self.live)
            }
            self.states[name] = kept
            if not kept:
                del self.states[name], self.labels[name]

    def by_container(self) -> dict[str, State]:
        """Everything known of the containers of each name, by name."""
        found: dict[str, State] = {}
        for name in sorted(self.states):
            for one, state in self.states[name].items():
                found.setdefault(one, State(None, self.flags, self.now_s)).merge(state)
        return dict(sorted(found.items()))

    def current_peaks(self, name: str) -> Iterator[tuple[int, int]]:
        """(peak, end of its interval) of the containers of a name whose interval is not over."""
        for containers in self.pods.values():
            one = containers.get(name)
            if one is not None and one.end_s is not None and self.now_s < one.end_s:
                yield max(one.peak, one.oom_peak), one.end_s


def _oom_s(pod: Object, name: str) -> int:
    """When a container was last killed for want of memory; 0: never."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    told: Object = next((one for one in statuses if one["name"] == name), {})
    for part in ("state", "lastState"):
        ended = (told.get(part) or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled" and ended.get("finishedAt"):
            return seconds(ended["finishedAt"])
    return 0
