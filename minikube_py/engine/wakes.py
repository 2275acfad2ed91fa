"""From a change to the keys that a step must look at again: the words of the pipeline's `wakes_on` column.

Each is a function of (change, world) that yields keys. It looks at the old and the new version, since a pod that leaves a
Service concerns the Service as much as one that joins it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from minikube_py.api import pods
from minikube_py.api.types import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from minikube_py.api.kinds import Registry
    from minikube_py.api.types import Object
    from minikube_py.store.store import Change, Store
    from minikube_py.store.view import StoreView


class World(NamedTuple):
    """What the mappings may look at."""

    store: Store
    view: StoreView
    registry: Registry


if TYPE_CHECKING:
    Mapping: TypeAlias = Callable[[Change, World], Iterable[Key]]


def versions(change: Change) -> Iterator[Object]:
    if change.old is not None:
        yield change.old
    if change.new is not None:
        yield change.new


def itself(change: Change, world: World) -> Iterable[Key]:
    """The changed object."""
    return (change.key,)


def itself_if_unassigned(change: Change, world: World) -> Iterable[Key]:
    """A pod that has no node yet: the scheduler's."""
    return (change.key,) if change.new is not None and not pods.node_of(change.new) else ()


def itself_if_assigned(change: Change, world: World) -> Iterable[Key]:
    """A pod that has a node: that node's kubelet's."""
    return (change.key,) if change.new is not None and pods.node_of(change.new) else ()


def pods_on_new_node(change: Change, world: World) -> Iterable[Key]:
    """The pods of a node that has just been registered."""
    return _keys(world.store.bucket("n:" + change.key.name)) if change.old is None else ()


def endpoints_of_service(change: Change, world: World) -> Iterable[Key]:
    """The Endpoints object of a deleted Service's name."""
    return (change.key._replace(resource="endpoints"),) if change.new is None else ()


def owner(resource: str) -> Mapping:
    """The owners of that resource that the object names (controllers and others)."""

    def mapping(change: Change, world: World) -> Iterator[Key]:
        for obj in versions(change):
            for ref in obj["metadata"].get("ownerReferences") or ():
                kind = world.registry.find(ref["apiVersion"], ref["kind"])
                if kind is not None and kind.storage == resource:
                    yield Key(resource, change.key.namespace if kind.namespaced else "", ref["name"])

    return mapping


def owner_of_owner(middle: str, resource: str) -> Mapping:
    """The owner (of that resource) of the object's owner (of resource `middle`): a pod's Deployment."""
    step = owner(middle)
    further = owner(resource)

    def mapping(change: Change, world: World) -> Iterator[Key]:
        for key in step(change, world):
            found = world.store.get(key)
            if found is not None:
                yield from further(change._replace(key=key, old=None, new=found), world)

    return mapping


def adopting(resource: str) -> Mapping:
    """Objects of a resource whose selector matches a pod that has no controller, or whose labels have changed."""

    def mapping(change: Change, world: World) -> Iterator[Key]:
        old, new = change.old, change.new
        if new is None:
            return
        is_controlled = any(ref.get("controller") for ref in new["metadata"].get("ownerReferences") or ())
        if is_controlled and (old is None or _labels(old) is _labels(new) or _labels(old) == _labels(new)):
            return
        for found in world.view.selecting(resource, new):
            yield Key(resource, change.key.namespace, found["metadata"]["name"])

    return mapping


def backing(resource: str) -> Mapping:
    """Objects of a resource (services) whose selector matches a pod, if the pod changed in what its clients see."""

    def mapping(change: Change, world: World) -> Iterator[Key]:
        old, new = change.old, change.new
        if old is not None and new is not None and _seen(old) == _seen(new):
            return
        names = dict.fromkeys(
            found["metadata"]["name"] for obj in versions(change) for found in world.view.selecting(resource, obj)
        )
        for name in names:
            yield Key(resource, change.key.namespace, name)

    return mapping


def _labels(obj: Object) -> Object | None:
    return obj["metadata"].get("labels")  # type: ignore[no-any-return]


