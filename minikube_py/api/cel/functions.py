"""The standard functions and operators, those over lists, maps and optionals, and those about time.

Each takes the values of its target and arguments and dispatches on their types as cel-go does at run time.

Source: github.com/google/cel-go common/stdlib, common/types, cel/library.go, ext/{lists,sets}.go; k8s.io/apiserver
pkg/cel/library/lists.go.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from minikube_py.api.cel import CelError, values
from minikube_py.api.cel.values import NO_OVERLOAD, NONE, Duration, Optional, Timestamp, TypeValue, Uint, compare, equal

if TYPE_CHECKING:
    from collections.abc import Callable

    Function = Callable[..., Any]

_DAY_NAMES = ("getDayOfWeek", "getDayOfMonth", "getDayOfYear")


def no_overload() -> CelError:
    return CelError(NO_OVERLOAD)


# --------------------------------------------------------------------------------------------------- arithmetic


def _number(result: int | float, like: Any) -> Any:
    """A result in the type of its operands, if it fits."""
    if isinstance(like, float):
        return float(result)
    if isinstance(like, Uint):
        if not 0 <= result <= values.UINT_MAX:
            raise CelError("unsigned integer overflow")
        return Uint(result)
    if not values.INT_MIN <= result <= values.INT_MAX:
        raise CelError("integer overflow")
    return result


def add(one: Any, other: Any) -> Any:
    sort = type(one)
    if sort is type(other):
        if values.is_number(one):
            return _number(one + other, one)
        if sort in (str, bytes, list):
            return one + other
        if sort is Duration:
            return Duration(one.ns + other.ns)
    if isinstance(one, Timestamp) and isinstance(other, Duration):
        return Timestamp(one.ns + other.ns)
    if isinstance(one, Duration) and isinstance(other, Timestamp):
        return Timestamp(one.ns + other.ns)
    raise no_overload()


def subtract(one: Any, other: Any) -> Any:
    if type(one) is type(other):
        if values.is_number(one):
            return _number(one - other, one)
        if isinstance(one, Duration):
            return Duration(one.ns - other.ns)
        if isinstance(one, Timestamp):
            return Duration(one.ns - other.ns)
    if isinstance(one, Timestamp) and isinstance(other, Duration):
        return Timestamp(one.ns - other.ns)
    raise no_overload()


def multiply(one: Any, other: Any) -> Any:
    if type(one) is type(other) and values.is_number(one):
        return _number(one * other, one)
    raise no_overload()


def divide(one: Any, other: Any) -> Any:
    """Ints are cut towards zero: -7 / 2 is -3. A double by zero is infinite."""
    if type(one) is not type(other) or not values.is_number(one):
        raise no_overload()
    if isinstance(one, float):
        if other == 0:
            return float("nan") if one == 0 or one != one else float("inf") * (1 if one > 0 else -1)
        return one / other
    if other == 0:
        raise CelError("division by zero")
    quotient = abs(one) // abs(other)
    return _number(quotient if (one < 0) == (other < 0) else -quotient, one)


def modulo(one: Any, other: Any) -> Any:
    if type(one) is not type(other) or not values.is_number(one) or isinstance(one, float):
        raise no_overload()
    if other == 0:
        raise CelError("modulus by zero")
    rest = abs(one) % abs(other)
    return _number(-rest if one < 0 else rest, one)


def negate(one: Any) -> Any:
    if isinstance(one, float) or (type(one) is int):
        return _number(-one, one)
    raise no_overload()


def invert(one: Any) -> bool:
    if isinstance(one, bool):
        return not one
    raise no_overload()


def contained(one: Any, many: Any) -> bool:
    """x in list, key in map."""
    if isinstance(many, dict):
        return not isinstance(one, (list, dict)) and key_of(one) in many
    if isinstance(many, list):
        return any(equal(one, other) for other in many)
    raise no_overload()


def index(container: Any, key: Any) -> Any:
    if isinstance(container, dict):
        try:
            return container[key_of(key)]
        except (KeyError, TypeError):
            raise CelError(f"no such key: {shown(key)}") from None
    if isinstance(container, list):
        if isinstance(key, bool) or not values.is_number(key) or key != int(key):
            raise CelError(f"unsupported index type '{values.type_name(key)}' in list")
        if not 0 <= key < len(container):
            raise CelError(f"index out of bounds: {int(key)}")
        return container[int(key)]
    if isinstance(container, Optional):
        return optional_index(container, key)
    raise no_overload()


def optional_index(container: Any, key: Any) -> Optional:
    """container[?key]."""
    if isinstance(container, Optional):
        return optional_index(container.value, key) if container.present else NONE
    try:
        return Optional(index(container, key))
    except CelError:
        return NONE


def key_of(key: Any) -> Any:
    """A map's key: a whole double finds an int."""
    return int(key) if isinstance(key, float) and key.is_integer() else key


