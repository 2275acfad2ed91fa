"""From objects to standard output: tables for people, -o json|yaml|name|... for programs, and `deployment.apps/web scaled`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.kinds import Kind
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item
    from minikube_py.printers.output import Plan

Object = dict[str, Any]


def table(call: Call, kind: Kind, objects: list[Object], *, show_kind: bool = False, headers: bool = True) -> str:
    """The table that `get` prints for objects of one kind."""
    from minikube_py.printers import tables

    labels = call.list("label-columns")
    return tables.table(
        kind,
        objects,
        now_s=call.now_s,
        wide=call.text("output") == "wide",
        headers=headers and not call.on("no-headers"),
        namespace=call.on("all-namespaces") and kind.namespaced,
        show_labels=call.on("show-labels"),
        label_columns=tuple(labels),
        show_kind=show_kind,
    )


def whole(call: Call, items: list[Item], single: bool) -> str:
    """Objects in the format of -o; several (or none) as a v1 List."""
    if call.text("output") == "name":
        return "".join(f"{item.title}\n" for item in items)
    from minikube_py.printers import output

    planned = plan(call)
    if single and len(items) == 1 and planned.name in ("json", "kyaml") and _is_typed(call.command):
        return _in_order(call, items[0], planned.name)
    try:
        return planned.render(_objects(call, items), as_list=not (single and len(items) == 1))
    except output.TemplateFailure as failure:
        call.say(failure.written)  # kubectl prints as it goes
        raise


def _is_typed(command: str) -> bool:
    """Commands that read objects into Go's structs, whose fields have an order; the others keep them as maps."""
    return command.startswith(("set ", "create ")) or command in ("run", "expose", "autoscale")


def _in_order(call: Call, item: Item, form: str) -> str:
    from minikube_py.printers import goorder, kyaml_text, output

    obj = _objects(call, [item])[0]
    if not call.on("show-managed-fields"):
        obj = output.without_managed_fields(obj)
    ordered = goorder.in_order(obj)
    return goorder.text(ordered) if form == "json" else kyaml_text.dump(ordered, in_order=True)


def _objects(call: Call, items: list[Item]) -> list[Object]:
    """The objects, with their managedFields (which are computed, not stored) where they will be seen."""
    asked = call.on("show-managed-fields") or "managedFields" in call.text("output") + call.text("template")
    if not asked or call.dry_run == "client":
        return [item.object for item in items]
    return [
        call.cluster.with_managed_fields(item.kind.resource, item.object)
        if "uid" in item.object.get("metadata", ())
        else item.object
        for item in items
    ]


def plan(call: Call) -> Plan:
    """The format of -o and --template. Raises UsageError in kubectl's words for one that is not known."""
    from minikube_py.printers import output

    return output.plan(
        call.text("output"),
        template=call.text("template"),
        missing_ok=call.text("allow-missing-template-keys") != "false",
        managed_fields=call.on("show-managed-fields"),
        headers=not call.on("no-headers"),
        allowed=output.GET_FORMATS if call.command == "get" else output.FORMATS,
    )


def result(call: Call, item: Item, done: str, *, suffix: str | None = None) -> None:
    """Tell what a command did with one object: `deployment.apps/web scaled (dry run)`, or the object in the format of -o."""
    spec = call.text("output")
    if not spec and not call.text("template"):
        call.line(f"{item.title} {done}{call.dry_run_suffix if suffix is None else suffix}")
    elif spec == "name":
        call.line(item.title)
    else:
        if spec == "yaml" and call.shown and call.command not in ("label", "patch"):  # those begin anew each time
            call.say("---\n")
        call.say(whole(call, [item], True))
        call.shown += 1


def results(call: Call, items: list[Item], done: Iterable[str]) -> None:
    """What a command did with several objects; with -o yaml or json they come as one List."""
    spec = call.text("output")
    if spec in ("", "name"):
        for item, verb in zip(items, done, strict=True):
            result(call, item, verb)
    elif len(items) == 1:
        call.say(whole(call, items, True))
    elif items:
        call.say(_typed_list(call, [item.object for item in items]))


def _typed_list(call: Call, objects: list[Object]) -> str:
    """A corev1.List, which has no resourceVersion, and as JSON the order of Go's struct (unlike the List of `get`)."""
    from minikube_py.base.gotext import json_indented

    planned = plan(call)
    if planned.name != "json":
        return planned.render([{"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {}}])
    head = '{\n    "kind": "List",\n    "apiVersion": "v1",\n    "metadata": {},\n    "items": '
    return f"{head}{json_indented(objects, level='    ')}\n}}\n"


def sort(items: list[Item], path: str) -> list[Item]:
    """--sort-by: a JSONPath ('.metadata.name', '{.spec.nodeName}', 'metadata.name'); missing values come first.

    Strings that are both quantities compare as quantities, others naturally ('pod-2' before 'pod-10'), as in kubectl's
    pkg/cmd/get/sorter.go.
    """
    if not path:
        return items
    from minikube_py.base import jsonpath

    query = jsonpath.compile(jsonpath.relaxed(path))
    found = [query.find(item.object) for item in items]
    if items and not any(found):
        shown = path if path.startswith("{") else "{" + (path if path.startswith(".") else "." + path) + "}"
        raise UsageError(f'couldn\'t find any field with path "{shown}" in the list of objects')
    keyed = [(sort_key(values[0] if values else None), item) for values, item in zip(found, items, strict=True)]
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]


def sort_key(value: object) -> tuple[int, Any]:
    if value is None:
        return (0, ())
    if isinstance(value, bool | int | float):
        return (1, value)
    text = str(value)
    quantity = _milli(text)
    if quantity is not None:
        return (1, quantity)
    return (2, _natural(text))


def _milli(text: str) -> float | None:
    from minikube_py.base import quantity

    if not text[:1].isdigit():
        return None
    try:
        return quantity.milli(text) / 1000
    except ValueError:
        return None


def _natural(text: str) -> list[tuple[int, int, str]]:
    """'pod-10' as [text 'pod-', number 10], comparable with others of its sort."""
    import re

    parts = re.findall(r"\d+|\D+", text)
    return [(0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts]
