"""What one run of the pod step carries: the pod, its node, the records of its containers, and what is to be done.

A *record* is what the runtime and the kubelet hold about one container, kept between runs with `Remember`:

    state       '' (not begun), pulling, pull-failed, pull-backoff, refused, config-error, create-error, creating,
                starting (postStart), running, stopping, crashloop, done, anew (begins again with all the others)
    since       when the state began; until: when it ends by itself (both seconds since 1970)
    id          the container's id in the runtime; started: when it started
    restarts    how many times it was started again
    last        the terminated state of its last end; previous: of the one before
    backoff     seconds to wait before the next start (0: none yet); backoff_at: when that was set
    tries       failed pulls in a row; reason, message: why it waits
    probes      {kind: [last instant, run length, last answer, result]} (`probes.py`)
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from minikube_py.api.types import Action, Key, Record, Wake
from minikube_py.base import clock
from minikube_py.programs import behaviour as programs
from minikube_py.programs import tape as tapes

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock

COMPONENT = "kubelet"
FAULTS = "faults.sim.kpy.dev"
ALIVE = ("starting", "running", "stopping")  # states in which a container's processes run
NO_RECORD: Object = {"state": ""}
timestamp = lru_cache(maxsize=1024)(clock.timestamp)  # the pods of one second share it


class Worker:
    """One run for one pod. `actions` are taken in order before the status is written; `background` wakes do not keep
    the cluster from settling."""

    __slots__ = (
        "actions",
        "applied",
        "background_at",
        "behaviours",
        "clock",
        "containers",
        "ephemerals",
        "foreground_at",
        "inits",
        "key",
        "memory",
        "meta",
        "node",
        "now",
        "pod",
        "records",
        "spec",
        "view",
    )  # fmt: skip

    def __init__(self, pod: Object, node: Object, memory: Object, view: View, clock: Clock) -> None:
        self.pod, self.node, self.view, self.clock, self.now = pod, node, view, clock, clock.now_s
        self.meta, self.spec = pod["metadata"], pod["spec"]
        self.key = Key("pods", self.meta["namespace"], self.meta["name"])
        self.memory = memory
        self.records: dict[str, Object] = dict(memory.get("containers") or ())
        self.inits: list[Object] = self.spec.get("initContainers") or []
        self.containers: list[Object] = self.spec["containers"]
        self.ephemerals: list[Object] = self.spec.get("ephemeralContainers") or []
        self.actions: list[Action] = []
        self.applied: dict[str, Object] = {}  # resources that containers still have, where a resize has to wait
        self.behaviours: dict[str, programs.Behaviour] = {}
        self.foreground_at: int | None = None
        self.background_at: int | None = None

    def behaviour(self, container: Object) -> programs.Behaviour:
        name = container["name"]
        found = self.behaviours.get(name)
        if found is None:
            pod = self._addressed()
            found = programs.behaviour(container, pod, self.view, self.clock)
            is_asking = found.shell is not None and tapes.asks(found.shell.script)
            if is_asking:
                from minikube_py.kubelet import reach

                found = reach.informed(self, container, found, pod)
            if self.view.list(FAULTS):
                from minikube_py.kubelet import faults

                found = faults.amend(found, container, self.pod, self.view)
            if not is_asking or self.records.get(name, NO_RECORD)["state"] in ALIVE:
                self.behaviours[name] = found
        return found

    def _addressed(self) -> Object:
        """The pod with its addresses, which its status may not tell yet but its programs know."""
        status = self.pod.get("status") or {}
        ip, host = self.memory.get("ip"), self.memory.get("host")
        if not ip or status.get("podIP"):
            return self.pod
        known = {"podIP": ip, "podIPs": self.all_of("ip"), "hostIP": host, "hostIPs": self.all_of("host")}
        return {**self.pod, "status": {**status, **known}}

    def all_of(self, what: str) -> list[Object]:
        """The addresses of the pod ('ip') or of its node ('host'), IPv4 first, as a status lists them."""
        memory = self.memory
        second = memory.get(what + "6")
        return [{"ip": memory[what]}, {"ip": second}] if second else [{"ip": memory[what]}]

    def forget_files(self, name: str) -> None:
        """A new container has new files: what people have changed in the old one's is gone."""
        files = self.memory.get("files")
        if files and name in files:
            left = {other: kept for other, kept in files.items() if other != name}
            self.memory = {**self.memory, "files": left}
            self.behaviours.pop(name, None)

    def event(self, type_: str, reason: str, message: str, container: Object | None = None) -> None:
        """Record an event about the pod or, with its field path, about one of its containers."""
        field_path = ""
        if container is not None:
            listed = "initContainers" if self.is_init(container) else "containers"
            if self.ephemerals and any(container is one for one in self.ephemerals):
                listed = "ephemeralContainers"
            field_path = f"spec.{listed}{{{container['name']}}}"
        host = self.node["metadata"]["name"]
        self.actions.append(Record(self.pod, type_, reason, message, COMPONENT, host, field_path))

    def wake(self, at_s: int, background: bool = False) -> None:
        """Look again at `at_s`; the earliest of each sort counts."""
        if background:
            self.background_at = at_s if self.background_at is None else min(at_s, self.background_at)
        else:
            self.foreground_at = at_s if self.foreground_at is None else min(at_s, self.foreground_at)

    def next_wake(self) -> Wake | None:
        """The one wake to leave: the earliest; it is a foreground one if anything foreground is waited for.

        A background wake at +10 s before a foreground one at +60 s keeps the cluster busy until the latter is done.
        """
        if self.foreground_at is None:
            return None if self.background_at is None else Wake(self.background_at, True)
        if self.background_at is None:
            return Wake(self.foreground_at)
        return Wake(min(self.foreground_at, self.background_at))

    def every(self) -> list[Object]:
        """All containers of the pod."""
        return [*self.inits, *self.containers, *self.ephemerals]

    def has_run(self) -> bool:
        """Whether one of its containers has been started already."""
        return any("id" in record for record in self.records.values())

    def is_init(self, container: Object) -> bool:
        return any(container is init for init in self.inits)

    def container_id(self, container: Object, attempt: int) -> str:
        return container_id(self.clock.seed, self.meta["uid"], container["name"], attempt)

    def full_name(self) -> str:
        """'web-x7k2p_default(uid)', as the kubelet names a pod in its messages (format.Pod)."""
        return f"{self.meta['name']}_{self.meta['namespace']}({self.meta['uid']})"


def container_id(seed: int, uid: str, name: str, attempt: int) -> str:
    """'containerd://' and 64 hex digits, a pure function of the cluster, the pod, the container and the attempt."""
    words = f"{seed}\0{uid}\0{name}\0{attempt}"
    return "containerd://" + blake2b(words.encode(), digest_size=32).hexdigest()
