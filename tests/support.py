"""Helpers of the tests: frozen views over plain objects, and the list of actions that a step takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.api.nodes import Place, image_sizes, place_of
from minikube_py.api.types import Action, Create, Delete, Key, Patch, Record, Remember, Wake
from minikube_py.base.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Object = dict[str, Any]
T0 = Clock(1_790_000_000, 1)  # 2026-09-21T14:13:20Z


class FrozenDict(dict):  # type: ignore[type-arg]
    """A dict that refuses every change: steps may not touch what the store gave them."""

    def _refuse(self, *_: object, **__: object) -> None:
        raise TypeError("objects from the view are frozen: build a new one")

    __setitem__ = __delitem__ = __ior__ = _refuse  # type: ignore[assignment]
    pop = popitem = clear = update = setdefault = _refuse  # type: ignore[assignment]


class FrozenList(list):  # type: ignore[type-arg]
    """A list that refuses every change."""

    def _refuse(self, *_: object, **__: object) -> None:
        raise TypeError("objects from the view are frozen: build a new one")

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse  # type: ignore[assignment]
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse  # type: ignore[assignment]


def freeze(value: Any) -> Any:
    if isinstance(value, dict):
        return FrozenDict({key: freeze(item) for key, item in value.items()})
    if isinstance(value, list):
        return FrozenList(freeze(item) for item in value)
    return value


class FrozenView:
    """A View over a handful of objects, given as {resource: [objects]}; everything in it is deeply frozen."""

    def __init__(self, objects: dict[str, list[Object]], memory: dict[tuple[str, Key], Object] | None = None) -> None:
        self._objects: dict[Key, Object] = {}
        self._memory = dict(memory or {})
        self._derived: dict[str, Any] = {}
        for resource, found in objects.items():
            for obj in found:
                meta = obj["metadata"]
                self._objects[Key(resource, meta.get("namespace", ""), meta["name"])] = freeze(obj)

    def get(self, key: Key) -> Object | None:
        return self._objects.get(key)

    def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        return [
            obj
            for key, obj in sorted(self._objects.items())
            if key.resource == resource and namespace in (None, key.namespace)
        ]

    def owned(self, uid: str, resource: str) -> list[Object]:  # type: ignore[valid-type]
        return [
            obj
            for obj in self.list(resource)
            if any(ref["uid"] == uid for ref in obj["metadata"].get("ownerReferences", ()))
        ]

    def dependents(self, uid: str) -> list[tuple[str, Object]]:  # type: ignore[valid-type]
        return [
            (key.resource, obj)
            for key, obj in sorted(self._objects.items())
            if any(ref["uid"] == uid for ref in obj["metadata"].get("ownerReferences", ()))
        ]

    def unowned(self, resource: str, namespace: str) -> list[Object]:  # type: ignore[valid-type]
        return [
            obj
            for obj in self.list(resource, namespace)
            if not any(ref.get("controller") for ref in obj["metadata"].get("ownerReferences") or ())
        ]

    def on_node(self, node: str) -> list[Object]:  # type: ignore[valid-type]
        found = [pod for pod in self.list("pods") if pods.node_of(pod) == node]
        return found if node else [pod for pod in found if not pods.is_finished(pod)]

    def node_places(self) -> list[Place]:  # type: ignore[valid-type]
        return [place_of(node) for node in self.list("nodes")]

    def nodes_with_image(self, image: str) -> int:
        return sum(image in image_sizes(node) for node in self.list("nodes"))

    def sociable(self) -> list[Object]:  # type: ignore[valid-type]
        return [pod for pod in self.list("pods") if pods.node_of(pod) and pod["spec"].get("affinity")]

    def refused(self) -> list[Object]:  # type: ignore[valid-type]
        return [pod for pod in self.on_node("") if "PodScheduled" in str(pod.get("status"))]

    def nominated(self) -> list[Object]:  # type: ignore[valid-type]
        return [pod for pod in self.on_node("") if pod.get("status", {}).get("nominatedNodeName")]

    def selected(self, namespace: str, labels: dict[str, str]) -> list[Object]:  # type: ignore[valid-type]
        return [
            pod for pod in self.list("pods", namespace) if labels.items() <= pod["metadata"].get("labels", {}).items()
        ]

    def count(self, resource: str) -> int:
        return len(self.list(resource))

    def selecting(self, resource: str, pod: Object) -> list[Object]:  # type: ignore[valid-type]
        from minikube_py.base import selector

        labels = pod["metadata"].get("labels", {})
        found = []
        for obj in self.list(resource, pod["metadata"]["namespace"]):
            wanted = obj["spec"].get("selector")
            if not wanted:
                continue
            is_map = not {"matchLabels", "matchExpressions"} & wanted.keys()
            chosen = selector.from_map(wanted) if is_map else selector.from_label_selector(wanted)
            if chosen.matches(labels):
                found.append(obj)
        return found

    def counters(self, node: str) -> dict[str, int]:
        total: dict[str, int] = {}
        for pod in self.on_node(node):
            if not pods.is_finished(pod):
                for name, amount in pods.counters(pod).items():
                    total[name] = total.get(name, 0) + amount
        return total

    def memory(self, step: str, key: Key) -> Object:
        return self._memory.get((step, key), {})

    def derived(self, name: str, build: Callable[[Any], Any]) -> Any:
        if name not in self._derived:
            self._derived[name] = build(self)
        return self._derived[name]


def actions(step: Callable[..., Any], obj: Object, view: FrozenView, clock: Clock = T0) -> list[Action]:
    """What a step does: its actions in order. Each is answered as the API server would (a generated name counts up)."""
    taken: list[Action] = []
    run = step(freeze(obj), view, clock)
    outcome: Object | None = None
    try:
        while True:
            action = run.send(outcome)
            taken.append(action)
            outcome = _answer(action, view, len(taken))
    except StopIteration:
        return taken


def _answer(action: Action, view: FrozenView, number: int) -> Object | None:
    if isinstance(action, Create):
        meta = action.object["metadata"]
        if "name" in meta:
            return action.object
        return {**action.object, "metadata": {**meta, "name": f"{meta['generateName']}{number:05d}"}}
    return view.get(action.key) if isinstance(action, Patch) else None


def of_type(taken: Iterable[Action], *types: type) -> list[Action]:
    return [action for action in taken if isinstance(action, types)]


def without_noise(taken: Iterable[Action]) -> list[Action]:
    """Only what changes objects: no events, wakes or memories."""
    return [action for action in taken if not isinstance(action, (Record, Wake, Remember))]


__all__ = ["T0", "Create", "Delete", "FrozenView", "Key", "Patch", "actions", "freeze", "of_type", "without_noise"]
