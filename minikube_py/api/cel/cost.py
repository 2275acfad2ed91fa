"""The least and the most that a checked expression may cost, by the bounds of its variables' schemas.

Sizes and costs are pairs (least, most); what has no bound is taken to be as large as a 64-bit number can be.

    self.items.all(x, x.size() < 5), at most 10 items: 10 * (what one turn costs) + ...

Source: github.com/google/cel-go checker/cost.go, k8s.io/apiserver pkg/cel/library/cost.go (EstimateCallCost).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from minikube_py.api.cel import syntax
from minikube_py.api.cel.evaluate import CHECK_COST, LIST_COST, MAP_COST, REGEX_FACTOR, STRING_FACTOR, STRUCT_COST

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.cel.schemas import DeclType
    from minikube_py.api.cel.syntax import Checked, Node, Type

MOST = (1 << 64) - 1
FORMAT_REGEX_SIZE = 128
Path: TypeAlias = "tuple[str, ...]"


class Range(NamedTuple):
    """From `least` to `most`, of a size or of a cost."""

    least: int
    most: int

    def plus(self, other: Range) -> Range:
        return Range(min(self.least + other.least, MOST), min(self.most + other.most, MOST))

    def times(self, other: Range) -> Range:
        return Range(min(self.least * other.least, MOST), min(self.most * other.most, MOST))

    def scaled(self, factor: float) -> Range:
        return Range(_scaled(self.least, factor), _scaled(self.most, factor))

    def union(self, other: Range) -> Range:
        return Range(min(self.least, other.least), max(self.most, other.most))


def _scaled(number: int, factor: float) -> int:
    product = float(number) * factor
    return MOST if product >= float(1 << 64) else min(ceil(product), MOST)


def fixed(number: int) -> Range:
    return Range(number, number)


UNKNOWN = Range(0, MOST)
_ZERO, _ONE = fixed(0), fixed(1)


class Entries(NamedTuple):
    """How large the keys and the values of a list or map can be."""

    container: str
    key: Range
    value: Range


class _Local(NamedTuple):
    """A variable of a macro."""

    path: Path
    size: Range | None
    entries: Entries | None


class _Place(NamedTuple):
    """A node as the costs of functions see it: where it comes from, of what type and size it is."""

    path: Path
    type: Type
    size: Range | None
    node: Node | None


class _Call(NamedTuple):
    """A call whose cost is asked for."""

    function: str
    overload: str
    target: _Place | None
    args: tuple[_Place, ...]


def most(checked: Checked, root: DeclType, name: str = "self") -> int:
    """The most that an expression may cost; `root` is the type of the variable `name`, and of its old value."""
    return _Estimate(checked, root).cost(checked.root).most


class _Estimate:
    def __init__(self, checked: Checked, root: DeclType) -> None:
        self.checked, self.root = checked, root
        self.paths: dict[int, Path] = {}
        self.sizes: dict[int, Range] = {}
        self.entries: dict[int, Entries] = {}
        self.locals: dict[str, list[_Local]] = {}

    def cost(self, node: Node) -> Range:
        match node:
            case syntax.Const():
                return _ZERO
            case syntax.Ident():
                local = self._local(node.name)
                self.paths[node.id] = local.path if local else (node.name,)
                return _ONE
            case syntax.Select():
                return self._select(node)
            case syntax.Call():
                return self._call(node)
            case syntax.ListOf():
                return self._list(node)
            case syntax.MapOf():
                return self._map(node)
            case syntax.Struct():
                return _sum(self.cost(value) for _, value, _ in node.entries).plus(fixed(STRUCT_COST))
            case syntax.Fold():
                return self._bind(node) if _is_bind(node) else self._fold(node)

    # -- nodes

    def _select(self, node: syntax.Select) -> Range:
        total = self.cost(node.operand)
        if node.test:
            return total
        name = self._type(node.operand).name
        if name == "map" or (name not in _NO_STRUCTS and "optional" not in name):
            total = total.plus(_ONE)
        self.paths[node.id] = (*self._path(node.operand), node.field)
        return total

    def _call(self, node: syntax.Call) -> Range:
        if node.function == "dyn":
            total = self.cost(node.args[0]).plus(_ONE)
            self._copy(node, node.args[0])
            return total
        costs = [self.cost(arg) for arg in node.args]
        args = tuple(map(self._place, node.args))
        reference = self.checked.references.get(node.id)
        if reference is None or not reference.overloads:
            return _ZERO
        total, target = _ZERO, None
        if node.target is not None:
            total, target = self.cost(node.target), self._place(node.target)
        found, size = Range(MOST, 0), None
        for overload in reference.overloads:
            own, result = self._function(node, _Call(node.function, overload, target, args), costs)
            found = found.union(own)
            size = result if size is None else size.union(result) if result else size
            if overload in ("index_list", "index_map"):
                entries = self._entries(node.args[0])
                size = entries.value if entries else None
                part = "@items" if overload == "index_list" else "@values"
                self.paths[node.id] = (*self._path(node.args[0]), part)
            if size is None:
                size = self._size(node)
        if size is not None:
            self.sizes[node.id] = size
        return total.plus(found)

    def _list(self, node: syntax.ListOf) -> Range:
        total = _sum(map(self.cost, node.items))
        self.entries[node.id] = Entries("list", _ONE, self._union(node.items))
        return total.plus(fixed(LIST_COST))

    def _map(self, node: syntax.MapOf) -> Range:
        keys, many = [key for key, _, _ in node.entries], [value for _, value, _ in node.entries]
        total = _sum(map(self.cost, [*keys, *many]))
        self.entries[node.id] = Entries("map", self._union(keys), self._union(many))
        return total.plus(fixed(MAP_COST))

    def _union(self, nodes: Any) -> Range:
        found = Range(MOST, 0) if nodes else Range(0, 0)
        for node in nodes:
            found = found.union(self._size(node) or UNKNOWN)
        return found

    def _fold(self, node: syntax.Fold) -> Range:
        total = self.cost(node.range).plus(self.cost(node.start))
        self._push(node.accumulator, _Local(self._path(node.start), self._size(node.start), self._entries(node.start)))
        self._push_variables(node)
        turn = self.cost(node.step).plus(self.cost(node.condition))
        step_entries = self._entries(node.step)
        for name in filter(None, (node.variable, node.second)):
            self.locals[name].pop()
        total = total.plus(self.cost(node.result))
        self.locals[node.accumulator].pop()
        count = self._size(node.range) or UNKNOWN
        if isinstance(node.start, syntax.Const):
            start = self._size(node.start)
            if start:
                self.sizes[node.id] = start
        elif isinstance(node.start, (syntax.ListOf, syntax.MapOf)):
            self.sizes[node.id] = count
            if step_entries:
                self.entries[node.id] = step_entries
        return total.plus(count.times(turn))

    def _push_variables(self, node: syntax.Fold) -> None:
        entries, path = self._entries(node.range), self._path(node.range)
        is_list = (entries.container if entries else self._type(node.range).name) == "list"
        key, value = (entries.key, entries.value) if entries else (None, None)
        if node.second:
            self._push(node.variable, _Local((*path, "@indices" if is_list else "@keys"), key, None))
            self._push(node.second, _Local((*path, "@items" if is_list else "@values"), value, None))
        else:
            self._push(
                node.variable, _Local((*path, "@items" if is_list else "@keys"), value if is_list else key, None)
            )

    def _bind(self, node: syntax.Fold) -> Range:
        total = self.cost(node.range).plus(self.cost(node.start))
        self._push(node.accumulator, _Local(self._path(node.start), self._size(node.start), self._entries(node.start)))
        total = total.plus(self.cost(node.result))
        self.locals[node.accumulator].pop()
        self._copy(node, node.result)
        return total

    # -- what is known of nodes

    def _push(self, name: str, local: _Local) -> None:
        self.locals.setdefault(name, []).append(local)

    def _local(self, name: str) -> _Local | None:
        stack = self.locals.get(name)
        return stack[-1] if stack else None

    def _copy(self, to: Node, of: Node) -> None:
        size, entries = self._size(of), self._entries(of)
        if size is not None:
            self.sizes[to.id] = size
        if entries is not None:
            self.entries[to.id] = entries

    def _type(self, node: Node) -> Type:
        return self.checked.types.get(node.id, syntax.DYN)

    def _path(self, node: Node) -> Path:
        local = self._local(node.name) if isinstance(node, syntax.Ident) else None
        return local.path if local else self.paths.get(node.id, ())

    def _place(self, node: Node) -> _Place:
        path = self._path(node)
        if path and path[0].startswith("@result"):
            path = ()
        return _Place(path, self._type(node), self._size(node), node)

    def _entries(self, node: Node | None) -> Entries | None:
        if node is None:
            return None
        if node.id in self.entries:
            return self.entries[node.id]
        local = self._local(node.name) if isinstance(node, syntax.Ident) else None
        return local.entries if local else None

    def _size(self, node: Node) -> Range | None:
        if node.id in self.sizes:
            return self.sizes[node.id]
        written = _written_size(node)
        if written is not None:
            return fixed(written)
        bound = self._bound(self._path(node))
        if bound is not None:
            self.sizes[node.id] = bound
            return bound
        if _is_scalar(self._type(node)):
            return _ONE
        local = self._local(node.name) if isinstance(node, syntax.Ident) else None
        return local.size if local else None

    def _bound(self, path: Path) -> Range | None:
        """What the schema says of the size of what is found along a path, whose first part is the variable."""
        if not path:
            return None
        current: DeclType | None = self.root
        for part in path[1:]:
            if part in ("@items", "@values"):
                current = current.element if current else None
            elif part == "@keys":
                return Range(0, 0) if current and current.element and current.type.name == "map" else None
            else:
                current = (current.fields or {}).get(part) if current else None
            if current is None:
                return None
        return Range(0, current.most) if current else None

    def _place_size(self, place: _Place) -> Range:
        if place.size is not None:
            return place.size
        return self._bound(place.path) or UNKNOWN

    # -- functions

    def _function(self, node: syntax.Call, call: _Call, costs: list[Range]) -> tuple[Range, Range | None]:
        """(cost, size of the result if it has one)"""
        special = _KUBERNETES.get(call.function)
        found = special(self, call) if special else None
        given = _sum(costs)
        if found is not None:
            return found[0].plus(given), found[1]
        standard = _STANDARD.get(call.overload)
        if standard is not None:
            own, size = standard(self, node, call)
            return own.plus(given), size
        match call.overload:
            case "logical_or" | "logical_and":
                return Range(costs[0].least, costs[0].plus(costs[1]).most), None
            case "conditional":
                return costs[0].plus(costs[1].union(costs[2])), self._either(node, call)
        return _ONE.plus(given), None

    def _either(self, node: syntax.Call, call: _Call) -> Range:
        """The size of what a ternary gives."""
        one, other = self._entries(call.args[1].node), self._entries(call.args[2].node)
        if one and other:
            self.entries[node.id] = Entries(one.container, one.key.union(other.key), one.value.union(other.value))
        return (call.args[1].size or UNKNOWN).union(call.args[2].size or UNKNOWN)

    def element(self, place: _Place) -> _Place | None:
        """The items of a list."""
        if not place.type.params:
            return None
        return _Place((*place.path, "@items") if place.path else (), place.type.params[0], None, None)


Costed: TypeAlias = "tuple[Range, Range | None] | None"
_NO_STRUCTS = frozenset({
    "dyn", "null_type", "bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration", "list", "type", "any",
})  # fmt: skip


def _sum(costs: Any) -> Range:
    total = _ZERO
    for one in costs:
        total = total.plus(one)
    return total


def _is_bind(node: syntax.Fold) -> bool:
    return (
        isinstance(node.range, syntax.ListOf)
        and not node.range.items
        and isinstance(node.condition, syntax.Const)
        and node.condition.value is False
        and node.accumulator not in ("@result", "__result__")
    )


def _is_scalar(type: Type) -> bool:
    if type.name == "optional_type":
        return _is_scalar(type.params[0])
    return type.name in ("bool", "double", "duration", "int", "timestamp", "uint")


def _written_size(node: Node) -> int | None:
    """The size of a literal."""
    if isinstance(node, syntax.Const):
        return len(node.value) if node.sort in ("string", "bytes") else 1
    if isinstance(node, syntax.ListOf):
        return len(node.items)
    return len(node.entries) if isinstance(node, syntax.MapOf) else None


# -- Kubernetes' functions: (estimate, call) -> (cost without the arguments', size of the result)


def _constant(cost: int) -> Callable[[_Estimate, _Call], Costed]:
    return lambda estimate, call: (fixed(cost), None)


def _traversal(of_target: bool, factor: float, same_size: bool = False) -> Callable[[_Estimate, _Call], Costed]:
    def traversal(estimate: _Estimate, call: _Call) -> Costed:
        place = call.target if of_target else call.args[0] if call.args else None
        if place is None:
            return None
        size = estimate._place_size(place)
        return size.scaled(factor), size if same_size else None

    return traversal


def _selector(estimate: _Estimate, call: _Call) -> Costed:
    size = estimate._place_size(call.args[0])
    requirements = size.scaled(0.5).scaled(LIST_COST + STRUCT_COST)
    return fixed(LIST_COST).plus(size.scaled(STRING_FACTOR)).plus(requirements), None


def _each_item(estimate: _Estimate, call: _Call) -> Costed:
    """sum, min, indexOf, ... look at each item once; at strings in their length."""
    if call.target is None:
        return None
    item = estimate.element(call.target)
    size = estimate._place_size(call.target)
    if item is None:
        return size.scaled(STRING_FACTOR), None
    one = _ONE
    if item.type.name in ("string", "bytes"):
        one = one.plus(estimate._place_size(item).scaled(STRING_FACTOR))
    return size.times(one), None


def _replace(estimate: _Estimate, call: _Call) -> Costed:
    if call.target is None or len(call.args) < 2:
        return None
    size, old, new = (estimate._place_size(one) for one in (call.target, *call.args[:2]))
    longest = _replaced(size.most, old.least, new.most, grows=True)
    shortest = _replaced(size.least, old.most, new.least, grows=False)
    return size.scaled(2 * STRING_FACTOR), Range(shortest, longest)


def _replaced(size: int, old: int, new: int, grows: bool) -> int:
    """The length of the result if as much, or as little, as possible is put in. An empty text is found everywhere."""
    if old == 0:
        return min((min(size + 1, MOST)) * new + size, MOST)
    if (new <= old) if grows else (old <= new):
        return size
    return min(ceil(size / old) * new, MOST)


def _split(estimate: _Estimate, call: _Call) -> Costed:
    if call.target is None:
        return None
    size = estimate._place_size(call.target)
    limit = call.args[1].node if len(call.args) > 1 else None
    count = limit.value if isinstance(limit, syntax.Const) else size.most
    return size.scaled(2 * STRING_FACTOR), Range(0, count)


def _join(estimate: _Estimate, call: _Call) -> Costed:
    if call.target is None:
        return None
    count, item = estimate._place_size(call.target), estimate.element(call.target)
    size = count.times(estimate._place_size(item)) if item else _ZERO
    if call.args:
        between = Range(max(count.least - 1, 0), max(count.most - 1, 0))
        size = size.plus(estimate._place_size(call.args[0]).times(between))
    return size.scaled(STRING_FACTOR), size


def _searched(estimate: _Estimate, call: _Call) -> Costed:
    if call.target is None or not call.args:
        return None
    size = estimate._place_size(call.target)
    text = size.plus(_ONE).scaled(STRING_FACTOR)
    return text.times(estimate._place_size(call.args[0]).scaled(REGEX_FACTOR)), Range(0, size.most)


def _address(estimate: _Estimate, call: _Call) -> Costed:
    if call.overload == "cidr_ip":
        return _ONE, None
    return _traversal(False, STRING_FACTOR)(estimate, call)


def _within(extra: bool) -> Callable[[_Estimate, _Call], Costed]:
    """containsIP and containsCIDR compare 4 to 16 bytes twice; a text is parsed before."""

    def within(estimate: _Estimate, call: _Call) -> Costed:
        size = Range(4, 16)
        cost = size.plus(size).scaled(STRING_FACTOR)
        if extra:
            cost = cost.plus(size.scaled(STRING_FACTOR)).plus(_ONE)
        if call.overload.endswith("_string"):
            cost = cost.plus(estimate._place_size(call.args[0]).scaled(STRING_FACTOR))
        return cost, None

    return within


def _validated(estimate: _Estimate, call: _Call) -> Costed:
    size = estimate._place_size(call.args[0])
    return size.scaled(STRING_FACTOR).scaled(FORMAT_REGEX_SIZE * REGEX_FACTOR), None


def _opaque_equality(estimate: _Estimate, call: _Call) -> Costed:
    one, other = (place.type for place in call.args)
    return (_ONE, None) if one == other and one.name.startswith(("kubernetes.", "net.")) else None


_KUBERNETES: dict[str, Callable[[_Estimate, _Call], Costed]] = {
    "check": _constant(CHECK_COST),
    **dict.fromkeys(
        (
            "serviceAccount", "path", "group", "resource", "subresource", "namespace", "name", "allowed", "reason",
            "error", "errored", "masked", "prefixLength", "family", "isUnspecified", "isLoopback",
            "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast", "format.named", "sign", "asInteger",
            "isInteger", "asApproximateFloat", "isGreaterThan", "isLessThan", "compareTo", "add", "sub", "major",
            "minor", "patch", "getScheme", "getHostname", "getHost", "getPort", "getEscapedPath", "getQuery",
        ),
        _constant(1),
    ),
    **dict.fromkeys(("fieldSelector", "labelSelector"), _selector),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _each_item),
    **dict.fromkeys(("url", "jsonpatch.escapeKey"), _traversal(False, STRING_FACTOR, same_size=True)),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _traversal(True, STRING_FACTOR, same_size=True)),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _traversal(False, STRING_FACTOR)),
    "ip.isCanonical": _traversal(False, 2 * STRING_FACTOR),
    "ip": _address,
    "replace": _replace,
    "split": _split,
    "join": _join,
    **dict.fromkeys(("find", "findAll"), _searched),
    "containsIP": _within(extra=False),
    "containsCIDR": _within(extra=True),
    "validate": _validated,
    "_==_": _opaque_equality,
}  # fmt: skip


# -- standard functions by overload: (estimate, node, call) -> the same


def _size_of(place: _Place | None) -> Range:
    return place.size if place is not None and place.size is not None else UNKNOWN


def _linear(argument: int, least_factor: float = 0, most_factor: int = 0, extra: int = 0) -> Any:
    """The length of an argument (-1: the target) once through; sizes of results by factors of it."""

    def linear(estimate: _Estimate, node: syntax.Call, call: _Call) -> tuple[Range, Range | None]:
        size = _size_of(call.target if argument < 0 else call.args[argument])
        result = Range(int(size.least * least_factor) + extra, min(size.most * most_factor + extra, MOST))
        return size.scaled(STRING_FACTOR), result if most_factor else None

    return linear


def _in_list(estimate: _Estimate, node: syntax.Call, call: _Call) -> tuple[Range, Range | None]:
    return _size_of(call.args[1]).scaled(1), None


def _matches(estimate: _Estimate, node: syntax.Call, call: _Call) -> tuple[Range, Range | None]:
    if call.target is None:
        return _ONE, None
    text = _size_of(call.target).plus(_ONE).scaled(STRING_FACTOR)
    return text.times(_size_of(call.args[0]).scaled(REGEX_FACTOR)), None


def _contains(estimate: _Estimate, node: syntax.Call, call: _Call) -> tuple[Range, Range | None]:
    text = _size_of(call.target).scaled(STRING_FACTOR)
    return text.times(_size_of(call.args[0]).scaled(STRING_FACTOR)), None


def _concatenated(estimate: _Estimate, node: syntax.Call, call: _Call) -> tuple[Range, Range | None]:
    size = _size_of(call.args[0]).plus(_size_of(call.args[1]))
    one, other = estimate._entries(call.args[0].node), estimate._entries(call.args[1].node)
    if one and other:
        estimate.entries[node.id] = Entries(one.container, one.key.union(other.key), one.value.union(other.value))
    return (_ONE if call.overload == "add_list" else size.scaled(STRING_FACTOR)), size


def _compared(estimate: _Estimate, node: syntax.Call, call: _Call) -> tuple[Range, Range | None]:
    most = min(_size_of(call.args[0]).most, _size_of(call.args[1]).most)
    return Range(1 if most else 0, most).scaled(STRING_FACTOR), None


_ORDERS = ("less", "greater", "less_equals", "greater_equals")
_STANDARD: dict[str, Any] = {
    "string_format": _linear(-1),
    "string_to_bytes": _linear(0, 1, 4),
    "bytes_to_string": _linear(0, 0.25, 1),
    "strings_quote": _linear(0, 1, 2, extra=2),
    "starts_with_string": _linear(0),
    "ends_with_string": _linear(0),
    "in_list": _in_list,
    "matches_string": _matches,
    "matches": _matches,
    "contains_string": _contains,
    **dict.fromkeys(("add_string", "add_bytes", "add_list"), _concatenated),
    **dict.fromkeys(("equals", "not_equals"), _compared),
    **{f"{order}_{kind}": _compared for order in _ORDERS for kind in ("string", "bytes")},
}
