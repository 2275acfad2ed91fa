"""Text to checked syntax tree, by cel-expr-python; its findings told in cel-go's words.

The library is Google's C++ implementation, whose messages differ from those of the Go one in a few places; the texts
here are those of the API server. It is asked for descriptors of messages as if by protobuf's Python package, which is
stood in for, see `_without_protobuf`.

Source: github.com/google/cel-go checker/errors.go, common/error.go; cel-expr-python's py_cel_env.cc.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from minikube_py.api.cel import CompileError, declarations, syntax, wire
from minikube_py.base import errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from minikube_py.api.cel.syntax import Checked, Type

MISSING = "CEL expressions need the package cel-expr-python: pip install 'minikube-py[cel]'"
MAX_ERRORS = 100
_ERROR = re.compile(r"^ERROR: <input>:(\d+):(\d+): (.*)$", re.MULTILINE)
_OVERLOAD = re.compile(r"found no matching overload for '(.+)' applied to '\((.*)\)'")
_TYPE = re.compile(r"\b(?:net|kubernetes)\.[A-Z]\w+")
_CALL = re.compile(r"(\w+)\s*\(")
_FILE = "kpy"

Fields: TypeAlias = "dict[str, Type]"
Finding: TypeAlias = "tuple[int, int, str]"  # line and column from 1, message


class Environment:
    """Variables, messages with their fields, and functions, against which texts are checked.

    `variables`: name -> type; `messages`: a message's name -> its fields. The library takes 6 ms to learn all of Kubernetes'
    functions, so that it is told of those that a text calls; texts that call the same ones share what it has learnt.
    """

    __slots__ = ("_by_calls", "_extra", "_pool", "_variables")

    def __init__(
        self,
        variables: Mapping[str, Type],
        messages: Mapping[str, Fields] | None = None,
        functions: tuple[declarations.Overload, ...] = (),
    ) -> None:
        self._pool = _Pool(messages or {})
        self._variables = [
            {"name": name, **declarations.type_info(self._renamed(type))} for name, type in variables.items()
        ]
        self._extra = functions
        self._by_calls: dict[frozenset[str], Any] = {}

    def compile(self, text: str) -> Checked:
        """Raises CompileError with everything that is wrong with the text, each finding with the line it is in."""
        names = self._pool.names
        try:
            compiled = self._for(text).compile(_flat(text))
        except RuntimeError as error:
            raise CompileError(_told(text, str(error), {own: name for name, own in names.items()})) from None
        checked = syntax.decode(text, compiled.serialize())
        wrong = _further_findings(checked)
        if wrong:
            raise CompileError(_display(text, wrong))
        return checked

    def _for(self, text: str) -> Any:
        calls = frozenset(_CALL.findall(text)) & _function_names() | frozenset(_TYPE.findall(text))
        if calls not in self._by_calls:
            cel = _library()
            config = cel.NewEnvConfigFromYaml(_config(self._variables, calls, self._extra))
            with _WithoutProtobuf():
                self._by_calls[calls] = cel.NewEnv(self._pool if self._pool.names else None, config=config)
        return self._by_calls[calls]

    def _renamed(self, type: Type) -> Type:
        params = tuple(map(self._renamed, type.params))
        return type._replace(name=self._pool.names.get(type.name, type.name), params=params)


def objects_in(text: str) -> dict[str, Fields]:
    """The messages Object.spec{...} that a text makes, with the fields that it names; {} if it cannot be parsed.

    Any name is a field of them, and may hold anything, so that the checker is told of those that occur.
    """
    if "Object" not in text:
        return {}
    environment = _parser()
    try:
        parsed = environment.compile(_flat(text), disable_check=True)
    except RuntimeError:
        return {}
    found: dict[str, Fields] = {}
    for node in nodes(syntax.decode_parsed(parsed.serialize())):
        if isinstance(node, syntax.Struct) and node.name.startswith("Object"):
            fields = found.setdefault(node.name.replace("_", "."), {})
            fields.update({field: syntax.DYN for field, _, _ in node.entries})
    return found


@lru_cache(1)
def _parser() -> Any:
    """An environment that only parses."""
    cel = _library()
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(_config([], frozenset())))


def available() -> bool:
    from importlib.util import find_spec

    return find_spec("cel_expr_python") is not None


@lru_cache(1)
def _library() -> Any:
    """The library's module. Raises UsageError where it is not installed."""
    try:
        from cel_expr_python import cel  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise errors.UsageError(MISSING) from None
    return cel


