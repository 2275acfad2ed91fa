"""What an OpenAPI schema says of the values that expressions see: their types, how large they can be, how they are read.

Source: k8s.io/apiserver pkg/cel/common/schemas.go, pkg/cel/{types,limits,escaping}.go, common/valuesunstructured.go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.cel import syntax, values
from minikube_py.api.cel.syntax import Type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object

REQUEST_MAX = 3 * 1024 * 1024
INT_OR_STRING, EMBEDDED = "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource"
_TIMES = {"date": (12, 12), "date-time": (21, 32), "duration": (3, 32)}  # (least, most) bytes in JSON
_RESERVED = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})  # fmt: skip
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_UNESCAPES = {escaped[2:-2]: text for text, escaped in _ESCAPES.items()}
_METADATA = {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}}
_SCALARS = {"boolean": ("bool", 4), "number": ("double", 1), "integer": ("int", 1)}


class DeclType(NamedTuple):
    """A type with bounds: `least` bytes in JSON, at most `most` elements (letters, items, entries)."""

    type: Type
    least: int = 0
    most: int = 0
    fields: dict[str, DeclType] | None = None
    element: DeclType | None = None


def escaped(name: str) -> str | None:
    """A property's name as a CEL identifier; None if it cannot be one: 'a-b' -> 'a__dash__b'."""
    if not name or name[0].isdigit() or not re.fullmatch(r"[a-zA-Z0-9_./-]+", name):
        return None
    if name in _RESERVED:
        return f"__{name}__"
    return re.sub(r"__|[-./]", lambda found: _ESCAPES[found[0]], name)


@lru_cache(1024)
def unescaped(name: str) -> str:
    if "__" not in name:
        return name
    if name.startswith("__") and name.endswith("__") and name[2:-2] in _RESERVED:
        return name[2:-2]
    return re.sub(r"__([a-z]+)__", lambda found: _UNESCAPES.get(found[1], found[0]), name)


def declared(schema: Object | None, name: str, root: bool = False) -> DeclType | None:
    """The type of a schema; None if expressions cannot see its values. `name`: for the messages in it.

    `root`: a whole object (or an embedded one), whose kind, apiVersion and name can always be asked for.
    """
    if not schema:
        return None
    if schema.get(INT_OR_STRING):
        most = schema["maxLength"] * 4 if "maxLength" in schema else REQUEST_MAX - 2
        return DeclType(syntax.DYN, 1, most)
    if root:
        schema = with_metadata(schema)
    match schema.get("type"):
        case "array":
            return _list(schema, name)
        case "object":
            return _object(schema, name)
        case "string":
            return _string(schema)
        case other if other in _SCALARS:
            kind, least = _SCALARS[other]
            return DeclType(Type(kind), least)
    return None


def with_metadata(schema: Object) -> Object:
    properties = schema.get("properties") or {}
    added = {"kind": {"type": "string"}, "apiVersion": {"type": "string"}, "metadata": _METADATA}
    return {**schema, "properties": {**properties, **added}}


def _list(schema: Object, name: str) -> DeclType | None:
    items = schema.get("items")
    element = declared(items, f"{name}.@idx", bool((items or {}).get(EMBEDDED)))
    if element is None:
        return None
    most = max(schema["maxItems"], 0) if "maxItems" in schema else (REQUEST_MAX - 2) // (element.least + 1)
    return DeclType(Type("list", (element.type,)), 2, most, element=element)


def _object(schema: Object, name: str) -> DeclType | None:
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        element = declared(more, f"{name}.@elem", bool(more.get(EMBEDDED)))
        if element is None:
            return None
        most = (
            max(schema["maxProperties"], 0) if "maxProperties" in schema else (REQUEST_MAX - 2) // (element.least + 6)
        )
        return DeclType(Type("map", (syntax.STRING, element.type)), 2, most, element=element)
    fields, least = {}, 2
    required = set(schema.get("required") or ())
    for field, inner in (schema.get("properties") or {}).items():
        type = declared(inner, f"{name}.{field}", bool(inner.get(EMBEDDED)))
        if type is None:
            continue
        word = escaped(field)
        if word is not None:
            fields[word] = type
        if field in required and inner.get("default") is None:
            least += len(field) + type.least + 4
    return DeclType(Type(name), least, 0, fields)


def _string(schema: Object) -> DeclType:
    form = schema.get("format")
    if form in _TIMES:
        least, most = _TIMES[form]
        return DeclType(Type("duration" if form == "duration" else "timestamp"), least, most)
    if form == "byte":
        return DeclType(Type("bytes"), 2, schema.get("maxLength", REQUEST_MAX - 2))
    if "maxLength" in schema:
        most = max(schema["maxLength"], 0) * 4
    elif schema.get("enum"):
        most = max((len(one.encode()) for one in schema["enum"] if isinstance(one, str)), default=0)
    else:
        most = REQUEST_MAX - 2
    return DeclType(syntax.STRING, 2, most)


def messages(type: DeclType) -> dict[str, dict[str, Type]]:
    """The messages in a type with their fields, as the checker wants them."""
    return dict(_messages(type))


def _messages(type: DeclType) -> Iterator[tuple[str, dict[str, Type]]]:
    if type.fields is not None:
        yield type.type.name, {name: field.type for name, field in type.fields.items()}
        for field in type.fields.values():
            yield from _messages(field)
    if type.element is not None:
        yield from _messages(type.element)


# ---------------------------------------------------------------------------------------------------------- values


def read(schema: Object | None, value: Any) -> Any:
    """A JSON value as expressions see it by its schema: times and durations parsed, numbers as doubles."""
    if not schema or value is None:
        return value
    if isinstance(value, dict):
        if schema.get("type") != "object":
            return value
        properties, more = schema.get("properties") or {}, schema.get("additionalProperties")
        inner = more if isinstance(more, dict) else None
        return {name: read(properties.get(name, inner), one) for name, one in value.items()}
    if isinstance(value, list):
        items = schema.get("items")
        return [read(items, one) for one in value]
    if isinstance(value, str):
        return _read_string(schema.get("format"), value)
    if schema.get("type") == "number" and not isinstance(value, bool):
        return float(value)
    return value


def _read_string(form: str | None, value: str) -> Any:
    if form == "byte":
        from base64 import b64decode

        return b64decode(value)
    parsers = {"date-time": values.timestamp_of, "date": values.date_of, "duration": values.duration_of}
    return parsers[form](value) if form in parsers else value