def _seen(pod: Object) -> tuple[object, ...]:
    """What a client of a Service can tell of a pod: who it is, where it is, whether it is ready or leaving."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    return (
        meta.get("labels"),
        "deletionTimestamp" in meta,
        spec.get("nodeName"),
        spec.get("hostname"),
        status.get("podIP"),
        status.get("phase") in ("Succeeded", "Failed"),
        pods.condition(pod, "Ready"),
    )


def its_node(change: Change, world: World) -> Iterator[Key]:
    """The node of a pod."""
    for obj in versions(change):
        node = pods.node_of(obj)
        if node:
            yield Key("nodes", "", node)


def pods_on_it(change: Change, world: World) -> Iterator[Key]:
    """The pods on a node."""
    return _keys(world.store.bucket("n:" + change.key.name))


def faulty_node(change: Change, world: World) -> Iterator[Key]:
    """The node that a Fault is about."""
    for obj in versions(change):
        node = obj["spec"].get("node")
        if node:
            yield Key("nodes", "", node)


def pods_on_faulty_node(change: Change, world: World) -> Iterator[Key]:
    for key in faulty_node(change, world):
        yield from world.store.bucket("n:" + key.name)


def pending_pods(change: Change, world: World) -> Iterator[Key]:
    """Pods that have no node yet."""
    return _keys(world.store.bucket("n:"))


def pending_if_freed(change: Change, world: World) -> Iterator[Key]:
    """Pods that have no node yet, if the changed pod gave up its place."""
    old, new = change.old, change.new
    if old is None or not pods.node_of(old) or pods.is_finished(old):
        return
    if new is None or pods.is_finished(new):
        yield from world.store.bucket("n:")


def pending_if_node_changed(change: Change, world: World) -> Iterator[Key]:
    """Pods that have no node yet, if a node changed in what the scheduler looks at (a heartbeat changes nothing)."""
    old, new = change.old, change.new
    if new is None:
        return
    if old is not None:
        same_status = (old.get("status") or {}).get("allocatable") == (new.get("status") or {}).get("allocatable")
        same_labels = old["metadata"].get("labels") == new["metadata"].get("labels")
        if same_status and same_labels and old["spec"] == new["spec"]:
            return
    yield from world.store.bucket("n:")


def waiting_pods_in_namespace(change: Change, world: World) -> Iterator[Key]:
    """Pods of the object's namespace that are not well: they may wait for this ConfigMap, Secret, claim or Program."""
    return _keys(
        key for key in world.store.bucket("u:") if key.resource == "pods" and key.namespace == change.key.namespace
    )


def waiting_pods(change: Change, world: World) -> Iterator[Key]:
    """Pods anywhere that are not well."""
    return _keys(key for key in world.store.bucket("u:") if key.resource == "pods")


def newly_placed_or_leaving(change: Change, world: World) -> Iterable[Key]:
    """A pod that got its node, other tolerations, or a deletion."""
    old, new = change.old, change.new
    if new is None or (not pods.node_of(new) and not pods.is_terminating(new)):
        return ()
    if (
        old is not None
        and pods.node_of(old) == pods.node_of(new)
        and pods.is_terminating(old) == pods.is_terminating(new)
        and (old["spec"] is new["spec"] or old["spec"].get("tolerations") == new["spec"].get("tolerations"))
    ):
        return ()
    return (change.key,)


def pods_if_taints_changed(change: Change, world: World) -> Iterable[Key]:
    """The pods on a node whose taints changed, or that is gone."""
    old, new = change.old, change.new
    if old is None or (new is not None and old["spec"].get("taints") == new["spec"].get("taints")):
        return ()
    return _keys(world.store.bucket("n:" + change.key.name))


def node_if_not_ready(change: Change, world: World) -> Iterable[Key]:
    """The node that a pod was just bound to, if that node is not ready."""
    new = change.new
    if new is None or not pods.node_of(new) or (change.old is not None and pods.node_of(change.old)):
        return ()
    key = Key("nodes", "", pods.node_of(new))
    node = world.store.get(key)
    return () if node is None or pods.is_ready(node) else (key,)


