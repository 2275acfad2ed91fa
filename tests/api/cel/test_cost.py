"""Static costs, as k8s.io/apiextensions-apiserver's compilation_test.go expects them."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.api.cel import cost, frontend, schemas

pytest.importorskip("cel_expr_python")
STRING = {"type": "string"}


def items(kind: str, bound: int | None) -> dict[str, Any]:
    return {"type": "array", "items": scalar(kind), **({} if bound is None else {"maxItems": bound})}


def mapping(inner: dict[str, Any], bound: int | None) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": inner, **({} if bound is None else {"maxProperties": bound})}


def scalar(kind: str) -> dict[str, Any]:
    if kind == "int-or-string":
        return {"x-kubernetes-int-or-string": True}
    return {"type": "string", "format": kind} if kind in ("date", "date-time", "duration", "byte") else {"type": kind}


def text(bound: int | None) -> dict[str, Any]:
    return STRING if bound is None else {**STRING, "maxLength": bound}


def nested(bound: int | None) -> dict[str, Any]:
    """A map of strings whose values are bounded, too."""
    return mapping(text(bound), bound)


OBJECT = {
    "type": "object",
    "required": ["required"],
    "properties": {"required": STRING, "optional": STRING},
}
# schema, rule, its cost without a bound, a bound, its cost with that
CASES: list[tuple[Any, str, int, int, int]] = [
    (lambda bound: items("number", bound), "self.all(x, true)", 4718591, 10, 32),
    (lambda bound: items("string", bound), "self.all(x, true)", 3145727, 20, 62),
    (lambda bound: items("boolean", bound), "self.all(x, true)", 1887437, 5, 17),
    (lambda bound: items("int-or-string", bound), "self.all(x, true)", 4718591, 10, 32),
    (lambda bound: items("duration", bound), "self.all(x, true)", 2359295, 5, 17),
    (lambda bound: items("date", bound), "self.all(x, true)", 725936, 15, 47),
    (lambda bound: items("date-time", bound), "self.all(x, true)", 428963, 25, 77),
    (lambda bound: items("date-time", bound), "self[2].getMinutes() == 45", 4, 99, 4),
    (lambda bound: mapping(scalar("number"), bound), "self.all(x, true)", 1348169, 10, 32),
    (lambda bound: mapping(scalar("string"), bound), "self.all(x, true)", 1179647, 3, 11),
    (lambda bound: mapping(scalar("date"), bound), "self.all(x, true)", 524288, 10, 32),
    (lambda bound: mapping(items("number", None), bound), "self.all(x, true)", 1179647, 25, 77),
    (text, "self.contains('test')", 314574, 10, 5),
    (text, "self.startsWith('test')", 2, 15, 2),
    (text, 'size(self + "hello") > size("hello")', 314578, 4, 7),
    (text, 'self.matches("x")', 314574, 50, 22),
    (text, '"".matches("(((((((((())))))))))[0-9]")', 7, 10, 7),
    (text, 'self.matches("")', 1, 100, 1),
    (text, "self.find('[0-9]+') == ''", 629147, 10, 11),
    (text, 'self == "x"', 2, 0, 1),
    (lambda bound: items("number", bound), "self[1] == 0.0", 2, 5000, 2),
    (lambda bound: items("string", bound), "self[1] == self[1]", 314577, 8, 314577),
    (lambda bound: items("number", bound), "self.all(x, x == 0.0)", 6291454, 3 * 1024 * 2048, 25165826),
    (nested, "self.all(x, x.contains(self[x]))", 2752507, 10, 72),
]


@pytest.mark.parametrize(
    ("schema", "rule", "unbounded", "bound", "bounded"),
    CASES,
    ids=[f"{number} {case[1]}" for number, case in enumerate(CASES)],
)
def test_costs_are_the_api_servers(schema: Any, rule: str, unbounded: int, bound: int, bounded: int) -> None:
    assert most(schema(None), rule) == unbounded
    assert most(schema(bound), rule) == bounded


def most(schema: dict[str, Any], rule: str) -> int:
    declared = schemas.declared(schema, "selfType")
    assert declared is not None
    environment = frontend.Environment({"self": declared.type}, schemas.messages(declared))
    return cost.most(environment.compile(rule), declared)


def test_loops_in_loops_multiply() -> None:
    assert most(items("number", 10), "self.all(x, self.all(y, true))") == 352
    assert most(items("number", None), "self.all(x, self.all(y, true))") > 10**12
