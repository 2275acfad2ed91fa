"""What Kubernetes adds: quantities, versions, addresses, networks, URLs and named formats.

Source: k8s.io/apiserver pkg/cel/library/{quantity,semverlib,ip,cidr,urls,format}.go; github.com/blang/semver/v4;
Go's net/netip and net/url for the texts of errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.cel import CelError, declarations, values
from minikube_py.api.cel.functions import no_overload
from minikube_py.api.cel.values import NONE, Optional
from minikube_py.base import gotext, quantity

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from minikube_py.api.cel.functions import Function

INT64 = 1 << 63


class Quantity:
    """quantity('1Gi'): exact, in units of 1e-9."""

    __slots__ = ("format", "nano")
    type_name = "kubernetes.Quantity"

    def __init__(self, nano: int, format: str) -> None:
        self.nano, self.format = nano, format

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and other.nano == self.nano

    def __hash__(self) -> int:
        return self.nano


def to_quantity(text: Any) -> Quantity:
    if not isinstance(text, str):
        raise no_overload()
    try:
        parsed = quantity.parse(text)
    except quantity.QuantityError as error:
        raise CelError(str(error)) from None
    return Quantity(parsed.nano, parsed.format)


def is_quantity(text: Any) -> bool:
    try:
        to_quantity(text)
    except CelError as error:
        if not isinstance(text, str):
            raise error
        return False
    return True


def _amount(value: Any) -> Quantity:
    if isinstance(value, Quantity):
        return value
    if type(value) is int:
        return Quantity(value * quantity.NANO, quantity.DECIMAL_EXPONENT)
    raise no_overload()


def _plus(sign: int) -> Function:
    def plus(one: Any, other: Any) -> Quantity:
        if not isinstance(one, Quantity):
            raise no_overload()
        added = _amount(other)
        return Quantity(one.nano + sign * added.nano, one.format if one.nano else added.format)

    return plus


def as_integer(value: Any) -> int:
    if not is_integer(value):
        raise CelError("cannot convert value to integer")
    return int(_amount(value).nano // quantity.NANO)


def is_integer(value: Any) -> bool:
    nano = _amount(value).nano
    return nano % quantity.NANO == 0 and -INT64 <= nano // quantity.NANO < INT64


# --------------------------------------------------------------------------------------------------------- versions


class Semver(NamedTuple):
    """`before`: the parts of the pre-release; what follows a + plays no part."""

    major: int
    minor: int
    patch: int
    before: tuple[str, ...] = ()

    @property
    def type_name(self) -> str:
        return "kubernetes.Semver"


_CORE = re.compile(r"([^.]*)\.([^.]*)\.([^-+]*)(?:-([^+]*))?(?:\+(.*))?", re.DOTALL)


def semver(text: Any, normalize: bool = False) -> Semver:
    """Raises CelError with the text of blang/semver."""
    if not isinstance(text, str):
        raise no_overload()
    if normalize:
        text = _normalized(text)
    if not text:
        raise CelError("Version string empty")
    match = _CORE.fullmatch(text)
    if match is None:
        raise CelError("No Major.Minor.Patch elements found")
    numbers = [_core_number(match[index + 1], name) for index, name in enumerate(("major", "minor", "patch"))]
    before = match[4].split(".") if match[4] is not None else []
    for part in [*before, *(match[5].split(".") if match[5] is not None else ())]:
        if not re.fullmatch(r"[0-9A-Za-z-]+", part):
            raise CelError("Prerelease is empty" if not part else f"Invalid character(s) found in prerelease {gotext.quoted(part)}")  # fmt: skip
    for part in before:
        if part.isdigit() and len(part) > 1 and part[0] == "0":
            raise CelError(f"Numeric PreRelease version must not contain leading zeroes {gotext.quoted(part)}")
    return Semver(numbers[0], numbers[1], numbers[2], tuple(before))


def _core_number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise CelError(f"Invalid character(s) found in {name} number {gotext.quoted(text)}")
    if len(text) > 1 and text[0] == "0":
        raise CelError(f"{name.capitalize()} number must not contain leading zeroes {gotext.quoted(text)}")
    return int(text)


def _normalized(text: str) -> str:
    """'v1.02' -> '1.2.0'."""
    parts = [re.sub(r"^0+(?=\d)", "", part) for part in text.removeprefix("v").split(".", 2)]
    if len(parts) < 3 and re.search(r"[+-]", parts[-1]):
        raise CelError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, "0", "0"][:3])


def is_semver(text: Any, normalize: bool = False) -> bool:
    if not isinstance(text, str):
        raise no_overload()
    try:
        semver(text, normalize)
    except CelError:
        return False
    return True


def _order(one: Semver, other: Semver) -> int:
    if one[:3] != other[:3]:
        return 1 if one[:3] > other[:3] else -1
    if not one.before or not other.before:
        return bool(other.before) - bool(one.before)
    left, right = _ranks(one.before), _ranks(other.before)
    return (left > right) - (left < right)


def _ranks(parts: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Numbers come before words."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def compare_to(one: Any, other: Any) -> int:
    """Of two quantities or two versions: -1, 0 or 1."""
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return (one.nano > other.nano) - (one.nano < other.nano)
    if isinstance(one, Semver) and isinstance(other, Semver):
        return _order(one, other)
    raise no_overload()


# --------------------------------------------------------------------------------------------------------- network


class IP:
    __slots__ = ("address",)
    type_name = "net.IP"
    prints = True

    def __init__(self, address: IPv4Address | IPv6Address) -> None:
        self.address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IP) and other.address == self.address

    def __hash__(self) -> int:
        return int(self.address)

    def __str__(self) -> str:
        return str(self.address)


class CIDR:
    """A network as it was written: `address` may have bits beyond the prefix."""

    __slots__ = ("address", "length", "network")
    type_name = "net.CIDR"
    prints = True

    def __init__(self, address: IPv4Address | IPv6Address, length: int, network: IPv4Network | IPv6Network) -> None:
        self.address, self.length, self.network = address, length, network

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CIDR) and (other.address, other.length) == (self.address, self.length)

    def __hash__(self) -> int:
        return int(self.address) + self.length

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"


def ip(value: Any) -> IP:
    """ip('1.2.3.4'), or the address of a network."""
    if isinstance(value, CIDR):
        return IP(value.address)
    if not isinstance(value, str):
        raise no_overload()
    if "%" in value:
        raise CelError(f"IP address {gotext.quoted(value)} with zone value is not allowed")
    try:
        address = _address(value)
    except CelError as error:
        raise CelError(
            f"IP Address {gotext.quoted(value)} parse error during conversion from string: {error}"
        ) from None
    return IP(address)


def _address(text: str) -> IPv4Address | IPv6Address:
    import ipaddress

    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise CelError(f"ParseAddr({gotext.quoted(text)}): {_address_problem(text)}") from None
    if address.version == 6 and address.ipv4_mapped is not None:
        raise CelError(f"IPv4-mapped IPv6 address {gotext.quoted(text)} is not allowed")
    return address


def _address_problem(text: str) -> str:
    """The words of netip.ParseAddr for the commonest mistakes."""
    if ":" in text:
        return f"each group must have 4 or fewer digits (at {gotext.quoted(text)})"
    parts = text.split(".")
    if len(parts) == 1:
        return "unable to parse IP"
    if any(len(part) > 1 and part[0] == "0" for part in parts):
        return "IPv4 field has octet with leading zero"
    if any(part.isdigit() and int(part) > 255 for part in parts):
        return "IPv4 field has value >255"
    if not all(part.isdigit() for part in parts):
        wrong = re.search(r"[^0-9.]", text)
        return f"unexpected character (at {gotext.quoted(text[wrong.start() :])})" if wrong else "IPv4 field must have at least one digit"  # fmt: skip
    return "IPv4 address too short" if len(parts) < 4 else "IPv4 address too long"


def cidr(value: Any) -> CIDR:
    import ipaddress

    if not isinstance(value, str):
        raise no_overload()
    prefix = "network address parse error during conversion from string: "
    told = f"{prefix}{prefix}netip.ParsePrefix({gotext.quoted(value)}): "
    address, slash, length = value.rpartition("/")
    if not slash:
        raise CelError(f"{told}no '/'")
    try:
        parsed = _address(address)
    except CelError as error:
        raise CelError(f"{told}{error}" if "ParseAddr" in str(error) else f"{prefix}{error}") from None
    bits = 32 if parsed.version == 4 else 128
    if not (length.isascii() and length.isdigit()) or (len(length) > 1 and length[0] == "0"):
        raise CelError(f"{told}bad bits after slash: {gotext.quoted(length)}")
    if int(length) > bits:
        raise CelError(f"{told}prefix length out of range")
    return CIDR(parsed, int(length), ipaddress.ip_network(f"{parsed}/{length}", strict=False))


def _holds(function: Function) -> Function:
    """Whether a text can be converted: isIP, isCIDR."""

    def holds(value: Any) -> bool:
        if not isinstance(value, str):
            raise no_overload()
        try:
            function(value)
        except CelError:
            return False
        return True

    return holds


def _of_ip(function: Function) -> Function:
    def call(value: Any) -> Any:
        if not isinstance(value, IP):
            raise no_overload()
        return function(value.address)

    return call


def is_canonical(text: Any) -> bool:
    return bool(str(ip(text)) == text)


def contains_ip(network: Any, other: Any) -> bool:
    address = other if isinstance(other, IP) else ip(other)
    return isinstance(network, CIDR) and address.address in network.network


def contains_cidr(network: Any, other: Any) -> bool:
    inner = other if isinstance(other, CIDR) else cidr(other)
    return isinstance(network, CIDR) and network.length <= inner.length and inner.address in network.network


def masked(network: Any) -> CIDR:
    return CIDR(network.network.network_address, network.length, network.network)


class URL(NamedTuple):
    scheme: str
    host: str
    path: str
    query: str
    text: str

    @property
    def type_name(self) -> str:
        return "kubernetes.URL"


def url(text: Any) -> URL:
    """An absolute URL, or a path that begins with a slash (Go's url.ParseRequestURI)."""
    if not isinstance(text, str):
        raise no_overload()
    problem = _url_problem(text)
    if problem:
        raise CelError(f"URL parse error during conversion from string: parse {gotext.quoted(text)}: {problem}")
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    return URL(parts.scheme, host, parts.path, parts.query, text)


def _url_problem(text: str) -> str:
    if not text:
        return "empty url"
    if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in text):
        return "net/url: invalid control character in URL"
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text)
    if scheme is None and ":" in text.partition("/")[0]:
        return "missing protocol scheme" if text[0] == ":" else "first path segment in URL cannot contain colon"
    rest = text[scheme.end() :] if scheme else text
    if not rest.startswith("/") and not (scheme and rest):
        return "invalid URI for request"
    bad = re.search(r"%(?![0-9A-Fa-f]{2}).{0,2}", rest.partition("?")[0])
    if bad:
        return f"invalid URL escape {gotext.quoted(bad[0])}"
    host = re.match(r"//([^/?#]*)", rest)
    if host and (port := re.search(r":([^:\]]*)$", host[1].rpartition("@")[2])) and port[1] and not port[1].isdigit():
        return f"invalid port {gotext.quoted(port[0])} after host"
    return 'invalid character " " in host name' if host and " " in host[1] else ""


