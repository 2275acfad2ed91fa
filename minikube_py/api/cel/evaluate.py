"""A checked expression to its value. Each node becomes a closure once; running them counts their cost.

Source: github.com/google/cel-go interpreter/{interpretable,attributes,runtimecost}.go, k8s.io/apiserver
pkg/cel/library/cost.go (CallCost).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias

from minikube_py.api.cel import (
    CelError,
    CostExceeded,
    authorizer,
    functions,
    functions_kubernetes,
    functions_text,
    syntax,
)
from minikube_py.api.cel.functions import no_overload
from minikube_py.api.cel.schemas import unescaped
from minikube_py.api.cel.values import NO_OVERLOAD, NONE, Optional, TypeValue, cost_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.cel.syntax import Checked, Node

PER_CALL_LIMIT = 1_000_000
STRING_FACTOR, REGEX_FACTOR = 0.1, 0.25
LIST_COST, MAP_COST, STRUCT_COST = 10, 30, 40
CHECK_COST = 350_000  # an authorizer's check: two fit into an expression
EXCEEDED = "operation cancelled: actual cost limit exceeded"
FUNCTIONS = {
    **functions.FUNCTIONS,
    **functions_text.FUNCTIONS,
    **functions_kubernetes.FUNCTIONS,
    **authorizer.FUNCTIONS,
}


class Scope:
    """What names stand for while an expression runs, and what it has cost so far."""

    __slots__ = ("cost", "limit", "names")

    def __init__(self, names: dict[str, Any], limit: int = PER_CALL_LIMIT) -> None:
        self.names, self.cost, self.limit = names, 0, limit


class Message(dict[str, Any]):
    """What Object.spec{...} or JSONPatch{...} makes."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.type_name = type_name


class _Failure:
    """An error in an accumulator: all() and exists() may get over it."""

    __slots__ = ("error",)

    def __init__(self, error: CelError) -> None:
        self.error = error


Run: TypeAlias = "Callable[[Scope], Any]"


class Program:
    """An expression that is ready to run."""

    __slots__ = ("_run", "checked")

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self._run = _Builder(checked).build(checked.root)

    def run(self, scope: Scope) -> Any:
        """The value. Raises CelError, or CostExceeded; `scope.cost` is right in any case."""
        try:
            return self._run(scope)
        except RecursionError:
            raise CelError("expression recursion limit exceeded") from None

    def uses(self, name: str) -> bool:
        """Whether a variable occurs in it."""
        return any(reference.name == name for reference in self.checked.references.values())


# ------------------------------------------------------------------------------------------------------------ nodes


