"""A CustomResourceDefinition that is being deleted waits for its objects, which are deleted first.

`step` runs on CustomResourceDefinitions and is woken by: the definition itself; the end of an object of its kind.
Source: k8s.io/apiextensions-apiserver pkg/controller/finalizer/crd_finalizer.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import custom
from minikube_py.api.types import Delete, Key, Patch
from minikube_py.controllers.kinds_of import CRDS
from minikube_py.controllers.ownership import is_deleting, key_of

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock


def step(definition: Object, view: View, clock: Clock) -> Actions:
    meta = definition["metadata"]
    finalizers = meta.get("finalizers") or []
    if not is_deleting(definition) or custom.CLEANUP not in finalizers:
        return
    key = Key(CRDS, "", meta["name"])
    status = custom.terminating(definition, clock.timestamp, "InstanceDeletionInProgress")
    if status != definition["status"]:
        yield Patch(key, {"status": status}, "status")
    resource = meta["name"]  # plural.group, which is how its objects are stored
    objects = view.list(resource)
    for obj in objects:
        if not is_deleting(obj):
            yield Delete(key_of(resource, obj), propagation="Background")
    # Their end wakes the definition again. Until then it stays, so that the garbage collector, which knows only kinds
    # that are served and has its turn before this step, can take along what they owned.
    if not objects:
        others = [name for name in finalizers if name != custom.CLEANUP]
        yield Patch(key, {"metadata": {"finalizers": others or None}})
