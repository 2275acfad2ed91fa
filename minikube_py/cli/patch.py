"""`kubectl patch` (pkg/cmd/patch/patch.go)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base import gotext
from minikube_py.base.errors import BadRequest, StatusError, UsageError
from minikube_py.cli import select, show, writing

if TYPE_CHECKING:
    from minikube_py.base.patch import ListKeys
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

TYPES = ("json", "merge", "strategic")


def run(call: Call) -> None:
    form = call.text("type").lower()
    if bool(call.text("patch")) == bool(call.text("patch-file")):
        if call.text("patch"):
            raise UsageError("cannot specify --patch and --patch-file together")
        raise UsageError("must specify --patch or --patch-file containing the contents of the patch")
    if form not in TYPES:
        raise UsageError(f'--type must be one of [json merge strategic], not "{call.text("type")}"')
    fields = _content(call)
    if call.on("local"):
        if not call.list("filename") and not call.text("kustomize"):
            raise UsageError("--local requires --filename" if call.args else select.NOTHING_GIVEN)
        found = select.locally(call)
    else:
        found = select.find(call)
    if not found.items and not found.errors:
        raise UsageError("no objects passed to patch")
    writing.each(call, found.items, lambda item: _patch(call, item, fields, form), found.errors)


class _Broken(NamedTuple):
    """A patch that looks like JSON is sent unread; the server says what is wrong with it."""

    problem: str


def _content(call: Call) -> Any:
    """The patch: JSON, or YAML, from the flag or a file."""
    from minikube_py.api import documents

    text = call.text("patch")
    if call.text("patch-file"):
        source = call.text("patch-file")
        try:
            with open(source, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError as error:
            raise UsageError(f"unable to read patch file: open {source}: {(error.strerror or '').lower()}") from None
    if text.lstrip().startswith("{"):
        try:
            return documents.as_go_reads(json.loads(text))
        except UsageError as error:
            return _Broken(str(error))
        except (ValueError, RecursionError):
            from minikube_py.api import json_problem

            return _Broken(json_problem.find(text)[1])
    try:
        found = list(documents.read_text(text, "patch"))
        return found[0].object if found else None
    except UsageError as error:
        problem = str(error).removeprefix("error parsing patch: error converting YAML to JSON: ")
        raise UsageError(f"unable to parse {gotext.quoted(call.text('patch'))}: {problem}") from None


def _patch(call: Call, item: Item, fields: Any, form: str) -> None:
    is_local = call.dry_run == "client" or call.on("local")
    if is_local and form != "json" and (isinstance(fields, _Broken) or not isinstance(fields, dict | None)):
        raise UsageError("invalid JSON document")
    if isinstance(fields, _Broken):
        raise BadRequest(("error decoding patch: " if form == "merge" else "") + fields.problem)
    subresource = call.text("subresource")
    if is_local:
        patched = _locally(item, fields, form)
    else:
        try:
            patched = call.cluster.patch(
                item.kind.resource,
                item.name,
                item.namespace,
                fields,
                type=form,
                subresource=subresource,
                dry_run=call.dry_run == "server",
            )
        except StatusError as error:
            if form == "strategic" and str(error).startswith("the body of the request was in an unknown format"):
                named = f"{item.kind.version}, Kind={item.kind.name}"
                raise UsageError(
                    f"application/strategic-merge-patch+json is not supported by {named}: {error}"
                ) from None
            raise
    unchanged = patched == item.object
    if subresource == "scale":
        from minikube_py.cli import subresources

        item = item._replace(kind=subresources.SCALE)
    suffix = " (no change)" if unchanged else ""
    show.result(call, item._replace(object=patched), f"patched{suffix}", suffix="")


def check_shape(fields: Any, form: str) -> None:
    """Raises UsageError for what is no patch of that form: a list of operations for JSON patches, else an object."""
    if form == "json":
        if not isinstance(fields, list) or not all(isinstance(one, dict) for one in fields):
            raise UsageError("a JSON patch must be a list of operations")
    elif not isinstance(fields, dict):
        raise UsageError("a patch must be an object")


def list_keys(version: str, kind: str) -> ListKeys:
    """How the lists of a kind merge. Raises UsageError for custom resources, which know no strategic merge."""
    from minikube_py.api import schema

    found = schema.merge_keys(version, kind)
    if found is None:
        raise UsageError("application/strategic-merge-patch+json is not supported for custom resources")
    return found


def _locally(item: Item, fields: Any, form: str) -> Object:
    from minikube_py.base import patch as patches

    if form == "json" and not isinstance(fields, list):
        raise UsageError("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if fields is None:
        return item.object
    check_shape(fields, form)
    try:
        if form == "json":
            result: Object = patches.json_patch(item.object, fields)
        elif form == "merge":
            result = patches.merge(item.object, fields)
        else:
            result = patches.strategic(item.object, fields, list_keys(item.kind.version, item.kind.name))
    except ValueError as error:
        raise UsageError(str(error)) from None
    return result
