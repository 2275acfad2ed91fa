"""ControllerRevisions: the templates that a StatefulSet or a DaemonSet has had, one object each.

Source: k8s.io/kubernetes/pkg/controller/history/controller_history.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Create, Delete, Patch
from minikube_py.base import digest
from minikube_py.base.errors import AlreadyExists, KpyError
from minikube_py.controllers import ownership

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from minikube_py.api.types import Action, Actions, Object, Objects, Outcome, View

RESOURCE = "controllerrevisions.apps"
HASH_LABEL = "controller-revision-hash"
_NAME_MAX = 223


def revisions(owner: Object, view: View) -> Objects:
    """Those that `owner` controls, oldest revision first."""
    found = [one for one in view.owned(owner["metadata"]["uid"], RESOURCE) if ownership.is_controlled_by(one, owner)]
    return sorted(found, key=lambda one: (one["revision"], one["metadata"]["name"]))


def hash_of(revision: Object) -> str:
    return revision["metadata"]["labels"][HASH_LABEL]  # type: ignore[no-any-return]


def data_of(template: Object) -> Object:
    """What a revision keeps: a strategic merge patch that puts the template back whole."""
    return {"spec": {"template": {**template, "$patch": "replace"}}}


def template_in(revision: Object) -> Object:
    template = revision["data"]["spec"]["template"]
    return {name: value for name, value in template.items() if name != "$patch"}


def current(
    owner: Object, reference: Object, found: Objects, collisions: int
) -> Generator[Action, Outcome, tuple[Object | None, int]]:
    """The revision of the owner's template, made or moved to the front if need be, and the number of hash collisions.

    None if it could not be written. Templates A, B, A: revisions 1 and 2, then 1 becomes 3.
    """
    template = owner["spec"]["template"]
    data, number = data_of(template), (found[-1]["revision"] if found else 0) + 1
    for one in reversed(found):
        if one["data"] != data:
            continue
        if one is found[-1]:
            return one, collisions
        yield Patch(ownership.key_of(RESOURCE, one), {"revision": number})
        return {**one, "revision": number}, collisions
    for attempt in range(collisions, collisions + 5):
        made = _described(owner, reference, digest.template_hash(template, attempt or None), data, number)
        outcome = yield Create(made)
        if isinstance(outcome, AlreadyExists):
            continue
        return (None if isinstance(outcome, KpyError) else outcome or made), attempt
    return None, collisions


def _described(owner: Object, reference: Object, hashed: str, data: Object, number: int) -> Object:
    meta, template = owner["metadata"], owner["spec"]["template"]
    own: Object = {
        "name": f"{meta['name'][:_NAME_MAX]}-{hashed}",
        "namespace": meta["namespace"],
        "labels": {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: hashed},
        "ownerReferences": [reference],
    }
    if meta.get("annotations"):
        own["annotations"] = meta["annotations"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": own,
        "data": data,
        "revision": number,
    }


def truncate(owner: Object, found: Objects, in_use: Iterable[str]) -> Actions:
    """Delete the oldest revisions beyond revisionHistoryLimit; those in use (by name) do not count."""
    used = set(in_use)
    spare = [one for one in found if one["metadata"]["name"] not in used]
    for one in spare[: max(0, len(spare) - owner["spec"].get("revisionHistoryLimit", 10))]:
        yield Delete(ownership.key_of(RESOURCE, one))
