"""Go's package fmt over plain JSON values: Print, Println and Printf, as templates use them.

Source: fmt/print.go and fmt/format.go. Integers from JSON are int64; those of a template's own are `Int`, Go's int.
"""

from __future__ import annotations

import re
from typing import Any

from minikube_py.base import gotext

NO_VALUE = "<no value>"
_VERB = re.compile(r"%([-+# 0]*)(\*|[0-9]+)?(?:\.(\*|[0-9]*))?(?:\[([0-9]+)\])?(.?)", re.DOTALL)


class Int(int):
    """An integer that a template wrote or counted."""


def type_name(value: Any) -> str:
    """%T"""
    return "int" if isinstance(value, Int) else gotext.type_name(value)


def sprint(values: tuple[Any, ...]) -> str:
    """fmt.Sprint: spaces between operands of which neither is a string."""
    text = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            text += " "
        text += gotext.shown(value)
    return text


def sprintln(values: tuple[Any, ...]) -> str:
    return " ".join(map(gotext.shown, values)) + "\n"


def sprintf(pattern: str, values: tuple[Any, ...]) -> str:
    """fmt.Sprintf, with its notes on what does not fit: %!d(string=x), %!s(MISSING), %!(EXTRA int=3)."""
    position, reordered = 0, False

    def take() -> Any:
        nonlocal position
        position += 1
        return values[position - 1] if position <= len(values) else _MISSING

    def piece(found: re.Match[str]) -> str:
        nonlocal position, reordered
        flags, width, precision, index, verb = found.groups()
        if verb == "":
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        width = take() if width == "*" else width
        precision = take() if precision == "*" else precision
        if index:
            position, reordered = int(index) - 1, True
        value = take()
        if value is _MISSING:
            return f"%!{verb}(MISSING)"
        return _padded(formatted(verb, value, flags, precision), flags, width)

    text = _VERB.sub(piece, pattern)
    if reordered:
        return text
    extra = [f"{type_name(value)}={gotext.shown(value)}" for value in values[position:]]
    return text + (f"%!(EXTRA {', '.join(extra)})" if extra else "")


_MISSING: Any = object()


def _padded(text: str, flags: str, width: Any) -> str:
    if not width:
        return text
    size = int(width)
    if "-" in flags:
        return text.ljust(size)
    if "0" in flags and text.lstrip("+-")[:1].isdigit():
        sign = text[0] if text[0] in "+-" else ""
        return sign + text[len(sign) :].rjust(size - len(sign), "0")
    return text.rjust(size)


def formatted(verb: str, value: Any, flags: str = "", precision: str | None = None) -> str:
    """One value by one verb."""
    if verb == "v":
        if "#" in flags:
            return gotext.syntax(value)
        return gotext.shown(value)
    if verb == "T":
        return type_name(value)
    bad = f"%!{verb}({type_name(value)}={gotext.shown(value)})" if value is not None else f"%!{verb}(<nil>)"
    if isinstance(value, dict | list):
        return _collection(verb, value, flags, precision)
    if isinstance(value, bool):
        return gotext.shown(value) if verb == "t" else bad
    if isinstance(value, str):
        return _string(verb, value, flags, precision) or (bad if verb not in "sqxX" else "")
    if isinstance(value, int):
        return _integer(verb, value, flags) or bad
    return _float(verb, value, flags, precision) or bad if isinstance(value, float) else bad


def _collection(verb: str, value: Any, flags: str, precision: str | None) -> str:
    def inner(item: Any) -> str:
        return "<nil>" if item is None else formatted(verb, item, flags, precision)

    if isinstance(value, dict):
        return f"map[{' '.join(f'{inner(key)}:{inner(value[key])}' for key in sorted(value))}]"
    return f"[{' '.join(map(inner, value))}]"


def _string(verb: str, value: str, flags: str, precision: str | None) -> str:
    value = value if precision is None else value[: int(precision or 0)]
    if verb == "s":
        return value
    if verb == "q":
        return f"`{value}`" if "#" in flags and "`" not in value else gotext.quoted(value)
    if verb in "xX":
        text = value.encode().hex()
        return text.upper() if verb == "X" else text
    return ""


def _integer(verb: str, value: int, flags: str) -> str:
    plus = "+" if "+" in flags and value >= 0 else " " if " " in flags and value >= 0 else ""
    if verb in "dxXob":
        prefix = {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(verb, "") if "#" in flags else ""
        return plus + ("-" if value < 0 else "") + prefix + format(abs(value), verb)
    if verb == "c":
        return chr(value)
    if verb == "q":
        return "'" + gotext.quoted(chr(value))[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return f"U+{value:04X}" if verb == "U" else ""


def _float(verb: str, value: float, flags: str, precision: str | None) -> str:
    plus = "+" if "+" in flags and value >= 0 else " " if " " in flags and value >= 0 else ""
    if verb in "fFeE":
        digits = 6 if precision is None else int(precision or 0)
        return plus + format(value, f".{digits}{verb}")
    if verb in "gG":
        return plus + (gotext.shown_float(value) if precision is None else format(value, f".{int(precision or 0)}g"))
    return ""
