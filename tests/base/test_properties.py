"""Properties that hold for any JSON: patches lead where they should, and YAML reads back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.api import documents
from minikube_py.base import gotext, patch
from minikube_py.printers import kyaml_text, yaml_text

# What Go's YAML reader takes: no control characters but tab, newline and carriage return, no U+0085 (it folds), no
# byte order mark and no surrogates.
LETTERS = st.characters(
    min_codepoint=9, max_codepoint=0xD7FF, exclude_characters="\x7f\x85\ufeff", exclude_categories=("Cc", "Cs")
)
WORDS = st.text(LETTERS | st.sampled_from("\n\t :#-'\"{}[],&*!|>%@`y0.~"), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | WORDS
# `<<` as a key is written plain by kubectl, too, and read back as a merge.
KEYS = (st.sampled_from(["a", "b", "c", "name", "y", "1"]) | WORDS).filter(lambda key: key != "<<")
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=5)
MEMBERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abcde")}, optional={"image": st.sampled_from("xyz"), "env": st.just([])}
    ),
    max_size=5,
    unique_by=lambda item: item["name"],
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "containers": MEMBERS,
        "finalizers": st.lists(st.sampled_from("abcd"), max_size=4, unique=True),
        "x": st.integers(0, 2),
    },
)


fixed = settings(derandomize=True, deadline=None, max_examples=60)


class Lists:
    def merge_key(self, path: tuple[str, ...]) -> tuple[str, str] | None:
        return {"containers": ("merge", "name"), "finalizers": ("merge", "")}.get(path[-1])


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


@fixed
@given(OBJECTS, OBJECTS)
def test_a_difference_merged_into_the_old_gives_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    old, new = without_nulls(old), without_nulls(new)
    assert patch.merge(old, patch.diff(old, new)) == new
    assert patch.merge(old, {}) is old


@fixed
@given(OBJECTS)
def test_yaml_reads_back(obj: dict[str, Any]) -> None:
    for dump in (yaml_text.dump, kyaml_text.dump, gotext.json_indented):
        found = [document.object for document in documents.read_text(dump(obj), "s")]
        assert json.dumps(found, sort_keys=True) == json.dumps([obj], sort_keys=True)


@fixed
@given(SPECS, SPECS)
def test_a_strategic_difference_leads_to_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    result = patch.strategic(old, patch.two_way(old, new, Lists()), Lists())
    assert {key: value for key, value in result.items() if value != []} == {
        key: value for key, value in new.items() if value != []
    }


@fixed
@given(SPECS, SPECS, SPECS)
def test_a_second_apply_has_nothing_to_do(
    original: dict[str, Any], modified: dict[str, Any], current: dict[str, Any]
) -> None:
    lists = Lists()
    once = patch.strategic(current, patch.three_way(original, modified, current, lists), lists)
    fields = patch.three_way(modified, modified, once, lists)
    assert patch.strategic(once, fields, lists) == once


@fixed
@given(OBJECTS, OBJECTS, OBJECTS)
def test_a_second_apply_of_a_custom_resource_has_nothing_to_do(
    original: dict[str, Any], modified: dict[str, Any], current: dict[str, Any]
) -> None:
    original, modified, current = (without_nulls(obj) for obj in (original, modified, current))
    once = patch.merge(current, patch.three_way(original, modified, current, None))
    assert patch.three_way(modified, modified, once, None) == {}