class _Builder:
    """Closures for the nodes of one expression."""

    def __init__(self, checked: Checked) -> None:
        self.checked = checked

    def build(self, node: Node) -> Run:
        builder: Callable[[_Builder, Any], Run] = _BUILDERS[type(node)]
        return builder(self, node)

    def const(self, node: syntax.Const) -> Run:
        from minikube_py.api.cel.values import Uint

        value = Uint(node.value) if node.sort == "uint" else node.value
        return lambda scope: value

    def ident(self, node: syntax.Ident) -> Run:
        name = self._name(node)
        type_value = TypeValue(_TYPE_NAMES.get(name, name)) if self._is_type(node) else None

        def read(scope: Scope) -> Any:
            scope.cost += 1
            try:
                value = scope.names[name]
            except KeyError:
                if type_value is None:
                    raise CelError(f"no such attribute(s): {name}") from None
                return type_value
            if type(value) is _Failure:
                raise value.error
            return value

        return read

    def _name(self, node: syntax.Ident) -> str:
        reference = self.checked.references.get(node.id)
        return reference.name if reference and reference.name else node.name

    def _is_type(self, node: syntax.Ident) -> bool:
        return self.checked.types.get(node.id, syntax.DYN).name == "type"

    def select(self, node: syntax.Select) -> Run:
        reference = self.checked.references.get(node.id)
        if reference and reference.name:  # a qualified name, as in google.protobuf.Timestamp
            return self.ident(syntax.Ident(node.id, reference.name))
        operand, field = self.build(node.operand), self._field(node)
        return _has(operand, field) if node.test else _select(operand, field)

    def _field(self, node: syntax.Select) -> str:
        """The field's name in JSON: those of messages are escaped in expressions, keys of maps are not."""
        of = self.checked.types.get(node.operand.id, syntax.DYN).name
        return node.field if of == "map" else unescaped(node.field)

    def call(self, node: syntax.Call) -> Run:
        special = _SPECIAL.get(node.function)
        if special is not None:
            run: Run = special(self, node)
            return run
        nodes = node.args if node.target is None else (node.target, *node.args)
        if node.function == "_+_" and _appends(nodes):
            return self._append(nodes)
        reference = self.checked.references.get(node.id)
        overloads = reference.overloads if reference else ()
        args = tuple(map(self.build, nodes))
        return _calling(node.function, overloads, args)

    def _append(self, nodes: tuple[Node, ...]) -> Run:
        """accumulator + [item], in place: a fold's list is nobody else's."""
        accumulator, item = self.build(nodes[0]), self.build(nodes[1])

        def append(scope: Scope) -> Any:
            items = accumulator(scope)
            items.extend(item(scope))
            _charge(scope, 1)
            return items

        return append

    def list(self, node: syntax.ListOf) -> Run:
        items = tuple(map(self.build, node.items))
        optional = node.optional

        def make(scope: Scope) -> list[Any]:
            scope.cost += LIST_COST
            if not optional:
                return [item(scope) for item in items]
            out = []
            for index, item in enumerate(items):
                value = item(scope)
                if index not in optional:
                    out.append(value)
                elif value.present:
                    out.append(value.value)
            return out

        return make

    def map(self, node: syntax.MapOf) -> Run:
        entries = tuple((self.build(key), self.build(value), optional) for key, value, optional in node.entries)

        def make(scope: Scope) -> dict[Any, Any]:
            scope.cost += MAP_COST
            out: dict[Any, Any] = {}
            for key_of, value_of, optional in entries:
                key = functions.key_of(key_of(scope))
                if key in out:
                    raise CelError(f"insert failed: key {functions.shown(key)} already exists")
                _put(out, key, value_of(scope), optional)
            return out

        return make

    def struct(self, node: syntax.Struct) -> Run:
        entries = tuple((unescaped(field), self.build(value), optional) for field, value, optional in node.entries)
        name = _message_name(node.name)

        def make(scope: Scope) -> Message:
            scope.cost += STRUCT_COST
            out: dict[str, Any] = {}
            for field, value_of, optional in entries:
                _put(out, field, value_of(scope), optional)
            return Message(name, out)

        return make

    def fold(self, node: syntax.Fold) -> Run:
        many, start = self.build(node.range), self.build(node.start)
        condition, step, result = self.build(node.condition), self.build(node.step), self.build(node.result)
        names = (node.variable, node.second, node.accumulator)
        endless = isinstance(node.condition, syntax.Const) and node.condition.value is True

        def run(scope: Scope) -> Any:
            pairs = _pairs(many(scope), bool(node.second))
            before = {name: scope.names[name] for name in names if name in scope.names}
            initial = start(scope)
            scope.names[node.accumulator] = initial
            try:
                for first, second in pairs:
                    scope.names[node.variable] = first
                    if node.second:
                        scope.names[node.second] = second
                    if not endless and not condition(scope):
                        break
                    _advance(scope, step, node.accumulator)
                    if scope.cost > scope.limit:
                        raise CostExceeded(EXCEEDED)
                for name in (node.variable, node.second):
                    scope.names.pop(name, None)
                    if name in before:
                        scope.names[name] = before[name]
                return result(scope)
            finally:
                for name in names:
                    scope.names.pop(name, None)
                scope.names.update(before)

        return run

    # -- calls that do not evaluate all of their arguments, or not before they are called

    def conjunction(self, node: syntax.Call) -> Run:
        return self._logical(node, False)

    def disjunction(self, node: syntax.Call) -> Run:
        return self._logical(node, True)

    def _logical(self, node: syntax.Call, decisive: bool) -> Run:
        """&& and ||: one operand may decide even if the other one fails."""
        left, right = self.build(node.args[0]), self.build(node.args[1])

        def run(scope: Scope) -> Any:
            problem: CelError | None = None
            try:
                value = left(scope)
                if value is decisive:
                    return decisive
                if value is not (not decisive):
                    problem = no_overload()
            except CostExceeded:
                raise
            except CelError as error:
                problem = error
            try:
                value = right(scope)
            except CostExceeded:
                raise
            except CelError as error:
                raise problem or error from None
            if value is decisive:
                return decisive
            if problem is not None:
                raise problem
            if value is not (not decisive):
                raise no_overload()
            return not decisive

        return run

    def conditional(self, node: syntax.Call) -> Run:
        test, yes, no = (self.build(one) for one in node.args)

        def run(scope: Scope) -> Any:
            value = test(scope)
            if value is True:
                return yes(scope)
            if value is False:
                return no(scope)
            raise no_overload()

        return run

    def not_strictly_false(self, node: syntax.Call) -> Run:
        inner = self.build(node.args[0])

        def run(scope: Scope) -> bool:
            try:
                return inner(scope) is not False
            except CostExceeded:
                raise
            except CelError:
                return True

        return run

    def optional_select(self, node: syntax.Call) -> Run:
        """operand.?field."""
        field = node.args[1]
        assert isinstance(field, syntax.Const)
        operand = self.build(node.args[0])
        name = self._field(syntax.Select(node.id, node.args[0], field.value, False))

        def run(scope: Scope) -> Optional:
            scope.cost += 1
            value = operand(scope)
            if isinstance(value, Optional):
                if not value.present:
                    return NONE
                value = value.value
            return Optional(value[name]) if isinstance(value, dict) and name in value else NONE

        return run

    def optional_or(self, node: syntax.Call) -> Run:
        """a.or(b) and a.orValue(b): b is looked at only where it is needed."""
        assert node.target is not None
        optional, other = self.build(node.target), self.build(node.args[0])
        whole = node.function == "or"

        def run(scope: Scope) -> Any:
            value = optional(scope)
            if not isinstance(value, Optional):
                raise no_overload()
            if not value.present:
                return other(scope)
            return value if whole else value.value

        return run


