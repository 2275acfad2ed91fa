"""Go's text/template over plain JSON, for `-o go-template=`.

Integers of the data are int64, floats float64, as in kubectl since 1.34. Sources: text/template (parse/lex.go, parse/parse.go, exec.go, funcs.go) and
k8s.io/cli-runtime/pkg/printers/template.go (functions `exists` and `base64decode`).

    render("{{range .items}}{{.metadata.name}}{{end}}", obj) -> text; raises TemplateError
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.base import gotext
from minikube_py.printers import goformat
from minikube_py.printers.goformat import Int
from minikube_py.printers.gotemplate_functions import FUNCTIONS, TAKES_STRING, FunctionError, truth
from minikube_py.printers.gotemplate_parse import (
    Action,
    Chain,
    Command,
    Dot,
    Field,
    Function,
    If,
    Literal,
    Loop,
    Node,
    Pipeline,
    Range,
    TemplateCall,
    TemplateError,
    Text,
    Variable,
    With,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["TemplateError", "compile", "render"]

DEPTH_MAX = 100  # Go allows 100,000 nested template calls; Python's stack does not


class _Absent:
    """The value of a missing map entry; prints as <no value>, is false, and fails on access."""


ABSENT: Any = _Absent()


class Template(NamedTuple):
    text: str
    bodies: dict[str, list[Node]]

    def render(self, obj: Any, missing_ok: bool = True) -> str:
        """Raises TemplateError; its `written` holds what had been printed by then."""
        run = _Run(self, missing_ok)
        try:
            run.body(self.bodies["output"], obj, [("$", obj)])
        except TemplateError as error:
            error.written = "".join(run.out)
            raise
        return "".join(run.out)


def compile(text: str) -> Template:
    """Parse a template. Raises TemplateError in Go's words ('template: output:1: unclosed action')."""
    return Template(text, parse(text, "output", set(FUNCTIONS)))


