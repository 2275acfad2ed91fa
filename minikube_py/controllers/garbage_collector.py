"""The garbage collector: deletes what nobody owns any more, and carries out foreground and orphaning deletions.

`step` runs on objects of every resource and is woken by: an object that comes with ownerReferences or whose ownerReferences
change; the deletion, or the begin of the deletion, of an object (wakes the object, and what it owns); the deletion of an
object (wakes its owners, which may be waiting for it). Objects without ownerReferences that are not being deleted need no run.

What a reference points to is one of
    solid    an owner that is there and stays,
    waiting  an owner in foreground deletion: it waits for its dependents,
    dangling an owner that is gone, or another object of that name.
A dependent with a solid owner only loses its other references. Without one it is deleted: in the foreground if an owner
waits for it and it has dependents itself, else in the background.
Source: k8s.io/kubernetes/pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Delete, Key, Patch
from minikube_py.base.errors import KpyError
from minikube_py.controllers import kinds_of
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
    from minikube_py.base.clock import Clock

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


def step(obj: Object, view: View, clock: Clock) -> Actions:
    key = kinds_of.key_of(obj, view)
    if key is None:
        return
    finalizers = obj["metadata"].get("finalizers") or ()
    if is_deleting(obj) and ORPHAN in finalizers:
        yield from _orphan_dependents(key, obj, view)
    elif is_deleting(obj) and FOREGROUND in finalizers:
        yield from _delete_dependents(key, obj, view)
    else:
        yield from _collect(key, obj, view)


# --- an object as owner ------------------------------------------------------------------------------------------------


def _orphan_dependents(key: Key, owner: Object, view: View) -> Actions:
    """Dependents lose their reference to this owner; the owner, looked at again because of that, its finalizer. In between a
    controller sees that it has lost its dependents."""
    uid = owner["metadata"]["uid"]
    freed = False
    for resource, dependent in view.dependents(uid):
        outcome = yield _without_owners(_key(resource, dependent), dependent, {uid})
        freed = freed or not isinstance(outcome, KpyError)
    if not freed:
        yield _without_finalizer(key, owner, ORPHAN)


def _delete_dependents(key: Key, owner: Object, view: View) -> Actions:
    """All dependents go; those that block hold the owner until they are gone."""
    uid = owner["metadata"]["uid"]
    for resource, dependent in view.dependents(uid):
        yield from _collect(_key(resource, dependent), dependent, view)
    left = view.dependents(uid)
    if not any(_blocks(dependent, uid) for _, dependent in left):
        yield _without_finalizer(key, owner, FOREGROUND)


def _blocks(dependent: Object, uid: str) -> bool:
    return any(
        reference["uid"] == uid and reference.get("blockOwnerDeletion")
        for reference in dependent["metadata"].get("ownerReferences") or ()
    )


# --- an object as dependent --------------------------------------------------------------------------------------------


class _References(NamedTuple):
    """The ownerReferences of an object by the state of the owner."""

    solid: Objects
    waiting: Objects
    dangling: Objects


def _collect(key: Key, obj: Object, view: View) -> Actions:
    """Delete the object, or take away references to owners that are gone."""
    meta = obj["metadata"]
    if is_deleting(obj) or not meta.get("ownerReferences"):
        return
    found = _classified(key, meta["ownerReferences"], view)
    if found is None:
        return
    if found.solid:
        gone = {reference["uid"] for reference in (*found.dangling, *found.waiting)}
        if gone:
            yield _without_owners(key, obj, gone)
    elif found.waiting and view.dependents(meta["uid"]):
        yield Delete(key, propagation="Foreground", uid=meta["uid"])
    else:
        finalizers = meta.get("finalizers") or ()
        kept = "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
        yield Delete(key, propagation=kept, uid=meta["uid"])


def _classified(key: Key, references: Objects, view: View) -> _References | None:
    """None if a reference is to a kind that the cluster does not serve: then nothing can be said."""
    found = _References([], [], [])
    for reference in references:
        place = kinds_of.place(reference["apiVersion"], reference["kind"], view)
        if place is None:
            return None
        owner = view.get(Key(place.resource, key.namespace if place.namespaced else "", reference["name"]))
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            found.dangling.append(reference)
        elif is_deleting(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or ()):
            found.waiting.append(reference)
        else:
            found.solid.append(reference)
    return found


# --- writes ------------------------------------------------------------------------------------------------------------


def _key(resource: str, obj: Object) -> Key:
    return Key(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def _without_owners(key: Key, obj: Object, gone: set[str]) -> Patch:
    kept = [reference for reference in obj["metadata"]["ownerReferences"] if reference["uid"] not in gone]
    return Patch(key, {"metadata": {"ownerReferences": kept or None}})


def _without_finalizer(key: Key, obj: Object, name: str) -> Patch:
    kept = [finalizer for finalizer in obj["metadata"]["finalizers"] if finalizer != name]
    return Patch(key, {"metadata": {"finalizers": kept or None}})
