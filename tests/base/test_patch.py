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