@lru_cache(1)
def _functions() -> dict[str, list[declarations.Overload]]:
    """All functions of Kubernetes by the last part of their names, as a text calls them."""
    found: dict[str, list[declarations.Overload]] = {}
    for overload in declarations.base():
        found.setdefault(overload.function.rpartition(".")[2], []).append(overload)
    return found


@lru_cache(1)
def _function_names() -> frozenset[str]:
    return frozenset(_functions()) | frozenset(declarations.EXTENSIONS)


def _config(
    variables: list[dict[str, object]], calls: frozenset[str], more: tuple[declarations.Overload, ...] = ()
) -> str:
    """The library's configuration. It reads YAML, of which JSON is a part."""
    import json

    functions = _functions()
    overloads = [overload for name in sorted(calls) for overload in functions.get(name, ())]
    excluded = []
    if not calls.isdisjoint(("ip", "cidr")):
        overloads += declarations.read(declarations.TO_STRING)
        excluded = [{"name": "string"}]
    types = [{"name": name, "type_name": "type"} for name in sorted(calls & set(declarations.TYPE_NAMES))]
    extensions = sorted({*declarations.ALWAYS, *(declarations.EXTENSIONS[name] for name in calls & set(declarations.EXTENSIONS))})  # fmt: skip
    return json.dumps(
        {
            "name": "kubernetes",
            "extensions": [{"name": name} for name in extensions],
            "stdlib": {"exclude_functions": excluded},
            "variables": [*variables, *types],
            "functions": declarations.as_yaml([*overloads, *more]),
        }
    )


# ------------------------------------------------------------------------------------------------------- messages


class _WithoutProtobuf:
    """While an environment is made, the library imports protobuf's message factory; nothing of it is ever used.

    Importing the real one takes 200 ms, so that an empty module stands in its place unless somebody has loaded it.
    """

    _NAMES = ("google", "google.protobuf", "google.protobuf.message_factory", "google.protobuf.descriptor_pool")

    def __enter__(self) -> None:
        import sys
        from types import ModuleType

        self._added: list[str] = []
        if "google.protobuf.message_factory" in sys.modules:
            return
        for name in self._NAMES:
            if name not in sys.modules:
                module = ModuleType(name)
                module.__dict__.update(GetMessageClass=None, Default=_no_pool)
                sys.modules[name] = module
                self._added.append(name)

    def __exit__(self, *problem: object) -> None:
        import sys

        for name in self._added:
            del sys.modules[name]


def _no_pool() -> None:
    """Stands for protobuf's pool of all known messages: there is none."""
    raise LookupError


class _Description(NamedTuple):
    """What the library reads of a protobuf FileDescriptor."""

    serialized_pb: bytes


class _Pool:
    """A protobuf DescriptorPool of one file. Message names are flattened: a dot would make them nested."""

    def __init__(self, messages: Mapping[str, Fields]) -> None:
        self.names = {name: name.replace(".", "_").replace("@", "_") for name in messages}
        described = b"".join(self._message(self.names[name], fields) for name, fields in messages.items())
        imports = b"".join(
            wire.block(3, f"google/protobuf/{name}.proto") for name in ("struct", "timestamp", "duration")
        )
        self._file = _Description(wire.block(1, _FILE) + imports + described)

    def FindFileByName(self, name: str) -> _Description:
        if name != _FILE:
            raise KeyError(name)
        return self._file

    def FindFileContainingSymbol(self, name: str) -> _Description:
        if name not in self.names.values():
            raise KeyError(name)
        return self._file

    def FindMessageTypeByName(self, name: str) -> None:
        raise KeyError(name)

    def _message(self, name: str, fields: Fields) -> bytes:
        """A DescriptorProto. Option 11 lets fooBar and foo_bar stand side by side."""
        out, nested = wire.block(1, name) + wire.block(7, wire.number(11, 1)), b""
        entries: set[str] = set()
        for number, (field, type) in enumerate(fields.items(), 1):
            repeated, sort, message = self._field(type)
            entry = f"{_camel(field)}Entry"
            if type.name == "map" and entry not in entries and type.params[0].name == "string":
                _, value_sort, value_message = self._field(type.params[1], inner=True)
                key = _field_proto("key", 1, False, 9, "")
                value = _field_proto("value", 2, False, value_sort, value_message)
                nested += wire.block(3, wire.block(1, entry) + key + value + wire.block(7, wire.number(7, 1)))
                entries.add(entry)
                repeated, sort, message = True, 11, f".{name}.{entry}"
            out += _field_proto(field, number, repeated, sort, message)
        return wire.block(4, out + nested)

    def _field(self, type: Type, inner: bool = False) -> tuple[bool, int, str]:
        """(repeated, protobuf's number of the type, message): what protobuf cannot say, as lists of lists, is dynamic."""
        if type.name in _SCALARS:
            return False, _SCALARS[type.name], ""
        if type.name in self.names:
            return False, 11, f".{self.names[type.name]}"
        if type.name in ("timestamp", "duration"):
            return False, 11, f".google.protobuf.{type.name.capitalize()}"
        if type.name == "list" and not inner:
            _, sort, message = self._field(type.params[0], inner=True)
            return True, sort, message
        return False, 11, ".google.protobuf.Value"


