"""Go's regular expressions."""

from __future__ import annotations

import pytest

from minikube_py.base import goregex

FOUND = [
    # pattern, text, whether it is found
    ("^a$", "a\n", False),
    ("(?m)^a$", "b\na\nb", True),
    ("(?s:a.b)", "a\nb", True),
    (r"^a\z", "a", True),
    ("a(?i)b|c", "C", True),  # a flag holds to the end of its group
    ("a(?i)b|c", "A", False),
    ("(a(?i)b)c", "aBc", True),
    ("(a(?i)b)c", "aBC", False),
    ("^(?i)(abort|warn)?$", "WARN", True),  # prometheus-operator's
    ("(?i-s)A.b", "aXB", True),
    ("(?U)a*", "b", True),
    ("(?P<x>a)(?<y>b)", "ab", True),
    ("[[:alpha:]]+[]a]$", "b]", True),
    ("[a-z[:digit:]_-]+", "9", True),
    ("[[]", "[", True),
    ("[^]]", "]", False),
    (r"[\]a]", "]", True),
    ("[(?i)|]+x", "|x", True),
    (r"\d", "\u0663", False),  # an Arabic digit
    (r"^\pL+$", "\u00e9", True),
]
REFUSED = [
    ("[", "missing closing ]: `[`"),
    ("(a", "missing closing ): `(a`"),
    ("a)", "unexpected ): `a)`"),
    ("*a", "missing argument to repetition operator: `*`"),
    ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
    (r"(a)\1", "invalid escape sequence: `\\1`"),
]


@pytest.mark.parametrize(("pattern", "text", "found"), FOUND)
def test_what_a_pattern_finds(pattern: str, text: str, found: bool) -> None:
    assert (goregex.compile(pattern).search(text) is not None) is found


@pytest.mark.parametrize(("pattern", "told"), REFUSED)
def test_what_is_no_pattern(pattern: str, told: str) -> None:
    with pytest.raises(ValueError, match="error parsing regexp") as raised:
        goregex.compile(pattern)
    assert str(raised.value) == f"error parsing regexp: {told}"
