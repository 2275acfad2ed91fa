"""`kubectl apply set-last-applied` and `edit-last-applied`: the annotation that the next `apply` compares with.

Sources: pkg/cmd/apply/apply_set_last_applied.go, pkg/cmd/util/editor/editoptions.go (ApplyEditMode).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import edit, failures, select, show
from minikube_py.cli.create import LAST_APPLIED

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

HEADER = """# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
"""
NONE_ON_RESOURCES = (
    "no last-applied-configuration annotation found on resources, to create the annotation, use command "
    "`kubectl apply set-last-applied --create-annotation`"
)


def set_last_applied(call: Call) -> None:
    """Everything is checked before anything is written."""
    if not call.list("filename") and not call.text("kustomize"):
        raise UsageError(select.NOTHING_GIVEN)
    changes: list[tuple[Item, Object]] = []
    for obj, source in call.documents():
        item = select.of_document(call, obj, source)
        live = call.read(item.kind, item.name, item.namespace)
        wanted = _placed(obj, item)
        last = _last_applied(live)
        if last is None and not call.on("create-annotation"):
            raise UsageError(
                f"no last-applied-configuration annotation found on resource: {item.name}, to create the annotation, "
                "run the command with --create-annotation"
            )
        if last == wanted:
            call.line(f"set-last-applied {item.name}: no changes required.")
        else:
            changes.append((item._replace(object=live), wanted))
    with call.cluster.transaction():
        for item, wanted in changes:
            show.result(call, item._replace(object=_annotate(call, item, wanted)), "configured")


def _placed(obj: Object, item: Item) -> Object:
    """The object of a file with the namespace that it goes to."""
    return {**obj, "metadata": {**(obj.get("metadata") or {}), "namespace": item.namespace}} if item.namespace else obj


def _last_applied(obj: Object) -> Object | None:
    text = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    found: Object | None = json.loads(text) if text else None
    return found


def _annotate(call: Call, item: Item, wanted: Object) -> Object:
    if call.dry_run == "client":
        return item.object
    from minikube_py.apiserver import apply

    return call.cluster.patch(
        item.kind.resource,
        item.name,
        item.namespace,
        {"metadata": {"annotations": {LAST_APPLIED: apply.go_json(wanted)}}},
        dry_run=call.dry_run == "server",
    )


def edit_last_applied(call: Call) -> int:
    found = select.find(call, bare_types=True)
    failures.raise_all(found.errors)
    annotated = [(item, last) for item in found.items if (last := _last_applied(item.object)) is not None]
    if not annotated:
        raise UsageError(NONE_ON_RESOURCES)
    return max(_edit(call, item, last) for item, last in annotated)


def _edit(call: Call, item: Item, last: Object) -> int:
    """Open the editor until the annotation is stored, unchanged, or left with the same mistake twice."""

    def store(objects: list[Object]) -> list[str]:
        for wanted in objects:
            edit.check_same(wanted, last, item.name)
            try:
                changed = _annotate(call, item, wanted)
            except KpyError as error:
                return [edit.refused(call, item, error)]
            show.result(call, item._replace(object=changed), "edited" if wanted != last else "skipped", suffix="")
        return []

    return edit.session(call, last, store, HEADER)