_SCALARS = {"double": 1, "int": 3, "uint": 4, "bool": 8, "string": 9, "bytes": 12}


def _field_proto(name: str, number: int, repeated: bool, sort: int, message: str) -> bytes:
    body = wire.block(1, name) + wire.number(3, number) + wire.number(4, 3 if repeated else 1) + wire.number(5, sort)
    return wire.block(2, body + wire.block(6, message) if message else body)


def _camel(name: str) -> str:
    """The name that protobuf gives a map's entry: 'foo_bar' -> 'FooBar'."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


# --------------------------------------------------------------------------------------------------------- findings

_OBJECT_TYPE = re.compile(r"\bObject(?:\.\w+)+(?=\s*\{)")


def _flat(text: str) -> str:
    """Names of messages as the pool has them, `Object.spec{...}` as `Object_spec{...}`: just as long, so places stay."""
    if "Object." not in text:
        return text
    return _OBJECT_TYPE.sub(lambda found: found[0].replace(".", "_"), text)


def _told(text: str, raw: str, names: dict[str, str]) -> str:
    """The library's findings as cel-go reports them. `names`: flattened names of messages -> theirs."""
    found = _ERROR.findall(raw.removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]"))
    if not found:
        return raw
    lines = text.split("\n")
    findings = [
        told
        for line, column, message in found
        if (told := _go_words(message, lines[int(line) - 1], int(line), int(column), names))
    ]
    return _display(text, findings)


def _go_words(message: str, line: str, number: int, column: int, names: dict[str, str]) -> Finding | None:
    """None for what cel-go does not report: the consequences of an error that it told already."""
    if "*error*" in message:
        return None
    undeclared = re.fullmatch(r"undeclared reference to '(\w+)[\w.]*' \(in container ''\)", message)
    if undeclared:  # cel-go looks for the first part of a dotted name, and points there
        chain = re.search(r"[\w.]*$", line[: column - 1])
        start = chain.start() + 1 if chain and chain[0].startswith(f"{undeclared[1]}") else column
        return number, start, f"undeclared reference to '{undeclared[1]}' (in container '')"
    message = re.sub(r" not found in struct '.*'$", "", message)
    message = re.sub(r"\bnull_type\b", "null", message)
    for own, name in names.items():
        if own != name:
            message = re.sub(rf"\b{re.escape(own)}\b", name, message)
    select = re.fullmatch(r"expression of type '(.*)' cannot be the operand of a select operation", message)
    if select:
        return number, column, f"type '{select[1]}' does not support field selection"
    overload = _OVERLOAD.fullmatch(message)
    if overload:
        message = _no_overload(overload[1], overload[2], line, column)
    return number, column, message


def _no_overload(function: str, types: str, line: str, column: int) -> str:
    """A call on a target is told as 'list(string).(int)'; a wrong operand of && and || as a type that was expected."""
    params = _split_types(types)
    if function in ("_&&_", "_||_"):
        wrong = next((one for one in params if one not in ("bool", "dyn")), "")
        return f"expected type 'bool' but found '{wrong}'"
    called = line[: column - 1]
    if function.isidentifier() and called.endswith(f".{function}") and params:
        return f"found no matching overload for '{function}' applied to '{params[0]}.({', '.join(params[1:])})'"
    return f"found no matching overload for '{function}' applied to '({types})'"