def shown(value: Any) -> str:
    """A key in an error text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


# --------------------------------------------------------------------------------------------------- conversions


def to_int(value: Any) -> int:
    if isinstance(value, Timestamp):
        return value.ns // values.SECOND
    if isinstance(value, str):
        return _parsed(value, "ParseInt", values.INT_MIN, values.INT_MAX)
    if isinstance(value, bool) or not values.is_number(value):
        raise no_overload()
    if isinstance(value, float):
        if not values.INT_MIN < value < values.INT_MAX:
            raise CelError("integer overflow")
        return int(value)
    if value > values.INT_MAX:
        raise CelError("integer overflow")
    return int(value)


def to_uint(value: Any) -> Uint:
    if isinstance(value, str):
        return Uint(_parsed(value, "ParseUint", 0, values.UINT_MAX))
    if isinstance(value, bool) or not values.is_number(value):
        raise no_overload()
    if not 0 <= value <= values.UINT_MAX:
        raise CelError("unsigned integer overflow")
    return Uint(int(value))


def _parsed(text: str, function: str, least: int, most: int) -> int:
    from minikube_py.base import gotext

    digits = text[1:] if text[:1] in "+-" and function == "ParseInt" else text
    if not (digits.isascii() and digits.isdigit()):
        raise CelError(f"strconv.{function}: parsing {gotext.quoted(text)}: invalid syntax")
    if not least <= int(text) <= most:
        raise CelError(f"strconv.{function}: parsing {gotext.quoted(text)}: value out of range")
    return int(text)


def to_double(value: Any) -> float:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            from minikube_py.base import gotext

            raise CelError(f"strconv.ParseFloat: parsing {gotext.quoted(value)}: invalid syntax") from None
    if isinstance(value, bool) or not values.is_number(value):
        raise no_overload()
    return float(value)


def to_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
    if isinstance(value, (int, Duration, Timestamp)) or getattr(value, "prints", False):
        return str(value)
    if isinstance(value, TypeValue):
        return value.name
    raise no_overload()


def double_text(value: float) -> str:
    """Go's %g: 1, 1.5, 1e+21."""
    if value != value or value in (float("inf"), float("-inf")):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    from minikube_py.base import gotext

    return gotext.json_float(value)


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUTH:
        return _TRUTH[value]
    if isinstance(value, str):
        from minikube_py.base import gotext

        raise CelError(f"strconv.ParseBool: parsing {gotext.quoted(value)}: invalid syntax")
    raise no_overload()


_TRUTH = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "FALSE", "false", "False"), False
)


def to_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise no_overload()


def to_timestamp(value: Any) -> Timestamp:
    if isinstance(value, str):
        return values.timestamp_of(value)
    if isinstance(value, Timestamp):
        return value
    if type(value) is int:
        return Timestamp(value * values.SECOND)
    raise no_overload()


def to_duration(value: Any) -> Duration:
    if isinstance(value, str):
        return values.duration_of(value)
    if isinstance(value, Duration):
        return value
    if type(value) is int:
        return Duration(value)
    raise no_overload()


