"""Custom objects against their schema, in the words that a real API server used for the same Widget."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import custom, validation

Object = dict[str, Any]
BLOCKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
SPEC: Object = {
    "type": "object",
    "required": ["size", "color"],
    "x-kubernetes-validations": [{"rule": "self.size > 0"}],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 10},
        "color": {"type": "string", "enum": ["red", "green"]},
        "host": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 8},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "when": {"type": "string", "format": "date-time"},
        "ratio": {"type": "number", "multipleOf": 0.5},
        "port": {"x-kubernetes-int-or-string": True},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "maybe": {"type": "string", "nullable": True},
        "either": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"},
        "items": {
            "type": "array",
            "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    },
}
WIDGET: Object = {
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {"spec": SPEC}}},
            }
        ],
    },
}
KIND = custom.kinds_of(WIDGET)[0]


def findings(obj: Object) -> list[str]:
    meta = {"name": "w", "namespace": "default"}
    whole = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": meta, **obj}
    return list(map(str, validation.validate(KIND, whole)))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"host": "abc", "tags": ["a", "b"], "port": 80, "map": {"a": "b"}, "maybe": None, "ratio": 1},
        {"when": "2026-01-02T03:04:05Z", "port": "http", "ratio": 1.5, "items": [{"name": "a"}, {"name": "b"}]},
        {"either": {"a": 1}},
    ],
)
def test_what_fits_the_schema_is_accepted(fields: Object) -> None:
    assert findings({"spec": {"size": 1, "color": "red", **fields}}) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"size": 0},
            [
                "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
                "spec: Invalid value: failed rule: self.size > 0",
            ],
        ),
        ({"size": 11}, ["spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"]),
        ({"size": "x"}, ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"', BLOCKED]),
        ({"size": 1.5}, ['spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"', '<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.size', BLOCKED]),
        ({"color": "blue"}, ['spec.color: Unsupported value: "blue": supported values: "red", "green"', BLOCKED]),
        ({"host": "A1"}, ["spec.host: Invalid value: \"A1\": spec.host in body should match '^[a-z]+$'"]),
        ({"host": "abcdefghi"}, ["spec.host: Too long: may not be more than 8 bytes", BLOCKED]),
        ({"tags": ["a", "b", "c"]}, ["spec.tags: Too many: 3: must have at most 2 items", BLOCKED]),
        ({"tags": ["a", "a"]}, ['spec.tags[1]: Duplicate value: "a"']),
        ({"items": [{"name": "a"}, {"name": "a"}]}, ['spec.items[1]: Duplicate value: {"name":"a"}']),
        ({"items": [{}]}, ["spec.items[0].name: Required value", BLOCKED]),
        ({"when": "yesterday"}, ['spec.when: Invalid value: "yesterday": spec.when in body must be of type date-time: "yesterday"', BLOCKED]),
        ({"ratio": 0.7}, ["spec.ratio: Invalid value: 0.7: spec.ratio in body should be a multiple of 0.5"]),
        ({"port": 1.5}, ['spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"', BLOCKED]),
        ({"map": {"a": 1}}, ['spec.map.a: Invalid value: "integer": spec.map.a in body must be of type string: "integer"', BLOCKED]),
        ({"either": {}}, ['<nil>: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid']),
    ],
)  # fmt: skip
def test_what_breaks_the_schema_is_refused(fields: Object, expected: list[str]) -> None:
    assert findings({"spec": {"size": 1, "color": "red", **fields}}) == expected


def test_the_spec_itself_may_be_required() -> None:
    assert findings({}) == ["spec: Required value", BLOCKED]
