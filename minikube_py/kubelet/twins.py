"""Pods that live the same life: what a kubelet did for one of them is told again for the others.

A controller's pods differ in name, uid, node and address, and so do their containers' ids; for the rest, a run of the pod
step at the same second on the same records comes out the same. The second such run is watched: what it reads of the view,
the node and the clock is noted, and what it leaves behind is searched for what is the pod's own. If it read nothing but
what all twins share, a *tape* is kept, and the third run and those after it play it: they cost a fifth.

What may not be played is not kept: a run that looked at other objects, at chance, at another part of the node, that asked
a script (it may ask for its host name), or whose words name the pod.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import facets
from minikube_py.api.types import Key, Known, Patch, Record, Remember, Wake
from minikube_py.base import jsontext
from minikube_py.base import patch as merge_patch
from minikube_py.base.clock import Clock
from minikube_py.kubelet import addresses
from minikube_py.kubelet import images as node_images
from minikube_py.kubelet.worker import COMPONENT, Worker, container_id
from minikube_py.programs import images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from minikube_py.api.types import Action, Object, View

CACHE = "kubelet-twins"
# The pod's own fields of a memory and of a status, blanked for a comparison.
OWN_MEMORY: Object = {"ip": None, "host": None}
OWN_STATUS: Object = {"podIP": None, "podIPs": None, "hostIP": None, "hostIPs": None}
NODE_PARTS = frozenset(("metadata.name", "metadata.annotations", "status.addresses", "status.images", "spec.podCIDR"))
IMAGES_MAX = 50  # a node with more does not report all it has
SEEN_ONCE: Any = object()
UNNAMED = "\0"  # no word of an object


class Tape(NamedTuple):
    """What one run did. The builders take the pod's own words and give its objects."""

    status: Object  # before the run, and the memory: without what is the pod's own
    memory: Object
    sizes: tuple[int, int]  # how many fields they had
    records: tuple[tuple[str, str, str, str], ...]  # type, reason, message, field path
    patch: (
        Callable[[Object], Object] | None
    )  # the fields of the status that change; the whole status if `outcome` is there
    outcome: tuple[list[str], str, int] | None  # which fields change, the way back, what of the pod (see `types.Known`)
    kept: Callable[[Object], Object] | None
    wake: Wake | None
    takes_address: bool
    started: tuple[tuple[str, int], ...]  # (container, attempt) that get their ids in this run
    alive: Any  # what the ids in the tape's key name


class Twins:
    """The tapes of one second (a `types.Derived`): they are forgotten when one of the lists comes to life that their runs
    found empty."""

    facets = facets.OF_OTHERS

    def __init__(self, view: View) -> None:
        self._now_s = -1
        self._tapes: dict[tuple[Any, ...], Any] = {}
        self._empty: dict[str, None] = {}  # the resources that the watched runs found nothing of
        self._names: dict[int, tuple[Any, frozenset[str]]] = {}  # of images, by the id of the node's list

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource in self._empty:
            self._tapes, self._empty = {}, {}

    def seen(self, key: tuple[Any, ...], now_s: int) -> Any:
        """The tape of a key; SEEN_ONCE at its second run; None at its first, and where its runs cannot be played."""
        if now_s != self._now_s:
            self._now_s = now_s
            self._tapes, self._empty, self._names = {}, {}, {}
        if key not in self._tapes:
            self._tapes[key] = SEEN_ONCE
            return None
        return self._tapes[key]

    def keep(self, key: tuple[Any, ...], tape: Tape | None, empty: Iterable[str]) -> None:
        self._tapes[key] = tape
        self._empty.update(dict.fromkeys(empty))

    def key_of(self, pod: Object, memory: Object, node: Object) -> tuple[Any, ...] | None:
        """What twins have in common before a run; None for a pod that has no controller, is being deleted, was not bound by
        the scheduler, or is on a node that does not report all its images or limits its pulls."""
        meta, spec = pod["metadata"], pod["spec"]
        owners = meta.get("ownerReferences")
        if owners is None or "deletionTimestamp" in meta or next(reversed(spec)) != "nodeName":
            return None
        listed = (node.get("status") or {}).get("images") or ()
        if len(listed) >= IMAGES_MAX or node_images.LIMIT in (node["metadata"].get("annotations") or ()):
            return None
        known = self._names.get(id(listed))
        if known is None or known[0] is not listed:
            names = frozenset(name for entry in listed for name in entry["names"])
            known = self._names[id(listed)] = listed, names
        return (
            id(owners),
            id(meta.get("labels")),
            id(meta.get("annotations")),
            id(meta.get("finalizers")),
            meta.get("generation"),
            meta["creationTimestamp"],
            tuple(map(id, spec.values()))[:-1],
            *[record["state"] for record in (memory.get("containers") or {}).values()],
            *[images.full_name(container["image"]) in known[1] for container in spec["containers"]],
        )


