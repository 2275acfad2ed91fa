"""Functions over strings: cel-go's extension (version 2), Kubernetes' regular expressions, and string.format.

Positions count code points.

Source: github.com/google/cel-go ext/{strings,formatting}.go, k8s.io/apiserver pkg/cel/library/regex.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.api.cel import CelError, functions, values
from minikube_py.api.cel.functions import no_overload
from minikube_py.base import goregex

if TYPE_CHECKING:
    from minikube_py.api.cel.functions import Function

PRECISION, PRECISION_MAX = 6, 1000
_CLAUSE = re.compile(r"%(?:\.(\d*))?(.)|%$", re.DOTALL)
_WHITE = " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def _texts(*given: Any) -> None:
    if not all(isinstance(one, str) for one in given):
        raise no_overload()


def pattern(text: str) -> re.Pattern[str]:
    """Raises CelError with what Go finds wrong."""
    try:
        return goregex.compile(text)
    except ValueError as error:
        raise CelError(str(error)) from None


def _regex(text: str) -> re.Pattern[str]:
    try:
        return pattern(text)
    except CelError as error:
        raise CelError(f"Illegal regex: {error}") from None


def matches(text: Any, regex: Any) -> bool:
    _texts(text, regex)
    return pattern(regex).search(text) is not None


def find(text: Any, regex: Any) -> str:
    _texts(text, regex)
    found = _regex(regex).search(text)
    return found[0] if found else ""


def find_all(text: Any, regex: Any, limit: int = -1) -> list[str]:
    _texts(text, regex)
    found = [one[0] for one in _regex(regex).finditer(text)]
    return found if limit < 0 else found[:limit]


def char_at(text: Any, position: int) -> str:
    _texts(text)
    if not 0 <= position <= len(text):
        raise CelError(f"index out of range: {position}")
    return str(text[position : position + 1])


def index_of(container: Any, wanted: Any, start: int = 0) -> int:
    """Of a string in a string, or of an item in a list."""
    if isinstance(container, list):
        return next((position for position, one in enumerate(container) if values.equal(one, wanted)), -1)
    _texts(container, wanted)
    if not 0 <= start <= len(container):
        raise CelError(f"index out of range: {start}")
    return int(container.find(wanted, start)) if wanted else start


def last_index_of(container: Any, wanted: Any, stop: int | None = None) -> int:
    if isinstance(container, list):
        return len(container) - 1 - index if (index := index_of(container[::-1], wanted)) >= 0 else -1
    _texts(container, wanted)
    if stop is None:
        return int(container.rfind(wanted))
    if not 0 <= stop <= len(container):
        raise CelError(f"index out of range: {stop}")
    return int(container.rfind(wanted, 0, stop + len(wanted))) if wanted else stop


def _ascii(text: str, upper: bool) -> str:
    return "".join((one.upper() if upper else one.lower()) if one.isascii() else one for one in text)


def lower_ascii(text: Any) -> str:
    _texts(text)
    return _ascii(text, upper=False)


def upper_ascii(text: Any) -> str:
    _texts(text)
    return _ascii(text, upper=True)


def replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    _texts(text, old, new)
    return str(text.replace(old, new, count))


def split(text: Any, separator: Any, limit: int = -1) -> list[str]:
    """limit: 0 gives nothing, n at most n parts, -1 all."""
    _texts(text, separator)
    if limit == 0:
        return []
    if separator == "":
        letters = list(text)
        return letters if limit < 0 or limit >= len(letters) else [*letters[: limit - 1], "".join(letters[limit - 1 :])]
    return list(text.split(separator, -1 if limit < 0 else limit - 1))


def substring(text: Any, start: int, stop: int | None = None) -> str:
    _texts(text)
    end = len(text) if stop is None else stop
    if stop is not None and start > stop:
        raise CelError(f"invalid substring range. start: {start}, end: {stop}")
    for position in (start, end):
        if not 0 <= position <= len(text):
            raise CelError(f"index out of range: {position}")
    return str(text[start:end])


def join(items: Any, separator: str = "") -> str:
    if not isinstance(items, list):
        raise no_overload()
    for one in items:
        if not isinstance(one, str):
            raise CelError(f"join: invalid input: {one}")
    return separator.join(items)


def quote(text: Any) -> str:
    from minikube_py.base import gotext

    _texts(text)
    return gotext.quoted(text)


def reverse(items: Any) -> Any:
    if isinstance(items, (str, list)):
        return items[::-1]
    raise no_overload()


def _two(method: str) -> Function:
    def call(text: Any, other: Any) -> bool:
        _texts(text, other)
        return bool(getattr(text, method)(other))

    return call


def contains(text: Any, other: Any) -> bool:
    _texts(text, other)
    return other in text


def trim(text: Any) -> str:
    _texts(text)
    return str(text.strip(_WHITE))


# -------------------------------------------------------------------------------------------------------- format


def format(template: Any, given: Any) -> str:
    """'%s is %d'.format(['a', 1]). Raises CelError where a clause and its value don't fit."""
    _texts(template)
    arguments = iter(enumerate(given))
    out, end = [], 0
    for clause in _CLAUSE.finditer(template):
        out.append(template[end : clause.start()])
        end = clause.end()
        if clause[2] == "%" and clause[1] is None:
            out.append("%")
            continue
        position, value = next(arguments, (len(given), None))
        if position >= len(given):
            raise CelError(f"index {position} out of range")
        out.append(_clause(clause, value))
    return "".join([*out, template[end:]])