def is_url(text: Any) -> bool:
    if not isinstance(text, str):
        raise no_overload()
    return not _url_problem(text)


def hostname(value: URL) -> str:
    """The host without its port, an IPv6 address without its brackets."""
    if value.host.startswith("["):
        return value.host.partition("]")[0].lstrip("[")
    return value.host.partition(":")[0]


def port(value: URL) -> str:
    return value.host.rpartition("]")[2].partition(":")[2]


def escaped_path(value: URL) -> str:
    from urllib.parse import quote

    return quote(value.path, safe="%/:@!$&'()*+,;=-._~")


def query(value: URL) -> dict[str, list[str]]:
    from urllib.parse import parse_qs

    return parse_qs(value.query, keep_blank_values=True)


# ---------------------------------------------------------------------------------------------------------- formats


class NamedFormat(NamedTuple):
    name: str

    @property
    def type_name(self) -> str:
        return "kubernetes.NamedFormat"


def named_format(name: str) -> Optional:
    return Optional(NamedFormat(name)) if name in declarations.NAMED_FORMATS else NONE


def validate(form: Any, text: Any) -> Optional:
    """optional.none() if the text has the format, otherwise what is wrong with it."""
    if not isinstance(form, NamedFormat) or not isinstance(text, str):
        raise no_overload()
    found = _findings(form.name, text)
    return Optional(found) if found else NONE


