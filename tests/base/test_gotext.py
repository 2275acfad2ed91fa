"""Values as Go prints them."""

from __future__ import annotations

import pytest

from minikube_py.base import gotext


@pytest.mark.parametrize(
    ("number", "as_json", "as_text"),
    [
        (1.5, "1.5", "1.5"),
        (1e21, "1e+21", "1e+21"),
        (1e20, "100000000000000000000", "1e+20"),
        (1234567.5, "1234567.5", "1.2345675e+06"),
        (123456.5, "123456.5", "123456.5"),
        (12345678901.25, "12345678901.25", "1.234567890125e+10"),
        (1e-5, "0.00001", "1e-05"),
        (1e-7, "1e-7", "1e-07"),
        (1.25e-7, "1.25e-7", "1.25e-07"),
        (0.00012, "0.00012", "0.00012"),
        (3.0, "3", "3"),
        (-0.5, "-0.5", "-0.5"),
        (1.5e300, "1.5e+300", "1.5e+300"),
    ],
)
def test_floats_have_two_notations(number: float, as_json: str, as_text: str) -> None:
    assert gotext.json_text(number) == as_json
    assert gotext.shown(number) == as_text


VALUE = {"b": [1, None, True, "x<y>&"], "a": {}, "c": [], "d": {"e": 'q"\n'}}


def test_json_is_sorted_and_escapes_html() -> None:
    assert gotext.json_text(VALUE) == r'{"a":{},"b":[1,null,true,"x\u003cy\u003e\u0026"],"c":[],"d":{"e":"q\"\n"}}'
    assert (
        gotext.json_indented({"b": [1, {}], "a": "é"})
        == '{\n    "a": "é",\n    "b": [\n        1,\n        {}\n    ]\n}'
    )


def test_values_are_shown_as_go_shows_them() -> None:
    assert gotext.shown(VALUE) == 'map[a:map[] b:[1 <nil> true x<y>&] c:[] d:map[e:q"\n]]'
    assert gotext.syntax({"a": [1, None], "b": "x\n"}) == (
        'map[string]interface {}{"a":[]interface {}{1, interface {}(nil)}, "b":"x\\n"}'
    )
    assert gotext.quoted('a"\\\x00\u200bé') == '"a\\"\\\\\\x00\\u200bé"'
    assert [gotext.type_name(value) for value in ({}, [], "", 1, 1.0, True, None)] == [
        "map[string]interface {}", "[]interface {}", "string", "int64", "float64", "bool", "<nil>",
    ]  # fmt: skip
