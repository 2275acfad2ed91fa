"""The only loop: read what changed, run the steps that it concerns, jump the clock to the next due event.

1. Read the log after the engine's cursor and map the changes to dirty keys; add the wakes that are due.
2. Pass: each step in order, each of its dirty keys sorted, each action carried out at once through the verbs. Repeat until
   nothing is dirty: this virtual instant is done. The store commits a number of them together.
3. Jump to the next wake. Only background wakes left: the cluster is settled.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from minikube_py.api.facets import ALL
from minikube_py.api.types import Create, Delete, Key, Patch, Record, Remember, Wake
from minikube_py.apiserver import events
from minikube_py.apiserver.origin import Origin
from minikube_py.base.errors import KpyError, RestlessError
from minikube_py.engine.pipeline import PIPELINE, Step
from minikube_py.engine.queue import DirtyKeys
from minikube_py.engine.report import Deed, Report, unhealthy
from minikube_py.engine.wakes import Adopter, Owner, World, is_adoptable, owners_of
from minikube_py.store import compaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Action, Object, Outcome
    from minikube_py.apiserver.verbs import ApiServer
    from minikube_py.store.store import Change

Asked: TypeAlias = (
    "list[tuple[Callable[..., Iterable[Key]], list[int]]]"  # mappings, each with the steps it is asked for
)

AT_WORK_MAX = 3  # named in an error
PASSES_MAX = 10_000  # in one instant; a healthy one needs fewer than 100, a rollout of 5,000 pods some hundreds


class Engine:
    """Drives one cluster. `sweep` looks at every key of every step in each pass: slow, and must write the same log."""

    def __init__(self, server: ApiServer, *, pipeline: tuple[Step, ...] = PIPELINE, sweep: bool = False) -> None:
        self.server = server
        self.store = server.store
        self.steps = pipeline
        self.sweep = sweep
        self._on_change: Callable[[Change], None] | None = None
        self.on_deed: Callable[[Deed], None] | None = None
        self.passes = self.instants = 0
        self._safe = ""  # up to when the work of this run is committed
        self._dirty = [DirtyKeys(self._rank(step)) for step in pipeline]
        self._waiting = [dirty.causes for dirty in self._dirty]  # which of them are empty is asked at every pass
        self._loaded: dict[str, Callable[..., object]] = {}
        self._numbers = {step.name: number for number, step in enumerate(pipeline)}
        self._routes = routes(pipeline)
        self._plans: dict[tuple[str, int], Plan] = {}
        self._absent: dict[str, None] = {}  # the resources without objects that the plans count on
        self._world = World(self.store, server.view, server.registry, {})

    @property
    def on_change(self) -> Callable[[Change], None] | None:
        """Who is told of each write, as soon as it is made."""
        return self._on_change

    @on_change.setter
    def on_change(self, told: Callable[[Change], None] | None) -> None:
        self._on_change, self.store.tells_events = told, told is not None

    # -- running -------------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        limit_s: int,
        to_the_end: bool = False,
        until: Callable[[], bool] | None = None,
        one_pass: bool = False,
        brief: bool = False,
    ) -> Report:
        """Run until settled, until `until` holds, or until virtual second `limit_s`.

        `to_the_end`: run background wakes too and stop exactly at `limit_s`. `one_pass`: a single pass, then stop.
        `brief`: the report does not say who is unhealthy.
        """
        started_s, settled = self.server.clock.now_s, False
        self.passes = self.instants = 0
        written, self._safe = self.store.written, self.server.clock.timestamp
        self._forget_dirty()
        with _without_collector(), self.store.transaction():
            while True:
                self._begin_instant()
                if one_pass:
                    self._pass()
                    settled = not self._is_dirty() and self._next_s(limit_s, to_the_end) is None
                    break
                self._settle_instant()
                self.instants += 1
                if until is not None and until():
                    break
                next_s = self._next_s(limit_s, to_the_end)
                if next_s is None:
                    settled = self.store.next_wake()[0] is None
                    if to_the_end:
                        self._move_clock(max(limit_s, self.server.clock.now_s))
                    break
                self._end_instant()
                self._move_clock(next_s)
            self._end_instant(last=True)
            self.store.compact(compaction.KEEP, slack=compaction.SLACK)
            found = [] if brief else unhealthy(self.store)
            writes = self.store.written - written
        return Report(settled, self.server.clock.now_s, started_s, writes, self.passes, self.instants, found)

    def run_only(self, names: tuple[str, ...]) -> None:
        """Run some steps over what was written, now: deeds that a real cluster does before a person can type again."""
        with self.store.transaction():
            self._forget_plans()
            self._read_log()
            for number, step in enumerate(self.steps):
                if step.name in names:
                    for key, cause in self._dirty[number].take():
                        self._run(step, key, cause)
            self.store.changes.clear()
            self._forget_dirty()

    def _begin_instant(self) -> None:
        self._world = World(self.store, self.server.view, self.server.registry, {})
        self._read_log()
        now_s = self.server.clock.now_s
        for name, key in self.store.due(now_s):
            if name in self._numbers:
                self._dirty[self._numbers[name]].add(key, 0)
        if events.expire(self.store, self.server.clock):
            self._drain()

    def _read_log(self) -> None:
        """Route what was written since the cursor. It is told as a new session would read it from the log: so it does not
        matter which process wrote what, and the same commands leave the same bytes."""
        cursor = int(self.store.meta("cursor", "0"))
        found = self.store.merged_since(cursor) if cursor < self.store.revision else []
        self.store.changes.clear()
        for change in found:
            if change.key.resource != "events" or change.new is None:
                self._route(change)

    def _settle_instant(self) -> None:
        """Raises RestlessError where there is no end: a policy that relabels the pods of a ReplicaSet makes it create pods for
        ever, as on a real cluster."""
        for _ in range(PASSES_MAX):
            if not self._pass():
                return
        at_work = [
            f"{step.component} with {key.resource} {'/'.join(filter(None, key[1:]))}"
            for step, dirty in zip(self.steps, self._dirty, strict=True)
            for key in dirty.some()
        ]
        goes_on = "work on" if len(at_work) > 1 else "works on"
        raise RestlessError(
            f"the cluster does not come to rest at {self.server.clock.timestamp}: {', '.join(at_work[:AT_WORK_MAX])} {goes_on} "
            f"without end; nothing since {self._safe} was kept"
        )

    def _end_instant(self, *, last: bool = False) -> None:
        if not self._is_dirty():
            self.store.set_meta("cursor", str(self.store.revision))
        if not last and self.store.checkpoint():
            self._safe = self.server.clock.timestamp
            self._forget_plans()  # others may have written in between

    def _next_s(self, limit_s: int, to_the_end: bool) -> int | None:
        """The next instant to go to, or None where the run ends."""
        foreground, background = self.store.next_wake()
        due = [at for at in (foreground, background) if at is not None and at <= limit_s]
        if not due or (not to_the_end and (foreground is None or foreground > limit_s)):
            return None
        return max(min(due), self.server.clock.now_s)

    def _move_clock(self, now_s: int) -> None:
        """Forward only: another process may have been further since this one looked."""
        self.store.set_meta("now_s", str(max(now_s, self.server.clock.now_s)))

    # -- one pass ------------------------------------------------------------------------------------------------

    def _is_dirty(self) -> bool:
        return any(self._waiting)

    def _forget_dirty(self) -> None:
        """What is dirty follows from the cursor and the log: a run begins with that, whatever the one before has left."""
        for dirty in self._dirty:
            dirty.clear()
        self._forget_plans()

    def _pass(self) -> bool:
        """Every step over its dirty keys, once. Returns whether anything was looked at (a sweep: changed)."""
        before = self.store.revision
        if self.sweep:
            for number, step in enumerate(self.steps):
                for key in self.store.keys(step.resource):
                    self._dirty[number].add(key, 0)
        elif not self._is_dirty():
            return False
        self.passes += 1
        for number, causes in enumerate(self._waiting):
            if causes:
                step = self.steps[number]
                blind = -1 if step.sees_itself else number
                for key, cause in self._dirty[number].take():
                    self._run(step, key, cause)
                    self._drain(blind)
        return self.store.revision > before if self.sweep else True

    def _run(self, step: Step, key: Key, cause: int) -> None:
        """One step on one key; its wake is replaced by what it asks for now."""
        obj = self.store.get(key)
        if obj is None and step.of_the_gone:
            obj = next((one.old for one in self.store.history(cause - 1, key) if one.new is None), None)
        if obj is None:
            self.store.set_wake(step.name, key, None)
            return
        wake: Wake | None = None
        clock = self.server.clock
        run = self._function(step)(obj, self.server.view, clock)
        origin = Origin(step.component, cause, trusted=True, user=f"system:{step.component}", groups=())
        outcome: Outcome = None
        try:
            while True:
                action = run.send(outcome)  # type: ignore[attr-defined]
                if type(action) is Wake:  # the earliest counts; it is background only if all are
                    is_background = action.background and (wake is None or wake.background)
                    wake = Wake(action.at_s if wake is None else min(action.at_s, wake.at_s), is_background)
                    outcome = None
                    continue
                outcome = self._carry_out(step, key, action, origin)
                if self.on_deed is not None:
                    self.on_deed(Deed(clock.now_s, step.component, key, action, outcome))
        except StopIteration:
            pass
        due = None if wake is None else (max(wake.at_s, clock.now_s + 1), wake.background)
        self.store.set_wake(step.name, key, due)

    def _function(self, step: Step) -> Callable[..., object]:
        found = self._loaded.get(step.name)
        if found is None:
            found = self._loaded[step.name] = loaded(step.function)
        return found

    def _rank(self, step: Step) -> Callable[[Key], object] | None:
        """What orders the keys of a step, if its row says so. A missing object comes first: it costs nothing."""
        if not step.order:
            return None
        order: Callable[..., object] | None = None

        def rank(key: Key) -> object:
            nonlocal order
            order = order or loaded(step.order)
            obj = self.store.get(key)
            return () if obj is None else order(obj, self.server.view, self.server.clock.now_s)

        return rank

    def _carry_out(self, step: Step, key: Key, action: Action, origin: Origin) -> Outcome:
        """Do what a step asks for, through the verbs. A refusal is the outcome, never an exception."""
        server = self.server
        try:
            if type(action) is Patch:
                return server.change(action.key, action.fields, action.subresource, origin, action.known)
            if type(action) is Record:
                return self._record(step, key, action, origin.cause)
            if type(action) is Create:
                return self._create(action.object, origin)
            if type(action) is Delete:
                if action.evict:
                    return self._evict(action, origin)
                kind = server.registry.resource(action.key.resource)
                return server.delete(
                    kind,
                    action.key,
                    grace_s=action.grace_s,
                    propagation=action.propagation,
                    uid=action.uid,
                    origin=origin,
                )
            assert type(action) is Remember, action
            self.store.remember(step.name + action.part, key, action.data)
        except KpyError as error:
            return error
        return None

    def _evict(self, action: Delete, origin: Origin) -> Outcome:
        from minikube_py.apiserver import eviction

        eviction.evict(self.server, action.key, origin=origin, grace_s=action.grace_s)
        return None

    def _record(self, step: Step, key: Key, wanted: Record, cause: int) -> Outcome:
        """Events of controllers about what they look after go through their recorder, which combines and drops."""
        clock = self.server.clock
        if step.resource != "pods" and step.component != "kubelet" and not wanted.action:
            meta = wanted.regarding["metadata"]
            if meta["name"] == key.name and meta.get("namespace", "") == key.namespace:
                told = events.correlated(self.store, clock, wanted, key)
                if told is None:
                    return None
                wanted = told
        events.record(self.store, clock, wanted, actor=wanted.component, cause=cause)
        return None

    def _create(self, obj: Object, origin: Origin) -> Object:
        kind = self.server.registry.find(obj["apiVersion"], obj["kind"])
        assert kind is not None, (obj["apiVersion"], obj["kind"])
        return self.server.create(kind, obj, origin=origin)

    # -- from changes to dirty keys ------------------------------------------------------------------------------

    def _drain(self, blind: int = -1) -> None:
        """Route what was written since; the step of number `blind` is not woken by it."""
        changes = self.store.changes
        if changes:
            for change in changes:
                if self._on_change is not None:
                    self._on_change(change)
                if change.key.resource != "events" or change.new is None:  # no step follows an event; nobody owns one
                    self._route(change, blind)
            changes.clear()

    def _route(self, change: Change, blind: int = -1) -> None:
        resource, world, dirty, revision = change.key.resource, self._world, self._dirty, change.revision
        if change.old is None and resource in self._absent:
            self._forget_plans()
        plan = self._plans.get((resource, change.facets)) or self._plan(resource, change.facets)
        for mapping, numbers in plan.mappings:
            for key in mapping(change, world):
                for number in numbers:
                    if number != blind:
                        dirty[number].add(key, revision)
        if plan.by_owner:
            for key in owners_of(change, world):
                for number in plan.by_owner.get(key.resource, ()):
                    if number != blind:
                        dirty[number].add(key, revision)
        if plan.adopters and is_adoptable(change):
            for adopter, numbers in plan.adopters:
                for key in adopter(change, world):
                    for number in numbers:
                        dirty[number].add(key, revision)
        for mapping, numbers in plan.for_all:
            for key in mapping(change, world):
                for number in numbers:
                    if self.steps[number].resource in ("*", key.resource):
                        dirty[number].add(key, revision)

    def _plan(self, resource: str, facets: int) -> Plan:
        """Who is to be asked about the changes of a resource with these facets; made once for each."""
        own, whole = self._routes.get(resource, NO_ROUTES), self._routes["*"]
        found = self._plans[resource, facets] = Plan(
            self._awake(own.wanting(facets)),
            own.owners_wanting(facets),
            own.adopters_wanting(facets),
            self._awake(whole.wanting(facets)),
        )
        return found

    def _awake(self, asked: Asked) -> Asked:
        """Without the mappings that find nothing while a resource has no objects; plans are made anew when it gets one."""
        found = []
        for mapping, numbers in asked:
            resource = getattr(mapping, "idle_without", "")
            if resource and not self.store.has_resource(resource):
                self._absent[resource] = None
            else:
                found.append((mapping, numbers))
        return found

    def _forget_plans(self) -> None:
        self._plans, self._absent = {}, {}


class Plan(NamedTuple):
    """The mappings and steps that some changes of a resource concern, see `Routes`; `for_all`: those of every resource."""

    mappings: Asked
    by_owner: dict[str, list[int]]
    adopters: Asked
    for_all: Asked


class Routes:
    """Where the changes of one resource go: mappings with the facets and the steps that want their keys, each asked once; for
    each resource of owners the steps that look at those, and the facets they want; and who may adopt."""

    def __init__(self) -> None:
        self._mappings: dict[Callable[..., Iterable[Key]], list[int]] = {}
        self._owners: list[tuple[Owner, int]] = []
        self._adopters: dict[Callable[..., Iterable[Key]], list[int]] = {}

    def add(self, number: int, mapping: Callable[..., Iterable[Key]]) -> None:
        if isinstance(mapping, Owner):
            self._owners.append((mapping, number))
        else:
            kept = self._adopters if isinstance(mapping, Adopter) else self._mappings
            kept.setdefault(mapping, []).append(number)

    def wanting(self, facets: int) -> Asked:
        return _wanting(self._mappings, facets)

    def adopters_wanting(self, facets: int) -> Asked:
        return _wanting(self._adopters, facets)

    def owners_wanting(self, facets: int) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for owner, number in self._owners:
            if owner.facets & facets:
                found.setdefault(owner.resource, []).append(number)
        return found


def _wanting(asked: dict[Callable[..., Iterable[Key]], list[int]], facets: int) -> Asked:
    return [(mapping, numbers) for mapping, numbers in asked.items() if getattr(mapping, "facets", ALL) & facets]


NO_ROUTES = Routes()


def loaded(where: str) -> Callable[..., object]:
    """'controllers.deployment:step', below minikube_py."""
    from importlib import import_module

    module, _, name = where.partition(":")
    return getattr(import_module(f"minikube_py.{module}"), name)  # type: ignore[no-any-return]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Objects of a cluster hold no cycles; Python's search for some costs a third of a large run."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def routes(pipeline: tuple[Step, ...]) -> dict[str, Routes]:
    """resource ('*': all) -> its routes, in the order of the pipeline."""
    found = {"*": Routes()}
    for number, step in enumerate(pipeline):
        for resource, mappings in step.wakes_on.items():
            own = found.setdefault(resource, Routes())
            for mapping in mappings:
                own.add(number, mapping)
    return found
