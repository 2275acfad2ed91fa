"""What came from outside in a recording, done again, and what the controllers wrote, compared row by row.

From outside came the commands, the scheduler's bindings and all that the imitated kubelets wrote. `Playback` does it to the
pods here that correspond to the recorded ones, and compares; when what happens is up to `lockstep.Lockstep`.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base.errors import KpyError
from tests.traces.machine import EPOCH_S, Machine, distinct
from tests.traces.shapes import (
    EVENTS,
    MISC,
    TELLERS,
    TRACES,
    Row,
    event_of,
    filled,
    recorded_event,
    timeless,
    without_chance,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from minikube_py.store.store import Change

Object = dict[str, Any]
# Who is played instead of simulated; nobody in the recordings provisioned volumes or gave addresses.
PLAYED = (
    "scheduler", "kubelet", "volume-provisioner", "volume-deleter", "volume-resizer",
    "service-load-balancer", "cluster-autoscaler",
)  # fmt: skip
SIDE_BY_SIDE = ("events of ReplicaSet", "events of DaemonSet", "events of Job")  # who make and delete many at once
_POD = re.compile(r"POD-\d+")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RANDOM = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$")


class Recording(NamedTuple):
    """`deeds`: (second, what is done: a command line, a manifest to apply, or a function of the playback), in order.
    `before`: done before the watch began, each brought to its rest with all pods ready (`ready`: or running only). `start_s`:
    the whole second in which the watch began, and `offset_s` how far into it. `misc`: the rows are flat."""

    namespace: str
    rows: list[Row]
    deeds: tuple[tuple[float, Any], ...] = ()
    before: tuple[Any, ...] = ()
    nodes: tuple[str, ...] = ("fake-000", "fake-001", "fake-002")
    offset_s: float = 0.0
    start_s: int = EPOCH_S + 60
    misc: bool = False
    ready: bool = True


class Compared(NamedTuple):
    """One object's (or one teller's) recorded rows that were found here, those that were not, and those between."""

    what: str
    equal: list[Any]
    missing: list[Any]
    between: list[Any]


class Names:
    """Names given by chance on both sides become the same words."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self.counts: dict[Any, int] = {}

    def count(self, what: Any) -> int:
        """How many came before."""
        self.counts[what] = self.counts.get(what, -1) + 1
        return self.counts[what]

    def add(self, name: str, word: str) -> None:
        self.words.setdefault(name, word)

    def told(self, value: Any) -> Any:
        if isinstance(value, str):
            value = _UID.sub("UID", value)
            for name in sorted(self.words, key=len, reverse=True):
                if name in value:
                    value = value.replace(name, self.words[name])
            return value
        if isinstance(value, dict):
            return {self.told(name): self.told(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.told(one) for one in value]
        return value


class Playback:
    """A cluster without scheduler and kubelets, and which of its objects stand for which of the recording's."""

    def __init__(self, folder: Path, recording: Recording) -> None:
        self.recording = recording
        self.machine = Machine(folder, recording.nodes, [recording.namespace], PLAYED, epoch_s=recording.start_s - 60)
        self.cluster = self.machine.cluster
        self.tells_images = any(row.fields.get("image") for row in recording.rows)
        self.pairs: dict[str, str] = {}  # recorded pod -> pod here
        self.states: dict[str, Object] = {}  # recorded pod -> its last recorded fields
        self.nodes = {node: node for node in recording.nodes}  # recorded node -> node here
        self.first: set[str] = set()  # pods here that were there when the watch began
        self.added: set[str] = set()  # recorded pods that were not
        self.there, self.here = Names(), Names()
        self.born: dict[str, int] = {}  # uid -> revision
        self.seen = 0

    def close(self) -> None:
        self.machine.close()

    # -- driving -------------------------------------------------------------------------------------------------

    def _name_recorded(self) -> None:
        met: set[str] = set()
        for added in (False, True):  # those that were there before come first
            for row in self.recording.rows:
                if row.name not in met and (row.event == "ADDED") == added:
                    self._name(self.there, row.kind, row.name, row.fields)
                if not added and row.event == "ADDED":
                    met.add(row.name)
            met = set(self.there.words)
        for row in self.recording.rows:
            self._name(self.there, row.kind, row.name, row.fields)

    def _prepare(self) -> None:
        """Bring the cluster to the state in which the watch began."""
        there: dict[str, list[Row]] = {}
        met: set[str] = set()
        for row in self.recording.rows:
            if row.kind == "pods" and row.name not in met:
                met.add(row.name)
                if row.event != "ADDED":
                    there.setdefault(self.there.told(family_of(row.name)), []).append(row)
        for deed in self.recording.before:
            self._do(deed)
            while self._run_pods({family: list(rows) for family, rows in there.items()}):
                self.machine.pass_time(1)
        self.machine.pass_time(self.recording.start_s - self.cluster.clock.now_s)
        for row in [row for rows in there.values() for row in rows]:
            name = self._ours(row.name, row.fields.get("nodeName") or row.fields.get("node"))
            assert name is not None, f"nothing here that could be {row.name}"
            self.states[row.name] = row.fields if not row.fields.get("deleting") else {**row.fields, "deleting": False}
        self.first = {pod["metadata"]["name"] for pod in self._all()}
        self.machine.mark()

    def _run_pods(self, there: dict[str, list[Row]]) -> bool:
        """Let all our pods run, on the nodes of the recorded ones, and those that are leaving be gone."""
        busy = False
        for pod in self._all():
            name, alike = pod["metadata"]["name"], there.get(self.here.told(family_of(pod["metadata"]["name"])))
            row = alike.pop(0) if alike else None
            if "deletionTimestamp" in pod["metadata"]:
                self._remove(name)
            elif not (_ready(pod) or pod["status"]["phase"] == "Running") and pod["spec"]["schedulerName"] != "none":
                node = (row and (row.fields.get("nodeName") or row.fields.get("node"))) or self.recording.nodes[0]
                ready = {
                    "phase": "Running",
                    "conditions": [["Ready", str(self.recording.ready), None]],
                    "podIP": "10.244.0.9",
                }
                self._play(name, ready, {}, _meant_for(pod) or node)
            else:
                continue
            busy = True
        return busy

    def _settle(self) -> None:
        self.machine.pass_time(0)

    def _do(self, deed: Any) -> None:
        self._settle()
        if callable(deed):
            deed(self)
        elif isinstance(deed, str):
            answer = self.machine.kpy(self._as_here(deed))
            assert answer.code == 0, (deed, answer)
        else:
            self.cluster.apply(deed)
        self._settle()

    def _as_here(self, command: str) -> str:
        for there, here in self.pairs.items():
            command = re.sub(rf"\b{re.escape(there)}\b", here, command)
        return command

    # -- pods ----------------------------------------------------------------------------------------------------

    def _pod(self, row: Row) -> None:
        """Do to our pod what scheduler and kubelet did to the recorded one."""
        before, now = self.states.get(row.name), row.fields
        self.states[row.name] = now
        if row.event == "ADDED":
            self.added.add(row.name)
            self.pairs.pop(row.name, None)
            self._ours(row.name, None)
            return
        node, leaving = now.get("nodeName") or now.get("node"), now.get("deleting")
        name = self._ours(row.name, node)
        if name is None:
            return
        if row.event == "DELETED":
            self._remove(name)
        else:
            if leaving and not (before or {}).get("deleting"):
                name = self._ours_leaving(row.name, name)
            self._play(name, now, before or {}, node)

    def _all(self) -> list[Object]:
        """Our pods in the order of their creation."""
        self._look()
        found = self.cluster.list("pods", self.recording.namespace)
        return sorted(found, key=lambda pod: self.born[pod["metadata"]["uid"]])

    def _look(self) -> None:
        """Take notice of what was created here: pods, and sets, whose names get a word."""
        for change in self.cluster.changes(self.seen):
            self.seen = change.revision
            if change.new is None or change.key.namespace != self.recording.namespace:
                continue
            if change.key.resource == "pods" and change.old is None:
                self.born[change.new["metadata"]["uid"]] = change.revision
            self._name(self.here, change.key.resource.partition(".")[0], change.key.name, change.new)

    def _name(self, names: Names, kind: str, name: str, fields: Object) -> None:
        """web-6b477b68d5 of image nginx:1.27 is 'web-nginx:1.27#0'; db-55549ddf7d, the first revision, is 'db-R0'."""
        if name in names.words:
            return
        if kind == "replicasets":
            template = fields.get("spec", {}).get("template", {}).get("spec", {})
            image = (fields.get("image") or [one["image"] for one in template.get("containers") or ()] or [""])[0]
            parent, _, digest = name.rpartition("-")
            words = (image if self.tells_images else "set", parent)
            number = names.count(words)
            names.add(name, f"{parent}-{words[0]}#{number}")
            names.add(digest, f"{words[0]}#{number}")
        label = (fields.get("labels") or {}).get("pod-template-hash")
        if kind == "pods" and label and not self.tells_images and label not in names.words:
            self._name(names, "replicasets", name.rpartition("-")[0], {})
        for status in (fields.get("status") or {}, fields):
            for revision in (status.get("currentRevision"), status.get("updateRevision")):
                if kind == "statefulsets" and revision and revision not in names.words:
                    names.add(revision, f"{name}-R{names.count(('revision', name))}")
        if kind == "endpointslices":
            service = ((fields.get("metadata") or fields).get("labels") or {}).get(
                "kubernetes.io/service-name"
            ) or family_of(name)
            names.add(name, f"{service}-SLICE{names.count(('slice', service))}")
        if kind == "controllerrevisions":
            parent = name.rpartition("-")[0]
            names.add(name, f"{parent}-R{names.count(('revision', parent))}")

    def _ours(self, name: str, node: str | None) -> str | None:
        """Our pod for a recorded one: the same name, else the oldest of the same owner that has no partner yet."""
        if name in self.pairs:
            return self.pairs[name]
        pods = self._all()
        if any(pod["metadata"]["name"] == name for pod in pods):
            self._pair(name, name)
            return name
        taken = set(self.pairs.values()) | (self.first if name in self.added else set())
        family = self.there.told(family_of(name))
        alike = [
            pod
            for pod in pods
            if pod["metadata"]["name"] not in taken and self.here.told(family_of(pod["metadata"]["name"])) == family
        ]
        wanted = self.nodes.get(node or "", node)
        found = next((pod for pod in alike if _meant_for(pod) in (None, wanted)), None)
        if found is None and alike and node:  # a surging DaemonSet began with another node
            found = alike[0]
            self._swap_nodes(wanted, _meant_for(found))
        if found is None:
            return None
        self._pair(name, found["metadata"]["name"])
        return str(found["metadata"]["name"])

    def _pair(self, there: str, here: str) -> None:
        self.pairs[there] = here
        if there != here:
            word = self.there.words.setdefault(there, f"POD-{len(self.there.words)}")
            self.here.words[here] = word

    def _ours_leaving(self, name: str, ours: str) -> str:
        """Of pods that are alike the controllers may remove any: if ours stays and its like goes, they change roles."""
        pods = {pod["metadata"]["name"]: pod for pod in self._all()}
        if ours not in pods or "deletionTimestamp" in pods[ours]["metadata"]:
            return ours
        family = self.here.told(family_of(ours))
        partners = {here: there for there, here in self.pairs.items()}
        for here, like in pods.items():
            there = partners.get(here)
            if (
                "deletionTimestamp" in like["metadata"]
                and not (there and self.states[there].get("deleting"))
                and self.here.told(family_of(here)) == family
                and (like["status"].get("phase"), _ready(like))
                == (pods[ours]["status"].get("phase"), _ready(pods[ours]))
            ):
                if _meant_for(like):
                    self._swap_nodes(_meant_for(pods[ours]), _meant_for(like))
                if there:
                    self._pair(there, ours)
                self._pair(name, here)
                return str(here)
        return ours

    def _swap_nodes(self, one: str | None, other: str | None) -> None:
        """A DaemonSet may begin with any node: what the recording did on the one is done here on the other."""
        if not one or not other:
            return
        back = {here: there for there, here in self.nodes.items()}
        self.nodes[back[one]], self.nodes[back[other]] = other, one
        placed = {pod["metadata"]["name"]: pod["spec"].get("nodeName") for pod in self._all()}
        moved = {there: here for there, here in self.pairs.items() if placed.get(here) in (one, other)}
        if len(moved) == 2:
            (there, here), (also_there, also_here) = moved.items()
            self._pair(there, also_here)
            self._pair(also_there, here)

    def _play(self, name: str, now: Object, before: Object, node: str | None) -> None:
        namespace = self.recording.namespace
        try:
            pod = self.cluster.get("pods", name, namespace)
        except KpyError:
            return
        if node and not pod["spec"].get("nodeName"):
            binding = {"spec": {"nodeName": self.nodes.get(node, node)}}
            self.cluster.patch("pods", name, namespace, binding, subresource="binding")
        watched = ("phase", "conditions", "containers", "podIP", "ready")
        if any(now.get(field) != before.get(field) for field in watched):
            status = self._status(pod, now)
            self.cluster.patch("pods", name, namespace, {"status": status}, subresource="status")

    def _status(self, pod: Object, now: Object) -> Object:
        stamp = self.cluster.clock.timestamp
        old = {one["type"]: one for one in pod["status"].get("conditions") or ()}
        wanted = now.get("conditions")
        if wanted is None:
            ready = now.get("ready")
            wanted = [["Ready", ready, None]] if ready else []
        conditions = []
        for kind, value, reason in (one[:3] for one in wanted):
            condition = {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": stamp}
            if reason:
                condition["reason"] = reason
            if kind in old and old[kind]["status"] == value:
                condition["lastTransitionTime"] = old[kind]["lastTransitionTime"]
            conditions.append(condition)
        status: Object = {"phase": now["phase"], "conditions": conditions}
        if now.get("podIP"):
            status |= {"podIP": now["podIP"], "podIPs": [{"ip": now["podIP"]}]}
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        if now["phase"] in ("Running", "Succeeded", "Failed") or now.get("containers"):
            status["containerStatuses"] = [_container(one, now, ready, stamp) for one in pod["spec"]["containers"]]
        return status

    def _remove(self, name: str) -> None:
        try:
            self.cluster.delete("pods", name, self.recording.namespace, grace_s=0)
        except KpyError:
            return

    # -- comparing -----------------------------------------------------------------------------------------------

    def compared(self) -> list[Compared]:
        self._look()
        recorded = self._grouped(self._recorded_row(row) for row in self.recording.rows)
        found = self._grouped(
            row for change in self.machine.changes(self.recording.namespace) if (row := self._found_row(change))
        )
        return [_compare(what, rows, found.get(what, [])) for what, rows in recorded.items()]

    def _grouped(self, rows: Iterable[tuple[str, Any] | None]) -> dict[str, list[Any]]:
        groups: dict[str, list[Any]] = {}
        for row in rows:
            if row is not None:
                groups.setdefault(row[0], []).append(row[1])
        return {what: found if what.startswith("events") else distinct(found) for what, found in groups.items()}

    @property
    def _shapes(self) -> dict[str, Callable[[Object], Object]]:
        return MISC if self.recording.misc else TRACES

    def _recorded_row(self, row: Row) -> tuple[str, Any] | None:
        if row.kind == "events":
            event = recorded_event(row.fields)
            return self._event(row.event, event, self.there)
        if row.kind not in self._shapes:
            return None
        fields = dict(row.fields)
        if row.kind == "pods":
            fields = {name: fields.get(name) for name in ("labels", "deleting", "finalizers", "owners")}
        if row.kind == "jobs":
            fields.pop("annotations", None)
        return self._row(row.kind, row.name, row.event, fields, self.there)

    @cached_property
    def _told(self) -> dict[str, set[str]]:
        """Which fields of a kind the recording tells at all."""
        found: dict[str, set[str]] = {}
        for row in self.recording.rows:
            found.setdefault(row.kind, set()).update(row.fields)
        return found

    def _found_row(self, change: Change) -> tuple[str, Any] | None:
        kind, obj = change.key.resource.partition(".")[0], change.new or change.old
        assert obj is not None
        if kind == "events":
            return self._event(EVENTS[change.verb], event_of(obj), self.here)
        if kind not in self._shapes:
            return None
        return self._row(kind, change.key.name, EVENTS[change.verb], self.fields(kind, obj), self.here)

    def fields(self, kind: str, obj: Object) -> Object:
        """What the recording would tell of an object."""
        fields = self._shapes[kind](obj)
        if self.recording.misc:
            fields = {name: value for name, value in fields.items() if name in self._told.get(kind, ())}
        return fields

    @staticmethod
    def _event(verb: str, event: Object, names: Names) -> tuple[str, Any] | None:
        if event["component"] not in TELLERS or verb == "DELETED":
            return None
        about, told = names.told(f"events of {event['object']}"), filled(names.told(event))
        if about.startswith(SIDE_BY_SIDE):  # which pod comes first is chance
            told["message"] = _POD.sub("POD", told["message"])
        return about, told

    def _row(self, kind: str, name: str, verb: str, fields: Object, names: Names) -> tuple[str, Any]:
        told = names.told(filled(timeless(without_chance(kind, fields))))
        if kind == "pods" and self.recording.misc:
            told.pop("labels", None)
        return names.told(f"{kind} {name}"), [verb, told]


def _compare(what: str, recorded: list[Any], found: list[Any]) -> Compared:
    """In order; events about the pods of one set in any order, since it makes and deletes them side by side."""
    if what.startswith(SIDE_BY_SIDE):
        left = list(found)
        known = [row for row in recorded if row in left and not left.remove(row)]  # type: ignore[func-returns-value]
        return Compared(what, known, _without(recorded, known), left)
    equal, missing, between, place = [], [], [], 0
    for row in recorded:
        if row in found[place:]:
            at = found.index(row, place)
            between += found[place:at]
            place = at + 1
            equal.append(row)
        else:
            missing.append(row)
    return Compared(what, equal, missing, between + found[place:])


def _without(rows: list[Any], some: list[Any]) -> list[Any]:
    left = list(rows)
    for row in some:
        left.remove(row)
    return left


def family_of(name: str) -> str:
    """Whose pod it is: 'web-6b477b68d5-x7k2p' is one of 'web-6b477b68d5'."""
    return _RANDOM.sub("", name)


def _meant_for(pod: Object) -> str | None:
    """The node that a DaemonSet's pod is for."""
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            return str(field["values"][0])
    return None


def _ready(pod: Object) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())


def _container(spec: Object, now: Object, ready: bool, stamp: str) -> Object:
    """A container status: the recordings of traces tell [name, ready, restarts, {state: reason}], the others only phases."""
    told = next((one for one in now.get("containers") or () if one[0] == spec["name"]), None)
    state: Object = {"waiting": {"reason": "ContainerCreating"}}
    if told is not None:
        ((kind, reason),) = told[3].items() if isinstance(told[3], dict) and told[3] else (("running", None),)
        ready, restarts = told[1], told[2]
    else:
        kind, reason, restarts = {"Running": "running"}.get(now["phase"], "terminated"), None, 0
    if kind == "running":
        state = {"running": {"startedAt": stamp}}
    elif kind == "terminated":
        failed = now["phase"] == "Failed" or reason == "Error"
        state = {
            "terminated": {
                "exitCode": int(failed),
                "finishedAt": stamp,
                "startedAt": stamp,
                "reason": reason or "Completed",
            }
        }
    elif reason:
        state = {"waiting": {"reason": reason}}
    return {
        "name": spec["name"], "image": spec["image"], "imageID": "", "ready": ready, "restartCount": restarts, "state": state,
    }  # fmt: skip
