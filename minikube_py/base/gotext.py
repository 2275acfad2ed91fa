"""Values as Go programs print them: encoding/json, and the verbs %v, %#v and %q of package fmt.

kubectl's output and its error texts are full of them.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import Any

_HTML = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_QUOTED_SPECIAL = {
    "\\": "\\\\", '"': '\\"', "\a": "\\a", "\b": "\\b", "\f": "\\f",
    "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip


def json_string(text: str) -> str:
    """A JSON string in Go's form, which also escapes `<`, `>` and `&`."""
    quoted = encode_basestring(text)
    is_plain = quoted.isascii() and "<" not in quoted and ">" not in quoted and "&" not in quoted
    return quoted if is_plain else quoted.translate(_HTML)


def json_float(number: float) -> str:
    """A float as encoding/json writes it: 1.5, 1e+21, 1e-7; whole numbers without a point."""
    size = abs(number)
    if number == 0 or 1e-6 <= size < 1e21:
        return plain_float(number)
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa.removesuffix('.0')}e{exponent[0]}{exponent[1:].lstrip('0')}"


def plain_float(number: float) -> str:
    """The shortest decimal digits that read back as `number`, without an exponent."""
    text = repr(number)
    if "e" in text:
        from decimal import Decimal

        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def json_text(value: Any) -> str:
    """json.Marshal: no spaces, sorted keys."""
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, dict):
        inside = ",".join(f"{json_string(str(key))}:{json_text(value[key])}" for key in sorted(value))
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(json_text, value))}]"
    return _json_scalar(value)


def json_indented(value: Any, indent: str = "    ", level: str = "") -> str:
    """json.MarshalIndent: sorted keys, empty maps and lists as {} and []. Without a newline at the end."""
    if isinstance(value, str):
        return json_string(value)
    inner = level + indent
    if isinstance(value, dict) and value:
        lines = [f"{inner}{json_string(str(key))}: {json_indented(value[key], indent, inner)}" for key in sorted(value)]
        return "{\n" + ",\n".join(lines) + f"\n{level}}}"
    if isinstance(value, list | tuple) and value:
        lines = [inner + json_indented(item, indent, inner) for item in value]
        return "[\n" + ",\n".join(lines) + f"\n{level}]"
    return "{}" if isinstance(value, dict) else "[]" if isinstance(value, list | tuple) else _json_scalar(value)


def _json_scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json_float(value) if isinstance(value, float) else str(value)


def shown(value: Any) -> str:
    """%v: map[a:1 b:x], [1 2], true, <nil>."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(map(shown, value)) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, float):
        return shown_float(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def shown_float(number: float) -> str:
    """A float64 by %v or %g: 123456.5, 1.2345675e+06, 1e-05; an exponent below 1e-4 and from 1e6 on."""
    if number != number or number in (float("inf"), float("-inf")):
        return "NaN" if number != number else "+Inf" if number > 0 else "-Inf"
    plain = plain_float(abs(number))
    whole, _, fraction = plain.partition(".")
    power = len(whole) - 1 if whole != "0" else len(fraction.lstrip("0")) - len(fraction) - 1
    if number == 0 or -4 <= power < 6:
        return plain_float(number)
    digits = (whole + fraction).strip("0")
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{'-' if number < 0 else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def syntax(value: Any) -> str:
    """%#v of decoded JSON: map[string]interface {}{"a":1}, []interface {}{...}, interface {}(nil)."""
    if isinstance(value, dict):
        inside = ", ".join(f"{quoted(key)}:{syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[]interface {{}}{{{', '.join(map(syntax, value))}}}"
    if value is None:
        return "interface {}(nil)"
    return quoted(value) if isinstance(value, str) else shown(value)


def quoted(text: str) -> str:
    """%q: a Go string literal; what cannot be printed is escaped."""
    letters = []
    for letter in text:
        if letter in _QUOTED_SPECIAL:
            letters.append(_QUOTED_SPECIAL[letter])
        elif letter.isprintable():
            letters.append(letter)
        elif ord(letter) < 0x80:
            letters.append(f"\\x{ord(letter):02x}")
        else:
            letters.append(f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}")
    return '"' + "".join(letters) + '"'


def type_name(value: Any) -> str:
    """%T of decoded JSON."""
    if isinstance(value, bool):
        return "bool"
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", int: "int64", float: "float64"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "<nil>")
