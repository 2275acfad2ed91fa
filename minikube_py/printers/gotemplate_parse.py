"""The grammar of Go's text/template: text into nodes. Sources: text/template/parse (lex.go, parse.go, node.go)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeAlias

from minikube_py.base import gotext
from minikube_py.printers.goformat import Int


class TemplateError(ValueError):
    """The template cannot be parsed or executed; `written` is what it had printed by then."""

    written = ""


class Text(NamedTuple):
    position: int
    text: str


class Dot(NamedTuple):
    position: int

    def __str__(self) -> str:
        return "."


class Field(NamedTuple):
    """.a.b"""

    position: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


class Variable(NamedTuple):
    """$x.a.b"""

    position: int
    name: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return self.name + "".join(f".{name}" for name in self.names)


class Chain(NamedTuple):
    """(pipeline).a.b"""

    position: int
    node: Any
    names: tuple[str, ...]

    def __str__(self) -> str:
        inner = f"({self.node})" if isinstance(self.node, Pipeline) else str(self.node)
        return inner + "".join(f".{name}" for name in self.names)


class Literal(NamedTuple):
    position: int
    text: str
    value: Any

    def __str__(self) -> str:
        return self.text


class Function(NamedTuple):
    position: int
    name: str

    def __str__(self) -> str:
        return self.name


class Command(NamedTuple):
    position: int
    operands: tuple[Any, ...]

    def __str__(self) -> str:
        return " ".join(f"({item})" if isinstance(item, Pipeline) else str(item) for item in self.operands)


class Pipeline(NamedTuple):
    """`variables` are declared (:=) if `declares`, else assigned (=)."""

    position: int
    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    declares: bool = True

    def __str__(self) -> str:
        head = f"{', '.join(self.variables)} {':=' if self.declares else '='} " if self.variables else ""
        return head + " | ".join(map(str, self.commands))


class Action(NamedTuple):
    position: int
    pipeline: Pipeline

    def __str__(self) -> str:
        return f"{{{{{self.pipeline}}}}}"


class If(NamedTuple):
    position: int
    pipeline: Pipeline
    body: list[Any]
    otherwise: list[Any]


class With(NamedTuple):
    position: int
    pipeline: Pipeline
    body: list[Any]
    otherwise: list[Any]


class Range(NamedTuple):
    position: int
    pipeline: Pipeline
    body: list[Any]
    otherwise: list[Any]


class TemplateCall(NamedTuple):
    position: int
    name: str
    pipeline: Pipeline | None

    def __str__(self) -> str:
        argument = f" {self.pipeline}" if self.pipeline else ""
        return f"{{{{template {gotext.quoted(self.name)}{argument}}}}}"


class Loop(NamedTuple):
    """{{break}} or {{continue}}"""

    position: int
    word: str


Node: TypeAlias = (
    Text | Dot | Field | Variable | Chain | Literal | Function | Command | Pipeline | Action | If | With | Range
    | TemplateCall | Loop
)  # fmt: skip

_KEYWORDS = {"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "nil"}
_SPACES = " \t\r\n"
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<declare>:=)|(?P<assign>=)|(?P<pipe>\|)|(?P<left>\()|(?P<right>\))|(?P<comma>,)
    |(?P<string>"(?:\\.|[^"\\\n])*")|(?P<raw>`[^`]*`)|(?P<char>'(?:\\.|[^'\\\n])*')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))
    |(?P<field>\.\w+)|(?P<dot>\.)|(?P<variable>\$\w*)|(?P<word>\w+)""",
    re.VERBOSE | re.DOTALL,
)
_STRING_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def parse(text: str, name: str, functions: set[str]) -> dict[str, list[Any]]:
    """The bodies of the template called `name` and of all that it defines. Raises TemplateError."""
    parser = _Parser(text, name, functions)
    nodes, end = parser.nodes(top=True)
    if end is not None:
        raise parser.error(f"unexpected {{{{{end.text}}}}}", end.position)
    parser.bodies.setdefault(name, nodes)
    return parser.bodies


