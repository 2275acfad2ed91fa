"""`kubectl edit` (pkg/cmd/util/editor/editoptions.go): objects in your editor, and what you changed as patches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from minikube_py.base import patch as patches
from minikube_py.base.errors import Invalid, KpyError, NotFound, UsageError
from minikube_py.cli import failures, select, show, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

    Store = Callable[[list[dict[str, Any]]], list[str]]

Object = dict[str, Any]

HEADER = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""
CANCELLED = "Edit cancelled, no changes made."
INVALID = "Edit cancelled, no valid changes were saved."
EMPTY = "Edit cancelled, saved file was empty."
OTHER_OBJECT = "At least one of apiVersion, kind and name was changed"


class _Unsaved(KpyError):
    """What the API server refused for another reason than the object's content: told already, ends the edit."""


def run(call: Call) -> int:
    from minikube_py.printers import output

    found = select.find(call, bare_types=True)
    failures.raise_all(found.errors)
    if not found.items:
        raise UsageError("edit cancelled, no objects found")
    shown = [output.without_managed_fields(item.object) for item in found.items]
    whole = shown[0] if len(shown) == 1 else {"apiVersion": "v1", "items": shown, "kind": "List", "metadata": {}}
    return session(call, whole, lambda objects: _store(call, found.items, shown, objects))


def session(call: Call, obj: Object, store: Store, head: str = HEADER) -> int:
    """Open the editor until what it leaves is stored, or nothing is to be. `store` gives the reasons why it could not be
    (then the editor opens again); the exit code is given back."""
    original = text_of(call, obj)
    text, before, reasons, path = original, "", "", ""
    while True:
        try:
            edited, fresh = _in_editor(call, head + reasons + text)
        except UsageError:
            _preserve(call, path)
            raise
        plain = "".join(line for line in edited.splitlines(keepends=True) if not line.startswith("#"))
        if reasons and plain == before:
            _preserve(call, fresh)
            raise UsageError(INVALID)
        _remove(path)
        path = fresh
        if plain == original or not plain.strip():
            _remove(path)
            call.complain(CANCELLED if plain.strip() and plain == original else EMPTY)
            return 0
        text = before = plain
        try:
            objects = _objects(plain)
        except UsageError as error:
            reasons = _comment(f"The edited file had a syntax error: {error}")
            continue
        try:
            reasons = "".join(map(_comment, store(objects)))
        except _Unsaved as error:
            call.complain(str(error).format(path=path))
            return 1
        except KpyError:
            _preserve(call, path)
            raise
        if not reasons:
            _remove(path)
            return 0


def _comment(reason: str) -> str:
    """A reason in the head of the file: each line a comment, and an empty one behind."""
    return "".join(f"# {line}\n" for line in reason.splitlines()) + "#\n"


def _preserve(call: Call, path: str) -> None:
    if path:
        call.complain(f'A copy of your changes has been stored to "{path}"')


def _remove(path: str) -> None:
    if path:
        os.unlink(path)


def _objects(text: str) -> list[Object]:
    from minikube_py.api import documents

    return [one.object for document in documents.read_text(text, "edited-file") for one in documents.flatten(document)]


def text_of(call: Call, obj: Object) -> str:
    """An object as the editor shows it."""
    if call.text("output") == "json":
        from minikube_py.base.gotext import json_indented

        return json_indented(obj) + "\n"
    from minikube_py.printers import yaml_text

    return yaml_text.dump(obj)


def _store(call: Call, items: list[Item], shown: list[Object], objects: list[Object]) -> list[str]:
    reasons = []
    for new in objects:
        index = _original(items, new)
        item, old = items[index], shown[index]
        check_same(new, old, item.name)
        fields = patches.diff(old, new)
        if not fields:
            show.result(call, item, "skipped", suffix="")
            continue
        try:
            changed = writing.patch(call, item, fields, call.text("subresource"))
        except KpyError as error:
            reasons.append(refused(call, item, error))
            continue
        show.result(call, item._replace(object=changed), "edited", suffix="")
    return reasons


def _original(items: list[Item], new: Object) -> int:
    """Which of the objects was edited into this one: the uid tells."""
    uid = (new.get("metadata") or {}).get("uid")
    for index, item in enumerate(items):
        if len(items) == 1 or item.object["metadata"].get("uid") == uid:
            return index
    raise UsageError(f"no original object found for {new!r}")


def check_same(new: Object, old: Object, name: str) -> None:
    """Raises UsageError where an object became another one."""
    if (new.get("metadata") or {}).get("name") != name or any(
        new.get(key) != old.get(key) for key in ("apiVersion", "kind")
    ):
        raise UsageError(OTHER_OBJECT)


def refused(call: Call, item: Item, error: KpyError) -> str:
    """The reason for the head of the file; other refusals than of the content end the edit (editResults.addError)."""
    what = f'{item.kind.resource} "{item.name}"'
    if isinstance(error, Invalid):
        call.complain(f"error: {what} is invalid")
        causes = "".join(f"\n* {cause}" for cause in dict.fromkeys(map(str, error.causes)))
        return f"{what} was not valid{':' if causes else ''}{causes}"
    if isinstance(error, NotFound):
        call.complain(f"error: {what} could not be found on the server")
        raise _Unsaved('The edits you made on deleted resources have been saved to "{path}"')
    call.complain(f"error: {what} could not be patched: {error}")
    raise _Unsaved("You can run `kubectl replace -f {path}` to try this update again.")


def _in_editor(call: Call, text: str) -> tuple[str, str]:
    """The text as the user left it, and the file. KUBE_EDITOR, then EDITOR, then vi; the value may carry arguments."""
    import shlex
    import subprocess
    import tempfile

    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi"
    suffix = ".json" if call.text("output") == "json" else ".yaml"
    descriptor, path = tempfile.mkstemp(prefix="kubectl-edit-", suffix=suffix)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        failed = subprocess.run([*shlex.split(editor), path], check=False).returncode != 0
    except (OSError, ValueError) as error:  # not there; quotes that do not end
        _remove(path)
        raise UsageError(f'unable to launch the editor "{editor}": {error}') from None
    if failed:
        _remove(path)
        raise UsageError(f'there was a problem with the editor "{editor}"')
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(), path