def fits(tape: Tape, pod: Object, memory: Object) -> bool:
    """Whether a pod is where the tape begins."""
    status = pod.get("status") or {}
    return (
        tape.sizes == (len(status), len(memory))
        and {**memory, **OWN_MEMORY} == tape.memory
        and {**status, **OWN_STATUS} == tape.status
    )


def play(tape: Tape, pod: Object, key: Key, memory: Object, node: Object, view: View, clock: Clock) -> list[Action]:
    """The actions of a run; none if the node has no address left."""
    own: Object = {"host": memory.get("host") or addresses.of_node(node), "ip": memory.get("ip", "")}
    if tape.takes_address:
        own["ip"] = addresses.next_free(node, view)
        if not own["ip"]:
            return []
    for name, attempt in tape.started:
        own["@" + name] = container_id(clock.seed, pod["metadata"]["uid"], name, attempt)
    where = node["metadata"]["name"]
    found: list[Action] = [
        Record(pod, type_, reason, message, COMPONENT, where, field_path)
        for type_, reason, message, field_path in tape.records
    ]
    if tape.patch is not None:
        fields, known = tape.patch(own), None
        if tape.outcome is not None:
            names, before, changed = tape.outcome
            known = Known(pod, fields, before, changed)
            fields = {name: fields[name] for name in names}
        found.append(Patch(key, {"status": fields}, "status", known))
    if tape.kept is not None:
        found.append(Remember(tape.kept(own)))
    if tape.wake is not None:
        found.append(tape.wake)
    return found


# -- making a tape -----------------------------------------------------------------------------------------------------


class Watch:
    """Stands in for the view in a run, and for its node and its clock: notes what the run reads beyond the pod."""

    def __init__(self, view: View, node: Object, clock: Clock) -> None:
        self._view = view
        self.is_plain = True
        self.empty: dict[str, None] = {}
        self.node = _Noted(node, "", self)
        self.clock = _Chance(*clock)
        self.clock.watch = self

    def list(self, resource: str, namespace: str | None = None) -> Any:
        found = self._view.list(resource, namespace)
        if found:
            self.is_plain = False
        self.empty[resource] = None
        return found

    def derived(self, name: str, build: Any) -> Any:
        if name != addresses.CACHE:
            self.is_plain = False
        return self._view.derived(name, build)

    def __getattr__(self, name: str) -> Any:
        if name != "on_node":  # which the addresses in use are counted from
            self.is_plain = False
        return getattr(self._view, name)


class _Noted(dict[str, Any]):
    """A node, or one of its three parts."""

    def __init__(self, value: Object, path: str, watch: Watch) -> None:
        super().__init__(value)
        self._path, self._watch = path, watch

    def get(self, name: str, default: Any = None) -> Any:
        return self._told(name, super().get(name, default))

    def __getitem__(self, name: str) -> Any:
        return self._told(name, super().__getitem__(name))

    def __iter__(self) -> Any:
        self._watch.is_plain = False
        return super().__iter__()

    def __contains__(self, name: object) -> bool:
        self._watch.is_plain = False
        return super().__contains__(name)

    def _told(self, name: str, value: Any) -> Any:
        if not self._path and isinstance(value, dict):
            return _Noted(value, name, self._watch)
        if f"{self._path}.{name}" not in NODE_PARTS:
            self._watch.is_plain = False
        return value


class _Chance(Clock):
    """A clock whose chance nobody may use: it depends on words that are the pod's own."""

    watch: Watch

    def token(self, *words: object) -> int:
        self.watch.is_plain = False
        return super().token(*words)

    def uid(self, *words: object) -> str:
        self.watch.is_plain = False
        return super().uid(*words)


class _Personal(Exception):
    """A word that is the pod's own stands where it can not be exchanged."""


