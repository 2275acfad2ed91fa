"""Values of CEL, and what can be asked of all of them: equality, order, types.

null, booleans, ints, doubles, strings, bytes, lists and maps are Python's own; what Python does not tell apart, or does
not have, is here. Kubernetes' own types are in the modules of their functions.

Source: github.com/google/cel-go common/types.
"""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Any

from minikube_py.api.cel import CelError

NO_OVERLOAD = "no such overload"
INT_MIN, INT_MAX, UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
SECOND = 1_000_000_000
MIN_TIME_S, MAX_TIME_S = -62135596800, 253402300799  # years 1 to 9999
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")
_UNITS = {
    "h": 3600 * SECOND,
    "m": 60 * SECOND,
    "s": SECOND,
    "ms": 1_000_000,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ns": 1,
}


class Uint(int):
    """An unsigned int: 1u. Python's arithmetic would give plain ints, so that results are made anew."""

    __slots__ = ()


class TypeValue:
    """What type(x) yields, and the names int, string, list, ..."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeValue) and other.name == self.name

    def __hash__(self) -> int:
        return len(self.name)


class Optional:
    """optional.of(x), or optional.none() if not `present`."""

    __slots__ = ("present", "value")

    def __init__(self, value: Any = None, present: bool = True) -> None:
        self.value, self.present = value, present


NONE = Optional(present=False)


@total_ordering
class Duration:
    """A span of time in nanoseconds."""

    __slots__ = ("ns",)
    type_name = "google.protobuf.Duration"

    def __init__(self, ns: int) -> None:
        if not INT_MIN <= ns <= INT_MAX:
            raise CelError("duration overflow")
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and other.ns == self.ns

    def __lt__(self, other: Duration) -> bool:
        return self.ns < other.ns

    def __hash__(self) -> int:
        return self.ns

    def __str__(self) -> str:
        """string(duration('1h30m')) is '5400s'."""
        whole, part = divmod(abs(self.ns), SECOND)
        digits = f".{part:09d}".rstrip("0") if part else ""
        return f"{'-' if self.ns < 0 else ''}{whole}{digits}s"


@total_ordering
class Timestamp:
    """A point in time, in nanoseconds since 1970."""

    __slots__ = ("ns",)
    type_name = "google.protobuf.Timestamp"

    def __init__(self, ns: int) -> None:
        if not MIN_TIME_S <= ns // SECOND <= MAX_TIME_S:
            raise CelError("timestamp overflow")
        self.ns = ns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timestamp) and other.ns == self.ns

    def __lt__(self, other: Timestamp) -> bool:
        return self.ns < other.ns

    def __hash__(self) -> int:
        return self.ns

    def __str__(self) -> str:
        """RFC 3339, as precise as it is: 2026-01-02T03:04:05.5Z."""
        seconds, part = divmod(self.ns, SECOND)
        digits = f".{part:09d}".rstrip("0") if part else ""
        year, month, day, hour, minute, second = calendar(seconds)
        return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{digits}Z"


def calendar(seconds: int) -> tuple[int, int, int, int, int, int]:
    """(year, month, day, hour, minute, second) in UTC of a Unix time."""
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second


def timestamp_of(text: str) -> Timestamp:
    """Raises CelError with Go's text."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise CelError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"')
    from datetime import UTC, datetime

    year, month, day, hour, minute, second = (int(match[index]) for index in range(1, 7))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise CelError(f'parsing time "{text}": out of range') from None
    zone = match[8]
    offset_s = 0 if zone == "Z" else int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = int((match[7] or "").ljust(9, "0"))
    return Timestamp((since.days * 86400 + since.seconds - offset_s) * SECOND + nanoseconds)


def date_of(text: str) -> Timestamp:
    """A date without a time, as OpenAPI's format `date` has it."""
    return timestamp_of(f"{text}T00:00:00Z")


def duration_of(text: str) -> Duration:
    """Go's time.ParseDuration: '1h30m', '-1.5s', '0'. Raises CelError with Go's text."""
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text[1:] if text[:1] == "+" else text)
    if rest == "0":
        return Duration(0)
    total = 0
    position = 0
    part = re.compile(r"(\d*)(?:\.(\d*))?(h|ms|us|µs|μs|ns|m|s)")
    while position < len(rest) or not rest:
        match = part.match(rest, position)
        if match is None or not (match[1] or match[2]):
            raise CelError(f'time: invalid duration "{text}"')
        unit = _UNITS[match[3]]
        total += int(match[1] or "0") * unit
        if match[2]:
            total += int(match[2]) * unit // 10 ** len(match[2])
        position = match.end()
    return Duration(sign * total)


# ---------------------------------------------------------------------------------------------- equality and order

_NUMBERS = frozenset({int, float, Uint})


def equal(one: Any, other: Any) -> bool:
    """Numbers are equal across their types; nothing else is equal to something of another type."""
    sort, other_sort = type(one), type(other)
    if sort is other_sort or (sort in _NUMBERS and other_sort in _NUMBERS):
        if isinstance(one, list):
            return len(one) == len(other) and all(map(equal, one, other))
        if isinstance(one, dict):
            return len(one) == len(other) and all(key in other and equal(one[key], other[key]) for key in one)
        if isinstance(one, Optional):
            return bool(one.present == other.present and (not one.present or equal(one.value, other.value)))
        return bool(one == other)
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(key in other and equal(one[key], other[key]) for key in one)
    return False


_ORDERED = (str, bytes, bool, Duration, Timestamp)


def compare(one: Any, other: Any) -> int:
    """-1, 0 or 1. Raises CelError where two values have no order."""
    sort, other_sort = type(one), type(other)
    if (sort in _NUMBERS and other_sort in _NUMBERS) or (sort is other_sort and sort in _ORDERED):
        if one != one or other != other:
            raise CelError("NaN values cannot be ordered")
        return int(one > other) - int(one < other)
    raise CelError(NO_OVERLOAD)


def type_name(value: Any) -> str:
    """What CEL calls the type of a value."""
    if isinstance(value, bool):
        return "bool"
    for python, name in _TYPE_NAMES:
        if isinstance(value, python):
            return name
    return str(getattr(value, "type_name", "null_type"))


_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (str, "string"),
    (Uint, "uint"),
    (int, "int"),
    (float, "double"),
    (dict, "map"),
    (list, "list"),
    (bytes, "bytes"),
    (TypeValue, "type"),
    (Optional, "optional_type"),
)


def is_number(value: Any) -> bool:
    return type(value) in _NUMBERS


def size(value: Any) -> int:
    """size(x): code points, bytes, items or entries. Raises CelError for anything else."""
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    raise CelError(NO_OVERLOAD)


def cost_size(value: Any) -> int:
    """How large a value counts when costs are added up: 1 unless it can be long."""
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    if isinstance(value, Optional) and value.present:
        return cost_size(value.value)
    return 1
