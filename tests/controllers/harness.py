"""A tiny cluster in memory: it carries out what steps do, one changed object at a time, and can hold still.

It has the verbs' rules that controllers lean on (uid, generation, resourceVersion, graceful deletion of pods), none of their
validation. A step is run again for each object that changed and for the owners of what changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Create, Delete, Key, Patch, Record, Remember, Wake
from minikube_py.base import patch
from minikube_py.base.clock import Clock
from minikube_py.base.errors import already_exists, not_found
from tests.support import T0, FrozenView, freeze

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]
RESOURCES = {
    ("apps/v1", "Deployment"): "deployments.apps",
    ("apps/v1", "ReplicaSet"): "replicasets.apps",
    ("v1", "Pod"): "pods",
    ("v1", "Endpoints"): "endpoints",
    ("discovery.k8s.io/v1", "EndpointSlice"): "endpointslices.discovery.k8s.io",
    ("apps/v1", "StatefulSet"): "statefulsets.apps",
    ("apps/v1", "DaemonSet"): "daemonsets.apps",
    ("apps/v1", "ControllerRevision"): "controllerrevisions.apps",
    ("batch/v1", "Job"): "jobs.batch",
    ("batch/v1", "CronJob"): "cronjobs.batch",
    ("v1", "PersistentVolumeClaim"): "persistentvolumeclaims",
    ("v1", "Node"): "nodes",
}
RUNS_MAX = 2000


class Cluster(FrozenView):
    """`steps`: resource -> (name, step). `log`: every write as (verb, key, object); `events`: (reason, message)."""

    def __init__(self, steps: dict[str, tuple[str, Callable[..., Any]]], clock: Clock = T0) -> None:
        super().__init__({})
        self.steps, self.clock, self.number = steps, clock, 0
        self.log: list[tuple[str, Key, Object]] = []
        self.events: list[tuple[str, str]] = []
        self.wakes: dict[Key, int] = {}
        self._dirty: dict[Key, None] = {}

    # --- verbs ---

    def create(self, obj: Object) -> Any:
        meta = obj["metadata"]
        resource = RESOURCES[obj["apiVersion"], obj["kind"]]
        self.number += 1
        name = meta.get("name") or f"{meta['generateName']}{self.number:05d}"
        key = Key(resource, meta.get("namespace", ""), name)
        if key in self._objects:
            return already_exists(resource, name)
        added = {
            "name": name,
            "uid": f"uid-{self.number:05d}",
            "creationTimestamp": self.clock.timestamp,
            "generation": 1,
        }
        return self._put("create", key, {**obj, "metadata": {**meta, **added}})

    def patch(self, key: Key, fields: Object, subresource: str = "") -> Any:
        old = self._objects.get(key)
        if old is None:
            return not_found(key.resource, key.name)
        if subresource == "status":
            fields = {name: fields[name] for name in ("metadata", "status") if name in fields}
        new = patch.merge(old, fields)
        if new == old:
            return old
        if new.get("spec") != old.get("spec"):
            new = patch.merge(new, {"metadata": {"generation": old["metadata"]["generation"] + 1}})
        return self._put("patch", key, new)

    def delete(self, key: Key) -> Any:
        old = self._objects.get(key)
        if old is None:
            return not_found(key.resource, key.name)
        if "deletionTimestamp" not in old["metadata"] and (key.resource == "pods" or old["metadata"].get("finalizers")):
            return self.patch(key, {"metadata": {"deletionTimestamp": self.clock.timestamp}})
        self.remove(key)
        return None

    def remove(self, key: Key) -> None:
        old = self._objects.pop(key)
        self._changed("delete", key, old, None)

    def _put(self, verb: str, key: Key, obj: Object) -> Object:
        old, new = self._objects.get(key), freeze(obj)
        self._objects[key] = new
        self._changed(verb, key, old, new)
        return new  # type: ignore[no-any-return]

    def _changed(self, verb: str, key: Key, old: Object | None, new: Object | None) -> None:
        shown: Object = new or old  # type: ignore[assignment]
        self.log.append((verb, key, shown))
        for cache in self._derived.values():
            cache.changed(key, old, new)
        self._dirty[key] = None
        for reference in shown["metadata"].get("ownerReferences") or ():
            owner = Key(RESOURCES[reference["apiVersion"], reference["kind"]], key.namespace, reference["name"])
            self._dirty[owner] = None
            if key.resource == "pods" and verb == "delete" and owner in self._objects:
                for above in self._objects[owner]["metadata"].get("ownerReferences") or ():
                    self._dirty[Key("deployments.apps", key.namespace, above["name"])] = None

    # --- the loop ---

    def settle(self) -> None:
        """Run steps until nothing is dirty, in the order of `steps`."""
        for _ in range(RUNS_MAX):
            order = {resource: index for index, resource in enumerate(self.steps)}
            due = sorted((order[key.resource], key) for key in self._dirty if key.resource in order)
            self._dirty = {key: None for _, key in due}
            if not due:
                return
            key = due[0][1]
            del self._dirty[key]
            if key in self._objects:
                self.run(key)
        raise AssertionError("still changing")

    def run(self, key: Key) -> None:
        name, step = self.steps[key.resource]
        self.wakes.pop(key, None)
        running, outcome = step(self._objects[key], self, self.clock), None
        while True:
            try:
                action = running.send(outcome)
            except StopIteration:
                return
            outcome = self._carry_out(name, key, action)

    def _carry_out(self, name: str, key: Key, action: Any) -> Any:
        if isinstance(action, Create):
            return self.create(action.object)
        if isinstance(action, Patch):
            return self.patch(action.key, action.fields, action.subresource)
        if isinstance(action, Delete):
            return self.delete(action.key)
        if isinstance(action, Record):
            self.events.append((action.reason, action.message))
        elif isinstance(action, Wake):
            self.wakes[key] = action.at_s
        elif isinstance(action, Remember):
            self._memory[name, key] = action.data
        return None

    # --- what a kubelet would do ---

    def drop_terminating(self) -> None:
        for pod in self.list("pods"):
            if "deletionTimestamp" in pod["metadata"] and not pod["metadata"].get("finalizers"):
                self.remove(Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]))

    def make_ready(self, pod: Object) -> None:
        meta = pod["metadata"]
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": self.clock.timestamp}
        self.patch(
            Key("pods", meta["namespace"], meta["name"]),
            {"spec": {"nodeName": "n1"}, "status": {"phase": "Running", "conditions": [ready]}},
        )

    def finish(self, pod: Object, phase: str = "Succeeded") -> None:
        meta = pod["metadata"]
        ended = [{"name": "c", "state": {"terminated": {"finishedAt": self.clock.timestamp}}}]
        status = {"phase": phase, "containerStatuses": ended, "conditions": None}
        self.patch(Key("pods", meta["namespace"], meta["name"]), {"status": status})

    def advance(self, seconds: int) -> None:
        """Later; the objects whose wake is due by then are looked at again."""
        self.clock = self.clock.at(self.clock.now_s + seconds)
        for key, at_s in sorted(self.wakes.items()):
            if at_s <= self.clock.now_s:
                self._dirty[key] = None
