"""What Go's encoding/json says about text that is not JSON: the offset in bytes and the words.

Source: encoding/json/scanner.go. Only used for an error message, so it may be slow.
"""

from __future__ import annotations

import re

CUT = "unexpected EOF"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LITERALS = ("true", "false", "null")


class _Problem(Exception):
    def __init__(self, position: int, where: str) -> None:
        super().__init__(where)
        self.position, self.where = position, where


def find(text: str) -> tuple[int, str]:
    """(bytes read up to and including the wrong character, 'invalid character ... looking for ...')."""
    try:
        _value(text, _space(text, 0), "looking for beginning of value")
    except _Problem as problem:
        if problem.position >= len(text):
            return len(text.encode()), CUT
        letter = text[problem.position]
        shown = {"'": "'\\''", '"': "'\"'", "\n": "'\\n'", "\t": "'\\t'", "\r": "'\\r'"}.get(letter, f"'{letter}'")
        return len(text[: problem.position + 1].encode()), f"invalid character {shown} {problem.where}"
    except RecursionError:
        return 0, "exceeded max depth"
    return len(text.encode()), CUT


def _space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _value(text: str, position: int, where: str) -> int:
    """The place behind the value that starts at `position`."""
    letter = text[position : position + 1]
    if letter == "{":
        return _object(text, position + 1)
    if letter == "[":
        return _array(text, position + 1)
    if letter == '"':
        return _string(text, position + 1)
    for literal in _LITERALS:
        if letter == literal[0]:
            for index, wanted in enumerate(literal):
                if text[position + index : position + index + 1] != wanted:
                    raise _Problem(position + index, f"in literal {literal} (expecting '{wanted}')")
            return position + len(literal)
    match = _NUMBER.match(text, position)
    if match is None:
        if letter == "-":
            raise _Problem(position + 1, "in numeric literal")
        raise _Problem(position, where)
    return match.end()


def _object(text: str, position: int) -> int:
    position = _space(text, position)
    if text.startswith("}", position):
        return position + 1
    while True:
        if not text.startswith('"', position):
            raise _Problem(position, "looking for beginning of object key string")
        position = _space(text, _string(text, position + 1))
        if not text.startswith(":", position):
            raise _Problem(position, "after object key")
        position = _value(text, _space(text, position + 1), "looking for beginning of value")
        position = _space(text, position)
        if text.startswith("}", position):
            return position + 1
        if not text.startswith(",", position):
            raise _Problem(position, "after object key:value pair")
        position = _space(text, position + 1)


def _array(text: str, position: int) -> int:
    position = _space(text, position)
    if text.startswith("]", position):
        return position + 1
    while True:
        position = _space(text, _value(text, position, "looking for beginning of value"))
        if text.startswith("]", position):
            return position + 1
        if not text.startswith(",", position):
            raise _Problem(position, "after array element")
        position = _space(text, position + 1)


def _string(text: str, position: int) -> int:
    while True:
        letter = text[position : position + 1]
        if letter == '"':
            return position + 1
        if letter == "" or letter < " ":
            raise _Problem(position, "in string literal")
        if letter == "\\":
            position += 1
            letter = text[position : position + 1]
            if letter == "u":
                for _ in range(4):
                    position += 1
                    if text[position : position + 1] not in set("0123456789abcdefABCDEF"):
                        raise _Problem(position, "in \\u hexadecimal character escape")
            elif letter not in set('bfnrt\\/"'):
                raise _Problem(position, "in string escape code")
        position += 1