_BUILDERS: dict[type, Any] = {
    syntax.Const: _Builder.const,
    syntax.Ident: _Builder.ident,
    syntax.Select: _Builder.select,
    syntax.Call: _Builder.call,
    syntax.ListOf: _Builder.list,
    syntax.MapOf: _Builder.map,
    syntax.Struct: _Builder.struct,
    syntax.Fold: _Builder.fold,
}
_SPECIAL: dict[str, Any] = {
    "_&&_": _Builder.conjunction,
    "_||_": _Builder.disjunction,
    "_?_:_": _Builder.conditional,
    "@not_strictly_false": _Builder.not_strictly_false,
    "_?._": _Builder.optional_select,
    "or": _Builder.optional_or,
    "orValue": _Builder.optional_or,
}
_TYPE_NAMES = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}


def _select(operand: Run, field: str) -> Run:
    def read(scope: Scope) -> Any:
        value = operand(scope)
        scope.cost += 1
        if isinstance(value, dict):
            try:
                return value[field]
            except KeyError:
                pass
        elif isinstance(value, Optional):
            inner = value.value
            return Optional(inner[field]) if value.present and isinstance(inner, dict) and field in inner else NONE
        raise CelError(f"no such key: {field}")

    return read


def _has(operand: Run, field: str) -> Run:
    def read(scope: Scope) -> bool:
        value = operand(scope)
        if isinstance(value, Optional):
            value = value.value
        return isinstance(value, dict) and field in value

    return read


def _put(out: dict[Any, Any], key: Any, value: Any, optional: bool) -> None:
    if not optional:
        out[key] = value
    elif value.present:
        out[key] = value.value


def _message_name(name: str) -> str:
    """Flattened for the checker, see frontend._flat."""
    return name.replace("_", ".") if name.startswith("Object_") else name


def _appends(nodes: tuple[Node, ...]) -> bool:
    first, second = nodes
    return isinstance(first, syntax.Ident) and first.name == "@result" and isinstance(second, syntax.ListOf)


def _pairs(many: Any, two: bool) -> list[tuple[Any, Any]]:
    """What the variables of a fold stand for in turn: an item, or a key; with two, index and item, or key and value."""
    if isinstance(many, list):
        return list(enumerate(many)) if two else [(one, None) for one in many]
    if isinstance(many, dict):
        return list(many.items()) if two else [(key, None) for key in many]
    raise CelError(NO_OVERLOAD)


def _advance(scope: Scope, step: Run, accumulator: str) -> None:
    try:
        value = step(scope)
    except CostExceeded:
        raise
    except CelError as error:
        value = _Failure(error)
    scope.names[accumulator] = value


def _charge(scope: Scope, cost: int) -> None:
    scope.cost += cost
    if scope.cost > scope.limit:
        raise CostExceeded(EXCEEDED)


