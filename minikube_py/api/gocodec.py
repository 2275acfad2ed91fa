"""Decoding and printing of values by their Go type: one small codec for each type, built lazily and cached.

Semantics follow encoding/json as k8s.io's fork has it (sigs.k8s.io/json): the first type error is remembered while
decoding goes on; an error of a type with a decoder of its own (quantities, times) stops at once and is told instead.
Fields are visited sorted by name, because that is how kubectl sends them.

Printing back drops unknown fields, nulls and empty values, except those that Go always prints: a container's
`resources: {}`, a Deployment's `status: {}`, a StatefulSet's `status.replicas: 0`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import gotypes
from minikube_py.base import gotext

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object

QUANTITY_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"  # resource.ErrFormatWrong
RANGES = {
    "int32": (-(1 << 31), (1 << 31) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
    "int": (-(1 << 63), (1 << 63) - 1),
    "uint32": (0, (1 << 32) - 1),
    "uint64": (0, (1 << 64) - 1),
    "byte": (0, 255),
}
MOST_UNKNOWN = 100  # sigs.k8s.io/json stops collecting there


class Place:
    """Where the decoder stands: a linked list, turned into text only when something is wrong."""

    __slots__ = ("parent", "segment", "struct")

    def __init__(self, parent: Place | None, segment: str | int, struct: str) -> None:
        self.parent, self.segment, self.struct = parent, segment, struct

    def chain(self) -> list[Place]:
        found: list[Place] = []
        place: Place | None = self
        while place is not None:
            found.append(place)
            place = place.parent
        return found[::-1]

    def strict_text(self) -> str:
        """'spec.template.spec.containers[0]'"""
        text = ""
        for place in self.chain():
            text += (
                f"[{place.segment}]"
                if isinstance(place.segment, int)
                else f".{place.segment}"
                if text
                else str(place.segment)
            )
        return text

    def go_text(self) -> str:
        """'PodSpec.spec.template.spec.containers': the innermost struct and the field names, no indexes and map keys."""
        named = [place for place in self.chain() if place.struct]
        return ".".join([named[-1].struct, *(str(place.segment) for place in named)]) if named else ""


class Stop(Exception):
    """An error of a type that decodes itself; the text is complete."""


class Run:
    """The findings of one decoding."""

    __slots__ = ("error", "unknown")

    def __init__(self) -> None:
        self.error = ""
        self.unknown: list[str] = []

    def unknown_field(self, place: Place | None, name: str) -> None:
        if len(self.unknown) < MOST_UNKNOWN:
            self.unknown.append(f"{place.strict_text()}.{name}" if place else name)

    def wrong(self, value: Any, go: str, place: Place | None, whole: bool = False) -> None:
        if not self.error:
            self.error = mismatch(value, go, place, whole)


class PatchRun(Run):
    """Decoding of what a strategic merge patch leaves, which is no JSON text any more: another converter, other words.

    Source: k8s.io/apimachinery/pkg/runtime/converter.go (fromUnstructured): the first error stops.
    """

    __slots__ = ()

    def wrong(self, value: Any, go: str, place: Place | None, whole: bool = False) -> None:
        given, under = _reflect_kind(value), go.lstrip("*")
        while (alias := gotypes.alias_of(under)) is not None:
            under = alias
        if under.startswith(("map[", "[]")):
            raise Stop(f"cannot restore {'map' if under[0] == 'm' else 'slice'} from {given}")
        if gotypes.fields_of(under) is not None:
            raise Stop(f"cannot restore struct from: {given}")
        if (given == "int64" and under == "string") or (given == "float64" and under in RANGES):
            raise Stop(f"cannot convert {given} to {gotypes.go_text(go)}")
        raise Stop(f"unrecognized type: {under}")


def _reflect_kind(value: Any) -> str:
    """What Go's reflect calls the kind of a decoded JSON value."""
    if isinstance(value, bool):
        return "bool"
    for python, name in ((str, "string"), (int, "int64"), (float, "float64"), (list, "slice"), (dict, "map")):
        if isinstance(value, python):
            return name
    return "invalid"


def mismatch(value: Any, go: str, place: Place | None, whole: bool = False) -> str:
    """encoding/json.UnmarshalTypeError: 'json: cannot unmarshal string into Go struct field X.spec.a of type int32'.

    `whole`: a whole number was wanted, and Go tells the number that does not fit."""
    target = place.go_text() if place else ""
    where = f"Go struct field {target}" if target else "Go value"
    return f"json: cannot unmarshal {_json_type(value, whole)} into {where} of type {gotypes.go_text(go)}"


def _json_type(value: Any, whole: bool) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if not whole:
        return "number"
    return f"number {gotext.json_float(value) if isinstance(value, float) else value}"


