"""Cells of custom resources: a printer column's JSONPath and its type.

Source: k8s.io/apiextensions-apiserver pkg/registry/customresource/tableconvertor/tableconvertor.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.base import gotext
from minikube_py.printers.cells.meta import at, since

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object

_PLAIN = re.compile(r"(\.[A-Za-z_][A-Za-z0-9_-]*)+")


def cell(type: str, path: str) -> Callable[[Object, int], Any]:
    """The function of one printer column: `type` is integer, number, boolean, string or date."""
    find = _finder(path)

    def value(obj: Object, now_s: int) -> Any:
        found = find(obj)
        return None if not found else typed(type, found, now_s)

    return value


def _finder(path: str) -> Callable[[Object], list[Any]]:
    """What a JSONPath finds; a plain path of names needs no parser."""
    if _PLAIN.fullmatch(path):
        fields = path[1:].split(".")

        def find(obj: Object) -> list[Any]:
            found = at(obj, *fields)
            return [] if found is None else [found]

        return find
    from minikube_py.base import jsonpath

    compiled = jsonpath.compile(f"{{{path}}}")

    def find_all(obj: Object) -> list[Any]:
        try:
            return list(compiled.find(obj))
        except (ValueError, KeyError):
            return []

    return find_all


def typed(type: str, found: list[Any], now_s: int) -> Any:
    """The first result as its column's type wants it; None (an empty cell) if it does not fit."""
    value = found[0]
    match type:
        case "string":
            return _string(value)
        case "integer":
            return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        case "number":
            return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date" if isinstance(value, str):
            try:
                return since(value, now_s)
            except (ValueError, KeyError, IndexError):
                return "<invalid>"
    return None


def _string(value: Any) -> str:
    """As JSONPath prints it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else gotext.json_text(value)
