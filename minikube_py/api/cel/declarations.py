"""The functions that Kubernetes adds to CEL, with their types: one line an overload.

`overload: target.function(arguments) -> result`; a capital letter is any type, the same one throughout a line.
The standard functions, optionals, two-variable comprehensions, sets and cel-go's lists are the library's own extensions.

Source: k8s.io/apiserver pkg/cel/environment/base.go (1.36) and pkg/cel/library, cel-go ext/strings.go (version 2).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from minikube_py.api.cel.syntax import Type

ALWAYS = ("optional", "two-var-comprehensions")
# functions -> the library's extension that has them
EXTENSIONS = {
    **dict.fromkeys(("contains", "equivalent", "intersects"), "sets"),
    **dict.fromkeys(("slice", "flatten", "distinct", "range", "sort", "sortBy", "first", "last", "reverse"), "lists"),
}

STRINGS = """
string_char_at_int: string.charAt(int) -> string
string_index_of_string: string.indexOf(string) -> int
string_index_of_string_int: string.indexOf(string, int) -> int
string_last_index_of_string: string.lastIndexOf(string) -> int
string_last_index_of_string_int: string.lastIndexOf(string, int) -> int
string_lower_ascii: string.lowerAscii() -> string
string_upper_ascii: string.upperAscii() -> string
string_replace_string_string: string.replace(string, string) -> string
string_replace_string_string_int: string.replace(string, string, int) -> string
string_split_string: string.split(string) -> list(string)
string_split_string_int: string.split(string, int) -> list(string)
string_substring_int: string.substring(int) -> string
string_substring_int_int: string.substring(int, int) -> string
string_trim: string.trim() -> string
string_format: string.format(list(dyn)) -> string
strings_quote: strings.quote(string) -> string
list_join: list(string).join() -> string
list_join_string: list(string).join(string) -> string
string_find_string: string.find(string) -> string
string_find_all_string: string.findAll(string) -> list(string)
string_find_all_string_int: string.findAll(string, int) -> list(string)
"""
LISTS = """
list_a_index_of_int: list(A).indexOf(A) -> int
list_a_last_index_of_int: list(A).lastIndexOf(A) -> int
"""
QUANTITIES = """
string_to_quantity: quantity(string) -> kubernetes.Quantity
is_quantity_string: isQuantity(string) -> bool
quantity_sign: kubernetes.Quantity.sign() -> int
quantity_is_greater_than: kubernetes.Quantity.isGreaterThan(kubernetes.Quantity) -> bool
quantity_is_less_than: kubernetes.Quantity.isLessThan(kubernetes.Quantity) -> bool
quantity_compare_to: kubernetes.Quantity.compareTo(kubernetes.Quantity) -> int
quantity_get_float: kubernetes.Quantity.asApproximateFloat() -> double
quantity_get_int: kubernetes.Quantity.asInteger() -> int
quantity_is_integer: kubernetes.Quantity.isInteger() -> bool
quantity_add: kubernetes.Quantity.add(kubernetes.Quantity) -> kubernetes.Quantity
quantity_add_int: kubernetes.Quantity.add(int) -> kubernetes.Quantity
quantity_sub: kubernetes.Quantity.sub(kubernetes.Quantity) -> kubernetes.Quantity
quantity_sub_int: kubernetes.Quantity.sub(int) -> kubernetes.Quantity
"""
SEMVERS = """
string_to_semver: semver(string) -> kubernetes.Semver
string_bool_to_semver: semver(string, bool) -> kubernetes.Semver
is_semver_string: isSemver(string) -> bool
is_semver_string_bool: isSemver(string, bool) -> bool
semver_is_greater_than: kubernetes.Semver.isGreaterThan(kubernetes.Semver) -> bool
semver_is_less_than: kubernetes.Semver.isLessThan(kubernetes.Semver) -> bool
semver_compare_to: kubernetes.Semver.compareTo(kubernetes.Semver) -> int
semver_major: kubernetes.Semver.major() -> int
semver_minor: kubernetes.Semver.minor() -> int
semver_patch: kubernetes.Semver.patch() -> int
"""
NETWORK = """
string_to_ip: ip(string) -> net.IP
ip_is_canonical: ip.isCanonical(string) -> bool
is_ip: isIP(string) -> bool
ip_family: net.IP.family() -> int
ip_is_unspecified: net.IP.isUnspecified() -> bool
ip_is_loopback: net.IP.isLoopback() -> bool
ip_is_link_local_multicast: net.IP.isLinkLocalMulticast() -> bool
ip_is_link_local_unicast: net.IP.isLinkLocalUnicast() -> bool
ip_is_global_unicast: net.IP.isGlobalUnicast() -> bool
string_to_cidr: cidr(string) -> net.CIDR
is_cidr: isCIDR(string) -> bool
cidr_contains_ip_string: net.CIDR.containsIP(string) -> bool
cidr_contains_ip_ip: net.CIDR.containsIP(net.IP) -> bool
cidr_contains_cidr_string: net.CIDR.containsCIDR(string) -> bool
cidr_contains_cidr: net.CIDR.containsCIDR(net.CIDR) -> bool
cidr_ip: net.CIDR.ip() -> net.IP
cidr_prefix_length: net.CIDR.prefixLength() -> int
cidr_masked: net.CIDR.masked() -> net.CIDR
string_to_url: url(string) -> kubernetes.URL
is_url_string: isURL(string) -> bool
url_get_scheme: kubernetes.URL.getScheme() -> string
url_get_host: kubernetes.URL.getHost() -> string
url_get_hostname: kubernetes.URL.getHostname() -> string
url_get_port: kubernetes.URL.getPort() -> string
url_get_escaped_path: kubernetes.URL.getEscapedPath() -> string
url_get_query: kubernetes.URL.getQuery() -> map(string, list(string))
"""
# The standard function string() with what the addresses add: the library takes it only in place of its own.
TO_STRING = """
string_to_string: string(string) -> string
bool_to_string: string(bool) -> string
bytes_to_string: string(bytes) -> string
double_to_string: string(double) -> string
duration_to_string: string(duration) -> string
int64_to_string: string(int) -> string
timestamp_to_string: string(timestamp) -> string
uint64_to_string: string(uint) -> string
ip_to_string: string(net.IP) -> string
cidr_to_string: string(net.CIDR) -> string
"""
TYPE_NAMES = (
    "net.IP",
    "net.CIDR",
    "kubernetes.URL",
    "kubernetes.Quantity",
    "kubernetes.Semver",
    "kubernetes.NamedFormat",
)
NAMED_FORMATS = (
    "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix",
    "dns1123SubdomainPrefix", "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date", "datetime",
)  # fmt: skip
FORMATS = """
format-named: format.named(string) -> optional_type(kubernetes.NamedFormat)
format-validate: kubernetes.NamedFormat.validate(string) -> optional_type(list(string))
""" + "".join(f"format.{name}: format.{name}() -> kubernetes.NamedFormat\n" for name in NAMED_FORMATS)
_AUTHZ = "kubernetes.authorization"
AUTHORIZATION = f"""
authorizer_path: {_AUTHZ}.Authorizer.path(string) -> {_AUTHZ}.PathCheck
authorizer_group: {_AUTHZ}.Authorizer.group(string) -> {_AUTHZ}.GroupCheck
authorizer_serviceaccount: {_AUTHZ}.Authorizer.serviceAccount(string, string) -> {_AUTHZ}.Authorizer
groupcheck_resource: {_AUTHZ}.GroupCheck.resource(string) -> {_AUTHZ}.ResourceCheck
resourcecheck_subresource: {_AUTHZ}.ResourceCheck.subresource(string) -> {_AUTHZ}.ResourceCheck
resourcecheck_namespace: {_AUTHZ}.ResourceCheck.namespace(string) -> {_AUTHZ}.ResourceCheck
resourcecheck_name: {_AUTHZ}.ResourceCheck.name(string) -> {_AUTHZ}.ResourceCheck
authorizer_fieldselector: {_AUTHZ}.ResourceCheck.fieldSelector(string) -> {_AUTHZ}.ResourceCheck
authorizer_labelselector: {_AUTHZ}.ResourceCheck.labelSelector(string) -> {_AUTHZ}.ResourceCheck
pathcheck_check: {_AUTHZ}.PathCheck.check(string) -> {_AUTHZ}.Decision
resourcecheck_check: {_AUTHZ}.ResourceCheck.check(string) -> {_AUTHZ}.Decision
decision_errored: {_AUTHZ}.Decision.errored() -> bool
decision_error: {_AUTHZ}.Decision.error() -> string
decision_allowed: {_AUTHZ}.Decision.allowed() -> bool
decision_reason: {_AUTHZ}.Decision.reason() -> string
"""
JSON_PATCH = "string_jsonpatch_escapeKey_string: jsonpatch.escapeKey(string) -> string\n"
_COMPARABLE = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_SUMMABLE = ("int", "uint", "double", "duration")


class Overload(NamedTuple):
    """`params` begins with the target's type if it is called on one (`member`)."""

    id: str
    function: str
    member: bool
    params: tuple[Type, ...]
    result: Type


