"""Objects as `kubectl get -o kyaml` prints them: flow YAML in which every string is quoted and every entry ends in a
comma. Source: sigs.k8s.io/yaml/kyaml (KEP-5295).
"""

from __future__ import annotations

import re
from typing import Any

from minikube_py.base import gotext
from minikube_py.printers import yaml_text

_PLAIN_KEY = re.compile(r"\w(?:[\w./-]*\w)?")
_KEY_WORDS = frozenset(("y", "n", "t", "f", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))
_ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\v": "\\v", "\f": "\\f", "\r": "\\r", "\x1b": "\\e",
    '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip


def dump(obj: Any, *, in_order: bool = False) -> str:
    """The text of a JSON value, with the document marker before and a newline after it. `in_order`: fields as they are."""
    return f"---\n{_value(obj if in_order else _sorted(obj), '')}\n"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _value(value: Any, indent: str) -> str:
    """`indent` is that of the line on which the value starts."""
    inner = indent + "  "
    if isinstance(value, dict):
        if not value:
            return "{}"
        entries = [f"{inner}{_key(key)}: {_value(value[key], inner)},\n" for key in value]
        return f"{{\n{''.join(entries)}{indent}}}"
    if isinstance(value, list):
        if all(isinstance(item, dict | list) for item in value):  # collections share their lines with the brackets
            return f"[{', '.join(_value(item, indent) for item in value)}]"
        return "[\n" + "".join(f"{inner}{_value(item, inner)},\n" for item in value) + f"{indent}]"
    if isinstance(value, str):
        return _lines(value, inner) if "\n" in value else f'"{_escaped(value)}"'
    return gotext.json_text(value)


def _key(key: str) -> str:
    plain = _PLAIN_KEY.fullmatch(key) and key.lower() not in _KEY_WORDS and not yaml_text.reads_as_other_type(key)
    return key if plain else gotext.quoted(key)


def _lines(text: str, indent: str) -> str:
    """A string of several lines, one on each: a space before the text, or a backslash if it starts with white space."""
    *lines, last = text.split("\n")
    pieces = [f"{_line(line)}\\n" for line in lines] + ([_line(last)] if last else [])
    return '"\\\n' + "".join(f"{indent}{piece}\\\n" for piece in pieces) + f'{indent}"'


def _line(line: str) -> str:
    return ("\\" if line[:1] in (" ", "\t") and line else " ") + _escaped(line)


def _escaped(text: str) -> str:
    return "".join(map(_letter, text)) if not text.isascii() or not text.isalnum() else text


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable() or letter in "\t\ufffd":
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
