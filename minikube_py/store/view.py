"""The View that steps, admission and `describe` are given: the store, without its writing half."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from minikube_py.api.nodes import Place
from minikube_py.base import selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Key, Object, Objects
    from minikube_py.store.store import Store

    Placed: TypeAlias = list[tuple[str, Object]]  # each with its resource
    Places: TypeAlias = list[Place]


SELECTING_MAX = 4096


class StoreView:
    """See `api.types.View`. Loads lazily through the store's index; sees uncommitted writes of its own session."""

    __slots__ = ("_selecting", "_store", "count", "counters", "get", "list", "memory")

    # The questions of every step, without a call in between.
    get: Callable[[Key], Object | None]
    list: Callable[..., Objects]
    count: Callable[[str], int]
    counters: Callable[[str], dict[str, int]]
    memory: Callable[[str, Key], Object]

    def __init__(self, store: Store) -> None:
        self._store = store
        self._selecting: dict[tuple[str, str, int], tuple[int, Object, Objects]] = {}
        self.get, self.list, self.count = store.get, store.list, store.count
        self.counters, self.memory = store.counters, store.memory

    def owned(self, uid: str, resource: str) -> Objects:
        get = self._store.get
        return [
            obj for key in self._store.bucket("o:" + uid) if key.resource == resource and (obj := get(key)) is not None
        ]

    def dependents(self, uid: str) -> Placed:
        get = self._store.get
        return [(key.resource, obj) for key in self._store.bucket("o:" + uid) if (obj := get(key)) is not None]

    def unowned(self, resource: str, namespace: str) -> Objects:
        return self._store.in_bucket(f"a:{resource}/{namespace}")

    def on_node(self, node: str) -> Objects:
        return self._store.in_bucket("n:" + node)

    def node_places(self) -> Places:
        return [Place.parse(text, key.name) for text, key in self._store.buckets_after("z:", "nodes")]

    def nodes_with_image(self, image: str) -> int:
        return self._store.size("i:" + image, "nodes")

    def sociable(self) -> Objects:
        return self._store.in_bucket("f:")

    def refused(self) -> Objects:
        return self._store.in_bucket("q:")

    def nominated(self) -> Objects:
        return self._store.in_bucket("m:")

    def selected(self, namespace: str, labels: dict[str, str]) -> Objects:
        buckets = [self._store.bucket(f"l:{namespace}/{name}={value}") for name, value in sorted(labels.items())]
        smallest, get = min(buckets, key=len), self._store.get
        wanted, found = labels.items(), []
        fitting: dict[int, bool] = {}  # by the ids of labels, which most pods share
        for key in smallest:
            pod = get(key)
            if pod is not None:
                own = pod["metadata"]["labels"]
                fits = fitting.get(id(own))
                if fits is None:
                    fits = fitting[id(own)] = wanted <= own.items()
                if fits:
                    found.append(pod)
        return found

    def selecting(self, resource: str, pod: Object) -> Objects:
        """Remembered for the pods that share their labels, until anything but a pod changes."""
        meta = pod["metadata"]
        labels, namespace = meta.get("labels") or {}, meta["namespace"]
        structure = self._store.structure
        known = self._selecting.get((resource, namespace, id(labels)))
        if known is not None and known[0] == structure and known[1] is labels:
            return known[2]
        names = [f"s:{resource}:{namespace}/*"]
        names += [f"s:{resource}:{namespace}/{name}={value}" for name, value in labels.items()]
        found = [obj for name in names for obj in self._store.in_bucket(name) if selects(obj, labels)]
        if len(found) > 1:
            found.sort(key=_name)
        if len(self._selecting) >= SELECTING_MAX:
            self._selecting.clear()
        self._selecting[resource, namespace, id(labels)] = structure, labels, found
        return found

    def events_about(self, obj: Object) -> Objects:
        """Events about an object, by their names."""
        meta = obj["metadata"]
        found = self._store.events_named(meta.get("namespace") or "default", meta["name"])
        return [event for event in found if (event.get("involvedObject") or {}).get("uid") == meta.get("uid")]

    def derived(self, name: str, build: Callable[[Any], Any]) -> Any:
        return self._store.derived(name, lambda: build(self))


def _name(obj: Object) -> str:
    return obj["metadata"]["name"]  # type: ignore[no-any-return]


def selects(obj: Object, labels: dict[str, str]) -> bool:
    """Whether an object's spec.selector (a map, or a LabelSelector) matches labels. An empty one matches nothing."""
    wanted = obj["spec"].get("selector")
    if not wanted:
        return False
    if "matchLabels" in wanted or "matchExpressions" in wanted:
        return selector.from_label_selector(wanted).matches(labels)
    return wanted.items() <= labels.items()  # type: ignore[no-any-return]
