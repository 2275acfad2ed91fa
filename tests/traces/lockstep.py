"""A recording played back in lockstep: the controllers take their turns as the recorded ones did.

The real controllers run side by side, each with a cache that lags some milliseconds behind, so which of them looks first, and
how many changes it sees at once, is chance; it shapes what a rollout goes through. Here a controller that has something
to look at is run when that yields the recorded write that is due: before a change from outside if it had been written
without knowing of it, else after. What no controller yields at its turn counts as missing. Whenever the recording was quiet
for a while, all controllers come to their rest.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.types import Create, Delete, Key, Patch, Record, Wake
from minikube_py.apiserver.origin import Origin
from minikube_py.base import patch
from tests.traces.playback import Playback, family_of
from tests.traces.shapes import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.store.store import Change, Store
    from tests.traces.shapes import Row

Object = dict[str, Any]
QUIET_S = 0.25  # the recorded controllers were done with everything after such a pause
LAG_S = 0.08  # so far back a recorded write may reach: it was decided before what came meanwhile was seen
TURNS_MAX = 40
PASTS_MAX = 60
UNSEEN = {"deployments.apps", "replicasets.apps"}  # some recordings watched only the pods of workloads
ONE_BY_ONE = ("namespace-controller", "generic-garbage-collector")  # each of their deletions is a request of its own
LAGGING = ("deployments.apps", "replicasets.apps")  # whose controllers' caches are followed back


class Past:
    """What could be seen at a moment: a View of the workloads as they were."""

    def __init__(self, t: float, objects: dict[Key, Object], store: Store) -> None:
        self.t, self.objects, self.memory = t, objects, store.memory

    def get(self, key: Key) -> Object | None:
        return self.objects.get(key)

    def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        return [
            obj
            for key, obj in sorted(self.objects.items())
            if key.resource == resource and namespace in (None, key.namespace)
        ]

    def owned(self, uid: str, resource: str) -> list[Object]:  # type: ignore[valid-type]
        found = self.list(resource)
        return [one for one in found if any(ref["uid"] == uid for ref in one["metadata"].get("ownerReferences") or ())]

    def unowned(self, resource: str, namespace: str) -> list[Object]:  # type: ignore[valid-type]
        return [one for one in self.list(resource, namespace) if not one["metadata"].get("ownerReferences")]

    def selected(self, namespace: str, labels: dict[str, str]) -> list[Object]:  # type: ignore[valid-type]
        found = self.list("pods", namespace)
        return [pod for pod in found if labels.items() <= (pod["metadata"].get("labels") or {}).items()]


class Turn(NamedTuple):
    """A step that has a key to look at."""

    number: int
    key: Key


class Halfway(NamedTuple):
    """A run that waits before the deletion of a pod."""

    run: Any
    action: Delete


class Lockstep(Playback):
    """`run()` plays; then `compared()` tells what came out of it."""

    def run(self) -> None:
        self._name_recorded()
        self._prepare()
        self.engine = self.cluster.engine
        self.written: dict[str, list[Any]] = {}
        self.last: dict[str, Any] = {}
        self.made: dict[tuple[str, str], int] = {}  # (what happened to pods, of whom) -> how often here
        self.due: dict[tuple[str, str], int] = {}  # ... and in the recording
        self.done: set[int] = set()
        self.noted = self.cluster.store.revision
        self.t = 0.0
        telling = (row for row in self.recording.rows if "spec.replicas" in row.fields or "specReplicas" in row.fields)
        self.seen_kinds = {f"{row.kind}.apps" for row in telling}
        self.pasts: list[Past] = []
        self.halfway: dict[Turn, Halfway] = {}
        self.awaits_removal = False  # whether the next row is the removal that a run halfway waits for
        namespace = self.recording.namespace
        self.objects = {
            Key(resource, namespace, obj["metadata"]["name"]): obj
            for resource in (*LAGGING, "pods")
            for obj in self.cluster.list(resource, namespace)
        }
        self.lagging = {
            step.resource: number for number, step in enumerate(self.engine.steps) if step.resource in LAGGING
        }
        self.engine.on_change = self._note
        with ExitStack() as self.held:
            self._hold()
            self._play_rows()
            self._rest()
            self._let_go()
        self.engine.on_change = None
        self.machine.pass_time(1)

    def _hold(self) -> None:
        """One transaction, in which the engine keeps what is dirty between turns."""
        self.held.enter_context(self.cluster.transaction())
        self.engine._forget_dirty()
        self.engine._begin_instant()

    def _let_go(self) -> None:
        """All is at rest; a command line opens the file for itself."""
        self.engine._end_instant(last=True)
        self.held.close()

    def _play_rows(self) -> None:
        rows, deeds = self.recording.rows, list(self.recording.deeds)
        last_t = 0.0
        for index, row in enumerate(rows):
            while deeds and deeds[0][0] <= row.t:
                self._rest()
                self._go_to(deeds[0][0])
                last_t, deed = deeds.pop(0)
                self._do(deed)
            if row.t - last_t > QUIET_S:
                self.awaits_removal = row.kind == "pods" and self._deed(row) == "left"
                self._rest()
                self.awaits_removal = False
            self._go_to(row.t)
            last_t = self.t = row.t
            if self._is_ours(row):
                self._answer(index)
            else:
                self._look_ahead(index)
                self._pod(row)
                self.engine._drain()
        for t, deed in deeds:
            self._rest()
            self._go_to(t)
            self._do(deed)

    def _is_ours(self, row: Row) -> bool:
        """Whether a controller wrote it; the rest came from outside."""
        return row.kind != "pods" or self._deed(row) != ""

    def _deed(self, row: Row) -> str:
        """What controllers do to pods: they make them, mark them for deletion, and let go of those of Jobs."""
        before = self.states.get(row.name) or {}
        if row.event == "ADDED":
            return "made"
        if row.event == "MODIFIED" and row.fields.get("deleting") and not before.get("deleting"):
            return "left"
        return (
            "freed" if row.event == "MODIFIED" and before.get("finalizers") and not row.fields.get("finalizers") else ""
        )

    def _do(self, deed: Any) -> None:
        if not isinstance(deed, str) or not hasattr(self, "held"):
            super()._do(deed)
            return
        self._let_go()
        answer = self.machine.kpy(self._as_here(deed))
        assert answer.code == 0, (deed, answer)
        self._hold()
        for change in self.cluster.changes(self.noted):
            self._note(change)

    # -- time and rest -------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        if hasattr(self, "held"):
            self.engine._drain()
        else:
            super()._settle()

    def _rest(self) -> None:
        while not self.awaits_removal and self._go_on():
            pass
        self.engine._drain()
        self.engine._settle_instant()
        self.engine._drain()

    def _go_to(self, t: float) -> None:
        target_s = self.recording.start_s + int(t + self.recording.offset_s)
        while self.cluster.clock.now_s < target_s:
            next_s = self.engine._next_s(target_s, True)
            if next_s is not None and next_s < target_s:
                self._rest()
                self._move(next_s)
                self._rest()
            else:
                self._move(target_s)

    def _move(self, now_s: int) -> None:
        self.engine._drain()
        self.engine._move_clock(now_s)
        self.cluster.store.set_meta("cursor", str(self.cluster.store.revision))
        self.engine._begin_instant()

    # -- turns ---------------------------------------------------------------------------------------------------

    def _note(self, change: Change) -> None:
        self.noted = change.revision
        self.objects = {key: obj for key, obj in self.objects.items() if key != change.key}
        if change.new is not None and change.key.resource in (*LAGGING, "pods"):
            self.objects[change.key] = change.new
        self.pasts.append(Past(self.t, self.objects, self.cluster.store))
        del self.pasts[:-PASTS_MAX]
        kind = change.key.resource.partition(".")[0]
        if change.key.namespace not in (self.recording.namespace, ""):
            return
        if change.new is not None:
            self._name(self.here, kind, change.key.name, change.new)
        if kind == "pods":
            whom = self.here.told(family_of(change.key.name))
            old, new = change.old, change.new
            if old is None:
                self._count(self.made, "made", whom)
            if old and new and old["metadata"].get("finalizers") and not new["metadata"].get("finalizers"):
                self._count(self.made, "freed", whom)
            if old and new and "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"]:
                self._count(self.made, "left", whom)
            return
        found = self._found_row(change)
        if found is not None:
            self.written.setdefault(found[0], []).append(found[1])
            self.last[found[0]] = found[1]

    @staticmethod
    def _count(counts: dict[tuple[str, str], int], what: str, whom: str) -> int:
        counts[what, whom] = counts.get((what, whom), 0) + 1
        return counts[what, whom]

    def _answer(self, index: int) -> None:
        """Bring about the recorded write, unless it came already."""
        row = self.recording.rows[index]
        if row.kind == "events":
            self._tell(row)
            return
        if row.kind == "pods":
            whom = self.there.told(family_of(row.name))
            what = self._deed(row)
            count = self._count(self.due, what, whom)
            for _ in range(TURNS_MAX):
                if self.made.get((what, whom), 0) >= count or not self._take_turn(row):
                    break
            self._pod(row)
            return
        if index in self.done or row.kind not in self._shapes:
            return
        self._bring(index)

    def _tell(self, row: Row) -> None:
        """Run the step that would record the event now, unless it has."""
        wanted = self._recorded_row(row)
        if wanted is None or wanted[1] in self.written.get(wanted[0], []):
            return
        for turn in self._turns():
            step, obj = self.engine.steps[turn.number], self.cluster.store.get(turn.key)
            if step.component != wanted[1]["component"] or obj is None:
                continue
            run = self.engine._function(step)(obj, self.cluster.server.view, self.cluster.server.clock)
            if any(type(one) is Record and one.reason == wanted[1]["reason"] for one in run):  # type: ignore[attr-defined]
                self._run_turn(turn)
                return

    def _bring(self, index: int) -> bool:
        row = self.recording.rows[index]
        wanted = self._recorded_row(row)
        assert wanted is not None
        for _ in range(TURNS_MAX):
            waiting = self.written.get(wanted[0], [])
            if wanted[1] in waiting or wanted[1] == self.last.get(wanted[0]):
                del waiting[: waiting.index(wanted[1]) + 1 if wanted[1] in waiting else 0]
                self.done.add(index)
                return True
            revision = self.cluster.store.revision
            if not self._take_turn(row) or self.cluster.store.revision == revision:
                return False
        raise AssertionError(f"no end of turns for {row}")

    def _look_ahead(self, index: int) -> None:
        """Writes that are still to come and that the controllers, as things are, would make now: they had not seen what
        comes from outside next."""
        rows, tried = self.recording.rows, set[tuple[str, str]]()
        for later in range(index + 1, len(rows)):
            row = rows[later]
            if row.t > rows[index].t + LAG_S:
                return
            if later in self.done or row.kind in ("events", "pods") or row.kind not in self._shapes:
                continue
            if (row.kind, row.name) in tried:
                continue
            tried.add((row.kind, row.name))
            if not self._bring(later) and row.kind in ("deployments", "replicasets"):
                return  # these look at each other: what comes after it hangs on it

    def _take_turn(self, row: Row) -> bool:
        """Run the first step that would write the row now, else one that would by what it could have seen a while ago."""
        view, store = self.cluster.server.view, self.cluster.store
        if row.kind == "pods" and self._go_on():
            return True
        for turn in self._turns():
            if self._would_write(turn, row, store.get(turn.key), view):
                self._run_turn(turn, row)
                if row.kind == "pods":
                    self._go_on()
                return True
        for turn in self._turns():  # nobody watched these: the row may hang on what they write
            if (
                row.kind in ("pods", "deployments")
                and self.engine.steps[turn.number].resource in UNSEEN - self.seen_kinds
            ):
                self._run_turn(turn)
                return True
        return row.kind != "pods" and self._take_late_turn(row)

    def _run_turn(self, turn: Turn, row: Row | None = None) -> None:
        step = self.engine.steps[turn.number]
        if row is not None and step.component in ONE_BY_ONE:
            self._begin_run(turn)
            return
        cause = self.engine._dirty[turn.number].causes.pop(turn.key)
        step = self.engine.steps[turn.number]
        self.engine._run(step, turn.key, cause)
        self.engine._drain(-1 if step.sees_itself else turn.number)

    def _begin_run(self, turn: Turn) -> None:
        """A run that removes one pod after the other, up to the first: before each of them others may look."""
        del self.engine._dirty[turn.number].causes[turn.key]
        step, server = self.engine.steps[turn.number], self.cluster.server
        run = self.engine._function(step)(self.cluster.store.get(turn.key), server.view, server.clock)
        self._advance(turn, run, None)

    def _go_on(self) -> bool:
        """The first run that waits before a pod: it removes that and comes to the next, or to its end. False: none waits."""
        for turn, (run, action) in self.halfway.items():
            del self.halfway[turn]
            self._advance(turn, run, self._carry_out(turn, action))
            return True
        return False

    def _advance(self, turn: Turn, run: Any, outcome: Any) -> None:
        try:
            while True:
                action = run.send(outcome)
                if type(action) is Delete and action.key.resource == "pods":
                    self.halfway[turn] = Halfway(run, action)
                    break
                outcome = self._carry_out(turn, action)
        except StopIteration:
            pass
        self.engine._drain()

    def _carry_out(self, turn: Turn, action: Any) -> Any:
        step = self.engine.steps[turn.number]
        if type(action) is Wake:
            due_s = max(action.at_s, self.cluster.clock.now_s + 1)
            self.cluster.store.set_wake(step.name, turn.key, (due_s, action.background))
            return None
        origin = Origin(step.component, 0, trusted=True, user=f"system:{step.component}", groups=())
        return self.engine._carry_out(step, turn.key, action, origin)

    def _take_late_turn(self, row: Row) -> bool:
        for past in reversed(self.pasts):
            if past.t < row.t - 2 * LAG_S:
                return False
            for key in past.objects:
                number = self.lagging.get(key.resource)
                if number is None:
                    continue
                turn, before, now = Turn(number, key), past.get(key), self.cluster.store.get(key)
                for obj, view in ((before, past), (now, past), (before, self.cluster.server.view)):
                    if obj is not None and self._would_write(turn, row, obj, view, alone=True):
                        self._run_late(turn, obj, view)
                        return True
        return False

    def _run_late(self, turn: Turn, obj: Object, view: Any) -> None:
        """The engine's `_run` by an older view; the key stays dirty, for the news is still to come."""
        step = self.engine.steps[turn.number]
        origin = Origin(step.component, 0, trusted=True, user=f"system:{step.component}", groups=())
        run, outcome = self.engine._function(step)(obj, view, self.cluster.server.clock), None
        try:
            while True:
                action = run.send(outcome)  # type: ignore[attr-defined]
                outcome = None if type(action) is Wake else self.engine._carry_out(step, turn.key, action, origin)
        except StopIteration:
            self.engine._drain()

    def _turns(self) -> list[Turn]:
        found = [Turn(number, key) for number, keys in enumerate(self.engine._dirty) for key in sorted(keys.causes)]
        return [turn for turn in found if turn not in self.halfway]

    def _would_write(self, turn: Turn, row: Row, obj: Object | None, view: Any, *, alone: bool = False) -> bool:
        """`alone`: no pod may be made or removed along with it: a real controller counts what it has not seen yet."""
        if obj is None:
            return False
        step = self.engine._function(self.engine.steps[turn.number])
        seen: dict[Key, Object] = {}
        verdict: bool | None = None
        for action in step(obj, view, self.cluster.server.clock):  # type: ignore[attr-defined]
            if alone and type(action) in (Create, Delete):
                return False
            for found in self._verdicts(action, row, seen):
                verdict = found if verdict is None else verdict
            if verdict is not None and not (alone and verdict):
                return verdict
        return bool(verdict)

    def _verdicts(self, action: Any, row: Row, seen: dict[Key, Object]) -> Iterator[bool]:
        """Whether an action writes the row; nothing if it is about something else."""
        if type(action) is Create:
            kind, meta = RESOURCES[action.object["kind"]], action.object["metadata"]
            name = meta.get("name") or meta.get("generateName", "")
            if kind == row.kind and row.event == "ADDED":
                yield (
                    self.here.told(family_of(name)).rstrip("-") == self.there.told(family_of(row.name))
                    or row.kind != "pods"
                )
        elif type(action) is Delete and row.kind == "pods" == action.key.resource and row.event == "MODIFIED":
            yield self._deed(row) == "left" and self.here.told(family_of(action.key.name)) == self.there.told(
                family_of(row.name)
            )
        elif type(action) is Delete and action.key.resource.partition(".")[0] == row.kind:
            marks = row.event == "MODIFIED" and row.fields.get("deleting") and action.propagation == "Foreground"
            if row.event == "DELETED" or marks:
                yield self.here.told(action.key.name) == self.there.told(row.name)
        elif type(action) is Patch and action.key.resource == "pods" == row.kind:
            if "finalizers" in action.fields.get("metadata", {}) and self._deed(row) == "freed":
                yield self.here.told(family_of(action.key.name)) == self.there.told(family_of(row.name))
        elif type(action) is Patch:
            key = action.key
            kind = key.resource.partition(".")[0]
            old = seen.get(key) or self.cluster.store.get(key)
            if kind != row.kind or old is None or self.here.told(key.name) != self.there.told(row.name):
                return
            new = patch.merge(old, action.fields)
            if "spec" in action.fields and new["spec"] != old["spec"] and "generation" in old["metadata"]:
                new = {**new, "metadata": {**new["metadata"], "generation": old["metadata"]["generation"] + 1}}
            seen[key] = new
            wanted, told = (
                self._recorded_row(row),
                self._row(kind, key.name, "MODIFIED", self.fields(kind, new), self.here),
            )
            yield wanted is not None and told[1] == wanted[1]
