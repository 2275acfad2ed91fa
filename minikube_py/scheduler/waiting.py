"""Who waits for what: the pods that found no node, what they remember of it, and which of them a change may help.

kube-scheduler keeps them in a pool and asks the plugins that refused a pod about each event (queueing hints). Here pods that
look alike and were refused in the same words form a group, and only its first in line is tried again: what it finds holds for the
others. Whenever a member leaves its group (bound, deleted, refused for other reasons) the next one is up. So a change
costs one try for each group that it may help, however many pods wait.

Only a pod that was called so makes an attempt; another that is tried and refused again writes nothing, as in kube-scheduler,
where nobody would have tried it.
Source: pkg/scheduler/backend/queue/scheduling_queue.go.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.scheduler.events import ADDED, EVERY_KIND, happened, nominated
from minikube_py.scheduler.looks import template_key
from minikube_py.scheduler.plugins import volumes
from minikube_py.scheduler.profile import PROFILE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object, View
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.cycle import Decision
    from minikube_py.scheduler.events import Happening
    from minikube_py.scheduler.settings import Settings

STEP = "scheduler"  # the step's name in the pipeline: whose memory it is
VOLUMES = (
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses.storage.k8s.io",
    "csinodes.storage.k8s.io",
)

queue_key = PROFILE.sort[0].queue_key  # of every profile: there is one queue
HELPED_BY = {plugin.name: plugin.helped_by for plugin in PROFILE.filters}


# -- what a pod remembers ----------------------------------------------------------------------------------------------


def is_known(pod: Object, memory: Object) -> bool:
    """Whether the pod, as it is now, was refused before."""
    return bool(memory) and memory["of"] == _identity(pod)


def new_memory(pod: Object, old: Object, decision: Decision, now_s: int) -> Object:
    """What to remember of one more failed attempt: `plugins` are those that refused nodes."""
    names = dict.fromkeys(decision.template.origin[refusal] for refusal in decision.refusals)
    return {
        "of": _identity(pod),
        "attempts": old.get("attempts", 0) + 1,
        "at_s": now_s,
        "plugins": sorted(names),
    }


def _identity(pod: Object) -> list[Any]:
    meta = pod["metadata"]
    return [meta.get("generation", 0), meta.get("labels") or {}]


def place_in_line(pod: Object, view: View, now_s: int) -> tuple[Any, ...]:
    """Sorts the pods to be tried: by priority and arrival; behind them those in back-off, by when it ends. They do not
    wait for that end if nobody else is there (SchedulerPopFromBackoffQ)."""
    if pods.condition(pod, "PodScheduled") is not None:
        end_s = _settings(view).back_off_end_s(view.memory(STEP, _key(pod)))
        if end_s > now_s:
            return (1, end_s, *queue_key(pod))
    return (0, 0, *queue_key(pod))


def _settings(view: View) -> Settings:
    from minikube_py.scheduler.cache import Cache

    return view.derived(STEP, Cache).settings  # type: ignore[no-any-return]


def is_refused(pod: Object) -> bool:
    """Whether a pod waits after it found no node."""
    if pod["spec"].get("nodeName") or pods.is_terminating(pod):
        return False
    found = pods.condition(pod, "PodScheduled")
    return found is not None and found.get("status") == "False" and found.get("reason") == "Unschedulable"


# -- the groups --------------------------------------------------------------------------------------------------------


class Line:
    """Pods in the order of `place_in_line`, of which only the first is ever asked for."""

    __slots__ = ("_places", "_ready", "_resting")

    def __init__(self) -> None:
        self._places: dict[Key, tuple[Any, ...]] = {}
        self._resting: list[tuple[Any, ...]] = []  # heap of (end of back-off, queue key, key)
        self._ready: list[tuple[Any, ...]] = []  # heap of (queue key, key, the place): those whose back-off is over

    def add(self, key: Key, pod: Object, end_s: int) -> None:
        place = self._places[key] = end_s, queue_key(pod), key
        heappush(self._resting, place)

    def remove(self, key: Key) -> None:
        self._places.pop(key, None)

    def first(self, now_s: int) -> Key | None:
        places, resting, ready = self._places, self._resting, self._ready
        while resting and (resting[0][0] <= now_s or places.get(resting[0][2]) is not resting[0]):
            place = heappop(resting)
            if places.get(place[2]) is place:
                heappush(ready, (place[1], place[2], place))
        while ready and places.get(ready[0][1]) is not ready[0][2]:
            heappop(ready)
        if ready:
            return ready[0][1]  # type: ignore[no-any-return]
        return resting[0][2] if resting else None


class Group:
    """Pods that look alike and were refused in the same words. `plugins`: those that refused nodes, at any of them;
    `promised`: the members that wait for room on a node promised to them."""

    __slots__ = ("line", "members", "plugins", "promised")

    def __init__(self) -> None:
        self.members: dict[Key, Object] = {}
        self.plugins: dict[str, None] = {}
        self.line = Line()
        self.promised = Line()

    def add(self, key: Key, pod: Object, end_s: int) -> None:
        self.remove(key)
        self.members[key] = pod
        (self.promised if nominated(pod) else self.line).add(key, pod, end_s)

    def remove(self, key: Key) -> None:
        self.members.pop(key, None)
        self.line.remove(key)
        self.promised.remove(key)


class Waiting:
    """The groups, made when first asked for; part of the scheduler's cache, which tells it of changed pods."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._groups: dict[Any, dict[str, Group]] | None = None  # by what the pods look like, and the words
        self._where: dict[Key, tuple[Any, str]] = {}
        self._listening: dict[str, dict[int, Group]] = {kind: {} for kind in EVERY_KIND}
        self._called: dict[Key, None] = {}

    def helped(self, key: Key, old: Object | None, new: Object | None, now_s: int) -> Iterable[Key]:
        """The waiting pods to try again after a change. They count as called."""
        found: dict[Key, None] = {}
        if key.resource in VOLUMES:
            found = self._with_claims(key)
        for happening in happened(key, old, new):
            found.update(dict.fromkeys(self._cache.nominated.get(happening.node, ())))
            self._load()
            for group in list(self._listening[happening.kind].values()):
                if self._may_help(group, happening):
                    self._call_first(group, now_s, found)
        if key.resource == "pods" and old is not None and is_refused(old):
            here = self._load() and self._where.get(key)
            looks, words = _looks(key, old), _words(old)
            left = self._groups_of(looks).get(words)
            if left is not None and here != (looks, words):
                self._call_first(left, now_s, found)
        self._called.update(found)
        return found

    def call(self, keys: Iterable[Key]) -> None:
        """Let these pods be tried whether something helped them or not: the scheduler started anew."""
        self._called.update(dict.fromkeys(keys))

    def is_called(self, key: Key) -> bool:
        """Whether a pod is to be tried because of some change; asked once for each call."""
        if key in self._called:
            del self._called[key]
            return True
        return False

    def tried(self, key: Key, memory: Object) -> None:
        """Told of a failed attempt, and what will be remembered of it."""
        where = self._where.get(key)
        if where is not None and self._groups is not None:
            group = self._groups[where[0]][where[1]]
            group.add(key, group.members[key], self._cache.settings.back_off_end_s(memory))
            self._listen(group, memory["plugins"])

    def changed(self, key: Key, new: Object | None) -> None:
        """Told of each change of a pod."""
        if new is None:
            self._called.pop(key, None)
        if self._groups is None:
            return
        self._leave(key)
        if new is not None and self._waits(new):
            self._enter(key, new)

    def _load(self) -> bool:
        if self._groups is None:
            self._groups = {}
            for pod in self._cache.view.refused():
                if self._waits(pod):
                    self._enter(_key(pod), pod)
        return True

    def _waits(self, pod: Object) -> bool:
        return is_refused(pod) and self._cache.is_mine(pod)

    def _groups_of(self, looks: Any) -> dict[str, Group]:
        return (self._groups or {}).get(looks, {})

    def _enter(self, key: Key, pod: Object) -> None:
        assert self._groups is not None
        looks, words = _looks(key, pod), _words(pod)
        groups = self._groups.setdefault(looks, {})
        group = groups.get(words)
        if group is None:
            group = groups[words] = Group()
        memory = self._cache.view.memory(STEP, key)
        group.add(key, pod, self._cache.settings.back_off_end_s(memory))
        self._where[key] = looks, words
        self._listen(group, memory.get("plugins") or ())

    def _listen(self, group: Group, plugins: Iterable[str]) -> None:
        """Without plugins there were no nodes, or all were refused at once: a new one is news."""
        for name in plugins:
            if name not in group.plugins:
                group.plugins[name] = None
                for kind in HELPED_BY[name]:
                    self._listening[kind][id(group)] = group
        if not group.plugins:
            self._listening[ADDED][id(group)] = group

    def _leave(self, key: Key) -> None:
        where = self._where.pop(key, None)
        if where is None or self._groups is None:
            return
        groups = self._groups[where[0]]
        group = groups[where[1]]
        group.remove(key)
        if not group.members:
            del groups[where[1]]
            for listeners in self._listening.values():
                listeners.pop(id(group), None)
            if not groups:
                del self._groups[where[0]]

    def _may_help(self, group: Group, happening: Happening) -> bool:
        """Whether one of the plugins that refused the group thinks that this may help."""
        if not group.plugins:
            return True
        node = self._cache.node(happening.node) if happening.node else None
        pod = next(iter(group.members.values()))
        return any(
            happening.kind in plugin.helped_by and plugin.may_help(pod, node, happening.kind)
            for plugin in self._cache.profile_of(pod).filters
            if plugin.name in group.plugins
        )

    def _call_first(self, group: Group, now_s: int, found: dict[Key, None]) -> None:
        """The first in line of a group; and of its pods that have a node promised, since those tell nothing of a failure."""
        for line in (group.line, group.promised):
            first = line.first(now_s)
            if first is not None:
                found[first] = None

    def _with_claims(self, changed: Key) -> dict[Key, None]:
        """The waiting pods that mount the changed claim; for volumes and their classes: any claim."""
        waiting = {key: pod for promised in self._cache.nominated.values() for key, pod in promised.items()}
        self._load()
        for groups in (self._groups or {}).values():
            for group in groups.values():
                waiting.update(group.members)
        if changed.resource != "persistentvolumeclaims":
            return {key: None for key, pod in waiting.items() if next(volumes.claim_names(pod), None) is not None}
        return {
            key: None
            for key, pod in waiting.items()
            if key.namespace == changed.namespace and changed.name in volumes.claim_names(pod)
        }


def _key(pod: Object) -> Key:
    return Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def _looks(key: Key, pod: Object) -> Any:
    """What the pods of a group have in common; one with claims is a group of its own, as volumes change behind it."""
    return key if next(volumes.claim_names(pod), None) is not None else template_key(pod)


def _words(pod: Object) -> str:
    return (pods.condition(pod, "PodScheduled") or {}).get("message") or ""
