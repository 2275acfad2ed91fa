"""What kubectl refuses by itself: the texts are those of kubectl 1.37."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api import precheck
from minikube_py.base.errors import UsageError

META = "Go struct field ObjectMeta.metadata"


def config_map(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", **metadata}}


def refusal(check: Any, value: Any) -> str:
    try:
        assert check(value, "STDIN") is value
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (config_map(), ""),
        (config_map(foo=1, labels={"x": None}), ""),
        (config_map(name=5), f"json: cannot unmarshal number into {META}.name of type string"),
        (config_map(namespace=[1]), f"json: cannot unmarshal array into {META}.namespace of type string"),
        (config_map(labels="x"), f"json: cannot unmarshal string into {META}.labels of type map[string]string"),
        (config_map(labels={"x": 1}), f"json: cannot unmarshal number into {META}.labels of type string"),
        (config_map(annotations={"x": True}), f"json: cannot unmarshal bool into {META}.annotations of type string"),
        (
            config_map(annotations=[1]),
            f"json: cannot unmarshal array into {META}.annotations of type map[string]string",
        ),
        (config_map(finalizers="x"), f"json: cannot unmarshal string into {META}.finalizers of type []string"),
        (config_map(finalizers=[1]), f"json: cannot unmarshal number into {META}.finalizers of type string"),
        (config_map(generation="x"), f"json: cannot unmarshal string into {META}.generation of type int64"),
        (
            config_map(ownerReferences="x"),
            f"json: cannot unmarshal string into {META}.ownerReferences of type []v1.OwnerReference",
        ),
        (
            config_map(creationTimestamp="zz"),
            'parsing time "zz" as "2006-01-02T15:04:05Z07:00": cannot parse "zz" as "2006"',
        ),
        (
            {"apiVersion": "v1", "kind": "X", "metadata": "x"},
            "json: cannot unmarshal string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
        ),
        (
            {"apiVersion": 5, "kind": "X"},
            "json: cannot unmarshal number into Go struct field metadataOnlyObject.TypeMeta.apiVersion of type string",
        ),
        ({"apiVersion": "v1", "kind": 5}, 'Object \'Kind\' is missing in \'{"apiVersion":"v1","kind":5}\''),
        (
            {"apiVersion": "v1", "kind": "List", "items": 5},
            "json: cannot unmarshal number into Go struct field decodeList.items of type []json.RawMessage",
        ),
        (
            {"apiVersion": "v1", "kind": "List", "items": [5]},
            "json: cannot unmarshal number into Go value of type map[string]interface {}",
        ),
        (["a"], "json: cannot unmarshal array into Go value of type unstructured.detector"),
    ],
)
def test_metadata_of_the_wrong_types_cannot_be_decoded(value: Any, problem: str) -> None:
    assert refusal(precheck.decode, value) == (f'unable to decode "STDIN": {problem}' if problem else "")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"apiVersion": "v1", "kind": "X"}, ""),
        ({"apiVersion": "v1"}, "kind not set"),
        ({"kind": "X"}, "apiVersion not set"),
        ({}, "[apiVersion not set, kind not set]"),
        ({"apiVersion": 1}, "[apiVersion isn't string type, kind not set]"),
        ("text", "invalid object to validate"),
        (
            {"apiVersion": "v1", "kind": "List", "items": [{"kind": "X"}, {"apiVersion": "v1"}]},
            "[apiVersion not set, kind not set]",
        ),
        ({"apiVersion": "v1", "kind": "List"}, "invalid object to validate"),
    ],
)
def test_validation_wants_to_know_the_type(value: Any, problem: str) -> None:
    text = (
        f'error validating "STDIN": error validating data: {problem}; '
        "if you choose to ignore these errors, turn validation off with --validate=false"
    )
    assert refusal(precheck.validate, value) == (text if problem else "")
