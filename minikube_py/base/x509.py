"""Certificates and certificate signing requests: reading requests, and signing certificates with a P-256 key (DER, PEM).

    request = read_request(pem)              subject, names and key of a PKCS #10 request; ValueError if it is none
    issue(request, authority, ...)           a PEM certificate for it

Sources: RFC 2986 (requests), RFC 5280 (certificates), X.690 (DER).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha1
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base import p256
from minikube_py.base.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGER, BITS, OCTETS, OBJECT_ID, UTF8, SEQUENCE, SET, BOOLEAN = 0x02, 0x03, 0x04, 0x06, 0x0C, 0x30, 0x31, 0x01
UTC_TIME, GENERAL_TIME = 0x17, 0x18
CONTEXT, CONTEXT_LIST = 0x80, 0xA0
DNS_NAME, IP_ADDRESS, EMAIL, URI = 2, 7, 1, 6

COMMON_NAME, ORGANIZATION = "2.5.4.3", "2.5.4.10"
EC_KEY, CURVE, ECDSA_SHA256 = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7", "1.2.840.10045.4.3.2"
EXTENSIONS_WANTED = "1.2.840.113549.1.9.14"
ALT_NAMES, KEY_USAGE, EXTENDED_USAGE, CONSTRAINTS = "2.5.29.17", "2.5.29.15", "2.5.29.37", "2.5.29.19"
SUBJECT_KEY, AUTHORITY_KEY = "2.5.29.14", "2.5.29.35"
# The usages that a CertificateSigningRequest names: bits of keyUsage, and object ids of extKeyUsage.
KEY_USAGES = {
    "digital signature": 0, "signing": 0, "content commitment": 1, "key encipherment": 2, "data encipherment": 3,
    "key agreement": 4, "cert sign": 5, "crl sign": 6, "encipher only": 7, "decipher only": 8,
}  # fmt: skip
EXTENDED_USAGES = {
    "server auth": "1.3.6.1.5.5.7.3.1", "client auth": "1.3.6.1.5.5.7.3.2", "code signing": "1.3.6.1.5.5.7.3.3",
    "email protection": "1.3.6.1.5.5.7.3.4", "timestamping": "1.3.6.1.5.5.7.3.8", "ocsp signing": "1.3.6.1.5.5.7.3.9",
    "any": "2.5.29.37.0",
}  # fmt: skip


class Request(NamedTuple):
    """What a signing request asks for: `subject` and `key` as they stand in it (DER), and what can be read in them."""

    subject: bytes
    key: bytes
    common_name: str
    organizations: tuple[str, ...]
    alt_names: bytes  # the value of its subjectAltName extension, b"" without one
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


class Authority(NamedTuple):
    """Who signs: a common name and a private key."""

    name: str
    key: int


# -- DER ----------------------------------------------------------------------------------------------------------


def der(tag: int, *parts: bytes) -> bytes:
    """A value with its tag and its length in front."""
    body = b"".join(parts)
    if len(body) < 128:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 128 | len(size))) + size + body


def integer(value: int) -> bytes:
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def object_id(text: str) -> bytes:
    """'2.5.4.3' -> 06 03 55 04 03."""
    first, second, *others = map(int, text.split("."))
    found = bytearray()
    for number in (first * 40 + second, *others):
        groups = [number & 127]
        while number := number >> 7:
            groups.append(number & 127 | 128)
        found += bytes(reversed(groups))
    return der(OBJECT_ID, bytes(found))


def children(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """(tag, content, the whole with its header) of each value in a row. Raises ValueError where it is cut off."""
    place = 0
    while place < len(data):
        if place + 2 > len(data):
            raise ValueError("asn1: syntax error: data truncated")
        tag, size, start = data[place], data[place + 1], place + 2
        if size & 128:
            count = size & 127
            size, start = int.from_bytes(data[start : start + count], "big"), start + count
        if start + size > len(data):
            raise ValueError("asn1: syntax error: data truncated")
        yield tag, data[start : start + size], data[place : start + size]
        place = start + size


def pem(label: str, data: bytes) -> str:
    text = b64encode(data).decode()
    lines = [text[place : place + 64] for place in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def from_pem(label: str, text: str) -> bytes:
    """The data of the first block of a label. Raises ValueError without one."""
    start, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
    if start not in text or end not in text:
        raise ValueError(f"PEM block type must be {label}")
    return b64decode("".join(text.partition(start)[2].partition(end)[0].split()))


# -- requests -----------------------------------------------------------------------------------------------------


def read_request(text: str) -> Request:
    """A PKCS #10 request in PEM. Raises ValueError."""
    try:
        outer = next(children(from_pem("CERTIFICATE REQUEST", text)))[1]
        info = next(children(outer))[1]
        (_, _, _), (_, subject, whole_subject), (_, _, key), *rest = children(info)
    except (StopIteration, IndexError):
        raise ValueError("asn1: syntax error: sequence truncated") from None
    names = list(_names(subject))
    found = Request(
        whole_subject, key,
        next((value for kind, value in names if kind == COMMON_NAME), ""),
        tuple(value for kind, value in names if kind == ORGANIZATION),
        _alt_names(rest[0][1]) if rest else b"",
    )  # fmt: skip
    return _with_alternatives(found) if found.alt_names else found