def _calling(name: str, overloads: tuple[str, ...], args: tuple[Run, ...]) -> Run:
    function = FUNCTIONS[name]
    cost_of = _cost_of(name, overloads)
    if cost_of is None and len(args) == 2:
        left, right = args

        def call_two(scope: Scope) -> Any:
            result = _apply(function, (left(scope), right(scope)))
            _charge(scope, 1)
            return result

        return call_two

    def call(scope: Scope) -> Any:
        given = tuple([arg(scope) for arg in args])
        result = _apply(function, given)
        _charge(scope, cost_of(given, result) if cost_of is not None else 1)
        return result

    return call


def _apply(function: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    """A value of a type that no overload has shows as a TypeError or AttributeError of the function."""
    try:
        return function(*given)
    except (TypeError, AttributeError):
        raise no_overload() from None


# ------------------------------------------------------------------------------------------------------------- cost

CostOf: TypeAlias = "Callable[[tuple[Any, ...], Any], int]"


def _cost_of(name: str, overloads: tuple[str, ...]) -> CostOf | None:
    """What a call costs beyond its arguments; None: 1."""
    if name == "ip" and overloads == ("cidr_ip",):
        return None
    return _COSTS.get(name)


def _traversal(factor: float, which: int = 0) -> CostOf:
    return lambda given, result: ceil(cost_size(given[which]) * factor)


def _compared(given: tuple[Any, ...], result: Any) -> int:
    return ceil(min(cost_size(given[0]), cost_size(given[1])) * STRING_FACTOR)


def _added(given: tuple[Any, ...], result: Any) -> int:
    """Joining strings copies both; lists are joined at no cost."""
    if isinstance(result, (str, bytes)):
        return ceil((cost_size(given[0]) + cost_size(given[1])) * STRING_FACTOR)
    return 1


def _searched(given: tuple[Any, ...], result: Any) -> int:
    text = ceil((1.0 + cost_size(given[0])) * STRING_FACTOR)
    return text * ceil(cost_size(given[1]) * REGEX_FACTOR)


def _contained(given: tuple[Any, ...], result: Any) -> int:
    return ceil(cost_size(given[0]) * STRING_FACTOR) * ceil(cost_size(given[1]) * STRING_FACTOR)


def _whole(given: tuple[Any, ...], result: Any) -> int:
    return tree_cost(given[0])


def tree_cost(value: Any) -> int:
    """What it costs to walk through a value."""
    if isinstance(value, (str, bytes)):
        return int(len(value) * STRING_FACTOR)
    if isinstance(value, list):
        return sum(map(tree_cost, value))
    if isinstance(value, dict):
        return sum(tree_cost(key) + tree_cost(one) for key, one in value.items())
    return 1


def _in(given: tuple[Any, ...], result: Any) -> int:
    return cost_size(given[1]) if isinstance(given[1], list) else 1


def _validated(given: tuple[Any, ...], result: Any) -> int:
    """Against a named format, taken for a regular expression of 60 letters."""
    return ceil((1.0 + cost_size(given[1])) * STRING_FACTOR) * ceil(60 * REGEX_FACTOR)


def _networks(given: tuple[Any, ...], result: Any) -> int:
    return ceil(2 * STRING_FACTOR) + (ceil(cost_size(given[1]) * STRING_FACTOR) if isinstance(given[1], str) else 0)


def _selector(given: tuple[Any, ...], result: Any) -> int:
    """A selector is parsed into requirements, at least two letters each."""
    size = cost_size(given[1])
    return LIST_COST + ceil(size * STRING_FACTOR) + ceil(size * 0.5) * (LIST_COST + STRUCT_COST)


_COSTS: dict[str, CostOf] = {
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"), _compared),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _whole),
    **dict.fromkeys(
        (
            "startsWith", "endsWith", "bytes", "string", "strings.quote", "format", "url", "lowerAscii", "upperAscii",
            "substring", "trim", "jsonpatch.escapeKey", "cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity",
            "semver", "isSemver",
        ),
        _traversal(STRING_FACTOR),
    ),
    **dict.fromkeys(("replace", "split", "ip.isCanonical"), _traversal(2 * STRING_FACTOR)),
    **dict.fromkeys(("find", "findAll", "matches"), _searched),
    "_+_": _added,
    "@in": _in,
    "contains": _contained,
    "join": lambda given, result: ceil(cost_size(result) * 2 * STRING_FACTOR),
    "validate": _validated,
    "containsIP": _networks,
    "containsCIDR": lambda given, result: _networks(given, result) + ceil(STRING_FACTOR) + 1,
    "check": lambda given, result: CHECK_COST,
    "fieldSelector": _selector,
    "labelSelector": _selector,
    "dyn": lambda given, result: 1,
}  # fmt: skip
