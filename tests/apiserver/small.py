"""A small API server for tests: a dict of objects behind the real decoding, defaults, admission, strategy and validation.

The order of the steps is the one that the verbs follow.
"""

from __future__ import annotations

from typing import Any

from minikube_py.api import decode, defaults, strategy, validation
from minikube_py.api.kinds import Kind, Registry
from minikube_py.api.types import Key
from minikube_py.apiserver import admission, allocate
from minikube_py.apiserver.admission import Request, quota
from minikube_py.base.clock import Clock
from minikube_py.base.errors import Invalid, already_exists
from tests.support import FrozenView, freeze

Object = dict[str, Any]
NOW = Clock(1_795_559_120, 7)  # 2026-11-24T22:25:20Z
REGISTRY = Registry()


class SmallServer:
    """Holds objects by key; `warnings` of the last write."""

    def __init__(self, *namespaces: str) -> None:
        self.view = FrozenView({})
        self.warnings: list[str] = []
        for name in ("default", "kube-system", *namespaces):
            self._put(Key("namespaces", "", name), {"metadata": {"name": name}, "status": {"phase": "Active"}})
            account = {"metadata": {"name": "default", "namespace": name}}
            self._put(Key("serviceaccounts", name, "default"), account)

    def kind_of(self, obj: Object) -> Kind:
        found = REGISTRY.find(obj["apiVersion"], obj["kind"])
        assert found is not None, obj["kind"]
        return found

    def create(self, obj: Object, namespace: str = "default", dry_run: bool = False) -> Object:
        kind = self.kind_of(obj)
        obj, self.warnings = decode.decode(kind, obj)
        meta = dict(obj.get("metadata") or {})
        if kind.namespaced:
            meta.setdefault("namespace", namespace)
        name = meta.get("name", "")
        meta["uid"] = NOW.uid(kind.resource, meta.get("namespace"), name)
        meta["creationTimestamp"] = NOW.timestamp
        obj = defaults.apply(kind, {**obj, "metadata": meta})
        key = Key(kind.resource, meta.get("namespace", ""), name)
        request = Request("CREATE", kind, key, freeze(obj), None, "", "admin", (), dry_run, NOW, self.view)
        obj = strategy.prepare_create(kind, admission.mutate(request) or {})
        if not name and meta.get("generateName"):
            name = meta["generateName"] + NOW.suffix(meta["generateName"])
            obj = {**obj, "metadata": {**obj["metadata"], "name": name}}
        if kind.resource == "services":
            obj = allocate.allocate(obj, None, self.view, NOW)
        self._validate(kind, obj)
        key = key._replace(name=name)
        if self.view.get(key) is not None:
            raise already_exists(kind.resource, name)
        request = request._replace(object=obj, key=key)
        self.warnings += admission.check(request)
        for charged, status in quota.charge(request):
            self._put(charged, {**self.view.get(charged), "status": status})
        if not dry_run:
            self._put(key, obj)
        return obj

    def update(self, obj: Object, subresource: str = "") -> Object:
        kind = self.kind_of(obj)
        obj, self.warnings = decode.decode(kind, obj)
        meta = obj["metadata"]
        key = Key(kind.resource, meta.get("namespace", ""), meta["name"])
        old = self.view.get(key)
        assert old is not None
        obj = defaults.apply(kind, {**obj, "metadata": {**meta, "resourceVersion": "1"}})
        request = Request("UPDATE", kind, key, freeze(obj), old, subresource, "admin", (), False, NOW, self.view)
        obj = strategy.prepare_update(kind, admission.mutate(request) or {}, old, subresource)
        if kind.resource == "services":
            obj = allocate.allocate(obj, old, self.view, NOW)
        self._validate(kind, obj, old, subresource)
        self.warnings += admission.check(request._replace(object=obj))
        self._put(key, obj)
        return obj

    def _validate(self, kind: Kind, obj: Object, old: Object | None = None, subresource: str = "") -> None:
        causes = validation.validate(kind, obj, old, subresource)
        if causes:
            raise Invalid(kind.name, kind.group, obj["metadata"].get("name", ""), causes)

    def _put(self, key: Key, obj: Object | None) -> None:
        old = self.view.get(key)
        self.view._objects[key] = freeze(obj)
        for derived in self.view._derived.values():
            derived.changed(key, old, obj)
