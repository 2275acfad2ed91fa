"""The wire format of protocol buffers, as far as the CEL library's messages need it (protobuf.dev/programming-guides/encoding).

The library speaks protobuf at both ends: types go in as descriptors, checked expressions come out as CheckedExpr.
Importing protobuf's own package costs 200 ms, reading and writing these few messages by hand a fraction of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def varint(number: int) -> bytes:
    """300 -> b'\\xac\\x02': seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3 | _VARINT) + varint(value)


def block(field: int, value: bytes | str) -> bytes:
    """A string, bytes or an embedded message."""
    content = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | _BYTES) + varint(len(content)) + content


def read(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field, value) in order; fixed-width numbers come as their bytes."""
    position, end = 0, len(data)
    while position < end:
        key, position = data[position], position + 1
        if key > 0x7F:
            key, position = _varint_at(data, position - 1)
        kind = key & 7
        if kind == _VARINT:
            value, position = _varint_at(data, position)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, position = data[position], position + 1
            if size > 0x7F:
                size, position = _varint_at(data, position - 1)
        else:
            size = 8 if kind == _FIXED64 else 4
        yield key >> 3, data[position : position + size]
        position += size


def signed(value: int) -> int:
    """A varint as int64: 2**64 - 1 is -1."""
    return value - (1 << 64) if value >> 63 else value


def _varint_at(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
