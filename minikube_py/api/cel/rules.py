"""x-kubernetes-validations: the rules in a CustomResourceDefinition's schema, compiled and applied to objects.

A `Node` is a place in the schema at or below which rules stand; its rules are compiled when the first value is checked,
so that an object pays for the rules about what it has.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/cel/{compilation,validation}.go,
pkg/apis/apiextensions/validation/{validation,cel_validation}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.cel import CelError, CompileError, CostExceeded, schemas, syntax
from minikube_py.base.errors import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.cel.evaluate import Program
    from minikube_py.api.cel.schemas import DeclType
    from minikube_py.api.types import Object

RULES = "x-kubernetes-validations"
SELF, OLD_SELF = "self", "oldSelf"
TYPE_NAME = "selfType"
BUDGET = 10_000_000
RULE_COST_MAX, SCHEMA_COST_MAX = 10_000_000, 100_000_000
UINT_MAX = (1 << 64) - 1
MESSAGE_MAX = 5 * 1024
OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_REASONS = {
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}


class Compiled(NamedTuple):
    """A rule: its program, or why there is none. `message`: that of its messageExpression, likewise."""

    rule: Object
    program: Program | None
    error: str = ""
    cost: int = 0
    message: Program | None = None
    message_error: str = ""
    message_cost: int = 0
    uses_old: bool = False


def compile_rules(schema: Object, declared: DeclType, costs: bool) -> list[Compiled]:
    """The rules of one place in a schema. `costs`: also estimate what they may cost at most."""
    from minikube_py.api.cel import frontend

    messages = schemas.messages(declared)
    environments: dict[bool, frontend.Environment] = {}

    def environment(optional: bool) -> frontend.Environment:
        if optional not in environments:
            old = syntax.Type("optional_type", (declared.type,)) if optional else declared.type
            environments[optional] = frontend.Environment({SELF: declared.type, OLD_SELF: old}, messages)
        return environments[optional]

    return [_compile(rule, declared, environment(bool(rule.get("optionalOldSelf"))), costs) for rule in schema[RULES]]


def _compile(rule: Object, declared: DeclType, environment: Any, costs: bool) -> Compiled:
    from minikube_py.api.cel import cost, evaluate

    text, message = rule.get("rule", ""), rule.get("messageExpression", "")
    if not text.strip():
        return Compiled(rule, None)
    try:
        checked = environment.compile(text)
    except CompileError as error:
        return Compiled(rule, None, f"compilation failed: {error}")
    if checked.type != syntax.BOOL:
        return Compiled(rule, None, "cel expression must evaluate to a bool")
    program = evaluate.Program(checked)
    most = cost.most(checked, declared) if costs else 0
    compiled = Compiled(rule, program, cost=most, uses_old=program.uses(OLD_SELF))
    if not message:
        return compiled
    try:
        told = environment.compile(message)
    except CompileError as error:
        return compiled._replace(message_error=f"messageExpression compilation failed: {error}")
    if told.type != syntax.STRING:
        return compiled._replace(message_error="messageExpression must evaluate to a string")
    most = cost.most(told, declared) if costs else 0
    return compiled._replace(message=evaluate.Program(told), message_cost=most)


class Node:
    """A place in a schema: its rules and those below it."""

    __slots__ = ("_compiled", "all_of", "declared", "items", "more", "properties", "root", "schema")

    def __init__(self, schema: Object, declared: DeclType, root: bool) -> None:
        self.schema, self.declared, self.root = schema, declared, root
        self.items: Node | None = None
        self.more: Node | None = None
        self.properties: dict[str, Node] = {}
        self.all_of: list[Node] = []
        self._compiled: list[Compiled] | None = None

    @property
    def compiled(self) -> list[Compiled]:
        if self._compiled is None:
            self._compiled = compile_rules(self.schema, self.declared, costs=False) if self.schema.get(RULES) else []
        return self._compiled

    @property
    def is_empty(self) -> bool:
        below = self.items or self.more or self.properties or self.all_of
        return not below and not self.schema.get(RULES)


def tree(schema: Object) -> Node | None:
    """The rules of a whole schema; None if it has none."""
    declared = schemas.declared(schema, TYPE_NAME, root=True) if has_rules(schema) else None
    return place(schema, declared, root=True) if declared else None


def place(schema: Object, declared: DeclType, root: bool = False) -> Node | None:
    """A node with those below it; None if there is no rule. `root`: a whole object, or an embedded one."""
    node = Node(schema, declared, root)
    items, more = schema.get("items"), schema.get("additionalProperties")
    if declared.element is not None:
        if isinstance(items, dict):
            node.items = place(items, declared.element, bool(items.get(schemas.EMBEDDED)))
        if isinstance(more, dict):
            node.more = place(more, declared.element, bool(more.get(schemas.EMBEDDED)))
    for name, inner in (schema.get("properties") or {}).items():
        embedded = bool(inner.get(schemas.EMBEDDED))
        word = schemas.escaped(name)
        type = (declared.fields or {}).get(word) if word else schemas.declared(inner, f"{TYPE_NAME}.{name}", embedded)
        found = place(inner, type, embedded) if type is not None else None
        if found is not None:
            node.properties[name] = found
    return None if node.is_empty else node


def has_rules(schema: Any) -> bool:
    """Whether rules stand anywhere in a schema."""
    if isinstance(schema, dict):
        return RULES in schema or any(has_rules(one) for one in schema.values())
    return isinstance(schema, list) and any(has_rules(one) for one in schema)


# ---------------------------------------------------------------------------------------------------------- objects


class Findings:
    """What an object breaks; `warnings`: what it broke before, too, in a part that did not change."""

    __slots__ = ("budget", "causes", "warnings")

    def __init__(self) -> None:
        self.causes: list[Cause] = []
        self.warnings: list[str] = []
        self.budget = BUDGET


def check(node: Node, value: Any, old: Any, path: str = "") -> Findings:
    """Applies all rules to a value and all that is in it. `old`: what it replaces, or None."""
    found = Findings()
    _check(found, node, value, old, path, unchanged=old is not None and value == old)
    return found


def _check(found: Findings, node: Node, value: Any, old: Any, path: str, unchanged: bool) -> None:
    """`unchanged`: the value, or the nearest part around it that can be found in the old object, is as it was."""
    if value is None or found.budget < 0:
        return
    if node.compiled:
        _expressions(found, node, value, old, path, unchanged)
    if isinstance(value, list) and node.items is not None:
        olds = _by_key(node.schema, old)
        for index, one in enumerate(value):
            before = olds.get(_key(node.schema, one)) if olds else None
            same = one == before if before is not None else unchanged
            _check(found, node.items, one, before, f"{path}[{index}]", same)
    elif isinstance(value, dict):
        _check_fields(found, node, value, old if isinstance(old, dict) else {}, path, unchanged)


def _check_fields(found: Findings, node: Node, value: Object, old: Object, path: str, unchanged: bool) -> None:
    for name, one in value.items():
        before = old.get(name)
        same = one == before if before is not None else unchanged
        if node.more is not None:
            _check(found, node.more, one, before, f"{path}[{name}]", same)
        inner = node.properties.get(name)
        if inner is not None:
            _check(found, inner, one, before, f"{path}.{name}" if path else name, same)


def _by_key(schema: Object, old: Any) -> dict[str, Any]:
    """The old items of a list that is a map, by their keys; {} where items cannot be found again."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list):
        return {}
    return {_key(schema, one): one for one in old}


