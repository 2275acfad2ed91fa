"""Checks of strings: names, labels, ports, addresses. Each returns its complaints as texts, in order; none means good.

Source: apimachinery pkg/util/validation/validation.go and pkg/api/validate/content.
"""

from __future__ import annotations

import re
from functools import lru_cache

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SUBDOMAIN_UNDERSCORE = rf"{LABEL_UNDERSCORE}(\.{LABEL_UNDERSCORE})*"
LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
CONFIG_KEY = "[-._a-zA-Z0-9]+"
HEADER = "[-A-Za-z0-9]+"
PERCENT = "[0-9]+%"
C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"

_SEARCH = {
    text: re.compile(text)
    for text in (
        LABEL,
        SUBDOMAIN,
        SUBDOMAIN_UNDERSCORE,
        LABEL_1035,
        QUALIFIED,
        LABEL_VALUE,
        CONFIG_KEY,
        HEADER,
        PERCENT,
    )
}
_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)


def _fits(pattern: str, value: str) -> bool:
    return _SEARCH[pattern].fullmatch(value) is not None


def regex_text(message: str, pattern: str, *examples: str) -> str:
    """`... (e.g. 'a',  or 'b', regex used for validation is '...')`, with the source's own spaces."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {listed}regex used for validation is '{pattern}')"


def max_length(count: int) -> str:
    return f"must be no more than {count} characters"


def between(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def dns_label(value: str) -> list[str]:
    """A lowercase RFC 1123 label: names of namespaces, containers, volumes."""
    found = [max_length(63)] if len(value) > 63 else []
    if not _fits(LABEL, value):
        if _fits(SUBDOMAIN, value):
            found.append("must not contain dots")
        else:
            found.append(
                regex_text(
                    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                    "and must start and end with an alphanumeric character",
                    LABEL,
                    "my-name",
                    "123-abc",
                )
            )
    return found


def dns_subdomain(value: str) -> list[str]:
    """A lowercase RFC 1123 subdomain: names of most objects."""
    found = [max_length(253)] if len(value) > 253 else []
    if not _fits(SUBDOMAIN, value):
        found.append(regex_text(_SUBDOMAIN_TEXT, SUBDOMAIN, "example.com"))
    return found


def dns_subdomain_underscore(value: str) -> list[str]:
    """As a subdomain, with underscores: search domains of pods."""
    found = [max_length(253)] if len(value) > 253 else []
    if not _fits(SUBDOMAIN_UNDERSCORE, value):
        text = _SUBDOMAIN_TEXT.replace("characters, '-'", "characters, '_', '-'")
        found.append(regex_text(text, SUBDOMAIN_UNDERSCORE, "example.com"))
    return found


def dns_1035_label(value: str) -> list[str]:
    """A DNS-1035 label: starts with a letter."""
    found = [max_length(63)] if len(value) > 63 else []
    if not _fits(LABEL_1035, value):
        found.append(
            regex_text(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                "character, and end with an alphanumeric character",
                LABEL_1035,
                "my-name",
                "abc-123",
            )
        )
    return found


def wildcard_subdomain(value: str) -> list[str]:
    """'*.example.com': hosts of Ingresses."""
    pattern = rf"\*\.{SUBDOMAIN}"
    found = [max_length(253)] if len(value) > 253 else []
    if not re.fullmatch(pattern, value):
        found.append(
            regex_text(
                "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
                "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
                pattern,
                "*.example.com",
            )
        )
    return found


@lru_cache(4096)
def qualified_name(value: str) -> tuple[str, ...]:
    """A label key: 'app', 'example.com/tier'."""
    found: list[str] = []
    parts = value.split("/")
    if len(parts) > 2:
        text = regex_text(_QUALIFIED_TEXT, QUALIFIED, "MyName", "my.name", "123-abc")
        return (f"a valid label key {text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",)
    name = parts[-1]
    if len(parts) == 2:
        if not parts[0]:
            found.append("prefix part must be non-empty")
        else:
            found += [f"prefix part {text}" for text in dns_subdomain(parts[0])]
    if not name:
        found.append("name part must be non-empty")
    elif len(name) > 63:
        found.append(f"name part {max_length(63)}")
    if not _fits(QUALIFIED, name):
        found.append("name part " + regex_text(_QUALIFIED_TEXT, QUALIFIED, "MyName", "my.name", "123-abc"))
    return tuple(found)


@lru_cache(4096)
def label_value(value: str) -> tuple[str, ...]:
    found = [max_length(63)] if len(value) > 63 else []
    if not _fits(LABEL_VALUE, value):
        text = f"a valid label must be an empty string or consist {_QUALIFIED_TEXT.removeprefix('must consist ')}"
        found.append(regex_text(text, LABEL_VALUE, "MyValue", "my_value", "12345"))
    return tuple(found)


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else [between(1, 65535)]


@lru_cache(1024)
def port_name(value: str) -> tuple[str, ...]:
    found = [max_length(15)] if len(value) > 15 else []
    if not re.fullmatch("[-a-z0-9]+", value):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        found.append("must contain at least one letter (a-z)")
    if "--" in value:
        found.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        found.append("must not begin or end with a hyphen")
    return tuple(found)


def percent(value: str) -> list[str]:
    if _fits(PERCENT, value):
        return []
    text = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_text(text, PERCENT, "1%", "93%")]


def header_name(value: str) -> list[str]:
    if _fits(HEADER, value):
        return []
    text = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [regex_text(text, HEADER, "X-Header-Name")]


def env_name(value: str) -> list[str]:
    """A name of an environment variable, by the relaxed rule that is the default since 1.32."""
    found = [] if value else ["environment variable name must be non-empty"]
    if any(not " " <= letter <= "~" or letter == "=" for letter in value):
        found.append("a valid environment variable name must consist only of printable ASCII characters other than '='")
    return found


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    found = [max_length(253)] if len(value) > 253 else []
    if not _fits(CONFIG_KEY, value):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        found.append(regex_text(text, CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if value in (".", ".."):
        found.append(f"must not be '{value}'")
    elif value.startswith(".."):
        found.append("must not start with '..'")
    return found


def user_id(value: int) -> list[str]:
    """A numeric user or group."""
    return [] if 0 <= value <= 2**31 - 1 else [between(0, 2**31 - 1)]


def ip(value: str) -> list[str]:
    return [] if is_ip(value) else ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]


def is_ip(value: str) -> bool:
    return is_ipv4(value) or is_ipv6(value)


def is_ipv4(value: str) -> bool:
    parts = value.split(".")
    return len(parts) == 4 and all(part.isdigit() and part.isascii() and len(part) <= 3 and int(part) < 256 for part in parts)  # fmt: skip


def is_ipv6(value: str) -> bool:
    import socket

    if ":" not in value:
        return False
    try:
        socket.inet_pton(socket.AF_INET6, value)
    except (OSError, ValueError):
        return False
    return True


def cidr(value: str) -> list[str]:
    address, slash, length = value.partition("/")
    bits = 32 if is_ipv4(address) else 128
    if slash and is_ip(address) and length.isdigit() and length.isascii() and int(length) <= bits:
        return []
    return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]


def mask_trailing_dash(prefix: str) -> str:
    """A generateName that ends in a dash, as it will look once the random part follows (the source's own rule)."""
    return prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix
