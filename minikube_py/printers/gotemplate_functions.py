"""The functions that Go templates may call. Sources: text/template/funcs.go, cli-runtime's printers/template.go."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from minikube_py.base import gotext
from minikube_py.printers import goformat

if TYPE_CHECKING:
    from collections.abc import Callable


class FunctionError(ValueError):
    """A function refuses its arguments; the text follows 'error calling NAME: '."""


def truth(value: Any) -> bool:
    """Whether `if` takes a value for true: not false, 0, nil, '' or an empty collection."""
    return bool(value)


def _kind(value: Any) -> str:
    """What a value counts as in comparisons: both kinds of integers are one."""
    return "int" if type(value) in (int, goformat.Int) else gotext.type_name(value)


def _incompatible(first: Any, second: Any) -> FunctionError:
    return FunctionError(f"incompatible types for comparison: {_type(first)} and {_type(second)}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if value is None:
            raise FunctionError("index of untyped nil")
        if isinstance(value, dict):
            if not isinstance(key, str):
                what = "is nil; should be of type" if key is None else f"has type {_type(key)}; should be"
                raise FunctionError(f"value {what} string")
            value = value.get(key)
        elif isinstance(value, list | str):
            place = _place(key, len(value))
            value = value.encode()[place] if isinstance(value, str) else value[place]
        else:
            raise FunctionError(f"can't index item of type {_type(value)}")
    return value


def _place(key: Any, length: int) -> int:
    if key is None:
        raise FunctionError("cannot index slice/array with nil")
    if type(key) not in (int, goformat.Int):
        raise FunctionError(f"cannot index slice/array with type {_type(key)}")
    if not 0 <= key < length:
        raise FunctionError(f"index out of range: {key}")
    return int(key)


def _slice(value: Any, *bounds: Any) -> Any:
    if value is None:
        raise FunctionError("slice of untyped nil")
    if not isinstance(value, list | str):
        raise FunctionError(f"can't slice item of type {_type(value)}")
    if len(bounds) > 3:
        raise FunctionError(f"too many slice indexes: {len(bounds)}")
    if len(bounds) == 3 and isinstance(value, str):
        raise FunctionError("cannot 3-index slice a string")
    places = [0, len(value)]
    for number, key in enumerate(bounds[:2]):
        if key != len(value) or _kind(key) != "int":
            _place(key, len(value))
        places[number] = key
    if places[0] > places[1]:
        raise FunctionError(f"invalid slice index: {places[0]} > {places[1]}")
    return value[places[0] : places[1]]


def _len(value: Any) -> goformat.Int:
    if value is None:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    if isinstance(value, str):
        return goformat.Int(len(value.encode()))
    if isinstance(value, dict | list):
        return goformat.Int(len(value))
    raise FunctionError(f"len of type {_type(value)}")


_type = goformat.type_name


def _comparable(value: Any) -> str:
    kind = _kind(value)
    if kind not in ("bool", "string", "int", "float64"):
        raise FunctionError("invalid type for comparison")
    return kind


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise FunctionError("missing argument for comparison")
    for other in others:
        if first is None or other is None:
            if first is other:
                return True
            continue
        for value in (other, first):
            if isinstance(value, dict | list) and _kind(first) == _kind(other):
                raise FunctionError(f"non-comparable type {goformat.formatted('s', value)}: {_type(value)}")
        if _kind(first) != _kind(other):
            raise _incompatible(first, other)
        if first == other:
            return True
    return False


def _ne(first: Any, second: Any) -> bool:
    return not _eq(first, second)


def _lt(first: Any, second: Any) -> bool:
    kinds = _comparable(first), _comparable(second)
    if kinds[0] != kinds[1]:
        raise _incompatible(first, second)
    if kinds[0] == "bool":
        raise FunctionError("invalid type for comparison")
    return bool(first < second)


def _le(first: Any, second: Any) -> bool:
    return _lt(first, second) or _eq(first, second)


def _gt(first: Any, second: Any) -> bool:
    return not _le(first, second)


def _ge(first: Any, second: Any) -> bool:
    return not _lt(first, second)


def _not(value: Any) -> bool:
    return not truth(value)


def _and(*values: Any) -> Any:
    return next((value for value in values if not truth(value)), values[-1])


def _or(*values: Any) -> Any:
    return next((value for value in values if truth(value)), values[-1])


def _text(values: tuple[Any, ...]) -> str:
    return values[0] if len(values) == 1 and isinstance(values[0], str) else goformat.sprint(values)


def _html(*values: Any) -> str:
    return html.escape(_text(values), quote=False).replace('"', "&#34;").replace("'", "&#39;").replace("\0", "\ufffd")


def _js(*values: Any) -> str:
    names = {"\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D"}
    letters = (names.get(letter, letter if letter >= " " else f"\\u{ord(letter):04X}") for letter in _text(values))
    return "".join(letters)


def _urlquery(*values: Any) -> str:
    from urllib.parse import quote_plus

    return quote_plus(_text(values), safe="-_.~")


def _printf(pattern: str, *values: Any) -> str:
    return goformat.sprintf(pattern, values)


def _base64decode(value: str) -> str:
    import base64
    import binascii

    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise FunctionError(f"base64 decode failed: illegal base64 data at input byte {_bad_byte(value)}") from None


def _bad_byte(text: str) -> int:
    for place, letter in enumerate(text):
        if not (letter.isascii() and (letter.isalnum() or letter in "+/=")):
            return place
    return len(text) - len(text) % 4 if len(text) % 4 else max(text.find("="), 0)


def _exists(value: Any, *keys: Any) -> bool:
    for key in keys:
        if isinstance(value, dict) and isinstance(key, str):
            if key not in value:
                return False
            value = value[key]
        elif isinstance(value, list) and _kind(key) == "int" and 0 <= key < len(value):
            value = value[key]
        else:
            return False
    return True


# Functions whose first argument Go declares as a string, so that the template itself refuses others.
TAKES_STRING = frozenset(("printf", "base64decode"))
# name -> (function, least number of arguments, most or None)
FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int | None]] = {
    "call": (lambda *values: None, 1, None),  # plain data holds no functions: it always fails
    "and": (_and, 1, None),
    "or": (_or, 1, None),
    "not": (_not, 1, 1),
    "index": (_index, 1, None),
    "slice": (_slice, 1, None),
    "len": (_len, 1, 1),
    "print": (lambda *values: goformat.sprint(values), 0, None),
    "println": (lambda *values: goformat.sprintln(values), 0, None),
    "printf": (_printf, 1, None),
    "html": (_html, 0, None),
    "js": (_js, 0, None),
    "urlquery": (_urlquery, 0, None),
    "eq": (_eq, 1, None),
    "ne": (_ne, 2, 2),
    "lt": (_lt, 2, 2),
    "le": (_le, 2, 2),
    "gt": (_gt, 2, 2),
    "ge": (_ge, 2, 2),
    "base64decode": (_base64decode, 1, 1),
    "exists": (_exists, 1, None),
}
