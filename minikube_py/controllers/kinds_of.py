"""From the apiVersion and kind of an object or of an ownerReference to where such objects live."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.kinds import KINDS
from minikube_py.api.types import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object, View

CRDS = "customresourcedefinitions.apiextensions.k8s.io"


class Place(NamedTuple):
    """The resource of a kind, and whether its objects live in namespaces."""

    resource: str
    namespaced: bool


_BUILT_IN = {
    (version.rpartition("/")[0], kind.name): Place(kind.storage, kind.namespaced)
    for kind in KINDS
    for version in (kind.version, *kind.others)
}


def place(api_version: str, kind: str, view: View) -> Place | None:
    """Where objects of that kind live, whatever the version; None if the cluster does not serve it."""
    group = api_version.rpartition("/")[0]
    found = _BUILT_IN.get((group, kind))
    if found is not None:
        return found
    for crd in view.list(CRDS):
        spec = crd["spec"]
        if (spec["group"], spec["names"]["kind"]) == (group, kind):
            return Place(f"{spec['names']['plural']}.{group}", spec["scope"] == "Namespaced")
    return None


def key_of(obj: Object, view: View) -> Key | None:
    """The key of any object, by the apiVersion and kind in it."""
    found = place(obj["apiVersion"], obj["kind"], view)
    meta = obj["metadata"]
    return Key(found.resource, meta.get("namespace", ""), meta["name"]) if found is not None else None


def namespaced_resources(view: View) -> list[str]:
    """Every resource whose objects live in namespaces, built-in ones in the order of the table of kinds."""
    built_in = dict.fromkeys(found.resource for found in _BUILT_IN.values() if found.namespaced)
    custom = [
        f"{crd['spec']['names']['plural']}.{crd['spec']['group']}"
        for crd in view.list(CRDS)
        if crd["spec"]["scope"] == "Namespaced"
    ]
    return [*built_in, *custom]


def kinds(view: View) -> Iterator[Kind]:
    """Every kind that the cluster serves."""
    from minikube_py.api import custom

    yield from KINDS
    for crd in view.list(CRDS):
        if custom.is_established(crd):
            yield from custom.kinds_of(crd)