def _findings(name: str, text: str) -> list[str]:
    from minikube_py.api.validation import names

    rules: dict[str, Function] = {
        "dns1123Label": names.dns_label,
        "dns1123Subdomain": names.dns_subdomain,
        "dns1035Label": names.dns_1035_label,
        "qualifiedName": names.qualified_name,
        "labelValue": names.label_value,
        "dns1123LabelPrefix": lambda one: names.dns_label(names.mask_trailing_dash(one)),
        "dns1123SubdomainPrefix": lambda one: names.dns_subdomain(names.mask_trailing_dash(one)),
        "dns1035LabelPrefix": lambda one: names.dns_1035_label(names.mask_trailing_dash(one)),
        "uri": lambda one: [f"parse {gotext.quoted(one)}: {_url_problem(one)}"] if _url_problem(one) else [],
        "uuid": lambda one: [] if re.fullmatch(_UUID, one) else ["does not match the UUID format"],
        "byte": lambda one: [] if re.fullmatch(_BASE64, one) else ["invalid base64"],
        "date": lambda one: [] if _holds(values.date_of)(one) else ["invalid date"],
        "datetime": lambda one: [] if _holds(values.timestamp_of)(one) else ["invalid datetime"],
    }
    return list(rules[name](text))


_UUID = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
_BASE64 = r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