def collectable(change: Change, world: World) -> Iterable[Key]:
    """An object that may be garbage: its owners have changed or are not there, or its own deletion began."""
    old, new = change.old, change.new
    if new is None:
        return ()
    meta, before = new["metadata"], old["metadata"] if old is not None else {}
    if "deletionTimestamp" in meta and (
        "deletionTimestamp" not in before or meta.get("finalizers") != before.get("finalizers")
    ):
        return (change.key,)
    references = meta.get("ownerReferences")
    if not references or references == before.get("ownerReferences"):
        return ()
    if old is None and all(_owner_stays(ref, change.key.namespace, world) for ref in references):
        return ()
    return (change.key,)


def _owner_stays(reference: Object, namespace: str, world: World) -> bool:
    kind = world.registry.find(reference["apiVersion"], reference["kind"])
    if kind is None:
        return True
    owner = world.store.get(Key(kind.storage, namespace if kind.namespaced else "", reference["name"]))
    if owner is None or owner["metadata"].get("uid") != reference["uid"]:
        return False
    return "deletionTimestamp" not in owner["metadata"]


def dependents(change: Change, world: World) -> Iterable[Key]:
    """What an object owns that was deleted or whose deletion began."""
    if change.old is None or change.key.resource == "events":
        return ()
    gone = change.new is None or (
        "deletionTimestamp" in change.new["metadata"] and "deletionTimestamp" not in change.old["metadata"]
    )
    return _keys(world.store.bucket("o:" + change.old["metadata"].get("uid", ""))) if gone else ()


def owners(change: Change, world: World) -> Iterator[Key]:
    """The owners of a deleted object: one in foreground deletion waits for it."""
    if change.new is not None or change.old is None:
        return
    for ref in change.old["metadata"].get("ownerReferences") or ():
        kind = world.registry.find(ref["apiVersion"], ref["kind"])
        if kind is not None:
            yield Key(kind.storage, change.key.namespace if kind.namespaced else "", ref["name"])


def its_namespace_if_deleted(change: Change, world: World) -> Iterable[Key]:
    """The namespace of a deleted object."""
    return (Key("namespaces", "", change.key.namespace),) if change.new is None else ()


def its_namespace_if_root_ca(change: Change, world: World) -> Iterable[Key]:
    """The namespace whose kube-root-ca.crt was touched."""
    is_root_ca = change.key.name == "kube-root-ca.crt" and change.old is not None
    return (Key("namespaces", "", change.key.namespace),) if is_root_ca else ()


def its_terminating_namespace(change: Change, world: World) -> Iterator[Key]:
    """The namespace of a deleted object, if the namespace is being deleted too."""
    if change.new is None and change.key.namespace:
        key = Key("namespaces", "", change.key.namespace)
        namespace = world.store.get(key)
        if namespace is not None and "deletionTimestamp" in namespace["metadata"]:
            yield key


def service_of_slice(change: Change, world: World) -> Iterator[Key]:
    """The Service that an EndpointSlice or Endpoints object belongs to."""
    for obj in versions(change):
        name = (obj["metadata"].get("labels") or {}).get("kubernetes.io/service-name") or (
            change.key.name if change.key.resource == "endpoints" else ""
        )
        if name:
            yield Key("services", change.key.namespace, name)


def all_of(resource: str) -> Mapping:
    """Every object of a (small) resource."""

    def mapping(change: Change, world: World) -> Iterator[Key]:
        return iter(world.store.keys(resource))

    return mapping


def all_in_namespace(resource: str) -> Mapping:
    """Every object of a (small) resource in the object's namespace."""

    def mapping(change: Change, world: World) -> Iterator[Key]:
        for obj in world.view.list(resource, change.key.namespace):
            yield Key(resource, change.key.namespace, obj["metadata"]["name"])

    return mapping


def _keys(keys: Iterable[Key]) -> Iterator[Key]:
    return iter(list(keys))