def base() -> list[Overload]:
    """What every expression in Kubernetes may call."""
    templated = [f"list_{one}_is_sorted_bool: list({one}).isSorted() -> bool" for one in _COMPARABLE]
    templated += [f"list_{one}_sum_{one}: list({one}).sum() -> {one}" for one in _SUMMABLE]
    templated += [f"list_{one}_{name}_{one}: list({one}).{name}() -> {one}" for one in _COMPARABLE for name in ("max", "min")]  # fmt: skip
    tables = (STRINGS, LISTS, QUANTITIES, SEMVERS, NETWORK, FORMATS, AUTHORIZATION, "\n".join(templated))
    return [overload for table in tables for overload in read(table)]


def read(table: str) -> list[Overload]:
    return [_overload(line) for line in table.strip().splitlines()]


def _overload(line: str) -> Overload:
    """A name before the arguments that is not a type is a namespace: strings.quote, but net.IP.family."""
    id, _, rest = line.partition(": ")
    call, _, result = rest.partition(" -> ")
    head, _, arguments = call[:-1].rpartition("(") if call.endswith("()") else _split_call(call)
    target, _, function = head.rpartition(".")
    params = [parse(one) for one in _split(arguments)]
    if not target or target in ("strings", "ip", "format", "jsonpatch"):
        return Overload(id, head, False, tuple(params), parse(result))
    return Overload(id, function, True, (parse(target), *params), parse(result))


