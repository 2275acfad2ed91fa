"""Checks of strings, in apimachinery's words."""

from __future__ import annotations

import pytest

from minikube_py.api.validation import names

LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
QUALIFIED = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        (names.dns_label, ["a", "a-b", "1", "x" * 63]),
        (names.dns_subdomain, ["a", "a.b", "x" * 253]),
        (names.dns_subdomain_underscore, ["_tcp.example.com", "a_b.c"]),
        (names.dns_1035_label, ["a", "a-1"]),
        (names.wildcard_subdomain, ["*.example.com"]),
        (names.qualified_name, ["app", "App_1.x", "example.com/app", "x" * 63]),
        (names.label_value, ["", "a", "A_b.c", "x" * 63]),
        (names.port_name, ["http", "a-1", "1a"]),
        (names.percent, ["0%", "150%"]),
        (names.header_name, ["X-Api-Key"]),
        (names.env_name, ["A", "a.b-c", "1A", "with space"]),
        (names.config_key, ["a", ".hidden", "A_b-c.d", "...x"[3:]]),
        (names.ip, ["10.0.0.1", "::1", "2001:db8::ffff"]),
        (names.cidr, ["10.0.0.0/8", "2001:db8::/64"]),
    ],
)  # fmt: skip
def test_good_strings_have_no_complaints(rule, good) -> None:  # type: ignore[no-untyped-def]
    assert [list(rule(value)) for value in good] == [[]] * len(good)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (names.dns_label, "A", [LABEL]),
        (names.dns_label, "a.b", ["must not contain dots"]),
        (names.dns_label, "x" * 64, ["must be no more than 63 characters"]),
        (names.dns_label, "a\n", [LABEL]),
        (names.qualified_name, "a b", [f"name part {QUALIFIED}"]),
        (names.qualified_name, "", ["name part must be non-empty", f"name part {QUALIFIED}"]),
        (names.qualified_name, "/a", ["prefix part must be non-empty"]),
        (names.qualified_name, "a/b/c", [f"a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]),
        (names.port_name, "--", ["must contain at least one letter (a-z)", "must not contain consecutive hyphens", "must not begin or end with a hyphen"]),
        (names.port_name, "NOT_OK", ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)", "must contain at least one letter (a-z)"]),
        (names.config_key, "..", ["must not be '..'"]),
        (names.config_key, "..a", ["must not start with '..'"]),
        (names.env_name, "a=b", ["a valid environment variable name must consist only of printable ASCII characters other than '='"]),
        (names.ip, "1.2.3", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]),
        (names.ip, "1.2.3.256", ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]),
        (names.cidr, "10.0.0.0/33", ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]),
        (names.port_number, 0, ["must be between 1 and 65535, inclusive"]),
        (names.user_id, -1, ["must be between 0 and 2147483647, inclusive"]),
    ],
)  # fmt: skip
def test_bad_strings_are_explained(rule, value, expected) -> None:  # type: ignore[no-untyped-def]
    assert list(rule(value)) == expected
