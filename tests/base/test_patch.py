"""Patches: cases that a real `kubectl patch --local` carried out (1.37), and the rules of the merge patch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minikube_py.base import patch

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "kubectl_patch.json").read_text())

POD = ("spec", "template", "spec")
KEYS: dict[tuple[str, ...], tuple[str, str]] = {
    ("metadata", "finalizers"): ("merge", ""),
    ("spec", "strategy"): ("retainKeys", ""),
    ("spec", "ports"): ("merge", "port"),
    (*POD, "containers"): ("merge", "name"),
    (*POD, "containers", "env"): ("merge", "name"),
    (*POD, "containers", "ports"): ("merge", "containerPort"),
    (*POD, "volumes"): ("merge,retainKeys", "name"),
    (*POD, "imagePullSecrets"): ("merge", "name"),
    (*POD, "hostAliases"): ("merge", "ip"),
    (*POD, "topologySpreadConstraints"): ("merge", "topologyKey"),
}


class Lists:
    def merge_key(self, path: tuple[str, ...]) -> tuple[str, str] | None:
        return KEYS.get(path)


LISTS = Lists()


def carry_out(case: dict[str, Any]) -> Any:
    target = RECORDED["targets"][case["target"]]
    before = json.dumps(target)
    try:
        if case["type"] == "strategic":
            return patch.strategic(target, case["patch"], LISTS)
        if case["type"] == "json":
            return patch.json_patch(target, case["patch"])
        return patch.merge(target, case["patch"])
    finally:
        assert json.dumps(target) == before, "the target was changed in place"


def known_fields(value: Any) -> Any:
    """kubectl decodes the outcome into its Go types, which leave out nulls, empty maps and lists of `metadata`."""
    if isinstance(value, dict):
        shown = {key: known_fields(item) for key, item in value.items()}
        unset = {key for key in shown if shown[key] is None or (shown[key] in ({}, []) and key in SPARSE)}
        return {key: item for key, item in shown.items() if key not in unset and key not in UNKNOWN}
    return [known_fields(item) for item in value] if isinstance(value, list) else value


SPARSE = {"labels", "annotations", "finalizers", "resources", "status"}
UNKNOWN = {"creationTimestamp", "x", "nope"}


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: f"{case['type']}-{json.dumps(case['patch'])[:70]}")
def test_a_patch_gives_what_kubectl_gave(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(patch.PatchError) as caught:
            carry_out(case)
        assert str(caught.value).strip() == case["error"].removeprefix("error: ")
    else:
        assert known_fields(carry_out(case)) == known_fields(case["result"])


DEPLOYMENT = RECORDED["targets"]["Deployment"]


def containers(*names: str, **images: str) -> dict[str, Any]:
    listed = [{"name": name, "image": images.get(name, f"{name}:1")} for name in names]
    return {"spec": {"template": {"spec": {"containers": listed}}}}


def test_apply_adds_changes_and_deletes_but_keeps_what_others_added() -> None:
    original, modified = containers("a", "b"), containers("b", "c", b="b:2")
    current = containers("a", "b", "sidecar")
    fields = patch.three_way(original, modified, current, LISTS)
    assert fields["spec"]["template"]["spec"] == {
        "$setElementOrder/containers": [{"name": "b"}, {"name": "c"}],
        "containers": [{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}, {"$patch": "delete", "name": "a"}],
    }
    result = patch.strategic(current, fields, LISTS)
    assert [item["name"] for item in result["spec"]["template"]["spec"]["containers"]] == ["b", "sidecar", "c"]


def test_apply_of_the_same_configuration_has_nothing_to_do() -> None:
    current = {**DEPLOYMENT, "status": {"replicas": 3}}
    assert patch.three_way(DEPLOYMENT, DEPLOYMENT, current, LISTS) == {}
    assert patch.three_way(None, DEPLOYMENT, current, LISTS) == {}


def test_a_field_that_was_never_applied_is_not_deleted() -> None:
    fields = patch.three_way({"spec": {"a": 1}}, {"spec": {}}, {"spec": {"a": 1, "b": 2}}, LISTS)
    assert fields == {"spec": {"a": None}}


def test_a_changed_union_names_the_keys_to_retain() -> None:
    modified = {**DEPLOYMENT, "spec": {**DEPLOYMENT["spec"], "strategy": {"type": "Recreate"}}}
    fields = patch.three_way(DEPLOYMENT, modified, DEPLOYMENT, LISTS)
    assert fields == {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": None, "type": "Recreate"}}}
    assert patch.strategic(DEPLOYMENT, fields, LISTS)["spec"]["strategy"] == {"type": "Recreate"}


def test_primitive_lists_are_merged_value_by_value() -> None:
    fields = patch.three_way(
        {"metadata": {"finalizers": ["a", "b"]}},
        {"metadata": {"finalizers": ["b", "c"]}},
        {"metadata": {"finalizers": ["x", "a", "b"]}},
        LISTS,
    )
    assert fields["metadata"] == {
        "$deleteFromPrimitiveList/finalizers": ["a"],
        "$setElementOrder/finalizers": ["b", "c"],
        "finalizers": ["c"],
    }
    result = patch.strategic({"metadata": {"finalizers": ["x", "a", "b"]}}, fields, LISTS)
    assert result["metadata"]["finalizers"] == ["x", "b", "c"]


def test_without_a_schema_apply_makes_a_json_merge_patch() -> None:
    fields = patch.three_way(
        {"spec": {"a": 1, "l": [1], "m": {"x": 1}}},
        {"spec": {"l": [2], "m": {}}},
        {"spec": {"a": 1, "l": [1], "z": 0, "m": {"x": 1}}},
        None,
    )
    assert fields == {"spec": {"a": None, "l": [2], "m": {"x": None}}}
    assert patch.merge({"spec": {"a": 1, "l": [1], "z": 0}}, {"spec": {"a": None, "l": [2]}}) == {
        "spec": {"l": [2], "z": 0}
    }


def test_a_strategic_patch_shares_what_it_does_not_touch() -> None:
    result = patch.strategic(DEPLOYMENT, {"metadata": {"labels": {"new": "1"}}}, LISTS)
    assert result["spec"] is DEPLOYMENT["spec"]
    assert patch.strategic(DEPLOYMENT, {"spec": {"replicas": 3}}, LISTS) is DEPLOYMENT
    assert patch.two_way(DEPLOYMENT, result, LISTS) == {"metadata": {"labels": {"new": "1"}}}


OLD = {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "l": [1, {"x": 1}], "n": {"k": "v"}}


@pytest.mark.parametrize(
    ("new", "fields"),
    [
        (OLD, {}),
        (json.loads(json.dumps(OLD)), {}),
        ({**OLD, "a": 2}, {"a": 2}),
        ({**OLD, "a": True}, {"a": True}),
        ({**OLD, "b": {"c": 2}}, {"b": {"d": None}}),
        ({**OLD, "n": {}}, {"n": {"k": None}}),
        ({**OLD, "l": [1]}, {"l": [1]}),
        ({"a": 1}, {"b": None, "l": None, "n": None}),
        ({**OLD, "b": "text", "n": {"k": {"deep": {}}}}, {"b": "text", "n": {"k": {"deep": {}}}}),
    ],
)
def test_the_difference_leads_from_old_to_new(new: dict[str, Any], fields: dict[str, Any]) -> None:
    assert patch.diff(OLD, new) == fields
    assert patch.merge(OLD, fields) == new
    assert patch.diff(OLD, patch.merge(OLD, fields)) == fields


def test_a_merge_patch_shares_what_it_does_not_touch() -> None:
    result = patch.merge(OLD, {"b": {"c": 5}})
    assert result == {**OLD, "b": {"c": 5, "d": {"e": 3}}}
    assert result["l"] is OLD["l"]
    assert result["b"]["d"] is OLD["b"]["d"]
    assert patch.merge(OLD, {"b": {"c": 2, "gone": None}, "a": 1}) is OLD


def test_nulls_inside_new_values_are_dropped() -> None:
    assert patch.merge({}, {"a": {"b": None, "c": {"d": None}}}) == {"a": {"c": {}}}
    assert patch.merge({"a": 1}, {"a": {"b": None}}) == {"a": {}}
    assert patch.merge([1], {"a": 1}) == {"a": 1}
    assert patch.merge({"a": 1}, [1]) == [1]
