"""`kubectl taint` (pkg/cmd/taint/taint.go, utils.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, select, show, writing
from minikube_py.printers.describe.nodes import taint_text

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def run(call: Call) -> None:
    call.validation  # noqa: B018  # refused before anything else is looked at
    resources, words = _split(call.args)
    if not resources:
        raise UsageError("one or more resources must be specified as <resource> <name>")
    if not words:
        raise UsageError("at least one taint update is required")
    try:
        add, remove = parse(words)
    except UsageError as error:
        raise call.usage(str(error)) from None
    kind = select.kind_named(call.registry, resources[0].partition("/")[0])
    if kind.name != "Node":
        raise UsageError(f"invalid resource type {kind.plural}, only node types are supported")
    _refuse_conflicts(add, remove)
    if call.on("all") and call.text("selector"):
        raise UsageError("setting 'all' parameter with a non empty selector is prohibited")
    if len(resources) < 2 and "/" not in resources[0] and not call.on("all") and not call.text("selector"):
        raise UsageError("at least one resource name must be specified since 'all' parameter is not set")
    found = select.find(call, resources, every=call.on("all"), labels=call.text("selector"))

    def change(item: Item) -> None:
        verb, taints = update(item, add, remove, call.on("overwrite"))
        changed = writing.patch(call, item, {"spec": {"taints": taints or None}})
        show.result(call, item._replace(object=changed), verb)

    writing.each(call, found.items, change, found.errors)


def _split(args: list[str]) -> tuple[list[str], list[str]]:
    resources: list[str] = []
    taints: list[str] = []
    for word in args:
        is_taint = "=" in word or ":" in word or word.endswith("-")
        if is_taint:
            taints.append(word)
        elif taints:
            raise UsageError(f"all resources must be specified before taint changes: {word}")
        else:
            resources.append(word)
    return resources, taints


def parse(words: list[str]) -> tuple[list[Object], list[Object]]:
    """`key=value:NoSchedule` adds, `key:NoSchedule-` and `key-` remove. Raises UsageError."""
    add: list[Object] = []
    remove: list[Object] = []
    for word in words:
        if word.endswith("-"):
            gone = _taint(word[:-1])
            remove.append({key: gone[key] for key in ("key", "effect") if key in gone})
            continue
        taint = _taint(word)
        if "effect" not in taint:
            raise UsageError(f"invalid taint spec: {word}")
        if any(other["key"] == taint["key"] and other["effect"] == taint["effect"] for other in add):
            raise UsageError(f"duplicated taints with the same key and effect: {_go(taint)}")
        add.append(taint)
    return add, remove


def _go(taint: Object) -> str:
    """A taint as Go prints its struct; the time at which it was added is not there yet."""
    return f"{{{taint['key']} {taint.get('value', '')} {taint['effect']} <nil>}}"


def _taint(text: str) -> Object:
    from minikube_py.base import selector

    parts = text.split(":")
    if len(parts) > 2:
        raise UsageError(f"invalid taint spec: {text}")
    key, value, effect = parts[0], "", ""
    if len(parts) == 2:
        effect = parts[1]
        if effect not in EFFECTS:
            raise UsageError(f"invalid taint effect: {effect}, unsupported taint effect")
        words = parts[0].split("=")
        if len(words) > 2:
            raise UsageError(f"invalid taint spec: {text}")
        key, value = words[0], words[1] if len(words) == 2 else ""
    problems = selector.value_errors(value) or selector.key_errors(key)
    if problems:
        raise UsageError(f"invalid taint spec: {text}, {'; '.join(problems)}")
    return {"key": key, **({"value": value} if value else {}), **({"effect": effect} if effect else {})}


def _refuse_conflicts(add: list[Object], remove: list[Object]) -> None:
    both = [
        f"{gone['key']}={gone.get('effect', '')}"
        for taint in add
        for gone in remove
        if taint["key"] == gone["key"] and gone.get("effect", taint["effect"]) == taint["effect"]
    ]
    if both:
        raise UsageError(
            f"can not both modify and remove the following taint(s) in the same command: {', '.join(both)}"
        )


def update(item: Item, add: list[Object], remove: list[Object], overwrite: bool) -> tuple[str, list[Object]]:
    """(what to say, the node's taints afterwards)."""
    old = (item.object.get("spec") or {}).get("taints") or []
    taken = [one["key"] for one in add if any(_same(one, other) for other in old)]
    if taken and not overwrite:
        raise UsageError(
            f"node {item.name} already has {','.join(taken)} taint(s) with same effect(s) and --overwrite is false"
        )
    new = [*add, *(one for one in old if not any(_same(one, other) for other in add))]
    added, deleted = len(new) != len(old), False
    errors: list[KpyError] = []
    for gone in remove:
        left = [
            one for one in new if not (one["key"] == gone["key"] and gone.get("effect", one["effect"]) == one["effect"])
        ]
        deleted = len(left) != len(new)
        if not deleted:
            errors.append(UsageError(f'taint "{taint_text(gone)}" not found'))
        new = left
    failures.raise_all(errors)
    if (added and deleted) or overwrite:
        return "modified", new
    return ("tainted" if added else "untainted"), new


def _same(one: Object, other: Object) -> bool:
    return bool(one["key"] == other["key"] and one.get("effect") == other.get("effect"))
