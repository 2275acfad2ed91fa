"""Which ReplicaSets have no controller: what Deployments might adopt, without looking at every ReplicaSet in each sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.controllers.ownership import controller_of, key_of

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object, Objects, View

RESOURCE = "replicasets.apps"


class Orphans:
    """Namespace -> keys of its ReplicaSets without a controller; kept up to date by being told each change."""

    resources = frozenset(("replicasets.apps",))

    __slots__ = ("_keys",)

    def __init__(self, view: View) -> None:
        self._keys: dict[str, dict[Key, None]] = {}
        for rs in view.list(RESOURCE):
            self.changed(key_of(RESOURCE, rs), None, rs)

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource != RESOURCE:
            return
        if new is not None and controller_of(new) is None:
            self._keys.setdefault(key.namespace, {})[key] = None
        elif old is not None:
            self._keys.get(key.namespace, {}).pop(key, None)

    def of(self, namespace: str) -> list[Key]:
        return sorted(self._keys.get(namespace, ()))


def replica_sets_without_controller(namespace: str, view: View) -> Objects:
    orphans: Orphans = view.derived("replica sets without controller", Orphans)
    return [rs for key in orphans.of(namespace) if (rs := view.get(key)) is not None]
