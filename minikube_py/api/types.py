"""What flows through the house: objects, keys, actions, and the read-only view that everything that thinks is given.

`Object` is the plain JSON dict of the wire. It is never changed once stored: build a new one as `{**old, "status": ...}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import NamedTuple

    from minikube_py.api.nodes import Place
    from minikube_py.base.clock import Clock
    from minikube_py.base.errors import KpyError
else:
    from minikube_py.base.record import NamedTuple


Object: TypeAlias = dict[str, Any]
Objects: TypeAlias = list[Object]
Places: TypeAlias = "list[Place]"
Dependents: TypeAlias = list[tuple[str, Object]]


class Key(NamedTuple):
    """Where an object lives. `resource` is the plural, with the group behind a dot unless it is the core group:
    'pods', 'deployments.apps'. `namespace` is '' for cluster-scoped kinds."""

    resource: str
    namespace: str
    name: str


Keys: TypeAlias = list[Key]


class Create(NamedTuple):
    """Create an object; a name may be left to `metadata.generateName`. Outcome: the stored object."""

    object: Object


class Known(NamedTuple):
    """What a Patch of a pod's status makes of `old`, from who has seen the same patch at work on another pod: the whole status,
    the merge patch that leads back as JSON text, and what changes as bits of `api.facets`."""

    old: Object
    status: Object
    before: str
    facets: int


class Patch(NamedTuple):
    """Merge `fields` (RFC 7386: null removes, lists are replaced whole) into an object. Outcome: the stored object.

    `subresource`: '' changes all but status; 'status' changes status, and metadata only where it is named along with it;
    'binding' sets a pod's node; 'finalize' drops a namespace's finalizers. `known` spares working out what comes of it.
    """

    key: Key
    fields: Object
    subresource: str = ""
    known: Known | None = None


class Delete(NamedTuple):
    """Delete an object. `grace_s` None: the object's own grace period; `uid`: refuse if it is another object now.
    `propagation`: Background, Foreground or Orphan; '' is the kind's default (Background). `evict`: a pod, by the eviction
    subresource: its disruption budgets are asked first."""

    key: Key
    grace_s: int | None = None
    propagation: str = ""
    uid: str = ""
    evict: bool = False


class Record(NamedTuple):
    """Record an Event about `regarding`. Equal events are counted, not repeated.

    `component`: 'deployment-controller', 'kubelet', ...; `host`: the node of a kubelet; `field_path`:
    'spec.containers{web}'; `action`: set ('Binding', 'Scheduling') where the real component writes through
    events.k8s.io (eventTime set, no count).
    """

    regarding: Object
    type: str  # Normal, Warning
    reason: str
    message: str
    component: str
    host: str = ""
    field_path: str = ""
    action: str = ""


class Wake(NamedTuple):
    """Look at this object again at `at_s`. Each run of a step replaces the wake that its last run for this key left.

    `background`: does not keep the cluster from counting as settled (cron schedules, later crash-loop retries).
    """

    at_s: int
    background: bool = False


class Remember(NamedTuple):
    """Replace what this step keeps in mind about this key (what the real component holds in its memory, not in the
    API); read back with `view.memory(step, key)`. Empty forgets. Gone with the object.

    `part`: what seldom changes, apart from what changes each time: read back with `view.memory(step + part, key)`."""

    data: Object
    part: str = ""


Action: TypeAlias = Create | Patch | Delete | Record | Wake | Remember
Outcome: TypeAlias = "Object | KpyError | None"
Actions: TypeAlias = "Generator[Action, Outcome, None]"
StepFunction: TypeAlias = "Callable[[Object, View, Clock], Actions]"


class View(Protocol):
    """A read-only picture of the cluster at one instant. Lists are sorted by namespace and name.

    Everything is loaded lazily through indexes: a step that asks for the pods of one ReplicaSet pays for those.
    """

    def get(self, key: Key) -> Object | None: ...

    def list(self, resource: str, namespace: str | None = None) -> Objects:
        """All objects of a resource; `namespace` None means all namespaces."""
        ...

    def count(self, resource: str) -> int:
        """How many objects a resource has, without reading them."""
        ...

    def owned(self, uid: str, resource: str) -> Objects:
        """Objects of `resource` with an ownerReference (controller or not) to `uid`."""
        ...

    def dependents(self, uid: str) -> Dependents:
        """(resource, object) of everything with an ownerReference to `uid`, of whatever resource."""
        ...

    def unowned(self, resource: str, namespace: str) -> Objects:
        """ReplicaSets ('replicasets.apps') or ControllerRevisions of a namespace that have no controller."""
        ...

    def on_node(self, node: str) -> Objects:
        """Pods with that spec.nodeName; '' gives the pods that have no node yet and are not finished."""
        ...

    def node_places(self) -> Places:
        """What the order of looking at nodes depends on, of every node: read from the index, without their bodies."""
        ...

    def nodes_with_image(self, image: str) -> int:
        """How many nodes have an image of that name."""
        ...

    def sociable(self) -> Objects:
        """Pods on nodes that have pod affinity or anti-affinity."""
        ...

    def refused(self) -> Objects:
        """Pods that the scheduler found no node for."""
        ...

    def nominated(self) -> Objects:
        """Pods without a node that are promised one (status.nominatedNodeName)."""
        ...

    def selected(self, namespace: str, labels: dict[str, str]) -> Objects:
        """Pods of a namespace that carry all of `labels` (which may not be empty)."""
        ...

    def selecting(self, resource: str, pod: Object) -> Objects:
        """Objects of `resource` ('services', 'poddisruptionbudgets.policy', 'replicasets.apps', ...) in the pod's namespace whose
        spec.selector (a map, or a LabelSelector) matches the pod's labels. An empty selector matches nothing."""
        ...

    def counters(self, node: str) -> dict[str, int]:
        """What the pods on a node add up to (`pods.counters`, summed over pods that are not finished)."""
        ...

    def memory(self, step: str, key: Key) -> Object:
        """What a step remembered about a key; {} if nothing."""
        ...

    def derived(self, name: str, build: Callable[[View], Derived]) -> Any:
        """A cache that lives as long as the process's session and is told of every change; built at first use."""
        ...


class _AllResources:
    """The set of all resources, events among them."""

    def __contains__(self, resource: object) -> bool:
        return True


ALL_RESOURCES = _AllResources()


class Derived(Protocol):
    """A cache over the cluster that is kept up to date by being told each change (old or new is None at create or delete);
    only those of its `resources`, a set, if it has an attribute of that name (all but events without), and of the changes
    of pods only those with one of its `facets` (see `api.facets`), if it has that."""

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None: ...
