"""`kubectl edit` (pkg/cmd/util/editor): an object in your editor, and what you changed as a patch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from minikube_py.base import patch as patches
from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, select, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

HEADER = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""
CANCELLED = "Edit cancelled, no changes made."


def run(call: Call) -> None:
    found = select.find(call, bare_types=True)
    failures.raise_all(found.errors)
    if not found.items:
        raise UsageError("edit cancelled, no objects found")
    for item in found.items:
        _edit(call, item)


def _edit(call: Call, item: Item) -> None:
    """Open the editor until the object is stored, unchanged, or left with the same mistake twice."""
    from minikube_py.printers import output

    shown = output.without_managed_fields(item.object)
    text, problem = text_of(call, shown), ""
    while True:
        plain = ask(call, text, problem)
        if not plain.strip() or (plain == text and not problem):
            call.complain(CANCELLED)
            return
        if plain == text:
            raise UsageError("Edit cancelled, no valid changes were saved.")
        try:
            changed = _store(call, item, shown, plain)
        except KpyError as error:
            text, problem = plain, failures.text(error).rstrip()
            continue
        show.result(call, item._replace(object=changed), "edited", suffix="")
        return


def ask(call: Call, text: str, problem: str) -> str:
    """What the user makes of a text, without comments; `problem`: what was wrong with it the last time."""
    head = HEADER + "".join(f"# {line}\n" for line in problem.splitlines()) + ("#\n" if problem else "")
    edited = _in_editor(call, head + text)
    return "".join(line for line in edited.splitlines(keepends=True) if not line.startswith("#"))


def text_of(call: Call, obj: Object) -> str:
    """An object as the editor shows it."""
    if call.text("output") == "json":
        from minikube_py.base.gotext import json_indented

        return json_indented(obj) + "\n"
    from minikube_py.printers import yaml_text

    return yaml_text.dump(obj)


def _store(call: Call, item: Item, shown: Object, text: str) -> Object:
    new = read(text, shown, item.name)
    return writing.patch(call, item, patches.diff(shown, new), call.text("subresource"))


def read(text: str, shown: Object, name: str) -> Object:
    """The edited object. Raises UsageError where it is none, or another one."""
    from minikube_py.api import documents

    found = list(documents.read_text(text, "edited-file"))
    if not found:
        raise UsageError("the file is empty")
    new = found[0].object
    for field in ("apiVersion", "kind"):
        if new.get(field) != shown.get(field):
            raise UsageError(f"{field} may not change")
    if (new.get("metadata") or {}).get("name") != name:
        raise UsageError("the name of the object (based on the name in the file) does not match the name on the URL")
    return new


def _in_editor(call: Call, text: str) -> str:
    """The text as the user left it. KUBE_EDITOR, then EDITOR, then vi; the value may carry arguments."""
    import shlex
    import subprocess
    import tempfile

    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi"
    suffix = ".json" if call.text("output") == "json" else ".yaml"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"kubectl-edit{suffix}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            failed = subprocess.run([*shlex.split(editor), path], check=False).returncode != 0
        except (OSError, ValueError) as error:  # not there; quotes that do not end
            raise UsageError(f'unable to launch the editor "{editor}": {error}') from None
        if failed:
            raise UsageError(f'there was a problem with the editor "{editor}"')
        with open(path, encoding="utf-8") as file:
            return file.read()
