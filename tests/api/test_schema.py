"""The table of Go types agrees with the schemas, and merge keys are those of the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from minikube_py.api import gotypes, schema
from minikube_py.api.kinds import KINDS

POD = ("spec", "template", "spec")
MERGE_KEYS = [
    (("metadata", "finalizers"), ("merge", "")),
    (("metadata", "ownerReferences"), ("merge", "uid")),
    ((*POD, "containers"), ("merge", "name")),
    ((*POD, "containers", "ports"), ("merge", "containerPort")),
    ((*POD, "containers", "env"), ("merge", "name")),
    ((*POD, "containers", "volumeMounts"), ("merge", "mountPath")),
    ((*POD, "volumes"), ("merge,retainKeys", "name")),
    ((*POD, "tolerations"), None),
    ((*POD, "containers", "args"), None),
    (("spec", "strategy"), ("retainKeys", "")),
    (("spec", "nowhere"), None),
    ((), None),
]


@pytest.mark.parametrize(("path", "expected"), MERGE_KEYS)
def test_merge_keys_of_a_deployment(path: tuple[str, ...], expected: tuple[str, str] | None) -> None:
    lists = schema.merge_keys("apps/v1", "Deployment")
    assert lists is not None
    assert lists.merge_key(path) == expected


def test_list_map_keys_of_server_side_apply() -> None:
    lists = schema.merge_keys("v1", "Service")
    assert lists is not None
    assert lists.mark(("spec", "ports")) == ("merge", "port", "map", ("port", "protocol"))


def test_custom_resources_know_no_strategic_merge() -> None:
    assert schema.merge_keys("example.com/v1", "Widget") is None


def test_every_built_in_kind_has_a_type() -> None:
    built_in = [kind for kind in KINDS if not kind.simulated]
    assert [kind.name for kind in built_in if gotypes.type_of(kind.version, kind.name) is None] == []


TYPES = sorted(gotypes.table()["types"])


def test_types_have_the_fields_of_the_schemas() -> None:
    """Of each type that the schemas know, no field is missing and none is too many."""
    definitions = schema.definitions()
    different = {}
    for name in TYPES:
        known = definitions.get(schema.full_name(name))
        if known is not None and set(known.get("properties", {})) != set(gotypes.fields_of(name) or {}):
            different[name] = sorted(set(known.get("properties", {})) ^ set(gotypes.fields_of(name) or {}))
    assert different == {}


def test_list_marks_are_those_of_the_schemas() -> None:
    for name, fields in gotypes.table()["lists"].items():
        properties = schema.definitions()[schema.full_name(name)]["properties"]
        for field, (strategy, key, _, map_keys) in fields.items():
            found: dict[str, Any] = properties[field]
            assert strategy == found.get("x-kubernetes-patch-strategy", "")
            assert key == found.get("x-kubernetes-patch-merge-key", "")
            assert map_keys == found.get("x-kubernetes-list-map-keys", [])


def test_a_schema_tells_descriptions_and_follows_references() -> None:
    found = schema.schema_of("apps/v1", "Deployment")
    assert found is not None
    spec = schema.resolve(found["properties"]["spec"])
    assert spec["description"] == "Specification of the desired behavior of the Deployment."
    assert spec["properties"]["replicas"]["format"] == "int32"
    assert schema.schema_of("apps/v2", "Deployment") is None
    assert json.dumps(found)


GO = [
    ("[]core.v1.Container", "[]v1.Container", "core.v1.Container"),
    ("!*int32", "int32", "int32"),
    ("map[string]string", "map[string]string", "string"),
    ("map[core.v1.ResourceName]Quantity", "map[v1.ResourceName]resource.Quantity", "Quantity"),
    ("core.v1.ResourceList", "v1.ResourceList", "Quantity"),
    ("[]byte", "[]uint8", "byte"),
]


@pytest.mark.parametrize(("go", "text", "element"), GO)
def test_go_types_are_told_as_go_tells_them(go: str, text: str, element: str) -> None:
    assert (gotypes.go_text(go), gotypes.element(go)) == (text, element)
