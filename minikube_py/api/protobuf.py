"""Objects from protobuf, in which Go clients send them: the same JSON dicts as everywhere else.

The wire is read by the numbers of data/protobuf.json (scripts/proto_numbers.py) and the Go types of `gotypes`. Nothing is
written in protobuf: a client that can read JSON, too, is answered in JSON.

Sources: k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go, the generated.proto files of k8s.io/api.
"""

from __future__ import annotations

import json
import os
import struct
from functools import cache
from typing import TYPE_CHECKING, Any

from minikube_py.api import gotypes
from minikube_py.base.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object

MAGIC = b"k8s\x00"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LEAVES = ("Duration", "FieldsV1", "IntOrString", "JSON", "MicroTime", "Quantity", "RawExtension", "Time")
INTEGERS = ("int", "int32", "int64", "uint32", "uint64")
DEPTH_MAX = 64


class ProtobufError(ValueError):
    """Bytes that are no object of the API."""


@cache
def numbers() -> dict[str, dict[str, int]]:
    with open(os.path.join(os.path.dirname(__file__), "data", "protobuf.json"), encoding="utf-8") as file:
        found: dict[str, dict[str, int]] = json.load(file)
    return found


def read(data: bytes) -> Object:
    """The object in a body of application/vnd.kubernetes.protobuf. Raises ProtobufError."""
    if not data.startswith(MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        unknown = {number: value for number, _, value in _fields(data[len(MAGIC) :])}
        meta = {number: _text(value) for number, _, value in _fields(unknown.get(1, b""))}
        version, kind = meta.get(1, ""), meta.get(2, "")
        go = gotypes.type_of(version, kind) or OTHERS.get(kind)
        if go is None or go not in numbers():
            raise ProtobufError(f'no kind "{kind}" is registered for version "{version}" in protobuf')
        return {
            "apiVersion": version,
            "kind": kind,
            **_message(go, gotypes.fields_of(go) or {}, unknown.get(2, b""), 0),
        }
    except (struct.error, IndexError, UnicodeDecodeError, TypeError) as error:
        raise ProtobufError(f"unexpected EOF: {error}") from None


# Kinds that are sent to any group and version.
OTHERS = {"DeleteOptions": "meta.v1.DeleteOptions"}


def _message(go: str, types: dict[str, str], data: bytes, depth: int) -> Object:
    """The fields of a message. `types`: Go types of the struct in JSON, into which `go` may be embedded."""
    if depth > DEPTH_MAX:
        raise ProtobufError("nested too deeply")
    names = {number: field for field, number in numbers().get(go, {}).items()}
    found: Object = {}
    for number, wire, value in _fields(data):
        field = names.get(number)
        if field is None:
            continue
        if field.startswith("+"):
            found.update(_message(field[1:], types, value, depth + 1))
            continue
        _put(found, field, types[field].lstrip("!*"), wire, value, depth)
    return found


def _put(found: Object, field: str, go: str, wire: int, value: Any, depth: int) -> None:
    """Add one occurrence of a field to what was found before."""
    go = _plain(go)
    if go == "[]byte":
        found[field] = _base64(value)
    elif go.startswith("[]"):
        element = _plain(go[2:].lstrip("*"))
        many = found.setdefault(field, [])
        if wire == BYTES and (element in INTEGERS or element == "bool"):
            many += [_scalar(element, VARINT, one) for one in _packed(value)]
        else:
            many.append(_value(element, wire, value, depth))
    elif go.startswith("map["):
        element = _plain(go.partition("]")[2].lstrip("*"))
        entry = {number: (kind, one) for number, kind, one in _fields(value)}
        key = _text(entry[1][1]) if 1 in entry else ""
        kind, one = entry.get(2, (BYTES, b""))
        found.setdefault(field, {})[key] = _base64(one) if element == "[]byte" else _value(element, kind, one, depth)
    else:
        found[field] = _value(go, wire, value, depth)


def _plain(go: str) -> str:
    """What a named type is underneath, unless it is a struct: 'core.v1.ResourceList' -> 'map[string]Quantity'."""
    while (alias := gotypes.alias_of(go)) is not None:
        go = alias
    return go


def _value(go: str, wire: int, value: Any, depth: int) -> Any:
    if go in LEAVES:
        return _leaf(go, value)
    if go.startswith("[]"):  # ExtraValue: a message around a list
        return [_text(one) for number, _, one in _fields(value) if number == 1]
    types = gotypes.fields_of(go)
    return _scalar(go, wire, value) if types is None else _message(go, types, value, depth + 1)


def _scalar(go: str, wire: int, value: Any) -> Any:
    if go == "bool":
        return bool(value)
    if go in INTEGERS:
        return value - (1 << 64) if value >> 63 else value
    if go == "float64":
        return struct.unpack("<d", value)[0]
    return _text(value)


def _leaf(go: str, data: bytes) -> Any:
    """Types with a JSON form of their own."""
    fields = {number: value for number, _, value in _fields(data)}
    if go == "Quantity":
        return _text(fields.get(1, b""))
    if go in ("RawExtension", "FieldsV1", "JSON"):
        raw = fields.get(1, b"")
        try:
            return json.loads(raw) if raw else None
        except ValueError as error:
            raise ProtobufError(f"the raw part is not JSON: {error}") from None
    if go == "IntOrString":
        return _text(fields.get(3, b"")) if fields.get(1) else _scalar("int32", VARINT, fields.get(2, 0))
    if go == "Duration":
        from minikube_py.base import duration

        return duration.go(_scalar("int64", VARINT, fields.get(1, 0)) / 1e9)
    moment = _scalar("int64", VARINT, fields.get(1, 0))
    if not fields or moment <= -62_135_596_800:  # Go's zero time
        return None
    text = timestamp(moment)
    return f"{text[:-1]}.{fields.get(2, 0) // 1000:06d}Z" if go == "MicroTime" else text


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise ProtobufError("proto: wrong wireType")
    return value.decode("utf-8")


def _base64(value: bytes) -> str:
    from base64 import b64encode

    return b64encode(value).decode()


# -- the wire --------------------------------------------------------------------------------------------------------


def _fields(data: Any) -> Iterator[tuple[int, int, Any]]:
    """(number, wire type, value) of each field: an int for a varint, bytes for all others."""
    if not isinstance(data, bytes):
        raise ProtobufError("proto: wrong wireType")
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: Any
        if wire == VARINT:
            value, at = _varint(data, at)
        elif wire in (BYTES, FIXED64, FIXED32):
            size, at = _varint(data, at) if wire == BYTES else (8 if wire == FIXED64 else 4, at)
            if at + size > end:
                raise ProtobufError("unexpected EOF")
            value, at = data[at : at + size], at + size
        else:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        yield number, wire, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, the place behind it)."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ProtobufError("unexpected EOF")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def _packed(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value