class Codec:
    """How one Go type is decoded.

    `decode(run, value, place)` is called with anything but None and gives what Go prints; `zero()` is what Go prints for
    a value that was not given; `hides_empty`: omitempty leaves this type out when it prints as '', 0, False, [] or {}.
    """

    __slots__ = ("decode", "hides_empty", "zero")

    def __init__(
        self, decode: Callable[[Run, Any, Place | None], Any], zero: Callable[[], Any], hides_empty: bool = True
    ) -> None:
        self.decode, self.zero, self.hides_empty = decode, zero, hides_empty


_codecs: dict[str, Codec] = {}


def codec(go: str) -> Codec:
    """The codec of a Go type, built at first use."""
    found = _codecs.get(go)
    if found is None:
        found = _codecs[go] = _build(go, go)
    return found


def _build(go: str, name: str) -> Codec:
    """`name`: the type as errors tell it (the alias, if there is one)."""
    if go.startswith("*"):
        inner = codec(go[1:])
        return Codec(inner.decode, _none, hides_empty=False)
    if go == "[]byte":
        return Codec(_bytes, _none)
    if go.startswith("[]"):
        return _list(go, name)
    if go.startswith("map["):
        return _map(go, name)
    if go in LEAVES:
        return LEAVES[go]
    if go in RANGES:
        return _integer(go, name)
    if go in ("string", "UID"):
        return _scalar(str, name, "")
    if go == "bool":
        return _scalar(bool, name, False)
    if go == "float64":
        return Codec(_float, lambda: 0)
    union = UNIONS.get(go.rpartition(".")[2])
    if union:
        return union
    under = gotypes.alias_of(go)
    return _build(under, name) if under is not None else _struct(go)


def _none() -> None:
    return None


def _scalar(python: type, name: str, zero: Any) -> Codec:
    def decode(run: Run, value: Any, place: Place | None) -> Any:
        if type(value) is python:
            return value
        run.wrong(value, name, place)
        return zero

    return Codec(decode, lambda: zero)


def _integer(go: str, name: str) -> Codec:
    low, high = RANGES[go]

    def decode(run: Run, value: Any, place: Place | None) -> Any:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is int and low <= value <= high:
            return value
        run.wrong(value, name, place, whole=True)
        return 0

    return Codec(decode, lambda: 0)


def _float(run: Run, value: Any, place: Place | None) -> Any:
    if type(value) in (int, float):
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
    run.wrong(value, "float64", place)
    return 0


def _bytes(run: Run, value: Any, place: Place | None) -> Any:
    """Base64 in, canonical base64 out."""
    if not isinstance(value, str):
        run.wrong(value, "[]byte", place)
        return None
    from base64 import b64decode, b64encode

    text = value.replace("\r", "").replace("\n", "")
    bad = corrupt_base64(value)
    if bad is not None:
        run.error = run.error or f"illegal base64 data at input byte {bad}"
        return None
    return b64encode(b64decode(text)).decode()


_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def corrupt_base64(text: str) -> int | None:
    """Where Go's encoding/base64.StdEncoding finds the fault, or None. 'not base64!' -> 3, 'YQ=' -> 3, 'YQ' -> 0."""
    at, quantum = 0, 0
    while True:
        while at < len(text) and text[at] in "\r\n":
            at += 1
        if at == len(text):
            return at - quantum if quantum else None
        letter = text[at]
        at += 1
        if letter in _BASE64:
            quantum = (quantum + 1) % 4
            continue
        if letter != "=" or quantum < 2:
            return at - 1
        return _corrupt_padding(text, at, quantum)


def _corrupt_padding(text: str, at: int, quantum: int) -> int | None:
    """The same for the part behind the first '=' of a text, which stands at place 2 or 3 of its quantum."""
    rest = [index for index in range(at, len(text)) if text[index] not in "\r\n"]
    if quantum == 2:
        if not rest:
            return len(text)
        if text[rest[0]] != "=":
            return rest[0]
        rest = rest[1:]
    return rest[0] if rest else None


def _list(go: str, name: str) -> Codec:
    inner = codec(go[2:])

    def decode(run: Run, value: Any, place: Place | None) -> Any:
        if not isinstance(value, list):
            run.wrong(value, name, place)
            return None
        one, zero = inner.decode, inner.zero
        return [zero() if item is None else one(run, item, Place(place, index, "")) for index, item in enumerate(value)]

    return Codec(decode, _none)


def _map(go: str, name: str) -> Codec:
    inner = codec(go.partition("]")[2])

    def decode(run: Run, value: Any, place: Place | None) -> Any:
        if not isinstance(value, dict):
            run.wrong(value, name, place)
            return None
        one, zero = inner.decode, inner.zero
        return {
            key: zero() if value[key] is None else one(run, value[key], Place(place, key, "")) for key in sorted(value)
        }

    return Codec(decode, _none)