FUNCTIONS: dict[str, Function] = {
    "quantity": to_quantity,
    "isQuantity": is_quantity,
    "sign": lambda value: (_amount(value).nano > 0) - (_amount(value).nano < 0),
    "isGreaterThan": lambda one, other: compare_to(one, other) > 0,
    "isLessThan": lambda one, other: compare_to(one, other) < 0,
    "compareTo": compare_to,
    "asApproximateFloat": lambda value: _amount(value).nano / quantity.NANO,
    "asInteger": as_integer,
    "isInteger": is_integer,
    "add": _plus(1),
    "sub": _plus(-1),
    "semver": semver,
    "isSemver": is_semver,
    "major": lambda value: value.major,
    "minor": lambda value: value.minor,
    "patch": lambda value: value.patch,
    "ip": ip,
    "isIP": _holds(ip),
    "ip.isCanonical": is_canonical,
    "family": _of_ip(lambda address: address.version),
    "isUnspecified": _of_ip(lambda address: address.is_unspecified),
    "isLoopback": _of_ip(lambda address: address.is_loopback),
    "isLinkLocalMulticast": _of_ip(lambda address: address in _link_local_multicast(address.version)),
    "isLinkLocalUnicast": _of_ip(lambda address: address.is_link_local),
    "isGlobalUnicast": _of_ip(
        lambda address: (
            not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local)
            and str(address) != "255.255.255.255"
        )
    ),
    "cidr": cidr,
    "isCIDR": _holds(cidr),
    "containsIP": contains_ip,
    "containsCIDR": contains_cidr,
    "prefixLength": lambda network: network.length,
    "masked": masked,
    "url": url,
    "isURL": is_url,
    "getScheme": lambda value: value.scheme,
    "getHost": lambda value: value.host,
    "getHostname": hostname,
    "getPort": port,
    "getEscapedPath": escaped_path,
    "getQuery": query,
    "format.named": named_format,
    "validate": validate,
}


def _link_local_multicast(version: int) -> Any:
    import ipaddress

    return ipaddress.ip_network("224.0.0.0/24" if version == 4 else "ff02::/16")


def _constant(name: str) -> Function:
    return lambda: NamedFormat(name)


FUNCTIONS.update({f"format.{name}": _constant(name) for name in declarations.NAMED_FORMATS})