def _split_types(types: str) -> list[str]:
    out, depth, start = [], 0, 0
    for position, letter in enumerate(types):
        depth += (letter in "(<") - (letter in ")>")
        if letter == "," and depth == 0:
            out.append(types[start:position].strip())
            start = position + 1
    return [*out, types[start:].strip()] if types else []


def _display(text: str, findings: list[Finding]) -> str:
    """(line, column from 1, message) as cel-go prints them, in the order of the text.

    A column counts code points; a wide one is pointed at with wide dots.
    """
    lines = text.split("\n")
    out = []
    for line, column, message in sorted(findings, key=lambda one: one[:2])[:MAX_ERRORS]:
        snippet = lines[line - 1].replace("\t", " ")
        dots = "".join("." if ord(letter) < 0x80 else "\uff0e" for letter in snippet[: column - 1])
        mark = "\uff3e" if ord(snippet[column - 1 : column] or " ") >= 0x80 else "^"
        out.append(f"ERROR: <input>:{line}:{column}: {message}\n | {snippet}\n | {dots}{mark}")
    if len(findings) > MAX_ERRORS:
        out.append(f"{len(findings) - MAX_ERRORS} more errors were truncated")
    return "\n".join(out)


def _further_findings(checked: Checked) -> list[Finding]:
    """What Kubernetes checks beyond types: literals of durations, times and patterns, and lists of one type.

    Source: cel-go cel/validator.go.
    """
    found: list[tuple[int, str]] = []
    for node in nodes(checked.root):
        if isinstance(node, syntax.Call):
            found += _bad_literals(checked, node)
        elif isinstance(node, syntax.ListOf):
            found += _mixed_types(checked, node.items)
        elif isinstance(node, syntax.MapOf):
            found += _mixed_types(checked, tuple(key for key, _, _ in node.entries))
            found += _mixed_types(checked, tuple(value for _, value, _ in node.entries))
    if not found:
        return []
    exempt = {id for node in nodes(checked.root) if _is_format(node) for one in nodes(node.args[0]) for id in (one.id,)}
    return [(*place(checked, id), message) for id, message in found if id not in exempt]


def _is_format(node: Any) -> bool:
    """`'%s %d'.format(['a', 1])` may mix types."""
    return isinstance(node, syntax.Call) and node.function == "format" and len(node.args) == 1


def _bad_literals(checked: Checked, call: syntax.Call) -> Iterator[tuple[int, str]]:
    literal = call.args[0] if call.args else None
    if not isinstance(literal, syntax.Const) or literal.sort != "string":
        return
    from minikube_py.api.cel import CelError, functions_text, values

    checkers = {
        "duration": values.duration_of,
        "timestamp": values.timestamp_of,
        "matches": functions_text.pattern,
    }
    if call.function not in checkers:
        return
    try:
        checkers[call.function](literal.value)
    except CelError:
        yield literal.id, f"invalid {call.function} argument"


def _mixed_types(checked: Checked, items: tuple[Any, ...]) -> Iterator[tuple[int, str]]:
    """The first item whose type is another than that of the first; even dyn fits nothing but dyn."""
    first: Type | None = None
    for item in items:
        type = checked.types.get(item.id, syntax.DYN)
        if type.name == "optional_type":
            continue
        if first is None:
            first = type
        elif first != type:
            yield item.id, f"expected type '{first}' but found '{type}'"
            return


def place(checked: Checked, id: int) -> tuple[int, int]:
    """(line, column) of a node, from 1."""
    before = checked.text[: checked.offset(id)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def nodes(node: Any) -> Iterator[Any]:
    """A node and all that are in it."""
    yield node
    for part in node:
        if isinstance(part, tuple):
            yield from _nodes_in(part)


def _nodes_in(part: tuple[Any, ...]) -> Iterator[Any]:
    if isinstance(part, (syntax.Const, syntax.Ident, syntax.Select, syntax.Call, syntax.ListOf, syntax.MapOf, syntax.Struct, syntax.Fold)):  # fmt: skip
        yield from nodes(part)
        return
    for one in part:
        if isinstance(one, tuple):
            yield from _nodes_in(one)
