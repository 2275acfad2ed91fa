"""Selectors: what they match, and refusals in apimachinery's words."""

from __future__ import annotations

import pytest

from minikube_py.base import selector

WEB = {"app": "web", "tier": "front", "size": "5", "empty": ""}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=front", True),
        ("app = web , tier = front", True),
        ("app=other", False),
        ("app!=other", True),
        ("none!=x", True),
        ("app!=web", False),
        ("app", True),
        ("!app", False),
        ("!none", True),
        ("! none", True),
        ("app in (web,db)", True),
        ("app in (db)", False),
        ("app notin (db)", True),
        ("none notin (db)", True),
        ("app notin (web, db)", False),
        ("size>4", True),
        ("size>5", False),
        ("size<6,app", True),
        ("tier>1", False),
        ("empty=", True),
        ("empty in ()", True),
        ("empty in (,x)", True),
        ("app=,tier", False),
        ("in in (in)", False),
    ],
)
def test_a_selector_matches_labels(text: str, matches: bool) -> None:
    assert selector.parse(text).matches(WEB) is matches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("app=web)", "found ')', expected: ',' or 'end of string'"),
        ("app=web,", "found '', expected: identifier after ','"),
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
        ("app=web tier", "found 'tier', expected: ',' or 'end of string'"),
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("app foo", "unable to parse requirement: found 'foo', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("app=(", "unable to parse requirement: found '(', expected: identifier"),
        (
            "size>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, "
            "the value must be an integer",
        ),
        (
            "app=a$",
            'unable to parse requirement: values[0][app]: Invalid value: "a$": a valid label must be an empty string or '
            "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
            "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
            "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
        (
            "/x",
            'unable to parse requirement: <nil>: Invalid value: "/x": prefix part must be non-empty',
        ),
    ],
)
def test_what_is_no_selector_is_refused(text: str, message: str) -> None:
    with pytest.raises(selector.SelectorError) as caught:
        selector.parse(text)
    assert str(caught.value) == message


def test_a_selector_is_printed_sorted_by_key() -> None:
    parsed = selector.parse("tier notin (b,a), !old, app=web, size>3, app2 in (x)")
    assert parsed.text == "app=web,app2 in (x),!old,size>3,tier notin (a,b)"
    assert parsed.exact() == {"app": "web", "app2": "x"}
    assert selector.parse("tier notin (b,a), !old, app=web, size>3, app2 in (x)") is parsed


def test_a_label_selector_is_read() -> None:
    parsed = selector.from_label_selector(
        {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["front", "back"]},
                {"key": "old", "operator": "DoesNotExist"},
                {"key": "size", "operator": "Exists"},
                {"key": "none", "operator": "NotIn", "values": ["x"]},
            ],
        }
    )
    assert parsed.matches(WEB)
    assert not parsed.matches({**WEB, "old": ""})
    assert parsed.text == "app=web,none notin (x),!old,size,tier in (back,front)"


def test_no_label_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert not selector.from_label_selector(None).matches(WEB)
    assert selector.from_label_selector({}).matches({})
    assert selector.from_map({}).matches(None)
    assert selector.from_map({"app": "web"}).matches(WEB)


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(selector.SelectorError, match=r'^"Gt" is not a valid label selector operator$'):
        selector.from_label_selector({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]})


def test_a_field_selector_matches_fields() -> None:
    parsed = selector.fields("status.phase!=Running,spec.nodeName=a")
    assert parsed.matches({"status.phase": "Pending", "spec.nodeName": "a"})
    assert not parsed.matches({"status.phase": "Running", "spec.nodeName": "a"})
    assert not parsed.matches({"status.phase": "Pending"})
    assert selector.fields("spec.nodeName=").matches({})
    assert selector.fields("a==b\\,c").requirements == (selector.FieldRequirement("a", True, "b,c"),)
    assert selector.fields("").matches({})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "invalid selector: 'x'; can't understand 'x'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ("a=b\\d", "invalid field selector: invalid escape sequence: \\d"),
    ],
)
def test_what_is_no_field_selector_is_refused(text: str, message: str) -> None:
    with pytest.raises(selector.SelectorError) as caught:
        selector.fields(text)
    assert str(caught.value) == message
