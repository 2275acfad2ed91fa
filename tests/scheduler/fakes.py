"""A cluster in memory for scheduler tests: a view that may be changed, and an API server that carries out actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.api.nodes import Place, image_sizes, place_of
from minikube_py.api.types import Delete, Key, Patch, Record, Remember
from minikube_py.base import patch, selector
from minikube_py.base.clock import Clock
from minikube_py.scheduler.plugins.priority_sort import queue_key
from minikube_py.scheduler.step import step
from minikube_py.scheduler.waiting import STEP

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object, Objects

START = 1_790_000_000
RESOURCES = {
    "Node": "nodes",
    "Pod": "pods",
    "Namespace": "namespaces",
    "Service": "services",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "PersistentVolume": "persistentvolumes",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "StorageClass": "storageclasses.storage.k8s.io",
    "PriorityClass": "priorityclasses.scheduling.k8s.io",
    "RuntimeClass": "runtimeclasses.node.k8s.io",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
}
CLUSTER_WIDE = ("Node", "Namespace", "PersistentVolume", "StorageClass", "PriorityClass", "RuntimeClass")


class LiveView:
    """A View that may be changed; indexes pods by node and by namespace and label."""

    def __init__(self) -> None:
        self.memories: dict[tuple[str, Key], Object] = {}
        self.objects: dict[str, dict[Key, Object]] = {}
        self._caches: dict[str, Any] = {}
        self._on_node: dict[str, dict[Key, Object]] = {}
        self._counters: dict[str, dict[str, int]] = {}
        self._labelled: dict[tuple[str, str, str], dict[Key, Object]] = {}

    def put(self, key: Key, new: Object | None) -> None:
        """Store a new version of an object; None deletes it."""
        found = self.objects.setdefault(key.resource, {})
        old = found.pop(key, None) if new is None else found.get(key)
        if new is not None:
            found[key] = new
        if key.resource == "pods":
            self._index(key, old, -1)
            self._index(key, new, 1)
        for cache in self._caches.values():
            cache.changed(key, old, new)
            cache.waiting.helped(key, old, new, START)

    def _index(self, key: Key, pod: Object | None, sign: int) -> None:
        if pod is None:
            return
        node = pods.node_of(pod)
        places = [self._on_node.setdefault(node, {})]
        places += [
            self._labelled.setdefault((key.namespace, *pair), {})
            for pair in (pod["metadata"].get("labels") or {}).items()
        ]
        for place in places:
            if sign > 0:
                place[key] = pod
            else:
                place.pop(key, None)
        if node and not pods.is_finished(pod):
            total = self._counters.setdefault(node, {})
            for name, amount in pods.counters(pod).items():
                total[name] = total.get(name, 0) + sign * amount

    def get(self, key: Key) -> Object | None:
        return self.objects.get(key.resource, {}).get(key)

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        return [
            obj for key, obj in sorted(self.objects.get(resource, {}).items()) if namespace in (None, key.namespace)
        ]

    def owned(self, uid: str, resource: str) -> Objects:
        raise AssertionError("the scheduler asks for no owners")

    def on_node(self, node: str) -> Objects:
        found = [pod for _, pod in sorted(self._on_node.get(node, {}).items())]
        return found if node else [pod for pod in found if not pods.is_finished(pod)]

    def selected(self, namespace: str, labels: dict[str, str]) -> Objects:
        first = next(iter(labels.items()))
        found = sorted(self._labelled.get((namespace, *first), {}).items())
        return [pod for _, pod in found if labels.items() <= pod["metadata"]["labels"].items()]

    def count(self, resource: str) -> int:
        return len(self.list(resource))

    def selecting(self, resource: str, pod: Object) -> Objects:
        labels = pod["metadata"].get("labels") or {}
        return [
            obj
            for obj in self.list(resource, pod["metadata"]["namespace"])
            if obj["spec"].get("selector") and selector.from_map(obj["spec"]["selector"]).matches(labels)
        ]

    def counters(self, node: str) -> dict[str, int]:
        return self._counters.get(node, {})

    def memory(self, step: str, key: Key) -> Object:
        return self.memories.get((step, key), {})

    def node_places(self) -> list[Place]:
        return [place_of(node) for node in self.list("nodes")]

    def nodes_with_image(self, image: str) -> int:
        return sum(image in image_sizes(node) for node in self.list("nodes"))

    def sociable(self) -> Objects:
        return [pod for pod in self.list("pods") if pods.node_of(pod) and pod["spec"].get("affinity")]

    def refused(self) -> Objects:
        return [pod for pod in self.on_node("") if pods.condition(pod, "PodScheduled") is not None]

    def nominated(self) -> Objects:
        return [pod for pod in self.on_node("") if pod.get("status", {}).get("nominatedNodeName")]

    def derived(self, name: str, build: Callable[[Any], Any]) -> Any:
        if name not in self._caches:
            self._caches[name] = build(self)
        return self._caches[name]

    def forget(self) -> None:
        """Drop the derived caches, as a new process has none."""
        self._caches.clear()


class Cluster:
    """The view with an API server for it: carries out what the scheduler's step asks for, and keeps the events."""

    def __init__(self) -> None:
        self.view = LiveView()
        self.clock = Clock(START, 1)
        self.events: dict[Key, list[Object]] = {}
        self.created = 0

    def tick(self) -> None:
        self.clock = self.clock.at(self.clock.now_s + 1)

    def create(self, obj: Object, namespace: str = "") -> Key:
        meta, kind = obj["metadata"], obj["kind"]
        where = "" if kind in CLUSTER_WIDE else meta.get("namespace") or namespace
        key = Key(RESOURCES[kind], where, meta["name"])
        self.created += 1
        self.tick()
        known = {"uid": f"uid-{self.created}", "creationTimestamp": self.clock.timestamp, "generation": 1}
        self.view.put(key, {**obj, "metadata": {**known, **meta, **({"namespace": where} if where else {})}})
        return key

    def update(self, key: Key, fields: Object) -> None:
        old = self.view.get(key)
        assert old is not None, key
        self.view.put(key, patch.merge(old, fields))

    def run(self, key: Key) -> None:
        """One run of the step for a pod."""
        pod = self.view.get(key)
        if pod is None:
            return
        for action in step(pod, self.view, self.clock):
            if isinstance(action, Remember):
                self.view.memories[STEP, key] = action.data
            else:
                self.carry_out(action)

    def carry_out(self, action: Any) -> None:
        if isinstance(action, Patch):
            self.update(action.key, action.fields)
            if action.subresource == "binding":
                self._set_scheduled(action.key)
        elif isinstance(action, Record):
            meta = action.regarding["metadata"]
            event = {"type": action.type, "reason": action.reason, "action": action.action, "note": action.message}
            key = Key("pods", meta["namespace"], meta["name"])
            self.events.setdefault(key, []).append({**event, "reportingController": action.component})
        elif isinstance(action, Delete):
            self.delete(action.key)
        else:
            raise AssertionError(action)

    def _set_scheduled(self, key: Key) -> None:
        pod = self.view.get(key)
        assert pod is not None
        others = [found for found in pod.get("status", {}).get("conditions", ()) if found["type"] != "PodScheduled"]
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": self.clock.timestamp}
        self.update(key, {"status": {"conditions": [*others, scheduled], "nominatedNodeName": None}})

    def delete(self, key: Key) -> None:
        """A pod with a grace period stays, terminating, until `remove`."""
        pod = self.view.get(key)
        if pod is not None and pod["spec"].get("terminationGracePeriodSeconds", 30) == 0:
            self.remove(key)
        else:
            self.update(key, {"metadata": {"deletionTimestamp": self.clock.timestamp}})

    def remove(self, key: Key) -> None:
        self.view.put(key, None)
        self.view.memories.pop((STEP, key), None)

    def settle(self, limit: int = 20) -> None:
        """Try the waiting pods, the most important first, until nothing changes."""
        for _ in range(limit):
            before = list(self.view.on_node(""))
            for pod in sorted(before, key=queue_key):
                self.run(Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]))
            if all(old is new for old, new in zip(before, self.view.on_node(""), strict=False)):
                return
        raise AssertionError("the scheduler does not settle")