# ---------------------------------------------------------------------------------------------------------- time


def _time_part(name: str) -> Function:
    """getHours and its kin: of a time in a zone (UTC unless told), or of a duration as a whole."""

    def part(value: Any, zone: str = "UTC") -> int:
        if isinstance(value, Duration):
            return _duration_part(name, value.ns)
        if not isinstance(value, Timestamp):
            raise no_overload()
        return _calendar_part(name, value, zone)

    return part


def _duration_part(name: str, ns: int) -> int:
    unit = {"getHours": 3600, "getMinutes": 60, "getSeconds": 1}.get(name)
    whole = abs(ns) // (unit * values.SECOND) if unit else abs(ns) // 1_000_000 % 1000
    return whole if ns >= 0 else -whole


def _calendar_part(name: str, value: Timestamp, zone: str) -> int:
    from datetime import UTC, datetime, timedelta

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value.ns // values.SECOND)
    moment = moment.astimezone(_zone(zone))
    parts = {
        "getFullYear": moment.year,
        "getMonth": moment.month - 1,
        "getDayOfYear": moment.timetuple().tm_yday - 1,
        "getDayOfMonth": moment.day - 1,
        "getDate": moment.day,
        "getDayOfWeek": moment.isoweekday() % 7,
        "getHours": moment.hour,
        "getMinutes": moment.minute,
        "getSeconds": moment.second,
        "getMilliseconds": value.ns // 1_000_000 % 1000,
    }
    return parts[name]


def _zone(name: str) -> Any:
    from datetime import timedelta, timezone
    from zoneinfo import ZoneInfo

    if ":" in name:
        hours, _, minutes = name.lstrip("+-").partition(":")
        if hours.isdigit() and minutes.isdigit() and int(minutes) < 60:
            sign = -1 if name.startswith("-") else 1
            return timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        raise CelError(f"unknown time zone {name}") from None


_TIME_PARTS = (
    "getFullYear", "getMonth", "getDayOfYear", "getDayOfMonth", "getDate", "getDayOfWeek", "getHours", "getMinutes",
    "getSeconds", "getMilliseconds",
)  # fmt: skip


# -------------------------------------------------------------------------------------------------- lists and maps


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise no_overload()
    return value


def is_sorted(items: Any) -> bool:
    given = _items(items)
    return all(compare(one, other) <= 0 for one, other in pairwise(given))


def total(items: Any) -> Any:
    """sum(): an empty list of durations would be 0s, but its type is not known here: 0."""
    given = _items(items)
    result = given[0] if given else 0
    for one in given[1:]:
        result = add(result, one)
    return result


def _extreme(name: str, sign: int) -> Function:
    def extreme(items: Any) -> Any:
        given = _items(items)
        if not given:
            raise CelError(f"{name} called on empty list")
        best = given[0]
        for one in given[1:]:
            if compare(one, best) * sign > 0:
                best = one
        return best

    return extreme


def _slice(items: Any, start: int, stop: int) -> list[Any]:
    given = _items(items)
    if start < 0 or stop < 0:
        raise CelError(f"cannot slice({start}, {stop}), negative indexes not supported")
    if start > stop:
        raise CelError(f"cannot slice({start}, {stop}), start index must be less than or equal to end index")
    if stop > len(given):
        raise CelError(f"cannot slice({start}, {stop}), list is length {len(given)}")
    return given[start:stop]


def _flatten(items: Any, depth: int = 1) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    out: list[Any] = []
    for one in _items(items):
        out += _flatten(one, depth - 1) if isinstance(one, list) and depth > 0 else [one]
    return out


def _distinct(items: Any) -> list[Any]:
    out: list[Any] = []
    for one in _items(items):
        if not any(equal(one, other) for other in out):
            out.append(one)
    return out


def _sorted(items: Any) -> list[Any]:
    return _sorted_by(items, items)