def _key(schema: Object, item: Any) -> str:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return repr([item.get(key) for key in keys]) if isinstance(item, dict) else ""


def _expressions(found: Findings, node: Node, value: Any, old: Any, path: str, unchanged: bool) -> None:
    from minikube_py.api.cel import evaluate
    from minikube_py.api.cel.values import NONE, Optional

    type = node.schema.get("type", "")
    if found.budget <= 0:
        _invalid(found, path, type, OUT_OF_BUDGET)
        found.budget = -1
        return
    schema = schemas.with_metadata(node.schema) if node.root else node.schema
    names = {SELF: schemas.read(schema, value)}
    before = schemas.read(schema, old) if old is not None else None
    for one in node.compiled:
        if one.program is None:
            if one.error:
                _invalid(found, path, type, f"rule compile error: {one.error}")
            continue
        optional = bool(one.rule.get("optionalOldSelf"))
        if one.uses_old and old is None and not optional:
            continue
        own = dict(names)
        if one.uses_old:
            own[OLD_SELF] = (Optional(before) if old is not None else NONE) if optional else before
        scope = evaluate.Scope(own)
        passed = _passes(found, one, scope, path, type)
        if passed is None:
            return
        if not passed:
            _refused(found, one, value, names | own, path, type, unchanged)
            if found.budget < 0:
                return


