"""A checked expression: its syntax tree, with the type of each node and what each name and call means.

Source: github.com/google/cel-spec proto/cel/expr/{checked,syntax}.proto.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from minikube_py.api.cel import wire


class Type(NamedTuple):
    """int, string, list(string), map(string, dyn), optional_type(int), a message's or an opaque type's name."""

    name: str
    params: tuple[Type, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.params))})" if self.params else self.name


class Const(NamedTuple):
    """A literal. `sort` tells an int from a uint: null, bool, int, uint, double, string, bytes."""

    id: int
    value: Any
    sort: str


class Ident(NamedTuple):
    id: int
    name: str


class Select(NamedTuple):
    """operand.field, or has(operand.field) if `test`."""

    id: int
    operand: Node
    field: str
    test: bool


class Call(NamedTuple):
    """function(args) or target.function(args). Operators are functions: _&&_, _[_], @in."""

    id: int
    function: str
    target: Node | None
    args: tuple[Node, ...]


class ListOf(NamedTuple):
    """`optional`: the indices of items written as ?item."""

    id: int
    items: tuple[Node, ...]
    optional: frozenset[int]


class MapOf(NamedTuple):
    """`entries`: (key, value, whether it is written as ?key: value)."""

    id: int
    entries: tuple[tuple[Node, Node, bool], ...]


class Struct(NamedTuple):
    """Object.spec{replicas: 1}; entries as in MapOf."""

    id: int
    name: str
    entries: tuple[tuple[str, Node, bool], ...]


class Fold(NamedTuple):
    """What the macros over lists and maps become. `second`: '' or the second iteration variable."""

    id: int
    variable: str
    second: str
    range: Node
    accumulator: str
    start: Node
    condition: Node
    step: Node
    result: Node


Node: TypeAlias = "Const | Ident | Select | Call | ListOf | MapOf | Struct | Fold"
Entry: TypeAlias = "tuple[Any, Node, bool]"


class Reference(NamedTuple):
    """What the checker found: the full name of a variable, or the overloads that a call may be."""

    name: str
    overloads: tuple[str, ...]


class Checked(NamedTuple):
    """`types` and `references` by node id; `source`: where the nodes are in the text, as a message not yet read."""

    text: str
    root: Node
    types: dict[int, Type]
    references: dict[int, Reference]
    source: bytes

    @property
    def type(self) -> Type:
        return self.types.get(self.root.id, DYN)

    def offset(self, id: int) -> int:
        """Where a node is in the text, in code points."""
        offsets = dict(_offset(_bytes(part)) for field, part in wire.read(self.source) if field == 4)
        return offsets.get(id, 0)


DYN, BOOL, STRING = Type("dyn"), Type("bool"), Type("string")
_PRIMITIVE = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {1: "any", 2: "timestamp", 3: "duration"}


def decode(text: str, serialized: bytes) -> Checked:
    """What the library's `Expression.serialize` gives: a CheckedExpr in an Any."""
    checked = next(value for field, value in wire.read(serialized) if field == 2)
    types: dict[int, Type] = {}
    references: dict[int, Reference] = {}
    source = b""
    root: Node | None = None
    for field, value in wire.read(_bytes(checked)):
        if field == 2:
            key, body = _entry(_bytes(value))
            references[key] = _reference(_bytes(body))
        elif field == 3:
            key, body = _entry(_bytes(value))
            types[key] = _type(_bytes(body))
        elif field == 4:
            root = _node(_bytes(value))
        elif field == 5:
            source = _bytes(value)
    assert root is not None, text
    return Checked(text, root, types, references, source)


def decode_parsed(serialized: bytes) -> Node:
    """The same for an expression that was parsed, but not checked: a ParsedExpr in an Any."""
    parsed = next(value for field, value in wire.read(serialized) if field == 2)
    return next(_node(_bytes(value)) for field, value in wire.read(_bytes(parsed)) if field == 2)


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


def _entry(data: bytes) -> tuple[int, int | bytes]:
    """The key and value of a map's entry."""
    key: int = 0
    body: int | bytes = b""
    for field, value in wire.read(data):
        if field == 1 and isinstance(value, int):
            key = value
        else:
            body = value
    return key, body


def _offset(data: bytes) -> tuple[int, int]:
    key, value = _entry(data)
    return key, value if isinstance(value, int) else 0


@lru_cache(1024)
def _reference(data: bytes) -> Reference:
    name, overloads = "", []
    for field, value in wire.read(data):
        if field == 1:
            name = _bytes(value).decode()
        elif field == 3:
            overloads.append(_bytes(value).decode())
    return Reference(name, tuple(overloads))


