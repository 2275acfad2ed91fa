"""What the scheduler keeps in mind of the cluster: the nodes in order, and per pod template what it found out about them.

A derived cache of the view: it is told of every change and only makes a pod's decision cheaper, never different. Which
node a pod gets is a function of the cluster, the pod and the clock's seed. Source: pkg/scheduler/backend/cache/cache.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import facets, pods
from minikube_py.api.nodes import Place, image_sizes, place_of
from minikube_py.api.types import Key
from minikube_py.scheduler import nodes
from minikube_py.scheduler.affine import Affine
from minikube_py.scheduler.columns import Columns
from minikube_py.scheduler.events import ADDED, LABELS, REMOVED, STATUS, labels, node_change, nominated, where
from minikube_py.scheduler.nodes import NodeInfo
from minikube_py.scheduler.plugins.node_volume_limits import CSI_NODES, limited_drivers
from minikube_py.scheduler.profile import PROFILE
from minikube_py.scheduler.settings import WHERE, Settings, scheduler_of, settings_of
from minikube_py.scheduler.template_cache import TemplateCache
from minikube_py.scheduler.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object, Objects, View
    from minikube_py.base.selector import Selector
    from minikube_py.scheduler.framework import Profile

DIRTY_MAX = 100_000  # names in the list of changed nodes before everything is forgotten instead

# A change of the selector of one of these may change which pods spread together.
SPREADERS = ("services", "replicationcontrollers", "replicasets.apps", "statefulsets.apps")


class Cache:
    """See the module. `templates` belongs to `scheduler.cycle`; `dirty` names the nodes changed, oldest first."""

    resources = frozenset(("pods", "nodes", "namespaces", WHERE.resource, CSI_NODES, *SPREADERS))
    facets = (
        facets.CAME | facets.WENT | facets.NODE | facets.SPEC | facets.LABELS | facets.LEAVING | facets.ENDED
        | facets.SCHEDULED | facets.PROMISED | facets.STARTED
    )  # fmt: skip

    def __init__(self, view: View, settings: Settings | None = None) -> None:
        self.view = view
        self.settings = settings or settings_of(view)
        self.templates = TemplateCache()
        self.columns = Columns()
        self.dirty: list[str] = []
        self.affine = Affine()
        self.nominated: dict[str, dict[Key, Object]] = {}  # pods without a node that wait for room on one
        self.waiting = Waiting(self)
        self._infos: dict[str, NodeInfo] = {}
        self._places: dict[str, Place] = {}
        self._images: dict[str, int] = {}  # of the images that were asked about: how many nodes have them
        self._priorities: dict[int, int] | None = None
        self._limited: set[str] | None = None
        self._renamed: set[str] = set()
        self._domains: dict[tuple[str, ...], Any] = {}
        self._order: list[str] | None = None
        self._positions: tuple[list[str], dict[str, int]] | None = None
        self._load()

    def _load(self) -> None:
        """Without the bodies of nodes: a cold decision in a large cluster looks at some of them only."""
        for place in self.view.node_places():
            self._places[place.name] = place
            if place.is_renamed:
                self._renamed.add(place.name)
        for pod in (*self.view.sociable(), *self.view.nominated()):
            self._remember(_key(pod), pod)

    # What is asked about pods

    def is_mine(self, pod: Object) -> bool:
        """Whether a profile of this scheduler has the pod's schedulerName."""
        return scheduler_of(pod) in self.settings.profiles

    def profile_of(self, pod: Object) -> Profile:
        """The profile for a pod; the default one if none is meant."""
        return self.settings.profiles.get(scheduler_of(pod), PROFILE)

    # What plugins ask

    def order(self) -> list[str]:
        """The names of all nodes in the order of looking. Do not change the list."""
        if self._order is None:
            self._order = nodes.in_order(self._places.values())
        return self._order

    def positions(self) -> dict[str, int]:
        """Where each node stands in `order`. Do not change the dict."""
        order = self.order()
        if self._positions is None or self._positions[0] is not order:
            self._positions = order, {name: number for number, name in enumerate(order)}
        return self._positions[1]

    def node_count(self) -> int:
        return len(self._places)

    def nodes_with_image(self, image: str) -> int:
        found = self._images.get(image)
        if found is None:
            found = self._images[image] = self.view.nodes_with_image(image)
        return found

    def hosts_are_nodes(self) -> bool:
        """Whether every node's host name, if it has that label, is its name: a host's pods are the pods of one node."""
        return not self._renamed

    def limited_drivers(self) -> set[str]:
        """The CSI drivers of which some node attaches only so many volumes."""
        if self._limited is None:
            self._limited = limited_drivers(self.view)
        return self._limited

    def lowest_priority(self) -> int | None:
        """The lowest priority of a pod on a node; None without pods."""
        if self._priorities is None:
            self._priorities = {}
            for name in self._places:
                for counter, count in self.view.counters(name).items():
                    if counter.startswith("priority/"):
                        self._count_priority(int(counter[9:]), count)
        return min(self._priorities, default=None)

    def node(self, name: str) -> NodeInfo | None:
        """What is known of a node; None if there is no such node."""
        found = self._infos.get(name)
        if found is None and name in self._places:
            node = self.view.get(Key("nodes", "", name))
            if node is not None:
                found = self._infos[name] = NodeInfo(node, self.view)
        return found

    def nodes(self) -> Iterator[NodeInfo]:
        """All nodes, in the order of looking. Parses every one of them."""
        for name in self.order():
            found = self.node(name)
            if found is not None:
                yield found

    def domains(self, keys: tuple[str, ...]) -> list[list[str]]:
        """The values of each of these labels on the nodes that have them all."""
        found = self._domains.get(keys)
        if found is None:
            rows = dict.fromkeys(tuple(map(node.labels.get, keys)) for node in self.nodes())
            whole = [row for row in rows if None not in row]
            found = self._domains[keys] = [list(dict.fromkeys(column)) for column in zip(*whole, strict=True)]
        return found

    def placed(self, namespace: str | None, selector: Selector) -> Objects:
        """The unfinished pods on nodes of one namespace (None: of all) that a selector may match."""
        exact = selector.exact() if namespace is not None else {}
        found = self.view.selected(namespace or "", exact) if exact else self.view.list("pods", namespace)
        return [pod for pod in found if where(pod)]

    def namespace_labels(self, namespace: str) -> dict[str, str]:
        found = self.view.get(Key("namespaces", "", namespace))
        return (found["metadata"].get("labels") or {}) if found else {}

    # What changes

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        """Told by the store of each change, once it shows in the view."""
        if key.resource == "pods":
            self._pod_changed(key, old, new)
        elif key.resource == "nodes":
            self._node_changed(key.name, old, new)
        elif key == WHERE:
            self.settings = settings_of(self.view)
            self.templates.clear()
            self.columns.clear()
            self.waiting = Waiting(self)
        elif key.resource == CSI_NODES:
            self._limited = None
            if key.name in self._places:
                self._mark(key.name)
        elif key.resource in SPREADERS:
            before, after = _selector(old), _selector(new)
            if before != after:
                self.templates.keep(lambda template: not template.spreads_with(key, before, after))
        elif key.resource == "namespaces" and old is not None and new is not None and labels(old) != labels(new):
            self.templates.clear()

    def _pod_changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        self.waiting.changed(key, new)
        if old is not None and new is not None and _same(old, new):
            if where(new) and _start(old) != _start(new):
                for template in self.templates:
                    if template.victims:
                        template.victims.pop(where(new), None)  # who runs for longer matters more to preemption
            return
        for pod, sign in ((old, -1), (new, 1)):
            if pod is None:
                continue
            node = where(pod)
            if node:
                self._mark(node)
                self._tell(pod, node, sign)
                if node in self._places:
                    self._count_priority(pod["spec"].get("priority") or 0, sign)
        if old is not None:
            self.affine.remove(key)
            waiting = self.nominated.get(nominated(old), {})
            if key in waiting:
                del waiting[key]
                if not waiting:
                    del self.nominated[nominated(old)]
        if new is not None:
            self._remember(key, new)

    def _remember(self, key: Key, pod: Object) -> None:
        if where(pod):
            if pod["spec"].get("affinity") and pods.counters(pod).get("affinity"):
                self.affine.add(key, pod)
        elif nominated(pod):
            self.nominated.setdefault(nominated(pod), {})[key] = pod

    def _count_priority(self, priority: int, count: int) -> None:
        if self._priorities is None:
            return
        total = self._priorities.get(priority, 0) + count
        if total:
            self._priorities[priority] = total
        else:
            self._priorities.pop(priority, None)

    def _tell(self, pod: Object, name: str, sign: int) -> None:
        concerned = self.templates.concerned_by(pod)
        node = self.node(name) if concerned else None
        if node is not None:
            for state in concerned:
                state.update(pod, node, sign)

    def _mark(self, name: str) -> None:
        if len(self.dirty) >= DIRTY_MAX:
            self.dirty.clear()
            self.templates.clear()
            self.columns.clear()
        self.dirty.append(name)
        info = self._infos.get(name)
        if info is not None:
            info.changed()

    def _node_changed(self, name: str, old: Object | None, new: Object | None) -> None:
        change = node_change(old, new)
        if not change:
            return
        if change in (ADDED, REMOVED):
            self._priorities = None
        if change in (ADDED, REMOVED, LABELS):
            self._domains.clear()
        hosts_were_nodes = self.hosts_are_nodes()
        self._infos.pop(name, None)
        self._renamed.discard(name)
        place = place_of(new) if new is not None else None
        if place is not None and place.is_renamed:
            self._renamed.add(name)
        counters = self.view.counters(name)
        strange = (change == ADDED and counters.get("pods")) or (change == LABELS and counters.get("affinity"))
        if strange or hosts_were_nodes != self.hosts_are_nodes():
            self.templates.clear()
        elif change != STATUS:
            self.templates.keep(lambda template: template.survives(name, change))
        self._mark(name)
        for node, sign in ((old, -1), (new, 1)):
            if node is not None:
                self._count_images(node, sign)
        if self._places.get(name) != place:
            self._order = None
            if place is None:
                del self._places[name]
            else:
                self._places[name] = place

    def _count_images(self, node: Object, sign: int) -> None:
        for image in image_sizes(node):
            if image in self._images:
                self._images[image] += sign


def _key(pod: Object) -> Key:
    return Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def _selector(obj: Object | None) -> Any:
    return (obj.get("spec") or {}).get("selector") if obj else None


def _start(pod: Object) -> Any:
    return (pod.get("status") or {}).get("startTime")


def _same(old: Object, new: Object) -> bool:
    """Whether two versions of a pod are alike to the scheduler."""
    return (
        where(old) == where(new)
        and nominated(old) == nominated(new)
        and pods.is_terminating(old) == pods.is_terminating(new)
        and (old["spec"] is new["spec"] or old["spec"] == new["spec"])
        and labels(old) == labels(new)
    )