def _names(subject: bytes) -> Iterator[tuple[str, str]]:
    for _, attributes, _ in children(subject):
        for _, pair, _ in children(attributes):
            (_, kind, _), (_, value, _) = children(pair)
            yield _object_id_text(kind), value.decode("utf-8", "replace")


def _object_id_text(data: bytes) -> str:
    numbers, number = [], 0
    for byte in data:
        number = number << 7 | byte & 127
        if not byte & 128:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - first * 40, *numbers[1:])))


def _alt_names(attributes: bytes) -> bytes:
    """The subjectAltName extension among the attributes of a request."""
    for _, attribute, _ in children(attributes):
        (_, kind, _), (_, values, _) = children(attribute)
        if _object_id_text(kind) != EXTENSIONS_WANTED:
            continue
        for _, extensions, _ in children(values):
            for _, extension, _ in children(extensions):
                (_, name, _), *_, (_, value, _) = children(extension)
                if _object_id_text(name) == ALT_NAMES:
                    return value
    return b""


def _with_alternatives(wanted: Request) -> Request:
    from ipaddress import ip_address

    found: dict[int, tuple[str, ...]] = {}
    for tag, content, _ in children(next(children(wanted.alt_names))[1]):
        sort = tag & 31
        shown = str(ip_address(content)) if sort == IP_ADDRESS else content.decode("latin-1")
        found[sort] = (*found.get(sort, ()), shown)
    return wanted._replace(
        dns_names=found.get(DNS_NAME, ()), ip_addresses=found.get(IP_ADDRESS, ()), emails=found.get(EMAIL, ()),
        uris=found.get(URI, ()),
    )  # fmt: skip


def request(key: int, common_name: str, organizations: tuple[str, ...] = (), dns_names: tuple[str, ...] = ()) -> str:
    """A PKCS #10 request of the holder of a key, in PEM."""
    attributes = b""
    if dns_names:
        names = der(SEQUENCE, *(der(CONTEXT | DNS_NAME, name.encode()) for name in dns_names))
        wanted = der(SEQUENCE, der(SEQUENCE, object_id(ALT_NAMES), der(OCTETS, names)))
        attributes = der(SEQUENCE, object_id(EXTENSIONS_WANTED), der(SET, wanted))
    info = der(
        SEQUENCE, integer(0), _subject(common_name, organizations), public_key(key), der(CONTEXT_LIST, attributes)
    )
    return pem("CERTIFICATE REQUEST", _signed(info, key))


# -- certificates -------------------------------------------------------------------------------------------------


def authority_certificate(authority: Authority, from_s: int, until_s: int) -> str:
    """The certificate that an authority signs for itself, in PEM."""
    extensions = (
        _extension(KEY_USAGE, _usage_bits(["digital signature", "key encipherment", "cert sign"]), critical=True),
        _extension(CONSTRAINTS, der(SEQUENCE, der(BOOLEAN, b"\xff")), critical=True),
        _extension(SUBJECT_KEY, der(OCTETS, _key_id(public_key(authority.key)))),
        _extension(ALT_NAMES, der(SEQUENCE, der(CONTEXT | DNS_NAME, authority.name.encode()))),
    )
    subject = _subject(authority.name, ())
    return _certificate(subject, public_key(authority.key), authority, from_s, until_s, 1, extensions)


