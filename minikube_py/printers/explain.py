"""`kubectl explain`: a type of the API told from its schema, as kubectl's own template writes it.

A `Library` gives schemas by the names in their "$ref"; it speaks OpenAPI v3 as the API server publishes it, where a field
that refers to a type says so in "allOf", beside its own description.

Sources: k8s.io/kubectl/pkg/explain/v2 (templates/plaintext.tmpl, funcs.go), github.com/mitchellh/go-wordwrap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object

ENUM_SHOWN = 4  # in a list of fields; the explanation of one field shows all values


class Library(Protocol):
    def resolve(self, reference: str) -> Object | None:
        """The schema that a "$ref" names."""
        ...


class Depth(NamedTuple):
    """How far a list of fields goes: `recursive` with the fields of fields, down to `limit` levels (0: all)."""

    recursive: bool = False
    limit: int = 0


NO_HISTORY: frozenset[str] = frozenset()


def explain(schema: Object, path: list[str], library: Library, depth: Depth) -> str:
    """The text about the type, or about the field at `path` in it; '' if there is no such field."""
    return _output(schema, path, _Writer(library, depth), NO_HISTORY)


class _Writer(NamedTuple):
    library: Library
    depth: Depth

    def resolved(self, schema: Object) -> Object:
        reference = schema.get("$ref")
        return (self.library.resolve(reference) if reference else None) or schema


def _output(schema: Object, path: list[str], w: _Writer, seen: frozenset[str]) -> str:
    """Follow the path; at its end tell description and fields."""
    reference = schema.get("$ref", "")
    resolved = w.resolved(schema)
    if not path:
        text = f"DESCRIPTION:\n{_indent(4, wrap(76, _description(resolved, w) or '<empty>'))}\n"
        fields = "".join(_fields(resolved, 1, w, NO_HISTORY))
        return text + (f"FIELDS:\n{fields}" if fields else "")
    if reference and reference in seen:
        return ""
    below = seen | {reference}
    field = (resolved.get("properties") or {}).get(path[0])
    if field is not None:
        title = ""
        if len(path) == 1:
            values = "".join(f"\n    {_shown(value)}" for value in field.get("enum") or ())
            title = f"FIELD: {path[0]} <{type_of(field, w)}>\n{'ENUM:' + values if values else ''}\n\n"
        return title + _output(field, path[1:], w, NO_HISTORY)
    inner = _inner(resolved)
    if inner is not None:
        return _output(inner, path, w, below)
    return next((text for part in resolved.get("allOf") or () if (text := _output(part, path, w, below))), "")


def _inner(schema: Object) -> Object | None:
    """The schema of the elements of a list or map."""
    items, values = schema.get("items"), schema.get("additionalProperties")
    return items or (values if isinstance(values, dict) and values else None)


def _description(schema: Object, w: _Writer) -> str:
    """The description and those of the types that it is made of, one a line."""
    resolved = w.resolved(schema)
    text = f"{resolved['description']}\n" if resolved.get("description") else ""
    text += "".join(_description(part, w) for part in resolved.get("allOf") or ())
    inner = _inner(resolved)
    return text + (_description(inner, w) if inner is not None else "")


def _fields(schema: Object, level: int, w: _Writer, seen: frozenset[str]) -> Iterator[str]:
    """The fields of a type, by name; a type within itself is not told again."""
    reference = schema.get("$ref", "")
    if reference and reference in seen:
        return
    below = seen | {reference}
    resolved = w.resolved(schema)
    for name, field in sorted((resolved.get("properties") or {}).items()):
        yield _field(name, field, name in (resolved.get("required") or ()), level, w)
        if w.depth.recursive and (not w.depth.limit or level < w.depth.limit):
            yield from _fields(field, level + 1, w, below)
    parts, inner = resolved.get("allOf") or [], _inner(resolved)
    for part in parts if inner is None else [*parts, inner]:
        yield from _fields(part, level, w, below)


def _field(name: str, field: Object, required: bool, level: int, w: _Writer) -> str:
    margin = level * 2
    text = f"{' ' * margin}{name}\t<{type_of(field, w)}>{' -required-' if required else ''}"
    values = field.get("enum")
    if values:
        more = ", ...." if len(values) > ENUM_SHOWN else ""
        text += f"\n{' ' * margin}enum: {', '.join(map(_shown, values[:ENUM_SHOWN]))}{more}"
    if w.depth.recursive:
        return text + "\n"
    about = wrap(78 - margin, field.get("description") or "<no description>")
    return f"{text}\n{_indent(margin + 2, about)}\n\n"


def _shown(value: Any) -> str:
    return '""' if value == "" else str(value)


def type_of(schema: Object, w: _Writer) -> str:
    """'string', 'PodSpec', '[]Container', 'map[string]Quantity', 'Object'."""
    values, parts = schema.get("additionalProperties"), schema.get("allOf") or []
    if schema.get("items"):
        return f"[]{type_of(schema['items'], w)}"
    if isinstance(values, dict) and values:
        return f"map[string]{type_of(values, w)}"
    if len(parts) == 1 and not schema.get("properties"):
        return type_of(parts[0], w)
    if schema.get("$ref"):
        kind = (w.library.resolve(schema["$ref"]) or {}).get("type")
        return str(kind) if kind and kind != "object" else schema["$ref"].rpartition("/")[2].rpartition(".")[2]
    kind = schema.get("type")
    return str(kind) if kind and kind != "object" else "Object"


def _indent(width: int, text: str) -> str:
    return " " * width + text.replace("\n", "\n" + " " * width)


def wrap(limit: int, text: str) -> str:
    """go-wordwrap: lines of at most `limit` characters where words allow; line breaks and runs of spaces are kept."""
    written: list[str] = []
    line = 0
    word = space = ""
    for character in text:
        if character == "\n":
            if word or line + len(space) <= limit:
                written += (space, word)
            written.append("\n")
            line, word, space = 0, "", ""
        elif character.isspace() and character != "\u00a0":
            if not space or word:
                line += len(space) + len(word)
                written += (space, word)
                word = space = ""
            space += character
        else:
            word += character
            if line + len(space) + len(word) > limit and len(word) < limit:
                written.append("\n")
                line, space = 0, ""
    if word or line + len(space) <= limit:
        written += (space, word)
    return "".join(written)