def _passes(found: Findings, one: Compiled, scope: Any, path: str, type: str) -> bool | None:
    """Whether a rule holds, or fails in a way that is told already; None if nothing more may be evaluated."""
    assert one.program is not None
    label = told(one.rule)
    problem: CelError | None = None
    result: Any = True
    try:
        result = one.program.run(scope)
    except CelError as error:
        problem = error
    if scope.cost > found.budget:
        _invalid(found, path, type, OUT_OF_BUDGET)
        found.budget = -1
        return None
    found.budget -= scope.cost
    if problem is None:
        return result is True
    if isinstance(problem, CostExceeded):
        words = "no further validation rules will be run due to call cost exceeds limit for rule"
        _invalid(found, path, type, f"'{problem}': {words}: {label}")
        found.budget = -1
        return None
    if str(problem).startswith("no such overload"):
        words = "call arguments did not match a supported operator, function or macro signature for rule"
        _invalid(found, path, type, f"'{problem}': {words}: {label}")
    else:
        _invalid(found, path, type, f"{problem} evaluating rule: {label}")
    return True


def _refused(found: Findings, one: Compiled, value: Any, names: dict[str, Any], path: str, type: str, unchanged: bool) -> None:  # fmt: skip
    """A finding, or a warning if the rule was broken before and nothing here changed."""
    where = path + one.rule.get("fieldPath", "") if path else one.rule.get("fieldPath", "").lstrip(".")
    detail = _message(found, one, names) or told(one.rule, default=True)
    reason = one.rule.get("reason") or "FieldValueInvalid"
    text = _REASONS.get(reason, "Invalid value")
    if reason in ("FieldValueInvalid", "FieldValueDuplicate") and type not in ("object", "array"):
        from minikube_py.api.validation.causes import render

        text += f": {render(value)}"
    if reason != "FieldValueDuplicate":
        text += f": {detail}"
    if unchanged and not one.uses_old:
        found.warnings.append(f"{where or '<nil>'}: {text}")
    else:
        found.causes.append(Cause(where or "<nil>", reason, text))


def _message(found: Findings, one: Compiled, names: dict[str, Any]) -> str:
    """What the messageExpression yields; '' if there is none, or it fails."""
    from minikube_py.api.cel import evaluate

    if one.message is None:
        return ""
    scope = evaluate.Scope(names)
    try:
        text = one.message.run(scope)
    except CelError:
        text = ""
    found.budget -= scope.cost
    stripped = text.strip() if isinstance(text, str) else ""
    return "" if len(stripped) > MESSAGE_MAX or "\n" in stripped else stripped


def told(rule: Object, default: bool = False) -> str:
    """How a rule is named: by its message, or its text."""
    message = str(rule.get("message") or "").strip()
    text = str(rule.get("rule", "")).strip()
    return message or (f"failed rule: {text}" if default else text)


def _invalid(found: Findings, path: str, type: str, detail: str) -> None:
    found.causes.append(Cause(path or "<nil>", "FieldValueInvalid", f'Invalid value: "{type}": {detail}'))


# ------------------------------------------------------------------------------------------------------ definitions


class Budget:
    """What all rules of a schema may cost together, and which cost the most."""

    __slots__ = ("expensive", "total")

    def __init__(self) -> None:
        self.total = 0
        self.expensive: list[tuple[int, str]] = []

    def add(self, path: str, cost: int) -> None:
        self.total = min(self.total + cost, UINT_MAX)
        if cost >= SCHEMA_COST_MAX // 100:
            self.expensive = sorted([*self.expensive, (cost, path)], key=lambda one: -one[0])[:4]


def definition_findings(schema: Object, path: str, known_cost: bool) -> list[Cause]:
    """What is wrong with the rules of a structural schema. `known_cost`: it was stored before, its costs with it."""
    declared = schemas.declared(schema, TYPE_NAME, root=True)
    if declared is None:
        return []
    budget = Budget()
    found = list(_definitions(schema, declared, _Place(path, 1, ""), budget, known_cost))
    if budget.total > SCHEMA_COST_MAX:
        words = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
        found += [_forbidden(where, words) for _, where in budget.expensive]
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        found.append(_forbidden(path, exceeds(name, budget.total, SCHEMA_COST_MAX)))
    return found


class _Place(NamedTuple):
    """`times`: how often the place can occur in an object (None: unbounded); `lost`: where items can't be found again."""

    path: str
    times: int | None
    lost: str


