"""The Go types of the API: which fields a type has, of which Go type, and which are printed even when empty.

Loaded from data/types.json, which scripts/go_types.py writes. A type's name is its package's last two words and its own:
'core.v1.PodSpec'. A field's type is Go text ('[]core.v1.Container', '*int32', 'map[string]string'), with '!' in front if
it is printed even when empty (no omitempty, or a struct that omitempty cannot leave out).
"""

from __future__ import annotations

import os
from typing import Any

_DATA = os.path.join(os.path.dirname(__file__), "data", "types.json")  # pathlib costs 9 ms of start-up
_loaded: dict[str, Any] = {}

# Go's names of the leaf types, as error messages print them.
GO_NAMES = {
    "Quantity": "resource.Quantity",
    "IntOrString": "intstr.IntOrString",
    "Time": "v1.Time",
    "MicroTime": "v1.MicroTime",
    "Duration": "v1.Duration",
    "RawExtension": "runtime.RawExtension",
    "FieldsV1": "v1.FieldsV1",
    "JSON": "v1.JSON",
    "UID": "types.UID",
    "byte": "uint8",
}


def table() -> dict[str, Any]:
    """The whole document of data/types.json, read once per process."""
    if not _loaded:
        import json

        with open(_DATA, encoding="utf-8") as file:
            _loaded.update(json.load(file))
    return _loaded


def type_of(api_version: str, kind: str) -> str | None:
    """'apps/v1', 'Deployment' -> 'apps.v1.Deployment'; None for kinds that are no Go type (custom resources)."""
    found: str | None = table()["kinds"].get(f"{api_version}/{kind}")
    return found


def fields_of(name: str) -> dict[str, str] | None:
    """The fields of a struct type; None if the name is no struct."""
    found: dict[str, str] | None = table()["types"].get(name)
    return found


def alias_of(name: str) -> str | None:
    """What a named type is underneath: 'core.v1.PullPolicy' -> 'string'."""
    found: str | None = table()["alias"].get(name)
    return found


def go_text(go: str) -> str:
    """A type as Go's errors print it: '[]core.v1.Container' -> '[]v1.Container', '*int32' -> 'int32'."""
    go = go.lstrip("!*")
    if go.startswith("[]"):
        return "[]" + _element_text(go[2:])
    if go.startswith("map["):
        key, _, element = go[4:].partition("]")
        return f"map[{_element_text(key)}]{_element_text(element)}"
    return _element_text(go)


def _element_text(go: str) -> str:
    if go.startswith(("[]", "map[")):
        return go_text(go)
    if go.startswith("*"):
        return "*" + _element_text(go[1:])
    if go in GO_NAMES:
        return GO_NAMES[go]
    package, _, name = go.rpartition(".")
    return f"{package.rpartition('.')[2]}.{name}" if package else name


def element(go: str) -> str:
    """The type behind pointers, lists and maps: '[]core.v1.Container' -> 'core.v1.Container'."""
    go = go.lstrip("!*")
    while True:
        if go.startswith("[]"):
            go = go[2:].lstrip("*")
        elif go.startswith("map["):
            go = go.partition("]")[2].lstrip("*")
        elif (under := alias_of(go)) is not None:
            go = under
        else:
            return go
