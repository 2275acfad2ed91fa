"""JSONPath templates, replayed against what `kubectl -o jsonpath=...` (1.37) printed for the same object."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minikube_py.base import gotext, jsonpath

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "kubectl_jsonpath.json").read_text())


def outcome(template: str) -> tuple[str | None, str]:
    """(what is printed, the first line of the error message)."""
    try:
        path = jsonpath.compile(template)
    except jsonpath.JsonPathError as problem:
        return None, f"error: error parsing jsonpath {template}, {problem}"
    try:
        return path.render(RECORDED["object"]), ""
    except jsonpath.JsonPathError as problem:
        quoted = gotext.quoted(template)
        return None, f"error: error executing jsonpath {quoted}: Error executing template: {problem}"


@pytest.mark.parametrize(("template", "printed", "error"), RECORDED["cases"])
def test_a_template_prints_what_kubectl_printed(template: str, printed: str | None, error: str) -> None:
    assert outcome(template) == (printed, error)


def test_maps_are_walked_in_the_order_of_their_keys() -> None:
    assert jsonpath.compile("{.*}").find({"b": 1, "a": 2}) == [2, 1]
    assert jsonpath.compile("{..name}").find({"z": {"name": 1}, "a": [{"name": 2}]}) == [2, 1]


def test_a_missing_key_is_an_error_where_none_is_allowed() -> None:
    with pytest.raises(jsonpath.JsonPathError, match=r"^nope is not found$"):
        jsonpath.compile("{.spec.nope}").render({"spec": {}}, missing_ok=False)


def test_values_can_be_printed_as_json() -> None:
    assert jsonpath.compile("{.a}").render({"a": {"b": "<"}}, as_json=True) == (
        '[\n    {\n        "b": "\\u003c"\n    }\n]\n'
    )
    assert jsonpath.compile("{.a}").render({}, as_json=True) == "[]\n"


@pytest.mark.parametrize("text", ["a.b", ".a.b", "{a.b}", "{.a.b}"])
def test_a_relaxed_expression_may_leave_out_braces_and_dot(text: str) -> None:
    assert jsonpath.relaxed(text) == "{.a.b}"


def test_a_relaxed_expression_with_a_stray_brace_is_refused() -> None:
    with pytest.raises(jsonpath.JsonPathError, match=r"^unexpected path string, expected a 'name1\.name2' or"):
        jsonpath.relaxed("{a.b")