def _clause(clause: re.Match[str], value: Any) -> str:
    letter = clause[2] or ""
    precision = int(clause[1]) if clause[1] else PRECISION
    if precision > PRECISION_MAX:
        raise CelError(f"precision {precision} exceeds maximum allowed precision {PRECISION_MAX}")
    if letter not in _CLAUSES:
        raise CelError(f'could not parse formatting clause: unrecognized formatting clause "{letter}"')
    return str(_CLAUSES[letter](value, precision))


def _wrong(clause: str, allowed: str, value: Any) -> CelError:
    return CelError(f"{clause} clause can only be used on {allowed}, was given {values.type_name(value)}")


def _text(value: Any, precision: int = PRECISION) -> str:
    """%s, which knows every plain type."""
    if isinstance(value, list):
        return f"[{', '.join(_quoted(one) for one in value)}]"
    if isinstance(value, dict):
        entries = sorted((_quoted(key), _quoted(one)) for key, one in value.items())
        return "{" + ", ".join(f"{key}:{one}" for key, one in entries) + "}"
    if value is None:
        return "null"
    try:
        return functions.to_string(value)
    except CelError:
        kinds = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
        raise _wrong("string", kinds, value) from None


def _quoted(value: Any) -> str:
    """A value within a list or map."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float):
        return f"{value:.{PRECISION}f}"
    if isinstance(value, (values.Duration, values.Timestamp)):
        return f'{values.type_name(value).rpartition(".")[2].lower()}("{value}")'
    return _text(value)


def _decimal(value: Any, precision: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong("decimal", "integers", value)
    return str(int(value))


def _fixed(value: Any, precision: int) -> str:
    if value in ("NaN", "Infinity", "-Infinity"):
        return str(value).replace("Infinity", "∞")
    if not isinstance(value, float):
        raise _wrong("fixed-point", "doubles", value)
    return f"{value:,.{precision}f}"


def _scientific(value: Any, precision: int) -> str:
    if not isinstance(value, float):
        raise _wrong("scientific", "doubles", value)
    mantissa, _, exponent = f"{value:.{precision}e}".partition("e")
    digits = str(int(exponent)).replace("-", "⁻").translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}\u00a0×\u00a010{digits.zfill(2).replace('0', '⁰') if len(digits) < 2 else digits}"


def _binary(value: Any, precision: int) -> str:
    if not isinstance(value, int):
        raise _wrong("binary", "integers and bools", value)
    return f"{int(value):b}"


def _octal(value: Any, precision: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong("octal", "integers", value)
    return f"{int(value):o}"


def _hex(value: Any, precision: int) -> str:
    if isinstance(value, (str, bytes)):
        return (value.encode() if isinstance(value, str) else value).hex()
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong("hex", "integers, byte buffers, and strings", value)
    return f"{int(value):x}"


_CLAUSES: dict[str, Function] = {
    "s": _text,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": _octal,
    "x": _hex,
    "X": lambda value, precision: _hex(value, precision).upper(),
}

FUNCTIONS: dict[str, Function] = {
    "contains": contains,
    "startsWith": _two("startswith"),
    "endsWith": _two("endswith"),
    "matches": matches,
    "find": find,
    "findAll": find_all,
    "charAt": char_at,
    "indexOf": index_of,
    "lastIndexOf": last_index_of,
    "lowerAscii": lower_ascii,
    "upperAscii": upper_ascii,
    "replace": replace,
    "split": split,
    "substring": substring,
    "trim": trim,
    "join": join,
    "reverse": reverse,
    "strings.quote": quote,
    "format": format,
    "jsonpatch.escapeKey": lambda text: text.replace("~", "~0").replace("/", "~1"),
}