class _Parser:
    def __init__(self, text: str, name: str, functions: set[str]) -> None:
        self.text, self.name, self.functions = text, name, functions
        self.position = 0
        self.tokens: list[_Token] = []
        self.at = 0
        self.scope = ["$"]
        self.loops = 0
        self.bodies: dict[str, list[Any]] = {}
        self.trim = False

    def error(self, problem: str, position: int | None = None) -> TemplateError:
        where = self.position if position is None else position
        line = 1 + self.text.count("\n", 0, where)
        return TemplateError(f"template: {self.name}:{line}: {problem}")

    # ------------------------------------------------------------------------------------------ text and actions

    def nodes(self, top: bool = False) -> tuple[list[Any], _Token | None]:
        """Nodes up to {{end}} or {{else}}, whose token is returned; None at the end of the text."""
        found: list[Any] = []
        while True:
            start = self.text.find("{{", self.position)
            self.add_text(found, len(self.text) if start < 0 else start)
            if start < 0:
                if not top:
                    raise self.error("unexpected EOF")
                return found, None
            if self.comment(start):
                continue
            self.lex(start)
            first = self.peek()
            if first.text in ("end", "else") and first.kind == "word":
                self.next()
                return found, first
            node = self.action(start)
            if node is not None:
                found.append(node)

    def add_text(self, found: list[Any], end: int) -> None:
        start, text = self.position, self.text[self.position : end]
        if self.trim:
            text = text.lstrip(_SPACES)
        if self.text.startswith("{{-", end) and self.text[end + 3 : end + 4] in tuple(_SPACES):
            text = text.rstrip(_SPACES)
        if text:
            found.append(Text(start, text))
        self.position, self.trim = end, False

    def comment(self, start: int) -> bool:
        match = re.compile(r"\{\{(?:-[ \t\r\n])?[ \t\r\n]*?/\*").match(self.text, start)
        if match is None or match[0] not in ("{{/*", "{{- /*"):
            return False
        end = self.text.find("*/", match.end())
        if end < 0:
            raise self.error("unclosed comment", start)
        close = re.compile(r"(?:[ \t\r\n]-)?\}\}").match(self.text, end + 2)
        if close is None:
            raise self.error("comment ends before closing delimiter", start)
        self.position, self.trim = close.end(), len(close[0]) > 2
        return True

    def lex(self, start: int) -> None:
        """Read the tokens of the action that starts at `start`."""
        place = start + 2
        if self.text.startswith("-", place) and self.text[place + 1 : place + 2] in tuple(_SPACES):
            place += 2
        self.tokens, self.at, depth = [], 0, 0
        while True:
            trimmed = re.compile(r"[ \t\r\n]+-\}\}").match(self.text, place)
            if trimmed or self.text.startswith("}}", place):
                if depth:
                    raise self.error("unclosed left paren", place)
                self.tokens.append(_Token("end", "}}", place))
                self.position, self.trim = (trimmed.end(), True) if trimmed else (place + 2, False)
                return
            token = self.token(place, start)
            depth += {"left": 1, "right": -1}.get(token.kind, 0)
            if depth < 0:
                raise self.error("unexpected right paren", place)
            place += len(token.text)
            self.tokens.append(token)

    def token(self, place: int, start: int) -> _Token:
        if place >= len(self.text):
            raise self.error("unclosed action", start)
        match = _TOKEN.match(self.text, place)
        letter = self.text[place]
        if match is None:
            return self.symbol(letter, place)
        kind, text = str(match.lastgroup), match[0]
        if kind == "number" and text[0] == "." and self.text[place - 1 : place].isalnum():
            kind, text = "field", re.compile(r"\.\w+").match(self.text, place)[0]  # type: ignore[index]
        behind = self.text[place + len(text) : place + len(text) + 1]
        if (
            kind in ("field", "variable", "word")
            and behind
            and behind not in " \t\r\n.,|:)("
            and not self.text.startswith("}}", place + len(text))
        ):
            raise self.error(f"bad character U+{ord(behind):04X} '{behind}'", place)
        if kind == "number" and (behind.isalnum() or behind == "_"):
            rest = re.compile(r"\w*").match(self.text, place + len(text))
            raise self.error(f"bad number syntax: {gotext.quoted(text + (rest[0][:1] if rest else ''))}", place)
        return _Token(kind, text, place)

    def symbol(self, letter: str, place: int) -> _Token:
        """A character that begins no token of its own."""
        unclosed = {
            '"': "unterminated quoted string",
            "`": "unterminated raw quoted string",
            "'": "unterminated character constant",
            ":": "expected :=",
        }
        if letter in unclosed:
            raise self.error(unclosed[letter], place)
        if letter in "+-":
            return _Token("number", letter, place)
        if letter.isascii() and letter.isprintable():
            return _Token("symbol", letter, place)
        shown = f"U+{ord(letter):04X}" + (f" '{letter}'" if letter.isprintable() else "")
        raise self.error(f"unrecognized character in action: {shown}", place)

    def peek(self, spaces: bool = False) -> _Token:
        while not spaces and self.tokens[self.at].kind == "space":
            self.at += 1
        return self.tokens[self.at]

    def next(self, spaces: bool = False) -> _Token:
        token = self.peek(spaces)
        if token.kind != "end":
            self.at += 1
        return token

    def expect_end(self, context: str) -> None:
        token = self.peek()
        if token.kind != "end":
            raise self.unexpected(token, context)

    def unexpected(self, token: _Token, context: str) -> TemplateError:
        keyword = token.kind == "dot" or (token.kind == "word" and token.text in _KEYWORDS)
        shown = f"<{token.text}>" if keyword else gotext.quoted(token.text)
        return self.error(f"unexpected {shown} in {context}", token.position)

    # ------------------------------------------------------------------------------------------------ statements

    def action(self, start: int) -> Any:
        token = self.peek()
        word = token.text if token.kind == "word" else ""
        if word in ("if", "with", "range"):
            self.next()
            return self.control(word, token.position)
        if word == "define":
            self.next()
            return self.define()
        if word in ("template", "block"):
            self.next()
            return self.template(word)
        if word in ("break", "continue"):
            self.next()
            self.expect_end(f"{{{{{word}}}}}")
            if not self.loops:
                raise self.error(f"{{{{{word}}}}} outside {{{{range}}}}", token.position)
            return Loop(token.position, word)
        return Action(token.position, self.pipeline("command"))

    def control(self, word: str, position: int) -> Any:
        mark = len(self.scope)
        pipeline = self.pipeline(word)
        self.loops += word == "range"
        body, end = self.nodes()
        self.loops -= word == "range"
        otherwise: list[Any] = []
        if end is not None and end.text == "else":
            following = self.peek()
            if following.kind == "word" and following.text == word and word in ("if", "with"):
                self.next()
                otherwise = [self.control(word, following.position)]
                del self.scope[mark:]
                return (If if word == "if" else With)(position, pipeline, body, otherwise)
            if following.kind == "word" and following.text in ("if", "with"):
                raise self.unexpected(following, "input")
            self.expect_end("else")
            otherwise, end = self.nodes()
            if end is not None and end.text == "else":
                raise self.error("expected end; found {{else}}", end.position)
        self.expect_end("end")
        del self.scope[mark:]
        return {"if": If, "with": With, "range": Range}[word](position, pipeline, body, otherwise)

    def define(self) -> None:
        name = self.string("define clause")
        self.expect_end("define clause")
        self.body_of(name)

    def body_of(self, name: str) -> None:
        scope, self.scope = self.scope, ["$"]
        body, end = self.nodes()
        if end is not None and end.text == "else":
            raise self.error("unexpected {{else}} in define clause", end.position)
        self.expect_end("define clause")
        self.scope = scope
        if any(not isinstance(node, Text) or node.text.strip() for node in self.bodies.get(name, [])):
            raise self.error(f"template: multiple definition of template {gotext.quoted(name)}")
        self.bodies[name] = body

    def template(self, word: str) -> Any:
        position = self.peek().position
        name = self.string(f"{word} clause")
        pipeline = None if self.peek().kind == "end" and word == "template" else self.pipeline(f"{word} clause")
        if word == "block":
            self.body_of(name)
        return TemplateCall(position, name, pipeline)

    def string(self, context: str) -> str:
        token = self.next()
        if token.kind not in ("string", "raw"):
            raise self.unexpected(token, context)
        return _unquoted(token)

    # ----------------------------------------------------------------------------------------------- expressions

    def pipeline(self, context: str, nested: bool = False) -> Pipeline:
        position = self.peek().position
        variables, declares = self.declarations(context)
        commands: list[Command] = []
        while True:
            token = self.peek()
            if token.kind == ("right" if nested else "end"):
                if not commands:
                    raise self.error(f"missing value for {context}", token.position)
                self.check(commands)
                if not nested:
                    self.scope += variables if declares else ()
                return Pipeline(position, tuple(commands), variables, declares)
            if token.kind in ("end", "right", "declare", "assign", "comma", "pipe"):
                raise self.unexpected(token, context)
            commands.append(self.one_command())

    def check(self, commands: list[Command]) -> None:
        for number, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], Literal | Dot):
                raise self.error(f"non executable command in pipeline stage {number}", command.position)

    def declarations(self, context: str) -> tuple[tuple[str, ...], bool]:
        """The variables before := or =, if this pipeline has any."""
        start = self.at
        names: list[str] = []
        while self.peek().kind == "variable":
            names.append(self.next().text)
            token = self.peek()
            if token.kind in ("declare", "assign"):
                self.next()
                return tuple(names), token.kind == "declare"
            if token.kind != "comma":
                break
            if context != "range" or len(names) > 1:
                raise self.error(f"too many declarations in {context}", token.position)
            self.next()
        self.at = start
        return (), True

    def known(self, name: str, position: int) -> None:
        if name not in self.scope:
            raise self.error(f"undefined variable {gotext.quoted(name)}", position)

    def one_command(self) -> Command:
        position = self.peek().position
        operands: list[Any] = []
        while True:
            self.peek()
            operand = self.operand()
            if operand is not None:
                operands.append(operand)
            token = self.next(spaces=True)
            if token.kind == "space":
                if self.peek().kind in ("end", "right"):
                    break
                if self.peek().kind == "pipe":
                    self.next()
                    break
                continue
            if token.kind == "right":
                self.at -= 1
            if token.kind in ("pipe", "right", "end"):
                break
            raise self.unexpected(token, "operand")
        return Command(position, tuple(operands))

    def operand(self) -> Any:
        node = self.term()
        following = self.peek(spaces=True)
        names: list[str] = []
        while (token := self.peek(spaces=True)).kind == "field":
            names.append(token.text[1:])
            self.at += 1
        if not names:
            return node
        if isinstance(node, Field):
            return Field(following.position, (*node.names, *names))
        if isinstance(node, Variable):
            return Variable(following.position, node.name, (*node.names, *names))
        if isinstance(node, Literal | Dot):
            shown = str(node)
            raise self.error(f"unexpected . after term {gotext.quoted(shown)}", following.position)
        return Chain(following.position, node, tuple(names))

    def term(self) -> Any:
        token = self.next()
        kind, text, position = token
        if kind == "field":
            return Field(position, (text[1:],))
        if kind == "dot":
            return Dot(position)
        if kind == "variable":
            self.known(text, position)
            return Variable(position, text, ())
        if kind == "left":
            inner = self.pipeline("parenthesized pipeline", nested=True)
            self.next()
            return inner
        if kind in ("string", "raw"):
            return Literal(position, text, _unquoted(token))
        if kind in ("number", "char"):
            return Literal(position, text, self.number(token))
        if kind == "word" and text in ("true", "false"):
            return Literal(position, text, text == "true")
        if kind == "word" and text == "nil":
            return Literal(position, text, None)
        if kind == "word" and text not in _KEYWORDS:
            if text not in self.functions:
                raise self.error(f"function {gotext.quoted(text)} not defined", position)
            return Function(position, text)
        raise self.unexpected(token, "command" if kind in ("word", "symbol") else "operand")

    def number(self, token: _Token) -> int | float:
        text = token.text
        if token.kind == "char":
            letters = _unquoted(token)
            if len(letters) != 1:
                raise self.error(f"malformed character constant: {text}", token.position)
            return Int(ord(letters))
        try:
            number = Int(int(text, 8 if re.fullmatch(r"[+-]?0[0-9_]+", text) else 0))
        except ValueError:
            return self.decimal(token)
        if not -(1 << 63) <= number < 1 << 64:
            raise self.error(f"integer overflow: {gotext.quoted(text)}", token.position)
        return number

    def decimal(self, token: _Token) -> float:
        try:
            number = float(token.text)
        except ValueError:
            raise self.error(f"illegal number syntax: {gotext.quoted(token.text)}", token.position) from None
        if not re.search("[.eEpP]", token.text):
            raise self.error(f"integer overflow: {gotext.quoted(token.text)}", token.position)
        return number


def _unquoted(token: _Token) -> str:
    inside = token.text[1:-1]
    if token.kind == "raw" or "\\" not in inside:
        return inside
    return _STRING_ESCAPE.sub(_unescape, inside)


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code.isdigit() and len(code) == 3:
        return chr(int(code, 8))
    return _SIMPLE_ESCAPES.get(code, code)