def _struct(go: str) -> Codec:
    """Fields are resolved at the first call, since types may contain themselves."""
    name = go.rpartition(".")[2]
    fields: dict[str, tuple[bool, Codec]] = {}
    always: list[tuple[str, Codec]] = []

    def resolve() -> None:
        declared = gotypes.fields_of(go)
        assert declared is not None, go
        for field, kind in declared.items():
            one = codec(kind.lstrip("!"))
            fields[field] = (kind[0] == "!", one)
            if kind[0] == "!":
                always.append((field, one))

    def decode(run: Run, value: Any, place: Place | None) -> Any:
        if not fields:
            resolve()
        if not isinstance(value, dict):
            run.wrong(value, go, place)
            return zero()
        out: Object = {}
        for field in sorted(value):
            known = fields.get(field)
            if known is None:
                run.unknown_field(place, field)
                continue
            given = value[field]
            if given is None:
                continue
            printed, one = known
            got = one.decode(run, given, Place(place, field, name))
            if got or printed or (not one.hides_empty and got is not None):
                out[field] = got
        for field, one in always:
            if field not in out:
                out[field] = one.zero()
        return out

    def zero() -> Object:
        if not fields:
            resolve()
        return {field: one.zero() for field, one in always}

    return Codec(decode, zero, hides_empty=False)


# The types with a decoder of their own.


def _quantity(run: Run, value: Any, place: Place | None) -> Any:
    from minikube_py.base import quantity

    if isinstance(value, (bool, dict, list)):
        raise Stop(QUANTITY_FORMAT)
    try:
        return quantity.canonical(value)
    except quantity.QuantityError as error:
        raise Stop(str(error)) from None


def _int_or_string(run: Run, value: Any, place: Place | None) -> Any:
    if isinstance(value, str):
        return value
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is int and -(1 << 31) <= value < (1 << 31):
        return value
    raise Stop(mismatch(value, "int32", place, whole=True))


def _time(layout: str, fraction: bool) -> Callable[[Run, Any, Place | None], Any]:
    def decode(run: Run, value: Any, place: Place | None) -> Any:
        if not isinstance(value, str):
            raise Stop(mismatch(value, "string", place))
        from minikube_py.base import clock

        try:
            moment = clock.timestamp(clock.seconds(value))
        except (ValueError, KeyError, IndexError):
            raise Stop(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"') from None
        if not fraction:
            return moment
        digits = value[20:].rstrip("Zz").partition("+")[0].partition("-")[0] if value[19:20] == "." else ""
        return f"{moment[:-1]}.{(digits + '000000')[:6]}Z"

    return decode


def _duration(run: Run, value: Any, place: Place | None) -> Any:
    if not isinstance(value, str):
        raise Stop(mismatch(value, "string", place))
    from minikube_py.base import duration

    try:
        return duration.go(duration.parse_go(value))
    except ValueError as error:
        raise Stop(str(error)) from None


def _as_is(run: Run, value: Any, place: Place | None) -> Any:
    return value


def _schema_or(other: type, other_codec: str) -> Codec:
    """JSONSchemaPropsOrBool and its kin: a schema, or the other thing."""

    def decode(run: Run, value: Any, place: Place | None) -> Any:
        if isinstance(value, other):
            return value if other is bool else codec(other_codec).decode(run, value, place)
        return codec("apiextensions.v1.JSONSchemaProps").decode(run, value, place)

    return Codec(decode, _none, hides_empty=False)


LEAVES = {
    "Quantity": Codec(_quantity, lambda: "0", hides_empty=False),
    "IntOrString": Codec(_int_or_string, lambda: 0, hides_empty=False),
    "Time": Codec(_time("2006-01-02T15:04:05Z07:00", False), _none, hides_empty=False),
    "MicroTime": Codec(_time("2006-01-02T15:04:05.000000Z07:00", True), _none, hides_empty=False),
    "Duration": Codec(_duration, lambda: "0s", hides_empty=False),
    "RawExtension": Codec(_as_is, _none, hides_empty=False),
    "FieldsV1": Codec(_as_is, _none, hides_empty=False),
    "JSON": Codec(_as_is, _none, hides_empty=False),
}
UNIONS = {
    "JSONSchemaPropsOrBool": _schema_or(bool, ""),
    "JSONSchemaPropsOrArray": _schema_or(list, "[]apiextensions.v1.JSONSchemaProps"),
    "JSONSchemaPropsOrStringArray": _schema_or(list, "[]string"),
}
