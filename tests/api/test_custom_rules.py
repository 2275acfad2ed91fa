"""A custom resource's schema, compared with the refusals of a real API server (tests/data/kinds/widget_refusals.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api import custom, custom_rules
from minikube_py.api.decode import decode

DATA = Path(__file__).parent.parent / "data" / "kinds"
(WIDGET,) = custom.kinds_of(json.loads((DATA / "widget_crd.json").read_text()))
REFUSALS = json.loads((DATA / "widget_refusals.json").read_text())
Object = dict[str, Any]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["note"])
def test_refuses_as_a_real_server(case: Object) -> None:
    spec = {} if case["spec"] is None else {"spec": case["spec"]}
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "wx"}, **spec}
    found = [str(cause) for cause in custom_rules.causes(WIDGET, decode(WIDGET, obj)[0])]
    assert sorted(found) == sorted(case["errors"])  # Go walks the fields of a map in no order


def test_a_good_object_and_a_version_without_a_schema_pass() -> None:
    good = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {},
        "spec": {"size": 3, "color": "red", "port": "http"},
    }
    assert custom_rules.causes(WIDGET, decode(WIDGET, good)[0]) == []
    assert custom_rules.causes(WIDGET, {"apiVersion": "example.com/v1alpha1", "spec": 1}) == []


RULES: list[tuple[Object, Any, list[str]]] = [
    ({"type": "string", "minLength": 2}, "a", ['f: Invalid value: "a": f in body should be at least 2 chars long']),
    ({"type": "array", "minItems": 1}, [], ["f: Invalid value: 0: f in body should have at least 1 items"]),
    ({"type": "object", "maxProperties": 0, "additionalProperties": True}, {"a": 1}, ["f: Too many: 1: must have at most 0 items"]),
    ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, 1, ["f: Invalid value: 1: f in body should be greater than 1"]),
    ({"type": "number"}, 1, []),
    ({"type": "string", "format": "ipv4"}, "10.0.0", ['f: Invalid value: "10.0.0": f in body must be of type ipv4: "10.0.0"']),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, [], ['<nil>: Invalid value: "": "f" must validate at least one schema (anyOf)']),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, ['<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found none valid']),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, []),
    ({"not": {"required": ["a"]}}, {"a": 1}, ['<nil>: Invalid value: "": "f" must not validate the schema (not)']),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "errors"), RULES, ids=lambda value: json.dumps(value))
def test_tells_what_is_wrong_with_a_value(schema: Object, value: Any, errors: list[str]) -> None:
    assert [str(cause) for cause in custom_rules.check(schema, value, "f")] == errors