def render(text: str, obj: Any, missing_ok: bool = True) -> str:
    return compile(text).render(obj, missing_ok)


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Run:
    """One execution: the output so far, and the walk over the nodes. `variables` is the stack of (name, value)."""

    def __init__(self, template: Template, missing_ok: bool, name: str = "output", depth: int = 0) -> None:
        self.template, self.missing_ok, self.name, self.depth = template, missing_ok, name, depth
        self.out: list[str] = []

    def fail(self, node: Node, problem: str) -> TemplateError:
        before = self.template.text[: node.position].encode()
        line = 1 + before.count(b"\n")
        column = len(before) - (before.rfind(b"\n") + 1)
        return TemplateError(f'template: output:{line}:{column}: executing "{self.name}" at <{node}>: {problem}')

    def body(self, nodes: Sequence[Node], dot: Any, variables: list[tuple[str, Any]]) -> None:
        mark = len(variables)
        for node in nodes:
            self.node(node, dot, variables)
        del variables[mark:]

    def node(self, node: Node, dot: Any, variables: list[tuple[str, Any]]) -> None:
        if isinstance(node, Text):
            self.out.append(node.text)
        elif isinstance(node, Action):
            value = self.pipeline(node.pipeline, dot, variables)
            if not node.pipeline.variables:
                self.out.append(goformat.NO_VALUE if value is ABSENT or value is None else gotext.shown(value))
        elif isinstance(node, If | With):
            mark = len(variables)
            value = self.pipeline(node.pipeline, dot, variables)
            if truth(None if value is ABSENT else value):
                self.body(node.body, value if isinstance(node, With) else dot, variables)
            else:
                self.body(node.otherwise, dot, variables)
            del variables[mark:]
        elif isinstance(node, Range):
            self.range(node, dot, variables)
        elif isinstance(node, TemplateCall):
            self.call(node, dot, variables)
        elif isinstance(node, Loop):
            raise _Break if node.word == "break" else _Continue

    def range(self, node: Range, dot: Any, variables: list[tuple[str, Any]]) -> None:
        mark = len(variables)
        value = self.pipeline(node.pipeline._replace(variables=()), dot, variables)
        if not node.pipeline.declares:
            for name in node.pipeline.variables:
                self.assign(node.pipeline, variables, name, value)
        empty = True
        for index, item in self.items(node, value):
            empty = False
            names = node.pipeline.variables
            values = (item,) if len(names) == 1 else (index, item)
            if node.pipeline.declares:
                variables += zip(names, values, strict=False)
            else:
                for name, one in zip(names, values, strict=False):
                    self.assign(node.pipeline, variables, name, one)
            try:
                self.body(node.body, item, variables)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del variables[mark:]
        if empty:
            if node.pipeline.declares:
                variables += [(name, value) for name in node.pipeline.variables]
            self.body(node.otherwise, dot, variables)
        del variables[mark:]

    def items(self, node: Range, value: Any) -> Iterator[tuple[Any, Any]]:
        if isinstance(value, list):
            return iter([(Int(index), item) for index, item in enumerate(value)])
        if isinstance(value, dict):
            return iter([(key, value[key]) for key in sorted(value)])
        if type(value) in (int, Int):
            return ((type(value)(number), type(value)(number)) for number in range(value))
        if value is None or value is ABSENT:
            return iter(())
        raise self.fail(node.pipeline.commands[-1].operands[0], f"range can't iterate over {gotext.shown(value)}")

    def call(self, node: TemplateCall, dot: Any, variables: list[tuple[str, Any]]) -> None:
        if node.name not in self.template.bodies:
            raise self.fail(node, f"template {gotext.quoted(node.name)} not defined")
        if self.depth >= DEPTH_MAX:
            raise self.fail(node, f"exceeded maximum template depth ({DEPTH_MAX})")
        value = self.pipeline(node.pipeline, dot, variables) if node.pipeline else None
        inner = _Run(self.template, self.missing_ok, node.name, self.depth + 1)
        inner.out = self.out
        inner.body(self.template.bodies[node.name], value, [("$", value)])

    # ------------------------------------------------------------------------------------------------ values

    def pipeline(self, pipeline: Pipeline, dot: Any, variables: list[tuple[str, Any]]) -> Any:
        value: Any = _NOTHING
        for command in pipeline.commands:
            value = self.command(command, dot, variables, value)
        for name in pipeline.variables:
            if pipeline.declares:
                variables.append((name, value))
            else:
                self.assign(pipeline, variables, name, value)
        return value

    def assign(self, pipeline: Pipeline, variables: list[tuple[str, Any]], name: str, value: Any) -> None:
        for place in range(len(variables) - 1, -1, -1):
            if variables[place][0] == name:
                variables[place] = (name, value)
                return
        raise self.fail(pipeline.commands[-1].operands[-1], f"undefined variable: {name}")

    def command(self, command: Command, dot: Any, variables: list[tuple[str, Any]], final: Any) -> Any:
        first, *rest = command.operands
        if isinstance(first, Function):
            return self.function(first, command, rest, dot, variables, final)
        if rest or final is not _NOTHING:
            what = f"can't give argument to non-function {first}"
            if isinstance(first, Field | Chain | Variable):
                self.value(first, dot, variables)
                name = str(first).rpartition(".")[2]
                if not isinstance(first, Variable) or first.names:
                    what = f"{name} is not a method but has arguments"
            raise self.fail(first, what)
        if isinstance(first, Literal) and first.text == "nil":
            raise self.fail(first, "nil is not a command")
        return self.value(first, dot, variables)

    def function(
        self, node: Function, command: Command, rest: list[Node], dot: Any, variables: list[tuple[str, Any]], final: Any
    ) -> Any:
        if node.name in ("and", "or"):
            return self.logic(node, rest, dot, variables, final)
        values = [self.value(operand, dot, variables) for operand in rest]
        if final is not _NOTHING:
            values.append(final)
        if node.name == "call" and rest:
            shown = f"non-function {rest[0]} of type {goformat.type_name(values[0])}"
            raise self.fail(command, f"error calling call: {shown}")
        arguments = [None if value is ABSENT else value for value in values]
        function, least, most = FUNCTIONS[node.name]
        if len(arguments) < least or (most is not None and len(arguments) > most):
            wanted = f"at least {least}" if most is None else str(least)
            raise self.fail(node, f"wrong number of args for {node.name}: want {wanted} got {len(arguments)}")
        if node.name in TAKES_STRING and not isinstance(arguments[0], str):
            raise self.not_a_string(rest[0] if rest else command, values[0])
        try:
            return function(*arguments)
        except FunctionError as error:
            raise self.fail(node if not rest else command, f"error calling {node.name}: {error}") from None

    def not_a_string(self, node: Node, value: Any) -> TemplateError:
        if isinstance(node, Literal):
            problem = "cannot assign nil to string" if value is None else f"expected string; found {node}"
        elif value is ABSENT or value is None:
            problem = "invalid value; expected string"
        else:
            problem = f"wrong type for value; expected string; got {goformat.type_name(value)}"
        return self.fail(node, problem)

    def logic(self, node: Function, rest: list[Node], dot: Any, variables: list[tuple[str, Any]], final: Any) -> Any:
        """and, or: only as many operands are evaluated as needed."""
        if not rest and final is _NOTHING:
            raise self.fail(node, f"wrong number of args for {node.name}: want at least 1 got 0")
        value: Any = None
        for operand in rest:
            value = self.value(operand, dot, variables)
            if truth(None if value is ABSENT else value) == (node.name == "or"):
                return value
        return value if final is _NOTHING else final

    def value(self, node: Node, dot: Any, variables: list[tuple[str, Any]]) -> Any:
        if isinstance(node, Dot):
            return dot
        if isinstance(node, Field):
            return self.fields(node, dot, node.names)
        if isinstance(node, Variable):
            found = next((value for name, value in reversed(variables) if name == node.name), None)
            return self.fields(node, found, node.names)
        if isinstance(node, Chain):
            return self.fields(node, self.value(node.node, dot, variables), node.names)
        if isinstance(node, Literal):
            if isinstance(node.value, Int) and not -(1 << 63) <= node.value < 1 << 63:
                raise self.fail(node, f"{node.text} overflows int")
            return node.value
        if isinstance(node, Pipeline):
            return self.pipeline(node, dot, variables)
        assert isinstance(node, Function)
        return self.function(node, Command(node.position, (node,)), [], dot, variables, _NOTHING)

    def fields(self, node: Node, value: Any, names: tuple[str, ...]) -> Any:
        for name in names:
            if isinstance(value, dict):
                if name not in value and not self.missing_ok:
                    raise self.fail(node, f"map has no entry for key {gotext.quoted(name)}")
                value = value.get(name, ABSENT)
            elif value is ABSENT:
                continue
            elif value is None:
                raise self.fail(node, f"nil pointer evaluating interface {{}}.{name}")
            else:
                kind = "int" if isinstance(value, Int) else "interface {}"
                raise self.fail(node, f"can't evaluate field {name} in type {kind}")
        return value


_NOTHING: Any = object()
