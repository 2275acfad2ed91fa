"""x-kubernetes-validations: what rules say of objects, and what is said of rules."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.cel import rules

pytest.importorskip("cel_expr_python")
Object = dict[str, Any]


def schema(*given: Object, **properties: Object) -> Object:
    fields = properties or {"size": {"type": "integer"}, "name": {"type": "string", "maxLength": 20}}
    return {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": fields, rules.RULES: list(given)}},
    }


def found(schema: Object, spec: Object, old: Object | None = None) -> list[tuple[str, str, str]]:
    node = rules.tree(schema)
    assert node is not None
    before = None if old is None else {"spec": old}
    return [(one.field, one.reason, one.message) for one in rules.check(node, {"spec": spec}, before).causes]


APPLIED: list[tuple[str, Object, Object, Object | None, list[tuple[str, str, str]]]] = [
    ("a rule that holds", {"rule": "self.size > 1"}, {"size": 2}, None, []),
    (
        "a rule that does not hold",
        {"rule": "self.size > 1"},
        {"size": 1},
        None,
        [("spec", "FieldValueInvalid", "Invalid value: failed rule: self.size > 1")],
    ),
    (
        "its message",
        {"rule": "self.size > 1", "message": "too small"},
        {"size": 1},
        None,
        [("spec", "FieldValueInvalid", "Invalid value: too small")],
    ),
    (
        "its messageExpression",
        {"rule": "self.size > 1", "message": "no", "messageExpression": "'size is ' + string(self.size)"},
        {"size": 1},
        None,
        [("spec", "FieldValueInvalid", "Invalid value: size is 1")],
    ),
    (
        "a messageExpression that fails",
        {"rule": "self.size > 1", "message": "no", "messageExpression": "'x' + self.name"},
        {"size": 1},
        None,
        [("spec", "FieldValueInvalid", "Invalid value: no")],
    ),
    (
        "reason and fieldPath",
        {"rule": "self.size > 1", "message": "no", "reason": "FieldValueForbidden", "fieldPath": ".size"},
        {"size": 1},
        None,
        [("spec.size", "FieldValueForbidden", "Forbidden: no")],
    ),
    (
        "an error",
        {"rule": "self.name.size() > 1"},
        {"size": 1},
        None,
        [
            (
                "spec",
                "FieldValueInvalid",
                'Invalid value: "object": no such key: name evaluating rule: self.name.size() > 1',
            )
        ],
    ),
    ("a transition without a past", {"rule": "self.size >= oldSelf.size"}, {"size": 1}, None, []),
    (
        "a transition",
        {"rule": "self.size >= oldSelf.size", "message": "never smaller"},
        {"size": 1},
        {"size": 2},
        [("spec", "FieldValueInvalid", "Invalid value: never smaller")],
    ),
    (
        "an optional past that is missing",
        {"rule": "!oldSelf.hasValue() && self.size == 1", "optionalOldSelf": True},
        {"size": 1},
        None,
        [],
    ),
    (
        "an optional past",
        {"rule": "oldSelf.hasValue() && self.size > oldSelf.value().size", "optionalOldSelf": True},
        {"size": 3},
        {"size": 2},
        [],
    ),
    # What was wrong already and did not change is let through.
    ("ratcheting", {"rule": "self.size > 1"}, {"size": 1}, {"size": 1}, []),
]


@pytest.mark.parametrize(
    ("rule", "spec", "old", "wanted"), [row[1:] for row in APPLIED], ids=[row[0] for row in APPLIED]
)
def test_what_a_rule_finds(rule: Object, spec: Object, old: Object | None, wanted: list[tuple[str, str, str]]) -> None:
    assert found(schema(rule), spec, old) == wanted


def test_items_of_a_map_are_compared_by_their_keys() -> None:
    item = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
        rules.RULES: [{"rule": "self.n >= oldSelf.n", "message": "shrunk"}],
    }
    items = {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    old = {"l": [{"name": "a", "n": 1}, {"name": "b", "n": 5}]}
    new = {"l": [{"name": "b", "n": 4}, {"name": "a", "n": 2}, {"name": "c", "n": 0}]}
    whole = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"l": items}}}}
    assert found(whole, new, old) == [("spec.l[0]", "FieldValueInvalid", "Invalid value: shrunk")]


def test_names_that_cel_cannot_say_are_escaped() -> None:
    fields = {"a-b": {"type": "integer"}, "in": {"type": "integer"}, "x.y/z": {"type": "integer"}}
    rule = {"rule": "self.a__dash__b + self.__in__ + self.x__dot__y__slash__z == 6"}
    assert found(schema(rule, **fields), {"a-b": 1, "in": 2, "x.y/z": 3}) == []


def test_an_object_may_only_cost_so_much() -> None:
    fields = {"l": {"type": "array", "items": {"type": "integer"}}}
    rule = {"rule": "self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0)))"}
    told = found(schema(rule, **fields), {"l": list(range(130))})
    assert [(path, reason) for path, reason, _ in told] == [("spec", "FieldValueInvalid")]
    assert told[0][2] == (
        "Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run "
        f"due to call cost exceeds limit for rule: {rule['rule']}"
    )


def test_all_rules_together_may_only_cost_so_much() -> None:
    fields = {"l": {"type": "array", "items": {"type": "integer"}}}
    rule = {"rule": "self.l.all(x, self.l.all(y, x + y >= 0))"}
    told = found(schema(*[rule] * 30, **fields), {"l": list(range(280))})
    assert told == [("spec", "FieldValueInvalid", f'Invalid value: "object": {rules.OUT_OF_BUDGET}')]


COMPILED: list[tuple[str, Object, list[str]]] = [
    ("fine", {"rule": "self.size > 1"}, []),
    (
        "a field that is not there",
        {"rule": "self.seize > 1"},
        [
            "spec.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "
            '{"Rule":"self.seize \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: '
            "compilation failed: ERROR: <input>:1:5: undefined field 'seize'\n | self.seize > 1\n | ....^"
        ],
    ),
    (
        "no bool",
        {"rule": "self.size"},
        [
            "spec.properties[spec].x-kubernetes-validations[0].rule: Invalid value: "
            '{"Rule":"self.size","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: '
            "cel expression must evaluate to a bool"
        ],
    ),
]


@pytest.mark.parametrize(("rule", "wanted"), [row[1:] for row in COMPILED], ids=[row[0] for row in COMPILED])
def test_what_is_said_of_a_rule(rule: Object, wanted: list[str]) -> None:
    assert [f"{one.field}: {one.message}" for one in rules.definition_findings(schema(rule), "spec", True)] == wanted


@pytest.mark.parametrize("known", [False, True])
def test_a_rule_that_may_cost_too_much(known: bool) -> None:
    fields = {"l": {"type": "array", "items": {"type": "string"}}}
    rule = {"rule": "self.l.all(x, self.l.all(y, x == y))"}
    told = [f"{one.field}: {one.message}" for one in rules.definition_findings(schema(rule, **fields), "spec", known)]
    much = "exceeds budget by factor of more than 100x (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    at = "spec.properties[spec].x-kubernetes-validations[0].rule"
    own = [f"{at}: Forbidden: estimated rule cost {much}"]  # not of a definition that is stored already
    assert told == [
        *(() if known else own),
        f"{at}: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema",
        f"spec: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema {much}",
    ]


def test_items_that_cannot_be_found_again_have_no_past() -> None:
    item = {"type": "object", "properties": {"n": {"type": "integer"}}, rules.RULES: [{"rule": "self.n > oldSelf.n"}]}
    whole = {"type": "object", "properties": {"l": {"type": "array", "maxItems": 3, "items": item}}}
    assert [f"{one.field}: {one.message}" for one in rules.definition_findings(whole, "s", False)] == [
        's.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: "self.n > oldSelf.n": oldSelf cannot be used on '
        "the uncorrelatable portion of the schema within s.properties[l]"
    ]
