"""`kubectl patch` (pkg/cmd/patch/patch.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import BadRequest, Invalid, KpyError, UsageError
from minikube_py.cli import select, show, writing

if TYPE_CHECKING:
    from minikube_py.base.patch import ListKeys
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

TYPES = ("json", "merge", "strategic")


def run(call: Call) -> None:
    form = call.text("type").lower()
    if call.on("local") and not call.list("filename"):
        raise UsageError("--local requires --filename")
    if bool(call.text("patch")) == bool(call.text("patch-file")):
        if call.text("patch"):
            raise UsageError("cannot specify --patch and --patch-file together")
        raise UsageError("must specify --patch or --patch-file containing the contents of the patch")
    if form not in TYPES:
        raise UsageError(f'--type must be one of [json merge strategic], not "{call.text("type")}"')
    fields = _content(call)
    if call.on("local"):
        items = [select.of_document(call, obj, source) for obj, source in call.documents()]
        found = select.Found(items, [], len(items) == 1, [item.kind for item in items])
    else:
        found = select.find(call)
    if not found.items and not found.errors:
        raise UsageError("no objects passed to patch")
    writing.each(call, found.items, lambda item: _patch(call, item, fields, form), found.errors)


def _content(call: Call) -> Any:
    """The patch: JSON or YAML, from the flag or a file."""
    from minikube_py.api import documents

    text, source = call.text("patch"), "--patch"
    if call.text("patch-file"):
        source = call.text("patch-file")
        try:
            with open(source, encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            raise UsageError(f"unable to read patch file: open {source}: {(error.strerror or '').lower()}") from None
    if call.text("type").lower() == "json":
        return _operations(text)
    try:
        found = list(documents.read_text(text, source))
    except UsageError as error:
        raise _unreadable(text, error) from None
    fields: Any = found[0].object if found else {}
    if fields is not None and not isinstance(fields, dict):
        raise BadRequest(f"json: cannot unmarshal {_json_type(fields)} into Go value of type map[string]interface {{}}")
    return fields or {}


def _json_type(value: object) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "bool"}
    return names.get(type(value), "number")


def _unreadable(text: str, error: UsageError) -> KpyError:
    """JSON goes to the server as it is, and the server complains."""
    import re

    problem = re.search(r"json: offset \d+: (.*)", str(error))
    return BadRequest(problem[1]) if problem and text.lstrip().startswith("{") else error


def _operations(text: str) -> Any:
    """A list of JSON patch operations, written as JSON or YAML."""
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f'unable to parse "{text}": {error}') from None
    if not isinstance(found, list):
        raise BadRequest(f"json: cannot unmarshal {_json_type(found)} into Go value of type jsonpatch.Patch")
    for one in found:
        if not isinstance(one, dict):
            raise BadRequest(f"json: cannot unmarshal {_json_type(one)} into Go value of type jsonpatch.Operation")
    return found


def _patch(call: Call, item: Item, fields: Any, form: str) -> None:
    subresource = call.text("subresource")
    if call.dry_run == "client" or call.on("local"):
        patched = _locally(item, fields, form)
    else:
        patched = _on_server(call, item, fields, form)
    unchanged = patched == item.object
    if subresource == "scale":
        from minikube_py.cli import subresources

        item = item._replace(kind=subresources.SCALE)
    suffix = " (no change)" if unchanged else ""
    show.result(call, item._replace(object=patched), f"patched{suffix}", suffix="")


def _on_server(call: Call, item: Item, fields: Any, form: str) -> Object:
    from minikube_py.base.patch import PatchError

    try:
        return call.cluster.patch(
            item.kind.resource,
            item.name,
            item.namespace,
            fields,
            type=form,
            subresource=call.text("subresource"),
            dry_run=call.dry_run == "server",
        )
    except PatchError:
        raise Invalid("", "", "", []) from None


def list_keys(version: str, kind: str) -> ListKeys:
    """How the lists of a kind merge. Raises UsageError for custom resources, which know no strategic merge."""
    from minikube_py.api import schema

    found = schema.merge_keys(version, kind)
    if found is None:
        raise UsageError("application/strategic-merge-patch+json is not supported for custom resources")
    return found


def _locally(item: Item, fields: Any, form: str) -> Object:
    from minikube_py.base import patch as patches

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
