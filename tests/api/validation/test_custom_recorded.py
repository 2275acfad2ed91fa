"""A custom resource's schema, compared with the refusals of a real API server (tests/data/kinds/widget_refusals.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.api import custom
from minikube_py.api.decode import decode
from minikube_py.api.validation import custom as validation
from minikube_py.api.validation.causes import Causes

DATA = Path(__file__).parent.parent.parent / "data" / "kinds"
(WIDGET,) = custom.kinds_of(json.loads((DATA / "widget_crd.json").read_text()))
REFUSALS = json.loads((DATA / "widget_refusals.json").read_text())
Object = dict[str, Any]


def causes_of(obj: Object) -> list[Any]:
    causes = Causes()
    validation.check(causes, WIDGET, obj, None)
    return causes.found


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["note"])
def test_refuses_as_a_real_server(case: Object) -> None:
    spec = {} if case["spec"] is None else {"spec": case["spec"]}
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "wx"}, **spec}
    found = [str(cause) for cause in causes_of(decode(WIDGET, obj)[0])]
    assert sorted(found) == sorted(case["errors"])  # Go walks the fields of a map in no order


def test_a_good_object_and_a_version_without_a_schema_pass() -> None:
    good = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"size": 3, "color": "red", "port": "http"},
    }
    assert causes_of(decode(WIDGET, good)[0]) == []
    assert causes_of({"apiVersion": "example.com/v1alpha1", "metadata": {}, "spec": 1}) == []


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
    assert [str(cause) for cause in validation.findings(value, schema, "f")] == errors
