r"""kubectl's JSONPath templates: text with expressions in braces, `{range .items[*]}{.metadata.name}{"\n"}{end}`.

Sources: k8s.io/client-go/util/jsonpath (parser.go, jsonpath.go), k8s.io/kubectl/pkg/cmd/get/customcolumn.go
(RelaxedJSONPathExpression). Where Go walks a map in random order (`.*`, `..`), keys are sorted here.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeAlias

from minikube_py.base import gotext


class JsonPathError(ValueError):
    """The template cannot be parsed or evaluated; the text is client-go's, without kubectl's introduction."""


class Text(NamedTuple):
    text: str


class Field(NamedTuple):
    name: str


class Number(NamedTuple):
    value: int | float | bool


class Word(NamedTuple):
    """`range` or `end`; any other is an error when it is reached."""

    name: str


class Wildcard(NamedTuple):
    pass


class Recursive(NamedTuple):
    pass


class Slice(NamedTuple):
    """[start:stop:step]; a plain index is start with `stop` None and `single`."""

    start: int | None
    stop: int | None
    step: int | None
    single: bool


class Union(NamedTuple):
    members: tuple[Nodes, ...]


class Filter(NamedTuple):
    left: Nodes
    operator: str
    right: Nodes


Node: TypeAlias = "Text | Field | Number | Word | Wildcard | Recursive | Slice | Union | Filter"
Nodes: TypeAlias = "tuple[Node, ...]"

_END_OF_NAME = " \t\r\n.,[]$@{}"
_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?", re.ASCII)
_FILTER = re.compile(r"([^!<>=]+)([!<>=]+)(.+?)")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_CACHE_MAX = 256
_COMPILED: dict[str, JsonPath] = {}


def compile(text: str) -> JsonPath:
    """Parse a template. Raises JsonPathError."""
    found = _COMPILED.get(text)
    if found is None:
        if len(_COMPILED) >= _CACHE_MAX:
            _COMPILED.clear()
        found = _COMPILED[text] = JsonPath(text, _parse(text))
    return found


def relaxed(text: str) -> str:
    """The expression of --sort-by and custom columns, with braces: 'a.b', '.a.b' and '{a.b}' give '{.a.b}'."""
    if not text:
        return text
    match = _RELAXED.fullmatch(text)
    if match is None:
        raise JsonPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    return f"{{.{match[1] or match[2]}}}"


class JsonPath:
    """A parsed template: `parts` are the pieces of text and the expressions in order."""

    __slots__ = ("parts", "text")

    def __init__(self, text: str, parts: list[Nodes]) -> None:
        self.text, self.parts = text, parts

    def find(self, obj: Any, missing_ok: bool = True) -> list[Any]:
        """Every value found, in order. Raises JsonPathError."""
        return [value for values in self.find_parts(obj, missing_ok) for value in values]

    def find_parts(self, obj: Any, missing_ok: bool = True) -> list[list[Any]]:
        """The values of each part of the template."""
        results: list[list[Any]] = []
        _Run(self.parts, missing_ok).run(0, obj, results, 0)
        return results

    def render(self, obj: Any, missing_ok: bool = True, as_json: bool = False) -> str:
        """What `-o jsonpath=` prints (with `as_json`, `-o jsonpath-as-json=`). Raises JsonPathError."""
        parts = self.find_parts(obj, missing_ok)
        if as_json:
            return "".join(gotext.json_indented(values) + "\n" for values in parts)
        return "".join(" ".join(map(_printed, values)) for values in parts)


def _printed(value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        return gotext.json_text(value)
    return gotext.shown(value)


# ------------------------------------------------------------------------------------------------------- parsing


def _parse(text: str) -> list[Nodes]:
    parts: list[Nodes] = []
    position = 0
    while position < len(text):
        brace = text.find("{", position)
        if brace != position:
            end = len(text) if brace < 0 else brace
            parts.append((Text(text[position:end]),))
            position = end
            continue
        parser = _Parser(text, position + 1)
        parts.append(parser.action())
        position = parser.position
    return parts


class _Parser:
    """Reads one expression, from behind its opening brace to behind the closing one."""

    def __init__(self, text: str, position: int = 0) -> None:
        self.text, self.position = text, position
        self.nodes: list[Node] = []

    def action(self) -> Nodes:
        while not self.text.startswith("}", self.position):
            self.step()
        self.position += 1
        return tuple(self.nodes)

    def step(self) -> None:
        text, position = self.text, self.position
        if text.startswith("[?(", position):
            return self.filter()
        if text.startswith("..", position):
            return self.recursive()
        letter = text[position : position + 1]
        if letter in ("", "\r", "\n"):
            raise JsonPathError("unclosed action")
        if letter in " @$":  # the current object: nothing to do
            self.position += 1
        elif letter == "[":
            self.array()
        elif letter in "\"'":
            self.quote(letter)
        elif letter == ".":
            self.position += 1
            self.field()
        elif letter in "+-" or letter.isdigit():
            self.number()
        elif letter == "_" or letter.isalpha():
            word = self.name()
            self.nodes.append(Number(word == "true") if word in ("true", "false") else Word(word))
        else:
            raise JsonPathError(f"unrecognized character in action: U+{ord(letter):04X} '{letter}'")
        return None

    def name(self) -> str:
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in _END_OF_NAME:
            self.position += 1
        return self.text[start : self.position]

    def field(self) -> None:
        start = self.position
        while self.position < len(self.text) and self.text[self.position] not in _END_OF_NAME:
            self.position += 2 if self.text[self.position] == "\\" else 1
        self.position = min(self.position, len(self.text))
        name = self.text[start : self.position]
        self.nodes.append(Wildcard() if name == "*" else Field(name.replace("\\", "")))

    def recursive(self) -> None:
        if self.nodes and isinstance(self.nodes[-1], Recursive):
            raise JsonPathError("invalid multiple recursive descent")
        self.position += 2
        self.nodes.append(Recursive())
        following = self.text[self.position : self.position + 1]
        if following == "_" or following.isalnum():
            self.field()

    def number(self) -> None:
        match = re.compile(r"[+-]?[\d.]*").match(self.text, self.position)
        assert match is not None
        self.position = match.end()
        try:
            self.nodes.append(Number(int(match[0])))
        except ValueError:
            try:
                self.nodes.append(Number(float(match[0])))
            except ValueError:
                raise JsonPathError(f"cannot parse number {match[0]}") from None

    def quote(self, end: str) -> None:
        start = position = self.position
        while True:
            position += 1
            letter = self.text[position : position + 1]
            if letter in ("", "\n"):
                raise JsonPathError("unterminated quoted string")
            if letter == end and self.text[position - 1] != "\\":
                break
        self.position = position + 1
        self.nodes.append(Text(_unquoted(self.text[start : self.position])))

    def array(self) -> None:
        end = self.text.find("]", self.position)
        line = self.text.find("\n", self.position)
        if end < 0 or 0 <= line < end:
            raise JsonPathError("unterminated array")
        inside = self.text[self.position + 1 : end]
        self.position = end + 1
        inside = ":" if inside == "*" else inside
        if "," in inside:
            members = [_subexpression(f"[{member.strip(' ')}]") for member in inside.split(",")]
            self.nodes.append(Union(tuple(members)))
        elif len(inside) > 1 and inside[0] == inside[-1] == "'" and "'" not in inside[1:-1]:
            self.nodes.extend(_subexpression(f".{inside[1:-1]}"))
        else:
            self.nodes.append(_slice(inside))

    def filter(self) -> None:
        start = position = self.position + 3
        open_quote, closed = "", False
        while True:
            letter = self.text[position : position + 1]
            if letter in ("", "\n"):
                raise JsonPathError("unterminated filter")
            if letter in "\"'":
                if not open_quote:
                    open_quote = letter
                elif letter == open_quote and self.text[position - 1] != "\\":
                    closed = True
            elif letter == ")" and bool(open_quote) == closed:
                break
            position += 1
        if self.text[position + 1 : position + 2] != "]":
            raise JsonPathError("unclosed array expect ]")
        inside = self.text[start:position]
        self.position = position + 2
        match = _FILTER.fullmatch(inside)
        if match is None:
            self.nodes.append(Filter(_subexpression(inside), "exists", ()))
        else:
            self.nodes.append(Filter(_subexpression(match[1]), match[2], _subexpression(match[3])))


def _subexpression(text: str) -> Nodes:
    return _Parser(f"{text}}}").action()


def _slice(inside: str) -> Slice:
    match = _SLICE.fullmatch(inside)
    if match is None:
        raise JsonPathError(f"invalid array index {inside}")
    numbers: list[int | None] = []
    for place, written in enumerate(match.groups()):
        digits = (written or "")[1:] if place else (written or "")
        try:
            numbers.append(int(digits) if digits else None)
        except ValueError:
            raise JsonPathError(f"array index {digits} is not a number") from None
    return Slice(numbers[0], numbers[1], numbers[2], single=match[2] is None)


def _unquoted(written: str) -> str:
    quote, inside = written[0], written[1:-1]
    if "\\" not in inside:
        return inside
    letters, position = [], 0
    while position < len(inside):
        letter = inside[position]
        position += 1
        if letter == "\\":
            letter, position = _escape(inside, position, quote, written)
        letters.append(letter)
    return "".join(letters)


def _escape(inside: str, position: int, quote: str, written: str) -> tuple[str, int]:
    """(character, position behind it) of an escape whose backslash stands before `position`."""
    letter = inside[position : position + 1]
    if letter in _ESCAPES or (letter == quote and letter):
        return _ESCAPES.get(letter, letter), position + 1
    for base, digits in (("x", 2), ("u", 4), ("U", 8)):
        code = inside[position + 1 : position + 1 + digits]
        if letter == base and re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", code):
            return chr(int(code, 16)), position + 1 + digits
    if re.fullmatch("[0-7]{3}", inside[position : position + 3]):
        return chr(int(inside[position : position + 3], 8)), position + 3
    raise JsonPathError(f"unquote string {written} error invalid syntax")


# ---------------------------------------------------------------------------------------------------- evaluation


class _Run:
    """One evaluation of a template."""

    def __init__(self, parts: list[Nodes], missing_ok: bool) -> None:
        self.parts, self.missing_ok = parts, missing_ok

    def run(self, start: int, current: Any, results: list[list[Any]], depth: int) -> int | None:
        """Evaluate the parts from `start` on; the place behind the `end` of this range, None if there was none."""
        place = start
        while place < len(self.parts):
            nodes = self.parts[place]
            place += 1
            words = [node.name for node in nodes if isinstance(node, Word)]
            values = self.walk([current], nodes, depth)
            if "end" in words:
                return place
            if "range" not in words:
                results.append(values)
                continue
            behind: int | None = None
            for value in values:
                behind = self.run(place, value, results, depth + 1)
            if not values:
                behind = self.run(place, None, [], depth + 1)
            place = place if behind is None else behind
        return None

    def walk(self, values: list[Any], nodes: Nodes, depth: int = 0) -> list[Any]:
        for node in nodes:
            values = self.step(values, node, depth)
        return values

    def step(self, values: list[Any], node: Node, depth: int) -> list[Any]:
        if isinstance(node, Field):
            return self.field(values, node.name)
        if isinstance(node, Slice):
            return self.slice(values, node)
        if isinstance(node, Text):
            return [node.text]
        if isinstance(node, Number):
            return [node.value] * len(values)
        if isinstance(node, Wildcard):
            return [item for value in values for item in _children(value)]
        if isinstance(node, Recursive):
            return _descendants(values)
        if isinstance(node, Union):
            return [item for member in node.members for item in self.walk(values, member)]
        if isinstance(node, Filter):
            return [item for value in values for item in self.filter(value, node)]
        if node.name == "range":
            return values
        if node.name != "end":
            raise JsonPathError(f"unrecognized identifier {node.name}")
        if not depth:
            raise JsonPathError("not in range, nothing to end")
        return []

    def field(self, values: list[Any], name: str) -> list[Any]:
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if not found and values and not self.missing_ok:
            raise JsonPathError(f"{name} is not found")
        return found

    def slice(self, values: list[Any], node: Slice) -> list[Any]:
        results: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise JsonPathError(f"{gotext.type_name(value)} is not array or slice")
            length = len(value)
            start = node.start or 0
            stop = start + 1 if node.single else length if node.stop is None else node.stop
            start = start + length if start < 0 else start
            if stop < 0 or (stop == 0 and node.single):
                stop += length
            if start == stop:
                return results
            _check_bounds(start, stop, length)
            if node.step is not None and node.step <= 0:
                raise JsonPathError("step must be > 0")
            results += value[start : stop : node.step or 1]
        return results

    def filter(self, value: Any, node: Filter) -> list[Any]:
        if not isinstance(value, list):
            shown = "<nil>" if value is None else gotext.shown(value)
            raise JsonPathError(f"{shown} is not array or slice and cannot be filtered")
        results = []
        for item in value:
            try:
                lefts = self.walk([item], node.left)
            except JsonPathError:
                if node.operator != "exists":
                    raise
                continue
            if node.operator == "exists":
                results += [item] if lefts else []
                continue
            rights = self.walk([item], node.right) if lefts else []
            if len(lefts) > 1 or len(rights) > 1:
                raise JsonPathError("can only compare one element at a time")
            if lefts and rights and compared(node.operator, lefts[0], rights[0]):
                results.append(item)
        return results


def _check_bounds(start: int, stop: int, length: int) -> None:
    if not 0 <= start < length:
        raise JsonPathError(f"array index out of bounds: index {start}, length {length}")
    if not 0 <= stop <= length:
        raise JsonPathError(f"array index out of bounds: index {stop - 1}, length {length}")
    if start > stop:
        raise JsonPathError(f"starting index {start} is greater than ending index {stop}")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, str):
        return list(value.encode())  # Go walks a string byte by byte
    return value if isinstance(value, list) else []


def _descendants(values: list[Any]) -> list[Any]:
    results: list[Any] = []
    for value in values:
        children = _children(value)
        if children:
            results.append(value)
            results += _descendants(children)
    return results


def compared(operator: str, left: Any, right: Any) -> bool:
    """Compare two plain values of the same kind, as Go's templates do. Raises JsonPathError."""
    if operator not in ("==", "!=", "<", ">", "<=", ">="):
        raise JsonPathError(f"unrecognized filter operator {operator}")
    kinds = [gotext.type_name(value) for value in (left, right)]
    if any(kind not in ("bool", "string", "int64", "float64") for kind in kinds):
        raise JsonPathError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise JsonPathError("incompatible types for comparison")
    if operator in ("==", "!="):
        return bool((left == right) is (operator == "=="))
    if kinds[0] == "bool":
        raise JsonPathError("invalid type for comparison")
    if operator in ("<", ">="):
        return bool((left < right) is (operator == "<"))
    return bool((left > right) is (operator == ">"))
