"""What the recommender knows of one VerticalPodAutoscaler's pods: samples, gathered by labels and container.

cpu: every sample counts. Memory: one peak for each container and interval (a day); a higher sample takes the place of the
peak, a kill for want of memory counts as more than what was asked for or used:
    request 200Mi, peak 180Mi: max(200Mi + 100Mi, 200Mi * 1.2) = 300Mi
Only pods that a VPA is about are watched, from the moment on that it is there (--memory-saver).
Sources: vertical-pod-autoscaler/pkg/recommender/model/{container,aggregate_container_state,cluster}.go, input/oom/observer.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from minikube_py.api import vertical
from minikube_py.autoscaling import vpa_histogram as histogram
from minikube_py.base import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object
    from minikube_py.autoscaling.metrics import Usage
    from minikube_py.autoscaling.vpa_facts import Facts
    from minikube_py.autoscaling.vpa_flags import Flags
    from minikube_py.base.selector import Selector

    # A pod, and what its containers use.
    Seen: TypeAlias = tuple[Facts, Usage]

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

    def add_cpu(self, cores: float, at_s: int, times: int = 1) -> None:
        self.cpu.add(cores, SAMPLE_WEIGHT, at_s, times)
        self.last_s = at_s if self.last_s is None else max(self.last_s, at_s)
        self.first_s = at_s if self.first_s is None else min(self.first_s, at_s)
        self.count += times

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


# One container: when its samples were taken (-1: never), its peaks in this interval, when that ends (None: no sample yet), and
# the last kill that was counted: [cpu_s, memory_s, peak, oom_peak, end_s, oom_s]. Never changed in place: memory shares it.
Container: TypeAlias = "list[Any]"
UNSEEN: Container = [-1, -1, 0, 0, None, 0]


class Model:
    """The knowledge, loaded from what was remembered; `stored` gives it back."""

    def __init__(self, memory: Object, chosen: Selector, flags: Flags, now_s: int) -> None:
        self.flags, self.now_s, self.chosen = flags, now_s, chosen
        self.began_s: int = memory.get("began", now_s)
        self.gc_s: int = memory.get("gc", now_s)
        self._alike: tuple[Container, int, Container] | None = None
        self.live: set[str] = set()  # the labels of pods that there are
        self.labels: dict[str, dict[str, str]] = {}
        self.states: dict[str, dict[str, State]] = {}
        for name, labels in (memory.get("labels") or {}).items():
            if chosen.matches(labels):  # another selector than before: other pods
                self.labels[name] = labels
                kept = memory["states"].get(name) or {}
                self.states[name] = {one: State(stored, flags, now_s) for one, stored in kept.items()}
        self.pods: dict[str, dict[str, Container]] = memory.get("pods") or {}

    def stored(self) -> Object:
        return {
            "began": self.began_s,
            "gc": self.gc_s,
            "labels": self.labels,
            "states": {
                name: {one: state.stored() for one, state in states.items()} for name, states in self.states.items()
            },
            "pods": self.pods,
        }

    def take_in(self, matching: list[Seen], at_s: int) -> None:
        """One look: the pods there are (none that is Pending), what they use, and who was killed for want of memory.

        Samples of cpu weigh the same at one time, in whatever order they come: they are counted, and added in the end.
        """
        before, self.pods = self.pods, {}
        cpu: dict[tuple[str, str, int], int] = {}  # (labels, container, millicores) -> samples
        for facts, usage in matching:
            name: str = facts.pod["metadata"]["name"]
            states, known = self._states_of(facts), before.get(name) or {}
            containers = self.pods[name] = dict(known)
            for own, killed_s in facts.killed:
                state = states.get(own)
                if state is None:
                    state = states[own] = State(None, self.flags, self.now_s)
                told = known.get(own, UNSEEN)
                used = usage.get(own)
                if used is not None:
                    if at_s > told[0]:
                        place = (facts.labelled, own, used[0])
                        cpu[place] = cpu.get(place, 0) + 1
                    told = self._sample(told, state, used[1], at_s)
                if killed_s > told[5] and killed_s > self.began_s:
                    told = self._killed(told, state, facts.pod, own, killed_s)
                containers[own] = told
        for (labelled, own, cpu_m), times in cpu.items():
            self.states[labelled][own].add_cpu(cpu_m / 1000.0, at_s, times)

    def _states_of(self, facts: Facts) -> dict[str, State]:
        name = facts.labelled
        self.live.add(name)
        found = self.states.get(name)
        if found is None:
            self.labels[name] = facts.labels
            found = self.states[name] = {}
        return found

    def _sample(self, told: Container, state: State, memory: int, at_s: int) -> Container:
        """A container after a look at it. One that has gone on like another is told by the same list."""
        alike = self._alike
        if alike is not None and alike[0] == told and alike[1] == memory:
            return alike[2]
        cpu_s, memory_s, peak, oom_peak, end_s, oom_s = told
        found = [max(at_s, cpu_s), memory_s, peak, oom_peak, end_s, oom_s]
        if at_s < memory_s:
            return found
        if end_s is None or at_s >= end_s or memory > max(peak, oom_peak):
            return self._peak(found, state, memory, at_s, False)
        found[1] = at_s
        self._alike = (told, memory, found)
        return found

    def _peak(self, told: Container, state: State, memory: int, at_s: int, is_oom: bool) -> Container:
        """Count a sample of memory if it is the first of its interval, or higher than the peak before."""
        cpu_s, _, peak, oom_peak, end_s, oom_s = told
        if end_s is None:
            end_s = at_s
        is_new = False
        if at_s < end_s:
            before = peak if peak > oom_peak else oom_peak
            if before and memory > before:
                state.memory.subtract(before, 1.0, end_s)
                is_new = True
        else:
            end_s += (at_s - end_s) // self.flags.interval_s * self.flags.interval_s + self.flags.interval_s
            peak, oom_peak, is_new = 0, 0, True
        if is_new:
            state.memory.add(memory, 1.0, end_s)
            peak, oom_peak = (peak, memory) if is_oom else (memory, oom_peak)
        return [cpu_s, at_s, peak, oom_peak, end_s, oom_s]

    def _killed(self, told: Container, state: State, pod: Object, name: str, killed_s: int) -> Container:
        """Count a kill that was not counted yet."""
        cpu_s, memory_s, peak, oom_peak, end_s, _ = told
        told = [cpu_s, memory_s, peak, oom_peak, end_s, killed_s]
        if memory_s >= 0 and killed_s < memory_s - self.flags.interval_s:
            return told
        requests, _ = vertical.resources_of(pod, name)
        used = max(quantity.value((requests or {}).get("memory", "0")), peak)
        needed = int(max(used + self.flags.oom_least, used * self.flags.oom_ratio))
        return self._peak(told, state, needed, killed_s, True)

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
            if one is not None and one[4] is not None and self.now_s < one[4]:
                yield max(one[2], one[3]), one[4]