@lru_cache(1024)
def _type(data: bytes) -> Type:
    for field, value in wire.read(data):
        if field == 2:
            return Type("null_type")
        if field == 3 and isinstance(value, int):
            return Type(_PRIMITIVE[value])
        if field == 4 and isinstance(value, int):
            return Type("wrapper", (Type(_PRIMITIVE[value]),))
        if field == 5 and isinstance(value, int):
            return Type(_WELL_KNOWN[value])
        if field in (6, 7):
            params = [_type(_bytes(inner)) for _, inner in wire.read(_bytes(value))]
            return Type("list" if field == 6 else "map", tuple(params))
        if field in (9, 10):
            return Type(_bytes(value).decode())
        if field == 11:
            return Type("type", (_type(_bytes(value)),))
        if field == 14:
            return _abstract(_bytes(value))
    return DYN


def _abstract(data: bytes) -> Type:
    name, params = "", []
    for field, value in wire.read(data):
        if field == 1:
            name = _bytes(value).decode()
        else:
            params.append(_type(_bytes(value)))
    return Type(name, tuple(params))


def _node(data: bytes) -> Node:
    id, kind, body = 0, 0, b""
    for field, value in wire.read(data):
        if field == 2 and isinstance(value, int):
            id = value
        else:
            kind, body = field, _bytes(value)
    match kind:
        case 3:
            return _const(id, body)
        case 4:
            return Ident(id, _text(body, 1))
        case 5:
            return _select(id, body)
        case 6:
            return _call(id, body)
        case 7:
            return _list(id, body)
        case 8:
            return _struct(id, body)
    assert kind == 9, kind
    return _fold(id, body)


def _text(data: bytes, wanted: int) -> str:
    return next((_bytes(value).decode() for field, value in wire.read(data) if field == wanted), "")


def _const(id: int, data: bytes) -> Const:
    for field, value in wire.read(data):
        if isinstance(value, int):
            match field:
                case 2:
                    return Const(id, bool(value), "bool")
                case 3:
                    return Const(id, wire.signed(value), "int")
                case 4:
                    return Const(id, value, "uint")
        elif field == 5:
            from struct import unpack

            return Const(id, unpack("<d", value)[0], "double")
        elif field == 6:
            return Const(id, value.decode(), "string")
        elif field == 7:
            return Const(id, value, "bytes")
    return Const(id, None, "null")


def _select(id: int, data: bytes) -> Select:
    operand: Node | None = None
    field_name, test = "", False
    for field, value in wire.read(data):
        if field == 1:
            operand = _node(_bytes(value))
        elif field == 2:
            field_name = _bytes(value).decode()
        else:
            test = bool(value)
    assert operand is not None
    return Select(id, operand, field_name, test)


def _call(id: int, data: bytes) -> Call:
    target: Node | None = None
    function, args = "", []
    for field, value in wire.read(data):
        if field == 1:
            target = _node(_bytes(value))
        elif field == 2:
            function = _bytes(value).decode()
        else:
            args.append(_node(_bytes(value)))
    return Call(id, function, target, tuple(args))


def _list(id: int, data: bytes) -> ListOf:
    items, optional = [], set()
    for field, value in wire.read(data):
        if field == 1:
            items.append(_node(_bytes(value)))
        elif isinstance(value, int):
            optional.add(value)
        else:  # packed: one varint after the other
            optional.update(_packed(value))
    return ListOf(id, tuple(items), frozenset(optional))


def _packed(data: bytes) -> list[int]:
    out, shift, current = [], 0, 0
    for byte in data:
        current |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            out.append(current)
            current = shift = 0
    return out


def _struct(id: int, data: bytes) -> MapOf | Struct:
    """A message without a name is a map."""
    name, entries = "", []
    for field, value in wire.read(data):
        if field == 1:
            name = _bytes(value).decode()
        else:
            entries.append(_struct_entry(_bytes(value)))
    return Struct(id, name, tuple(entries)) if name else MapOf(id, tuple(entries))


def _struct_entry(data: bytes) -> Entry:
    key: Any = None
    body: Node | None = None
    optional = False
    for field, value in wire.read(data):
        match field:
            case 2:
                key = _bytes(value).decode()
            case 3:
                key = _node(_bytes(value))
            case 4:
                body = _node(_bytes(value))
            case 5:
                optional = bool(value)
    assert body is not None
    return key, body, optional


def _fold(id: int, data: bytes) -> Fold:
    names: dict[int, str] = {}
    nodes: dict[int, Node] = {}
    for field, value in wire.read(data):
        if field in (1, 3, 8):
            names[field] = _bytes(value).decode()
        else:
            nodes[field] = _node(_bytes(value))
    return Fold(
        id, names.get(1, ""), names.get(8, ""), nodes[2], names.get(3, ""), nodes[4], nodes[5], nodes[6], nodes[7]
    )
