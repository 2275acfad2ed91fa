"""What the scheduler found out for all pods that look alike: the plugins' states and the classes of nodes.

A template is everything of a pod that a plugin may read. Ten thousand pods of one Deployment share one template; after
each decision only the one node that changed is looked at again.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.scheduler.columns import Crowd
from minikube_py.scheduler.events import ADDED, REMOVED
from minikube_py.scheduler.framework import Plugin, Refusal, Rejected
from minikube_py.scheduler.looks import template_key
from minikube_py.scheduler.plugins import volumes
from minikube_py.scheduler.plugins.node_volume_limits import attached_by

if TYPE_CHECKING:
    from collections.abc import Hashable

    from minikube_py.api.types import Key, Object, Objects
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.nodes import NodeInfo

CLASSES_MAX = 4096
FEW = 8  # so many nodes are looked at one by one


class NodeClass(NamedTuple):
    """Nodes that look alike to all plugins: refused by what they are, or with the `places` and `measures` seen."""

    refusal: Refusal | None
    places: tuple[Hashable, ...]
    measures: tuple[Hashable, ...]


class Template:
    """The states of the plugins for one kind of pod, and the class of each node looked at.

    `ids[i]` is the number of the class of node `names[i]`; 0: not looked at since its last change.
    `left_out`: what is said of the nodes outside `names`, which a plugin left out before any was looked at.
    """

    def __init__(self, pod: Object, cache: Cache) -> None:
        self.cache = cache
        self.profile = cache.profile_of(pod)
        self.rejected = ""
        self.left_out = Refusal(())
        self.origin: dict[Refusal, str] = {}  # the plugin that says it
        self.names: list[str] = cache.order()
        self.whole = True  # no plugin left out nodes
        meta = pod["metadata"]
        self.namespace: str = meta["namespace"]
        self.labels: dict[str, str] = meta.get("labels") or {}
        self.owners = {ref["name"] for ref in meta.get("ownerReferences") or ()}
        self.filters: list[tuple[Plugin, Any]] = []
        self.scores: list[tuple[Plugin, int, Any]] = []
        try:
            self._prepare(pod)
        except Rejected as found:
            self.rejected = str(found)
        states = [state for _, state in self.filters] + [state for _, _, state in self.scores]
        self.live = [state for state in states if hasattr(state, "update")]
        self.scores = [row for row in self.scores if not getattr(row[2], "idle", False)]
        asked = [row for row in self.filters if not getattr(row[1], "idle", False)]
        # A verdict that depends on one node alone is part of its class; the others are given class by class.
        self.early = [row for row in asked if type(row[0]).filter is Plugin.filter]
        self.late = [row for row in asked if type(row[0]).filter is not Plugin.filter]
        self.reserving = [row for row in self.filters if row[0] in self.profile.reserves]
        self.index = cache.positions() if self.whole else {name: number for number, name in enumerate(self.names)}
        self.ids = [0] * len(self.names)
        self.seen = len(cache.dirty)
        self._forget()

    def _prepare(self, pod: Object) -> None:
        cache = self.cache
        for plugin in self.profile.filters:
            state = plugin.pre_filter(pod, cache)
            if state is None:
                continue
            self.filters.append((plugin, state))
            wanted = plugin.candidates(state)
            if wanted is not None:
                self.names = [name for name in self.names if name in wanted]
                self.whole = False
                self.left_out = Refusal((f"node(s) didn't satisfy plugin(s) [{plugin.name}]",))
                self.origin[self.left_out] = plugin.name
        for scored in self.profile.scores:
            state = scored.plugin.pre_score(pod, cache)
            if state is not None:
                self.scores.append((scored.plugin, scored.weight, state))

    def _forget(self) -> None:
        self.classes: list[NodeClass] = [NodeClass(None, (), ())]  # number 0 stands for 'not looked at'
        self.numbers: dict[NodeClass, int] = {}
        self.refusing: list[int] = []  # the numbers of the classes that are refused by plugins that look at one node
        self.victims: dict[str, tuple[Any, Any]] = {}  # by node: what preemption found out, and what it costs
        self.victims_at_s = 0
        self.promised: dict[
            str, tuple[Objects, int]
        ] = {}  # by node: the pods it is promised to, the class it has with them
        self.refused: Any = None  # the last decision, if no node did and none has changed since

    def stale(self) -> bool:
        """Whether what was seen of the nodes does not suffice any more."""
        return any(getattr(state, "stale", False) for state in self.live)

    def survives(self, node: str, change: str) -> bool:
        """Whether the states are still right after a change of a node; `refresh` sees to the node itself."""
        if self.rejected or (not self.whole and change in (ADDED, REMOVED)):
            return False
        return all(state.survives(node, change) for state in self.live)

    def spreads_with(self, key: Key, *selectors: Object | None) -> bool:
        """Whether a Service or controller, with one of its selectors, may decide how these pods spread by default."""
        if key.namespace != self.namespace:
            return False
        if key.resource != "services":
            return key.name in self.owners
        return any(selector and selector.items() <= self.labels.items() for selector in selectors)

    def refresh(self) -> None:
        """Forget the classes of the nodes that changed, and take up a new order of nodes."""
        dirty = self.cache.dirty
        if self.whole and self.names is not self.cache.order():
            known = dict(zip(self.names, self.ids, strict=True))
            self.names = self.cache.order()
            self.ids = [known.get(name, 0) for name in self.names]
            self.index = self.cache.positions()
        if self.seen < len(dirty):
            self.refused = None
        if len(self.classes) > CLASSES_MAX:
            self._forget()
            self.ids = [0] * len(self.names)
        for position in range(self.seen, len(dirty)):
            number = self.index.get(dirty[position])
            if number is not None:
                self.ids[number] = 0
            self.victims.pop(dirty[position], None)
            self.promised.pop(dirty[position], None)
        self.seen = len(dirty)

    def look(self, start: int, end: int) -> None:
        """Find the classes of the nodes from `start` to before `end` that are not known."""
        ids = self.ids
        unknown = ids[start:end].count(0)
        if unknown > FEW:
            self._look_at_many([position for position in range(start, end) if not ids[position]])
            return
        for _ in range(unknown):
            start = ids.index(0, start, end)
            node = self.cache.node(self.names[start])
            assert node is not None, self.names[start]
            ids[start] = self.number(self._classify(node))

    def _look_at_many(self, positions: list[int]) -> None:
        """The same plugin by plugin, so that what was seen of the nodes for other templates is of use."""
        crowd = Crowd(self.cache, [self.names[position] for position in positions])
        for plugin, state in self.early:
            refusals = crowd.seen_by("place", plugin, state, plugin.places)
            fit = [index for index, refusal in enumerate(refusals) if refusal is None]
            if len(fit) == len(positions):
                continue
            for position, refusal in zip(positions, refusals, strict=True):
                if refusal is not None:
                    self.origin[refusal] = plugin.name
                    self.ids[position] = self.number(NodeClass(refusal, (), ()))
            positions = [positions[index] for index in fit]
            crowd = Crowd(self.cache, [crowd.names[index] for index in fit])
        rows = [crowd.seen_by("place", plugin, state, plugin.places) for plugin, state in self.late]
        rows += [crowd.seen_by("measure", plugin, state, plugin.measures) for plugin, _, state in self.scores]
        late = len(self.late)
        known: dict[Any, int] = {}
        for position, values in zip(positions, zip(*rows, strict=True) if rows else repeat(()), strict=False):
            number = known.get(values)
            if number is None:
                number = known[values] = self.number(NodeClass(None, values[:late], values[late:]))
            self.ids[position] = number

    def number(self, found: NodeClass) -> int:
        number = self.numbers.get(found)
        if number is None:
            number = self.numbers[found] = len(self.classes)
            self.classes.append(found)
            if found.refusal is not None:
                self.refusing.append(number)
        return number

    def _classify(self, node: NodeInfo) -> NodeClass:
        for plugin, state in self.early:
            refusal: Any = plugin.place(state, node)
            if refusal is not None:
                self.origin[refusal] = plugin.name
                return NodeClass(refusal, (), ())
        return NodeClass(
            None,
            tuple([plugin.place(state, node) for plugin, state in self.late]),
            tuple([plugin.measure(state, node) for plugin, _, state in self.scores]),
        )

    def verdict(self, number: int) -> Refusal | None:
        """What all filters say about a class of nodes."""
        found = self.classes[number]
        if found.refusal is not None:
            return found.refusal
        for (plugin, state), place in zip(self.late, found.places, strict=True):
            refusal = plugin.filter(state, place)
            if refusal is not None:
                self.origin[refusal] = plugin.name
                return refusal
        return None

    def verdict_with(self, node: NodeInfo, on_it: Objects, gone: Objects = [], come: Objects = []) -> Refusal | None:  # noqa: B006
        """What all filters would say about one node if `on_it` were its pods: `gone` left, `come` came."""
        imagined = node.imagine(on_it)
        for plugin, state in self.filters:
            if hasattr(state, "update") and (gone or come):
                state = state.copy()
                for pods, sign in ((gone, -1), (come, 1)):
                    for pod in pods:
                        state.update(pod, node, sign)
                if getattr(state, "stale", False):
                    state.keys = tuple(sorted(state.topology_keys()))
            refusal = plugin.filter(state, plugin.place(state, imagined))
            if refusal is not None:
                self.origin[refusal] = plugin.name
                return refusal
        return None


def template_of(pod: Object, cache: Cache) -> Template:
    """The template of a pod, made at first use. Pods with claims that are yet to be bound, or
    whose volumes a node has only so much room for, get one of their own."""
    key = template_key(pod)
    if next(volumes.claim_names(pod), None) is not None:
        mounted = volumes.looks(pod, cache)
        drivers = cache.limited_drivers()
        if mounted is None or any(found.driver in drivers for found in attached_by(pod, cache.view)):
            return Template(pod, cache)
        key = (*key, mounted)
    found = cache.templates.get(key)
    if found is not None and not found.stale():
        found.refresh()
        return found
    cache.templates.forget(key)
    found = Template(pod, cache)
    cache.templates.add(key, found)
    return found
