"""`kubectl rollout history|pause|resume|restart` (pkg/cmd/rollout, pkg/polymorphichelpers)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import patch as patches
from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, revisions, select, show, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item

Object = dict[str, Any]

RESTARTED = "kubectl.kubernetes.io/restartedAt"


def require_objects(call: Call) -> None:
    if not call.args and not call.list("filename") and not call.text("kustomize"):
        raise UsageError("required resource not specified")


def found(call: Call) -> Found:
    """The objects of a rollout command: by name, -f, -l, or all of a type."""
    require_objects(call)
    return select.find(call, bare_types=True, labels=call.text("selector"))


def pause(call: Call) -> None:
    def paused(item: Item) -> Object:
        _only(item, ("Deployment",), "pausing is not supported")
        if item.object["spec"].get("paused"):
            raise UsageError("is already paused")
        return {"spec": {"paused": True}}

    _patch_all(call, paused, "paused")


def resume(call: Call) -> None:
    def resumed(item: Item) -> Object:
        _only(item, ("Deployment",), "resuming is not supported")
        if not item.object["spec"].get("paused"):
            raise UsageError("is not paused")
        return {"spec": {"paused": None}}

    _patch_all(call, resumed, "resumed")


def restart(call: Call) -> None:
    def restarted(item: Item) -> Object:
        _only(item, ("Deployment", "DaemonSet", "StatefulSet"), "restarting is not supported")
        if item.object["spec"].get("paused"):
            raise UsageError("can't restart paused deployment (run rollout resume first)")
        fields = {"metadata": {"annotations": {RESTARTED: call.cluster.clock.timestamp}}}
        template = item.object["spec"].get("template") or {}
        if patches.merge(template, fields) == template:
            raise _AlreadyRestarted(
                f"failed to create patch for {item.name}: if restart has already been triggered within the past second, "
                "please wait before attempting to trigger another"
            )
        return {"spec": {"template": fields}}

    _patch_all(call, restarted, "restarted")


class _AlreadyRestarted(UsageError):
    """Said without the object's name in front."""


def _only(item: Item, kinds: tuple[str, ...], otherwise: str) -> None:
    if item.kind.name not in kinds:
        raise UsageError(otherwise)


def _patch_all(call: Call, fields_of: Callable[[Item], Object], verb: str) -> None:
    objects = found(call)
    if not objects.items and not objects.errors:
        writing.nothing_found(call)
        return

    def change(item: Item) -> None:
        try:
            fields = fields_of(item)
        except _AlreadyRestarted:
            raise
        except UsageError as error:
            raise UsageError(f'error: {item.kind.resource} "{item.name}" {error}') from None
        try:
            changed = writing.patch(call, item, fields)
        except KpyError as error:
            raise UsageError(f"failed to patch: {error}") from None
        show.result(call, item._replace(object=changed), verb, suffix="")

    writing.each(call, objects.items, change, objects.errors)


def history(call: Call) -> None:
    require_objects(call)
    revision = call.number("revision")
    if revision < 0:
        raise UsageError(f"revision must be a positive integer: {revision}")
    objects = found(call)
    for item in objects.items:
        known = revisions.of(call, item)
        if call.text("output"):
            _print_whole(call, item, known, revision)
        else:
            _print_history(call, item, known, revision)
    failures.raise_all(objects.errors)


def _print_whole(call: Call, item: Item, known: dict[int, revisions.Revision], revision: int) -> None:
    if revision and revision not in known:
        raise UsageError("unable to find the specified revision")
    for number in [revision] if revision else sorted(known):
        call.say(show.whole(call, [item._replace(object=known[number].object)], True))


def _print_history(call: Call, item: Item, known: dict[int, revisions.Revision], revision: int) -> None:
    head = f"{item.title} "
    if revision:
        if revision not in known:
            raise UsageError("unable to find the specified revision")
        call.say(f"{head}with revision #{revision}\n{revisions.template_text(known[revision].template)}\n")
        return
    if not known:
        call.say(f"{head}\nNo rollout history found.\n")
        return
    from minikube_py.printers.describe.writer import align

    rows = [f"{number}\t{known[number].cause or '<none>'}\n" for number in sorted(known)]
    call.say(f"{head}\n{align('REVISION' + chr(9) + 'CHANGE-CAUSE' + chr(10) + ''.join(rows))}\n")