def _definitions(schema: Object, declared: DeclType | None, at: _Place, budget: Budget, known_cost: bool) -> Iterator[Cause]:  # fmt: skip
    """The findings of the places below, in the order in which the API server goes through a schema, then one's own."""
    count = _times(at.times, _elements(schema))
    more, items = schema.get("additionalProperties"), schema.get("items")
    element = declared.element if declared else None
    if isinstance(more, dict):
        below = _Place(f"{at.path}.additionalProperties", count, at.lost)
        yield from _definitions(more, element, below, budget, known_cost)
    for name, inner in (schema.get("properties") or {}).items():
        word = schemas.escaped(name)
        type = ((declared.fields if declared else None) or {}).get(word or "")
        lost = at.lost
        if schema.get("x-kubernetes-map-type") not in (None, "granular", "atomic"):
            lost = lost or at.path
        yield from _definitions(inner, type, _Place(f"{at.path}.properties[{name}]", count, lost), budget, known_cost)
    if isinstance(items, dict):
        lost = at.lost or ("" if schema.get("x-kubernetes-list-type") == "map" else at.path)
        yield from _definitions(items, element, _Place(f"{at.path}.items", count, lost), budget, known_cost)
    if schema.get(RULES) and declared is not None:
        yield from _rules_findings(schema, declared, at, budget, known_cost)


def _rules_findings(schema: Object, declared: DeclType, at: _Place, budget: Budget, known_cost: bool) -> Iterator[Cause]:  # fmt: skip
    worst = schemas.REQUEST_MAX // (declared.least + 1)
    for index, one in enumerate(compile_rules(schema, declared, costs=True)):
        where = f"{at.path}.{RULES}[{index}]"
        count = worst if at.times is None else at.times
        cost = min(one.cost * count, UINT_MAX)
        if not known_cost and cost > RULE_COST_MAX:
            yield _forbidden(f"{where}.rule", exceeds("estimated rule cost", cost, RULE_COST_MAX))
        budget.add(f"{where}.rule", cost)
        if one.error:
            yield _bad_rule(f"{where}.rule", one.rule, one.error)
        if one.message_error:
            yield _bad_rule(f"{where}.messageExpression", one.rule, one.message_error)
        elif one.message is not None:
            if not known_cost and one.message_cost > RULE_COST_MAX:
                name = "estimated messageExpression cost"
                yield _forbidden(f"{where}.messageExpression", exceeds(name, one.message_cost, RULE_COST_MAX))
            budget.add(f"{where}.messageExpression", one.message_cost)
        if one.uses_old:
            if at.lost:
                from minikube_py.api.validation.causes import render

                words = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {at.lost}"
                text = f"Invalid value: {render(one.rule['rule'])}: {words}"
                yield Cause(f"{where}.rule", "FieldValueInvalid", text)
        elif one.rule.get("optionalOldSelf") is not None:
            value = str(one.rule["optionalOldSelf"]).lower()
            words = "may not be set if oldSelf is not used in rule"
            yield Cause(f"{where}.optionalOldSelf", "FieldValueInvalid", f"Invalid value: {value}: {words}")


def _elements(schema: Object) -> int | None:
    """How many values of what it holds a value of a schema has at most."""
    match schema.get("type"):
        case "object" if schema.get("additionalProperties") is not None:
            bound = schema.get("maxProperties")
        case "array":
            bound = schema.get("maxItems")
        case _:
            return 1
    return None if bound is None else max(bound, 0)


def _times(count: int | None, more: int | None) -> int | None:
    return None if count is None or more is None else min(count * more, UINT_MAX)


def exceeds(name: str, cost: int, limit: int) -> str:
    """The factor in three forms, as the API server prints it."""
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return (
        f"{name} exceeds budget by factor of {shown} (try simplifying the rule, or adding maxItems, maxProperties, "
        "and maxLength where arrays, maps, and strings are declared)"
    )


def _forbidden(path: str, detail: str) -> Cause:
    return Cause(path, "FieldValueForbidden", f"Forbidden: {detail}")


def _bad_rule(path: str, rule: Object, detail: str) -> Cause:
    from minikube_py.api.validation.causes import to_json

    shown = {
        "Rule": rule.get("rule", ""),
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
    return Cause(path, "FieldValueInvalid", f"Invalid value: {to_json(shown)}: {detail}")
