"""Objects as `kubectl get -o yaml` prints them: sigs.k8s.io/yaml over go-yaml v2, written by hand for speed.

Keys in go-yaml's natural order ('a2' before 'a10'), two spaces of indentation, lists not indented below their key, lines
folded at the first single space behind column 80. Strings are plain where that reads back as the same string, double-quoted where they would read
as another type, single-quoted where YAML's syntax gets in the way, and literal blocks where they have several lines.
Sources: goyaml.v2/encode.go (stringv), sorter.go (keyList), emitterc.go (yaml_emitter_analyze_scalar and others).
"""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Any

from minikube_py.api import documents
from minikube_py.base import gotext

_SIMPLE = re.compile(
    r"[A-Za-z/][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*", re.ASCII
)  # cannot need quotes, but for the words
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII)
_FIRST_INDICATORS = frozenset("#,[]{}&*!|>'\"%@`")
_INSIDE_INDICATORS = re.compile(r":(?=[ \t\n\r\x85\u2028\u2029]|$)|(?<=[ \t\n\r\x85\u2028\u2029])#")
_RARE_BREAKS = "\x85\u2028\u2029"
_BREAK = "[\r\n\x85\u2028\u2029]"
_SPACE_THEN_BREAK = re.compile(f" {_BREAK}")
_BREAK_THEN_SPACE = re.compile(f"{_BREAK} ")
_ANY_BREAK = re.compile(_BREAK)
_LINES = re.compile(f"([^\r\n\x85\u2028\u2029]*)({_BREAK}|$)")
_UNPRINTABLE = re.compile("[^\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_ESCAPES = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r",
    "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N", "\xa0": "\\_", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip
_ESCAPED = re.compile('["\\\\\t\n\r\x85\u2028\u2029\ufeff]|' + _UNPRINTABLE.pattern)
_SIMPLE_KEY_BYTES_MAX = 128
_WIDTH = 80
_CACHE_MAX = 8192
_WORDS: dict[str, str] = {}
_ORDERS: dict[tuple[str, ...], list[str]] = {}


def dump(obj: Any) -> str:
    """The YAML text of a JSON value, with a newline at its end."""
    if isinstance(obj, dict) and obj:
        lines: list[str] = []
        _mapping(obj, "", lines)
        return "\n".join(lines) + "\n"
    if isinstance(obj, list) and obj:
        lines = []
        _sequence(obj, "", lines)
        return "\n".join(lines) + "\n"
    return _inline(obj, "  ", 0) + "\n"


def _mapping(obj: dict[str, Any], indent: str, lines: list[str], first: str | None = None) -> None:
    """Append the lines of a mapping; `first` replaces the indentation of the first line (behind '- ')."""
    for key in ordered(obj):
        value = obj[key]
        start = indent if first is None else first
        first = None
        if len(key.encode()) > _SIMPLE_KEY_BYTES_MAX or _ANY_BREAK.search(key):
            _complex_entry(key, value, indent, lines, start)
        elif isinstance(value, dict) and value:
            lines.append(f"{start}{_word(key)}:")
            _mapping(value, indent + "  ", lines)
        elif isinstance(value, list) and value:
            lines.append(f"{start}{_word(key)}:")
            _sequence(value, indent, lines)
        else:
            start = f"{start}{_word(key)}: "
            lines.append(start + _inline(value, indent + "  ", len(start)))


def _complex_entry(key: str, value: Any, indent: str, lines: list[str], start: str) -> None:
    """A key too long for one line, or of several lines: '? key' and ': value'."""
    inner = indent + "  "
    lines.append(f"{start}? {_inline(key, inner, len(start) + 2)}")
    start = f"{indent}: "
    if isinstance(value, dict) and value:
        _mapping(value, inner, lines, start)
    elif isinstance(value, list) and value:
        _sequence(value, inner, lines, start)
    else:
        lines.append(start + _inline(value, inner, len(start)))


def _sequence(items: list[Any], indent: str, lines: list[str], first: str | None = None) -> None:
    inner = indent + "  "
    for item in items:
        start = f"{indent if first is None else first}- "
        first = None
        if isinstance(item, dict) and item:
            _mapping(item, inner, lines, start)
        elif isinstance(item, list) and item:
            _sequence(item, inner, lines, start)
        else:
            lines.append(start + _inline(item, inner, len(start)))


def _inline(value: Any, indent: str, column: int) -> str:
    """A scalar or an empty collection that starts at `column`; `indent` is that of the lines that follow."""
    if isinstance(value, str):
        if "\n" in value:
            return _block(value, indent, column)
        word = _word(value)
        if (column + len(word) <= _WIDTH or " " not in word) and not (word[0] == "'" and _ANY_BREAK.search(word)):
            return word
        return _folded(value, word[0] if word[0] in "\"'" else "", indent, column)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    return "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else str(value)


def _float(number: float) -> str:
    """Through JSON and back: 1.0 is 1, 1e19 is 10000000000000000000 (it fits 64 bits), 1e20 is 1e+20."""
    text = gotext.json_float(number)
    fits = text.lstrip("-").isdigit() and -(1 << 63) <= int(text) < 1 << 64
    return str(int(text)) if fits else gotext.shown_float(number)


def _word(text: str) -> str:
    """A string of one line."""
    found = _WORDS.get(text)
    if found is None:
        if len(_WORDS) >= _CACHE_MAX:
            _WORDS.clear()
        found = _quoted_if_needed(text)
        if len(text) <= 64:
            _WORDS[text] = found
    return found


def _quoted_if_needed(text: str) -> str:
    if reads_as_other_type(text):
        return _double_quoted(text)
    if _SIMPLE.fullmatch(text):
        return text
    if _UNPRINTABLE.search(text) or _SPACE_THEN_BREAK.search(text) or _BREAK_THEN_SPACE.search(text):
        return _double_quoted(text)
    first, second = text[0], text[1:2]
    plain = not (
        first in " \r\x85\u2028\u2029"
        or text[-1] in " \r\x85\u2028\u2029"
        or first in _FIRST_INDICATORS
        or (first in "?:-" and second in ("", " "))
        or text.startswith(("---", "..."))
        or _ANY_BREAK.search(text)
        or _INSIDE_INDICATORS.search(text)
    )
    return text if plain else _single_quoted(text)


def reads_as_other_type(text: str) -> bool:
    """Whether a plain scalar of this text would not be read as a string."""
    if text[:1] not in "+-.0123456789yYnNtTfFoO~":
        return False
    return documents.resolve(text) is not text or documents.is_date(text) or bool(_BASE_60.fullmatch(text))


def _folded(text: str, quote: str, indent: str, column: int) -> str:
    """A scalar of one line broken at spaces behind column 80 (yaml_emitter_write_plain_scalar and its sisters).

    The space gives way to the break, the next one counts from `indent`. Between double quotes a break before a second
    space is followed by a backslash, elsewhere there is none.
    """
    double, quoted = quote == '"', bool(quote)
    column += quoted
    pieces = [quote] if quoted else []
    spaces = broken = False
    for place, letter in enumerate(text):
        if broken and letter not in _RARE_BREAKS:
            pieces.append(indent)
            column = len(indent)
        broken = letter in _RARE_BREAKS and not double
        if letter == " ":
            following = text[place + 1 : place + 2]
            inside = not quoted or 0 < place < len(text) - 1
            if column > _WIDTH and not spaces and inside and (double or following != " "):
                pieces.append(f"\n{indent}")
                column = len(indent)
                if double and following == " ":
                    pieces.append("\\")
                    column += 1
            else:
                pieces.append(" ")
                column += 1
            spaces = True
            continue
        piece = _ESCAPED.sub(_escape, letter) if double else "''" if letter == quote else letter
        pieces.append(piece)
        column += len(piece)
        spaces = False
    return "".join(pieces) + (quote if quoted else "")


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _double_quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    letter = found[0]
    code = ord(letter)
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _block(text: str, indent: str, column: int) -> str:
    """A string of several lines: a literal block, or double-quoted where lines or the whole end in a space."""
    if text[-1] == " " or _SPACE_THEN_BREAK.search(text) or _UNPRINTABLE.search(text):
        return _folded(text, '"', indent, column)
    hints = "2" if text[0] in " \n\r\x85\u2028\u2029" else ""
    if not _ANY_BREAK.fullmatch(text[-1]):
        hints += "-"
    elif len(text) == 1 or _ANY_BREAK.fullmatch(text[-2]):
        hints += "+"
    body = [f"{indent}{line}" if line else "" for line in text.removesuffix("\n").split("\n")]
    return "\n".join([f"|{hints}", *body])


# ---------------------------------------------------------------------------------------------------- order of keys


def ordered(obj: dict[str, Any]) -> list[str]:
    """The keys of a map in go-yaml's order. Cached: the same few sets of keys come again and again."""
    keys = tuple(obj)
    found = _ORDERS.get(keys)
    if found is None:
        if len(_ORDERS) >= _CACHE_MAX:
            _ORDERS.clear()
        found = _ORDERS[keys] = sorted(keys, key=cmp_to_key(_compare))
    return found


def _compare(a: str, b: str) -> int:
    """keyList.Less as a comparison: letters by code, digits as numbers, others before letters.

    It is not transitive (v1alpha1 < v2 < v10 < v1alpha1); for such keys kubectl's own order changes from run to run.
    """
    for place, (left, right) in enumerate(zip(a, b, strict=False)):
        if left == right:
            continue
        if left.isalpha() or right.isalpha():
            return 1 if left.isalpha() and (left > right or not right.isalpha()) else -1
        return _compare_numbers(a, b, place)
    return len(a) - len(b)


def _compare_numbers(a: str, b: str, place: int) -> int:
    """Two strings that differ at `place`, where neither has a letter."""
    significant = 0
    if a[place] == "0" or b[place] == "0":  # zeros inside a number count, those at its start do not
        before = re.search(r"\d*$", a[:place])
        significant = int(bool(before and before[0].strip("0")))
    numbers, ends = [], []
    for text in (a, b):
        match = re.compile(r"\d*").match(text, place)
        run = match[0] if match else ""
        numbers.append(int(f"{significant}{run}"))
        ends.append(len(run))
    if numbers[0] != numbers[1]:
        return -1 if numbers[0] < numbers[1] else 1
    if ends[0] != ends[1]:
        return ends[0] - ends[1]
    return -1 if a[place] < b[place] else 1
