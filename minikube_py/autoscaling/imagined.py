"""A cluster as it would be: a view with more nodes, fewer nodes, and pods elsewhere; and the scheduler's word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import pods
from minikube_py.api.nodes import image_sizes, place_of
from minikube_py.api.types import Key
from minikube_py.scheduler.cache import Cache
from minikube_py.scheduler.cycle import decide
from minikube_py.scheduler.framework import Refusal
from minikube_py.scheduler.templates import template_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Dependents, Derived, Object, Objects, Places, View
    from minikube_py.base.clock import Clock


class Imagined:
    """A View over another: `without` nodes are not there; `add` and `place` change the rest. `cache` is the scheduler's."""

    def __init__(self, view: View, without: frozenset[str] = frozenset()) -> None:
        self.base, self.without = view, without
        self.nodes: dict[str, Object] = {}
        self.placed: dict[Key, Object] = {}
        self._on: dict[str, dict[Key, Object]] = {}
        self._left: set[str] = set()  # nodes that pods were taken from
        self._derived: dict[str, Any] = {}
        self.cache = Cache(self)

    # --- what changes

    def add(self, node: Object) -> None:
        name = node["metadata"]["name"]
        self.nodes[name] = node
        self.cache.changed(Key("nodes", "", name), None, node)

    def place(self, pod: Object, node: str) -> None:
        """Put a pod on a node, from nowhere or from where it was."""
        key = _key(pod)
        old = self.placed.get(key) or self.base.get(key)
        if old is not None and pods.node_of(old):
            self._left.add(pods.node_of(old))
            self._on.get(pods.node_of(old), {}).pop(key, None)
        new = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        self.placed[key] = new
        self._on.setdefault(node, {})[key] = new
        self.cache.changed(key, old, new)

    # --- what the scheduler says

    def refusal(self, pod: Object, node: str) -> Refusal | None:
        """Why a node does not do for a pod, by the scheduler's filters; None if it does."""
        template = template_of(pod, self.cache)
        if template.rejected:
            return Refusal((template.rejected,))
        position = template.index.get(node)
        if position is None:
            return template.left_out
        template.look(position, position + 1)
        return template.verdict(template.ids[position])

    def choose(self, pod: Object, clock: Clock) -> str:
        """The node that the scheduler would choose; '' if there is none."""
        return decide(pod, self.cache, clock).node

    # --- the View

    def get(self, key: Key) -> Object | None:
        if key.resource == "nodes":
            return self.nodes.get(key.name) or (None if key.name in self.without else self.base.get(key))
        return self.placed.get(key) or self.base.get(key)

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        found = self.base.list(resource, namespace)
        if resource == "nodes":
            kept = [node for node in found if node["metadata"]["name"] not in self.without]
            return sorted([*kept, *self.nodes.values()], key=lambda node: node["metadata"]["name"])
        return self._with_placed(found, namespace) if resource == "pods" and self.placed else found

    def count(self, resource: str) -> int:
        return len(self.list(resource)) if resource in ("nodes", "pods") else self.base.count(resource)

    def _with_placed(self, found: Objects, namespace: str | None, labels: dict[str, str] | None = None) -> Objects:
        known = {_key(pod): pod for pod in found}
        for key, pod in self.placed.items():
            if key in known or (
                namespace in (None, key.namespace)
                and (labels or {}).items() <= (pod["metadata"].get("labels") or {}).items()
            ):
                known[key] = pod
        return [known[key] for key in sorted(known)]

    def on_node(self, node: str) -> Objects:
        if node not in self._on and node not in self._left:
            return self.base.on_node(node)
        stayed = [pod for pod in self.base.on_node(node) if _key(pod) not in self.placed]
        return [*stayed, *self._on.get(node, {}).values()]

    def counters(self, node: str) -> dict[str, int]:
        if node not in self._on and node not in self._left:
            return self.base.counters(node)
        total: dict[str, int] = {}
        for pod in self.on_node(node):
            if not pods.is_finished(pod):
                for name, amount in pods.counters(pod).items():
                    total[name] = total.get(name, 0) + amount
        return total

    def selected(self, namespace: str, labels: dict[str, str]) -> Objects:
        found = self.base.selected(namespace, labels)
        return self._with_placed(found, namespace, labels) if self.placed else found

    def owned(self, uid: str, resource: str) -> Objects:
        return self.base.owned(uid, resource)

    def dependents(self, uid: str) -> Dependents:
        return self.base.dependents(uid)

    def unowned(self, resource: str, namespace: str) -> Objects:
        return self.base.unowned(resource, namespace)

    def nodes_with_image(self, image: str) -> int:
        return sum(image in image_sizes(node) for node in self.list("nodes"))

    def node_places(self) -> Places:
        kept = [place for place in self.base.node_places() if place.name not in self.without]
        return [*kept, *map(place_of, self.nodes.values())]

    def sociable(self) -> Objects:
        found = [self.placed.get(_key(pod), pod) for pod in self.base.sociable()]
        known = set(map(_key, found))
        more = [pod for key, pod in self.placed.items() if key not in known and pods.counters(pod).get("affinity")]
        return [*found, *more]

    def refused(self) -> Objects:
        return self.base.refused()

    def nominated(self) -> Objects:
        return self.base.nominated()

    def selecting(self, resource: str, pod: Object) -> Objects:
        return self.base.selecting(resource, pod)

    def memory(self, step: str, key: Key) -> Object:
        return self.base.memory(step, key)

    def derived(self, name: str, build: Callable[[View], Derived]) -> Any:
        if name not in self._derived:
            self._derived[name] = build(self)
        return self._derived[name]


def _key(pod: Object) -> Key:
    return Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
