"""Why a document is no typed object for server-side apply: unknown fields, wrong types, list items without their keys.

Server-side apply does not decode into Go types but checks against the schema, with words of its own:
'.spec.replcas: field not declared in schema', '.spec.template.spec.containers: duplicate entries for key [name="web"]'.
Source: sigs.k8s.io/structured-merge-diff typed/validate.go, typed/helpers.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import gotypes
from minikube_py.base import gotext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

NUMBERS = {"int", "int32", "int64", "uint32", "uint64", "float64", "byte"}
STRINGS = {"string", "UID", "Time", "MicroTime", "Duration", "[]byte"}
DEFAULT_KEYS = {"protocol": "TCP"}  # the only keys of lists that have a default in the schemas


def problem(kind: Kind, obj: Object, namespace: str = "") -> str:
    """The whole text of the API server's error; '' if the document is well typed, or if its kind has no Go type.

    'failed to create typed patch object (t-p/web; apps/v1, Kind=Deployment): .spec.replcas: field not declared in schema'
    """
    version = str(obj.get("apiVersion") or kind.version)
    go = gotypes.type_of(version, kind.name)
    found = list(errors(go, obj)) if go is not None else []
    if not found:
        return ""
    metadata = obj.get("metadata") or {}
    place = f"{metadata.get('namespace') or namespace if kind.namespaced else ''}/{metadata.get('name', '')}"
    listed = found[0] if len(found) == 1 else "\n  ".join(["errors:", *found])
    return f"failed to create typed patch object ({place}; {version}, Kind={kind.name}): {listed}"


def errors(go: str, value: Any, path: str = "", mark: tuple[str, tuple[str, ...]] = ("", ())) -> Iterator[str]:
    """The errors of a value that should be of a Go type. `mark`: the list type and list map keys of its field."""
    under = go.lstrip("!*")
    while (alias := gotypes.alias_of(under)) is not None:
        under = alias
    if value is None:
        return
    fields = gotypes.fields_of(under)
    if fields is not None:
        yield from _struct(under, fields, value, path)
    elif under.startswith("map["):
        if not isinstance(value, dict):
            yield _told(path, f"expected map, got {_go(value)}")
            return
        for key in sorted(value):
            yield from errors(under.partition("]")[2], value[key], f"{path}.{key}")
    elif under.startswith("[]") and under != "[]byte":
        yield from _list(under[2:], value, path, mark)
    elif under in NUMBERS and (isinstance(value, bool) or not isinstance(value, (int, float))):
        yield _told(path, f"expected numeric (int or float), got {gotext.type_name(value)}")
    elif under in STRINGS and not isinstance(value, str):
        yield _told(path, f"expected string, got {_go(value)}")
    elif under == "bool" and not isinstance(value, bool):
        yield _told(path, f"expected boolean, got {_go(value)}")


def _struct(under: str, fields: dict[str, str], value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _told(path, f"expected map, got {_go(value)}")
        return
    marks = gotypes.table()["lists"].get(under, {})
    for field in sorted(value):
        if field not in fields:
            yield f"{path}.{field}: field not declared in schema"
            continue
        mark = marks.get(field)
        yield from errors(
            fields[field], value[field], f"{path}.{field}", (mark[2], tuple(mark[3])) if mark else ("", ())
        )


def _list(element: str, value: Any, path: str, mark: tuple[str, tuple[str, ...]]) -> Iterator[str]:
    if not isinstance(value, list):
        yield _told(path, f"expected list, got {_go(value)}")
        return
    type, keys = mark
    seen = set()
    for index, item in enumerate(value):
        here = f"[{index}]"
        if type == "map":
            missing = next((key for key in keys if not isinstance(item, dict) or (key not in item and key not in DEFAULT_KEYS)), "")  # fmt: skip
            if missing:
                words = f'associative list with keys has an element that omits key field "{missing}" (and doesn\'t have default value)'
                yield _told(path, f"element {index}: {words}")
                continue
            here = "[" + ",".join(f"{key}={_key(item.get(key, DEFAULT_KEYS.get(key)))}" for key in sorted(keys)) + "]"
        elif type == "set":
            here = f"[={_key(item)}]"
        if here in seen:
            yield _told(path, f"duplicate entries for key {here}")
        seen.add(here)
        yield from errors(element, item, path + here)


def _key(value: Any) -> str:
    return gotext.json_text(value)


def _go(value: Any) -> str:
    return f"&value.valueUnstructured{{Value:{gotext.syntax(value)}}}"


def _told(path: str, words: str) -> str:
    return f"{path}: {words}" if path else words
