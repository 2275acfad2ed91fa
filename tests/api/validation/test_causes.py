"""How findings read, and objects as the internal Go types print them."""

from __future__ import annotations

import pytest

from minikube_py.api.validation import internal
from minikube_py.api.validation.causes import Causes, quote, render, same


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-1, "-1"),
        (True, "true"),
        (None, "null"),
        ("a b", '"a b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("tab\tü\x01", '"tab\\tü\\x01"'),
        ({"app": "a<b"}, '{"app":"a\\u003cb"}'),
        (["x", 1], '["x",1]'),
        (0.5, "0.5"),
    ],
)
def test_values_are_rendered_as_go_does(value: object, shown: str) -> None:
    assert render(value) == shown


def test_each_sort_of_finding_has_its_own_words() -> None:
    causes = Causes()
    causes.invalid("a", 1, "why")
    causes.required("b")
    causes.required("c", "why")
    causes.forbidden("d", "why")
    causes.duplicate("e", "x")
    causes.not_found("f", "x")
    causes.not_supported("g", "x", ("A", "B"))
    causes.too_long("h", 1)
    causes.too_many("i", 3, 2)
    assert list(map(str, causes.found)) == [
        "a: Invalid value: 1: why",
        "b: Required value",
        "c: Required value: why",
        "d: Forbidden: why",
        'e: Duplicate value: "x"',
        'f: Not found: "x"',
        'g: Unsupported value: "x": supported values: "A", "B"',
        "h: Too long: may not be more than 1 byte",
        "i: Too many: 3: must have at most 2 items",
    ]


@pytest.mark.parametrize(
    ("new", "old", "equal"),
    [(None, [], True), ({}, None, True), ([1], [1], True), (0, None, False), (False, None, False), ("", None, True), ([], [1], False)],
)  # fmt: skip
def test_absent_and_empty_are_the_same(new: object, old: object, equal: bool) -> None:
    assert same(new, old) is equal


def test_quoting_leaves_letters_of_all_scripts() -> None:
    assert quote("日本語") == '"日本語"'
    assert quote("\u200b") == '"\\u200b"'


def test_a_struct_has_every_field_in_go_order() -> None:
    assert internal.struct("Toleration", {"operator": "Exists"}) == {
        "Key": "",
        "Operator": "Exists",
        "Value": "",
        "Effect": "",
        "TolerationSeconds": None,
    }


def test_inlined_structs_and_metadata_lie_in_their_owner() -> None:
    probe = internal.struct("Probe", {"tcpSocket": {"port": "http"}, "periodSeconds": 10})
    assert probe["TCPSocket"] == {"Port": "http", "Host": ""}
    assert probe["PeriodSeconds"] == 10
    template = internal.struct("PodTemplateSpec", {"metadata": {"labels": {"a": "b"}}, "spec": {}})
    assert list(template) == ["labels", "Spec"]


def test_host_fields_are_part_of_the_internal_security_context() -> None:
    spec = internal.struct("PodSpec", {"hostNetwork": True, "securityContext": {"runAsUser": 1}})
    assert spec["SecurityContext"]["HostNetwork"] is True
    assert spec["SecurityContext"]["RunAsUser"] == 1
    assert internal.struct("PodSpec", {})["SecurityContext"] is None


def test_equal_values_have_no_difference() -> None:
    assert internal.difference("Toleration", {"key": "a"}, {"key": "a", "value": ""}) == ""
