"""`kubectl rollout undo` (pkg/cmd/rollout/rollout_undo.go, pkg/polymorphichelpers/rollback.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import revisions, rollout, show, writing
from minikube_py.cli.create import LAST_APPLIED
from minikube_py.printers.describe.apps import without_hash

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.revisions import Revision
    from minikube_py.cli.select import Item

Object = dict[str, Any]

# The annotations that a Deployment keeps for itself instead of taking them back from the ReplicaSet.
KEPT = (
    LAST_APPLIED,
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)


def run(call: Call) -> None:
    objects = rollout.found(call)
    if not objects.items and not objects.errors:
        return
    writing.each(call, objects.items, lambda item: _undo(call, item), objects.errors)


def _undo(call: Call, item: Item) -> None:
    if LAST_APPLIED in (item.object["metadata"].get("annotations") or {}):
        call.warn(
            f"resource {item.kind.plural}/{item.name} was previously managed with 'kubectl apply'. Rolling back will not "
            f"update the {LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' "
            "operations. Consider using 'kubectl apply' with your previous configuration file instead."
        )
    number = call.number("to-revision")
    if number < 0:
        raise _no_revision(number)
    if item.kind.name not in ("Deployment", "StatefulSet", "DaemonSet"):
        raise revisions.not_implemented(item, "rollbacker", "rollbacker")
    target = _target(item, revisions.of(call, item), number)
    if call.dry_run == "client":
        show.result(call, item, revisions.template_text(target.template))
        return
    if item.object["spec"].get("paused"):
        raise UsageError(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
    if without_hash(_plain_template(target)) == without_hash(item.object["spec"]["template"]):
        show.result(call, item, f"skipped rollback (current template already matches revision {number})")
        return
    show.result(call, item._replace(object=_restore(call, item, target)), "rolled back")


def _no_revision(number: int) -> UsageError:
    return UsageError(f"unable to find specified revision {number} in history")


def _target(item: Item, known: dict[int, Revision], number: int) -> Revision:
    """The revision of that number; for 0 the one before the newest."""
    if number:
        if number not in known:
            raise _no_revision(number)
        return known[number]
    if len(known) < 2:
        if item.kind.name == "Deployment":
            raise UsageError(f'no rollout history found for deployment "{item.name}"')
        raise UsageError("no last revision to roll back to")
    return known[sorted(known)[-2]]


def _plain_template(target: Revision) -> Object:
    """The template without the change cause that the history shows in it."""
    spec: Object = target.object["spec"]
    return spec["template"]  # type: ignore[no-any-return]


def _restore(call: Call, item: Item, target: Revision) -> Object:
    template = without_hash(_plain_template(target))
    operations: list[Object] = [{"op": "replace", "path": "/spec/template", "value": template}]
    if item.kind.name == "Deployment":
        own = item.object["metadata"].get("annotations") or {}
        old = target.object["metadata"].get("annotations") or {}
        annotations = {key: own[key] for key in KEPT if key in own}
        annotations.update({key: value for key, value in old.items() if key not in KEPT})
        operations.append({"op": "add", "path": "/metadata/annotations", "value": annotations})
    return call.cluster.patch(
        item.kind.resource,
        item.name,
        item.namespace,
        operations,
        type="json",
        dry_run=call.dry_run == "server",
    )