def _sorted_by(items: Any, keys: Any) -> list[Any]:
    """sort() and what the macro sortBy becomes: items in the order of their keys."""
    from functools import cmp_to_key

    pairs: list[tuple[Any, Any]] = list(zip(_items(items), _items(keys), strict=True))
    if len({values.type_name(key) for key in keys}) > 1:
        raise CelError("list elements must have the same type")

    def order(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
        return compare(one[1], other[1])

    return [item for item, _ in sorted(pairs, key=cmp_to_key(order))]


def _range(count: Any) -> list[Any]:
    return list(range(count))


def first(items: Any) -> Optional:
    return Optional(_items(items)[0]) if items else NONE


def last(items: Any) -> Optional:
    return Optional(_items(items)[-1]) if items else NONE


def _contains_all(items: Any, wanted: Any) -> bool:
    return all(any(equal(one, other) for other in _items(items)) for one in _items(wanted))


def _intersects(items: Any, others: Any) -> bool:
    return any(any(equal(one, other) for other in _items(others)) for one in _items(items))


def _map_insert(mapping: Any, key: Any, value: Any = None) -> dict[Any, Any]:
    """What transformMap and transformMapEntry add at each step."""
    added = {key_of(key): value} if not isinstance(key, dict) else key
    for one in added:
        if one in mapping:
            raise CelError(f"insert failed: key {shown(one)} already exists")
    return {**mapping, **added}


# ------------------------------------------------------------------------------------------------------ optionals


def _value(optional: Any) -> Any:
    if not isinstance(optional, Optional):
        raise no_overload()
    if not optional.present:
        raise CelError("optional.none() dereference")
    return optional.value


def _of_non_zero(value: Any) -> Optional:
    """optional.ofNonZeroValue(x): none for 0, '', [], {}, false and null."""
    return Optional(value) if value or (isinstance(value, (Duration, Timestamp)) and value.ns) else NONE


def _unwrap(items: Any) -> list[Any]:
    return [one.value for one in _items(items) if one.present]


FUNCTIONS: dict[str, Function] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": modulo,
    "-_": negate,
    "!_": invert,
    "_==_": equal,
    "_!=_": lambda one, other: not equal(one, other),
    "_<_": lambda one, other: compare(one, other) < 0,
    "_<=_": lambda one, other: compare(one, other) <= 0,
    "_>_": lambda one, other: compare(one, other) > 0,
    "_>=_": lambda one, other: compare(one, other) >= 0,
    "@in": contained,
    "_[_]": index,
    "_[?_]": optional_index,
    "size": values.size,
    "int": to_int,
    "uint": to_uint,
    "double": to_double,
    "string": to_string,
    "bool": to_bool,
    "bytes": to_bytes,
    "timestamp": to_timestamp,
    "duration": to_duration,
    "dyn": lambda value: value,
    "type": lambda value: TypeValue(values.type_name(value)),
    "isSorted": is_sorted,
    "sum": total,
    "max": _extreme("max", 1),
    "min": _extreme("min", -1),
    "slice": _slice,
    "flatten": _flatten,
    "distinct": _distinct,
    "sort": _sorted,
    "@sortByAssociatedKeys": _sorted_by,
    "lists.@sortByAssociatedKeys": _sorted_by,
    "lists.range": _range,
    "first": first,
    "last": last,
    "sets.contains": _contains_all,
    "sets.intersects": _intersects,
    "sets.equivalent": lambda one, other: _contains_all(one, other) and _contains_all(other, one),
    "cel.@mapInsert": _map_insert,
    "optional.of": Optional,
    "optional.none": lambda: NONE,
    "optional.ofNonZeroValue": _of_non_zero,
    "optional.unwrap": _unwrap,
    "unwrapOpt": _unwrap,
    "hasValue": lambda optional: optional.present,
    "value": _value,
    **{name: _time_part(name) for name in _TIME_PARTS},
}
