"""How defaults are written: build a new object only where something is missing, else hand back the same one.

Everything here shares structure: `fill(obj, ...) is obj` when nothing was missing, so that an already defaulted pod
template costs a few dictionary look-ups and its diffs stay identity checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Object = dict[str, Any]


def fill(obj: Object, defaults: Mapping[str, Any]) -> Object:
    """`obj` with the keys of `defaults` that it lacks."""
    for key in defaults:
        if key not in obj:
            return {**defaults, **obj}
    return obj


def settle(obj: Object, defaults: Mapping[str, Any]) -> Object:
    """As `fill`, but an empty value counts as missing: Go fields that always print, unset as "", 0 or null."""
    missing = {key: value for key, value in defaults.items() if not obj.get(key) and obj.get(key, _ABSENT) != value}
    return {**obj, **missing} if missing else obj


_ABSENT = object()


def put(obj: Object, key: str, value: Any) -> Object:
    """`obj` with `key` set; the same object if it holds that very value."""
    return obj if key in obj and obj[key] is value else {**obj, key: value}


def within(obj: Object, key: str, change: Callable[[Object], Object]) -> Object:
    """`obj` with `change` applied to the object under `key`, if there is one."""
    inner = obj.get(key)
    if inner is None:
        return obj
    changed = change(inner)
    return obj if changed is inner else {**obj, key: changed}


def always(obj: Object, key: str, change: Callable[[Object], Object]) -> Object:
    """As `within`, but a missing object counts as an empty one and is added: a Go struct that is no pointer."""
    inner = obj.get(key)
    changed = change({} if inner is None else inner)
    return obj if changed is inner else {**obj, key: changed}


def each(obj: Object, key: str, change: Callable[[Object], Object]) -> Object:
    """`obj` with `change` applied to each object of the list under `key`, if there is one."""
    items = obj.get(key)
    if not items:
        return obj
    changed = [change(item) for item in items]
    for before, after in zip(items, changed, strict=True):
        if before is not after:
            return {**obj, key: changed}
    return obj


def without(obj: Object, *keys: str) -> Object:
    """`obj` without `keys`; the same object if it has none of them."""
    if not any(key in obj for key in keys):
        return obj
    return {key: value for key, value in obj.items() if key not in keys}