def _split_call(call: str) -> tuple[str, str, str]:
    """'list(A).indexOf(A)' -> ('list(A).indexOf', '(', 'A'): the bracket that the last one closes."""
    depth = 0
    for position in range(len(call) - 1, -1, -1):
        depth += (call[position] == ")") - (call[position] == "(")
        if depth == 0:
            return call[:position], "(", call[position + 1 : -1]
    raise AssertionError(call)


def _split(text: str) -> list[str]:
    """'string, list(int)' at the commas that stand in no bracket."""
    return [one.strip() for one in re.split(r",(?![^(]*\))", text) if one.strip()]


def parse(text: str) -> Type:
    """'map(string, list(int))' as a Type."""
    name, _, inside = text.partition("(")
    return Type(name, tuple(map(parse, _split(inside[:-1])))) if inside else Type(name)


def as_yaml(overloads: list[Overload]) -> list[dict[str, object]]:
    """The functions as the library's configuration wants them."""
    functions: dict[str, list[dict[str, object]]] = {}
    for one in overloads:
        args = [type_info(param) for param in one.params]
        entry: dict[str, object] = {"id": one.id, "return": type_info(one.result)}
        if one.member:
            entry["target"], args = args[0], args[1:]
        if args:
            entry["args"] = args
        functions.setdefault(one.function, []).append(entry)
    return [{"name": name, "overloads": entries} for name, entries in functions.items()]


def type_info(type: Type) -> dict[str, object]:
    info: dict[str, object] = {"type_name": type.name}
    if len(type.name) == 1 and type.name.isupper():
        info["is_type_param"] = True
    if type.params:
        info["params"] = [type_info(one) for one in type.params]
    return info
