"""Objects with the fields in the order of Go's structs, as kubectl prints what it decoded into typed objects."""

from __future__ import annotations

from typing import Any

from minikube_py.api import gotypes

Object = dict[str, Any]

HEAD = ("kind", "apiVersion", "metadata", "items")


def in_order(whole: Object) -> Object:
    """A typed object, or a list of them (whose items tell no kind)."""
    kind, version = str(whole.get("kind") or ""), str(whole.get("apiVersion") or "")
    if "items" in whole:
        go = gotypes.type_of(version, kind.removesuffix("List"))
        items = [_ordered(go, item) if go is not None else item for item in whole["items"]]
        return {name: items if name == "items" else whole[name] for name in HEAD if name in whole}
    go = gotypes.type_of(version, kind)
    found: Object = _ordered(go, whole) if go is not None else whole
    return found


def text(value: Object) -> str:
    """JSON with the fields in the order they have, as Go's encoder writes it."""
    import json

    return _escaped(json.dumps(value, indent=4, ensure_ascii=False)) + "\n"


def compact(value: Object) -> str:
    """The same on one line, without a newline."""
    import json

    return _escaped(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _escaped(text: str) -> str:
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _ordered(go: str, value: Any) -> Any:
    under = go.lstrip("!*")
    while (alias := gotypes.alias_of(under)) is not None:
        under = alias
    if isinstance(value, list):
        return [_ordered(under.removeprefix("[]"), item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = gotypes.fields_of(under)
    if fields is not None:
        first = {name: value[name] for name in ("kind", "apiVersion") if name in value and name not in fields}
        return {
            **first,
            **{name: _ordered(fields[name], value[name]) for name in fields if name in value and name not in first},
        }
    element = under.partition("]")[2] if under.startswith("map[") else ""
    return {key: _ordered(element, value[key]) for key in sorted(value)}
