"""Go's regular expressions (RE2 syntax) as Python's.

Differences that matter in manifests: `$` is the end of the text, never before a last newline; \\d, \\w and \\s are ASCII;
\\z, \\pL and [[:alpha:]] exist; look-around and back-references don't.

Source: regexp/syntax of Go's standard library.
"""

from __future__ import annotations

import re
from functools import lru_cache

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\\x00-\\x7F", "blank": "\\t ", "cntrl": "\\x00-\\x1F\\x7F",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@\\[-`{-~", "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_UNICODE = {
    "L": "A-Za-z\\u00aa-\\uffff",
    "Lu": "A-Z\\u00c0-\\u00de",
    "Ll": "a-z\\u00df-\\u00ff",
    "N": "0-9",
    "Nd": "0-9",
}
_TOKEN = re.compile(
    r"\\[pP](?:\{\^?\w+\}|\w)|\\x\{[0-9A-Fa-f]+\}|\\.|\[:\^?\w+:\]"
    r"|\(\?[imsU]*(?:-[imsU]+)?[:)]|\(\?(?:P?<?[=!]|P?<|[^)\s]?)|.",
    re.DOTALL,
)


@lru_cache(512)
def compile(pattern: str) -> re.Pattern[str]:
    """Raises ValueError with Go's text: 'error parsing regexp: missing closing ]: `[a`'."""
    translated = _translate(pattern)
    try:
        return re.compile(translated, re.ASCII)
    except re.error as error:
        raise ValueError(f"error parsing regexp: {_told(error, pattern)}") from None


def _translate(pattern: str) -> str:
    out: list[str] = []
    in_class = False
    flags = _Flags()
    for token in _TOKEN.findall(pattern):
        if token.startswith("\\"):
            out.append(_escape(token, in_class))
        elif token.startswith("[:"):
            out.append(_named(token) if in_class else _opened(token))
            in_class = True
        elif in_class:
            out.append("\\[" if token == "[" else token.replace("[", "\\["))
            in_class = not token.endswith("]") or _is_first(out)
        elif token in ("(?=", "(?!", "(?<=", "(?<!"):
            raise ValueError(f"error parsing regexp: invalid or unsupported Perl syntax: `{token}`")
        elif token == "$" and not flags.multiline:
            out.append(r"\Z")
        else:
            out.append(flags.read(token))
            in_class = token == "["
    return "".join(out) + ")" * len(flags.groups[-1])


class _Flags:
    """'a(?i)b|c' holds in Go to the end of the group, for the other alternatives too: 'a(?i:b)|(?i:c)'."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = [[]]  # of each group that is open, the flags that were set in it

    @property
    def multiline(self) -> bool:
        set_last = [flag for group in self.groups for flag in group if "m" in flag]
        return bool(set_last) and "m" in set_last[-1].partition("-")[0]

    def read(self, token: str) -> str:
        here = self.groups[-1]
        if token.startswith("(?") and token[-1] in ":)":
            said = token[2:-1].replace("U", "").rstrip("-")
            if token.endswith(":"):
                self.groups.append([])
                return f"(?{said}:"
            here.append(said)
            return f"(?{said}:"
        if token.startswith("("):
            self.groups.append([])
            return "(?P<" if token == "(?<" else token
        if token == "|":
            return ")" * len(here) + "|" + "".join(f"(?{said}:" for said in here)
        if token == ")" and len(self.groups) > 1:
            self.groups.pop()
            return ")" * len(here) + ")"
        return token


def _is_first(out: list[str]) -> bool:
    """Whether a ] stands at the beginning of a class, where it means itself."""
    before = out[-2:-1] or [""]
    return before[0] == "[" or (before[0] == "^" and out[-3:-2] == ["["])


def _opened(token: str) -> str:
    """'[:x:]' outside of a class is a class of these letters."""
    return token[:-1] + "]"


def _named(token: str) -> str:
    name = token[2:-2]
    if name not in _CLASSES:
        raise ValueError(f"error parsing regexp: invalid character class range: `{token}`")
    return _CLASSES[name]


def _escape(token: str, in_class: bool) -> str:
    if token == r"\z":
        return r"\Z"
    if token.startswith(r"\x{"):
        return re.escape(chr(int(token[3:-1], 16)))
    if token[1:2] in ("p", "P") and len(token) > 2:
        inside = _UNICODE.get(token[2:].strip("{}"), "\\u0080-\\uffff")
        return inside if in_class else f"[{'^' if token[1] == 'P' else ''}{inside}]"
    if token[1:].isdigit() and token != r"\0":
        raise ValueError(f"error parsing regexp: invalid escape sequence: `{token}`")
    return token


def _told(error: re.error, pattern: str) -> str:
    """Python's finding in Go's words."""
    position = error.pos or 0
    match error.msg.split(" at position")[0]:
        case "unterminated character set":
            return f"missing closing ]: `{pattern[position:]}`"
        case "missing ), unterminated subpattern":
            return f"missing closing ): `{pattern}`"
        case "unbalanced parenthesis":
            return f"unexpected ): `{pattern}`"
        case "nothing to repeat":
            return f"missing argument to repetition operator: `{pattern[position : position + 1]}`"
        case "multiple repeat":
            return f"invalid nested repetition operator: `{pattern[position - 1 : position + 1]}`"
    return f"invalid escape sequence: `{pattern[position : position + 2]}`"
