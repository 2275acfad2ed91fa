"""Objects as the API server's internal Go types print them: every field, absent ones as null or zero.

Some refusals show a whole struct ('spec.strategy: Unsupported value: {"Type":"BlueGreen","RollingUpdate":null}') or the
difference of two ('spec: Forbidden: pod updates may not change fields ...'). The fields are in `internal_types.txt`.
"""

from __future__ import annotations

from functools import cache
from json import dumps
from typing import Any, NamedTuple

from minikube_py.api.types import Object

_ZERO = {"s": "", "i": 0, "b": False, "q": "0"}
_HOST_FIELDS = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_META = (
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
)  # fmt: skip


class _Field(NamedTuple):
    name: str  # in Go; '' is an inlined struct
    key: str  # in JSON
    sort: str


@cache
def _types() -> dict[str, tuple[_Field, ...]]:
    from pathlib import Path

    found = {}
    for line in Path(__file__).with_name("internal_types.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, _, fields = line.partition(":")
            found[name] = tuple(_field(text) for text in fields.split())
    return found


def _field(text: str) -> _Field:
    name, _, sort = text.partition("/")
    name, _, key = name.partition("=")
    return _Field(name, key or name[:1].lower() + name[1:], sort)


def struct(type_name: str, value: Object | None) -> Object:
    """`value` (of the wire) as the internal type: `struct("Toleration", {"key": "a"})` has Key, Operator, Value, ..."""
    value = value or {}
    if type_name == "PodSpec":
        host = {key: value[key] for key in _HOST_FIELDS if key in value}
        if "securityContext" in value or host:
            value = {**value, "securityContext": {**value.get("securityContext", {}), **host}}
    shown: Object = {}
    for field in _types()[type_name]:
        if field.sort == "meta":
            meta = value.get(field.key) or {}
            shown.update((key, meta[key]) for key in _META if meta.get(key))
        elif not field.name:
            shown.update(struct(field.sort, value))
        else:
            shown[field.name] = _value(field.sort, value.get(field.key))
    return shown


def _value(sort: str, value: Any) -> Any:
    if sort in _ZERO:
        return _ZERO[sort] if value is None else value
    if sort == "*":
        return value
    if sort == "{}":
        return None if value is None else dict(sorted(value.items()))
    if sort.startswith("[]"):
        return None if value is None else [struct(sort[2:], item) for item in value]
    if sort.startswith("*"):
        return None if value is None else struct(sort[1:], value)
    return struct(sort, value)


def difference(type_name: str, old: Object, new: Object) -> str:
    """The unified diff of two values, three lines of context, as apimachinery's util/diff makes it; '' if equal."""
    from difflib import unified_diff

    before, after = _lines(struct(type_name, old)), _lines(struct(type_name, new))
    found = list(unified_diff(before, after, n=3))
    return "".join(found[2:])  # without the two lines that name the files


def _lines(value: Any) -> list[str]:
    return [f"{line}\n" for line in dumps(value, indent=1, ensure_ascii=False).split("\n")]