def issue(wanted: Request, authority: Authority, usages: list[str], serial: int, from_s: int, until_s: int) -> str:
    """A certificate for a request, in PEM: valid from and until (seconds since 1970), for the usages of the CSR API."""
    bits = [usage for usage in usages if usage in KEY_USAGES]
    extended = [EXTENDED_USAGES[usage] for usage in usages if usage in EXTENDED_USAGES]
    extensions = [
        *([_extension(KEY_USAGE, _usage_bits(bits), critical=True)] if bits else ()),
        *([_extension(EXTENDED_USAGE, der(SEQUENCE, *map(object_id, extended)))] if extended else ()),
        _extension(CONSTRAINTS, der(SEQUENCE), critical=True),
        _extension(AUTHORITY_KEY, der(SEQUENCE, der(CONTEXT, _key_id(public_key(authority.key))))),
    ]
    if wanted.alt_names:
        extensions.append(_extension(ALT_NAMES, wanted.alt_names))
    return _certificate(wanted.subject, wanted.key, authority, from_s, until_s, serial, tuple(extensions))


def public_key(key: int) -> bytes:
    """The SubjectPublicKeyInfo of a private key."""
    x, y = p256.public(key)
    point = b"\4" + x.to_bytes(p256.SIZE, "big") + y.to_bytes(p256.SIZE, "big")
    return der(SEQUENCE, der(SEQUENCE, object_id(EC_KEY), object_id(CURVE)), der(BITS, b"\0", point))


def private_key(key: int) -> str:
    """A private key in PEM (SEC 1), as TLS servers read it."""
    x, y = p256.public(key)
    point = b"\4" + x.to_bytes(p256.SIZE, "big") + y.to_bytes(p256.SIZE, "big")
    parts = der(CONTEXT_LIST, object_id(CURVE)), der(CONTEXT_LIST | 1, der(BITS, b"\0", point))
    return pem("EC PRIVATE KEY", der(SEQUENCE, integer(1), der(OCTETS, key.to_bytes(p256.SIZE, "big")), *parts))


def _certificate(
    subject: bytes,
    key: bytes,
    authority: Authority,
    from_s: int,
    until_s: int,
    serial: int,
    extensions: tuple[bytes, ...],
) -> str:
    algorithm = der(SEQUENCE, object_id(ECDSA_SHA256))
    body = der(
        SEQUENCE, der(CONTEXT_LIST, integer(2)), integer(serial), algorithm, _subject(authority.name, ()),
        der(SEQUENCE, _time(from_s), _time(until_s)), subject, key,
        der(CONTEXT_LIST | 3, der(SEQUENCE, *extensions)),
    )  # fmt: skip
    return pem("CERTIFICATE", _signed(body, authority.key))


def _signed(body: bytes, key: int) -> bytes:
    r, s = p256.sign(key, body)
    signature = der(SEQUENCE, integer(r), integer(s))
    return der(SEQUENCE, body, der(SEQUENCE, object_id(ECDSA_SHA256)), der(BITS, b"\0", signature))


def _subject(common_name: str, organizations: tuple[str, ...]) -> bytes:
    pairs = [(ORGANIZATION, organization) for organization in organizations] + [(COMMON_NAME, common_name)]
    return der(
        SEQUENCE, *(der(SET, der(SEQUENCE, object_id(kind), der(UTF8, value.encode()))) for kind, value in pairs)
    )


def _extension(kind: str, value: bytes, *, critical: bool = False) -> bytes:
    return der(SEQUENCE, object_id(kind), der(BOOLEAN, b"\xff") if critical else b"", der(OCTETS, value))


def _usage_bits(usages: list[str]) -> bytes:
    """A bit string with bit 0 first: digital signature and key encipherment are 03 02 05 A0."""
    bits = sum(1 << (15 - KEY_USAGES[usage]) for usage in set(usages))
    data = bits.to_bytes(2, "big").rstrip(b"\0") or b"\0"
    unused = (data[-1] & -data[-1]).bit_length() - 1 if data[-1] else 0
    return der(BITS, bytes((unused,)), data)


def _key_id(key: bytes) -> bytes:
    """The digest by which certificates name a key: SHA-1 of its bits (RFC 5280, 4.2.1.2)."""
    (_, _, _), (_, bits, _) = children(next(children(key))[1])
    return sha1(bits[1:]).digest()


def _time(moment_s: int) -> bytes:
    """UTCTime until 2049, GeneralizedTime from then on."""
    digits = "".join(letter for letter in timestamp(moment_s) if letter.isdigit())
    return der(UTC_TIME, f"{digits[2:]}Z".encode()) if digits < "2050" else der(GENERAL_TIME, f"{digits}Z".encode())