def tape_of(worker: Worker, memory: Object, actions: list[Action], watch: Watch) -> Tape | None:
    """The tape of a watched run that began with `memory`; None if it cannot be played for others."""
    if not watch.is_plain or worker.spec.get("hostNetwork") or any(one.shell for one in worker.behaviours.values()):
        return None
    meta, after = worker.meta, worker.memory
    own = {after.get("ip") or UNNAMED: "ip", after.get("host") or UNNAMED: "host"}
    started = []
    for name, record in worker.records.items():
        if "id" in record:
            started.append((name, record["restarts"]))
            own[record["id"]] = "@" + name
    before = memory.get("containers") or {}
    if any("id" in record for record in before.values()):
        return None
    builder = _Builder(own, (meta["name"], meta["uid"], worker.node["metadata"]["name"]))
    try:
        return _recorded(worker, memory, actions, tuple(started), builder)
    except _Personal:
        return None


def _recorded(
    worker: Worker,
    memory: Object,
    actions: list[Action],
    started: tuple[tuple[str, int], ...],
    builder: _Builder,
) -> Tape:
    records: list[tuple[str, str, str, str]] = []
    patch = outcome = kept = wake = None
    for action in actions:
        if type(action) is Record and action.regarding is worker.pod and action.component == COMPONENT:
            words = (action.type, action.reason, action.message, action.field_path)
            if builder.of(list(words)) is not None or action.action or patch or kept:
                raise _Personal
            records.append(words)
        elif type(action) is Patch and action.key == worker.key and list(action.fields) == ["status"] and not patch:
            patch, outcome = _patched(worker.pod, action.fields["status"], builder)
        elif type(action) is Remember and not kept:
            kept = builder.function(action.data)
        elif type(action) is Wake and not wake:
            wake = action
        else:
            raise _Personal
    takes_address = bool(worker.memory.get("ip")) and not memory.get("ip")
    status = worker.pod.get("status") or {}
    return Tape(
        {**status, **OWN_STATUS}, {**memory, **OWN_MEMORY}, (len(status), len(memory)), tuple(records), patch, outcome, kept, wake,
        takes_address, started, worker.pod,
    )  # fmt: skip


def _patched(
    pod: Object, fields: Object, builder: _Builder
) -> tuple[Callable[[Object], Object], tuple[list[str], str, int] | None]:
    """The builder of a status' patch. If nothing is removed and the way back is the same for all twins, it builds the whole
    status, and what comes of the patch is given, too."""
    status = merge_patch.merge(pod.get("status") or {}, fields)
    after = {**pod, "status": status}
    back = merge_patch.diff(after, pod)
    if "status" not in pod or _removes(fields) or builder.is_personal(back):
        return builder.function(fields), None
    return builder.function(status), (list(fields), jsontext.dumps(back), facets.of_change(back, pod, after))


def _removes(fields: Object) -> bool:
    return any(value is None or (isinstance(value, dict) and _removes(value)) for value in fields.values())


class _Builder:
    """Makes functions that build an object anew with another pod's own words in it; what has none of them is shared."""

    def __init__(self, own: dict[str, str], forbidden: tuple[str, ...]) -> None:
        self._own = own
        self._personal = (*own, *forbidden)

    def function(self, value: Any) -> Callable[[Object], Any]:
        found = self.of(value)
        return found if found is not None else lambda own: value

    def is_personal(self, value: Any) -> bool:
        try:
            return self.of(value) is not None
        except _Personal:
            return True

    def of(self, value: Any) -> Callable[[Object], Any] | None:
        """None for a value without the pod's own words. Raises _Personal."""
        if isinstance(value, str):
            return self._of_text(value)
        if isinstance(value, dict):
            self.of(list(value))
            parts = [(name, part) for name, one in value.items() if (part := self.of(one)) is not None]
            return _built(dict, value, parts) if parts else None
        if isinstance(value, list):
            parts = [(place, part) for place, one in enumerate(value) if (part := self.of(one)) is not None]
            return _built(list, value, parts) if parts else None
        return None

    def _of_text(self, value: str) -> Callable[[Object], Any] | None:
        slot = self._own.get(value)
        if slot is not None:
            return itemgetter(slot)
        if any(word in value for word in self._personal):
            raise _Personal
        return None


def _built(copy: Callable[[Any], Any], value: Any, parts: list[tuple[Any, Callable[[Object], Any]]]) -> Any:
    """The function that copies a dict or a list and fills its parts in."""

    def build(own: Object) -> Any:
        new = copy(value)
        for place, part in parts:
            new[place] = part(own)
        return new

    return build
