"""ECDSA over the curve P-256 with SHA-256, in plain integers: the signatures of tokens (ES256) and certificates.

Keys come from a cluster's seed, and a signature's nonce from key and message (RFC 6979): the same cluster signs the same
bytes for ever. Nothing here is meant to keep a secret, and nothing runs in constant time; one signature takes some
milliseconds.

    key = key_of(seed, "service-account")
    r, s = sign(key, b"message")
    verify(public(key), b"message", r, s)

Sources: FIPS 186-4 (D.1.2.3), SEC 1, RFC 6979.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from hashlib import sha256

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
SIZE = 32  # bytes of a coordinate

Point = tuple[int, int]
_Jacobian = tuple[int, int, int]  # (X, Y, Z) stands for (X/Z², Y/Z³); Z = 0 is the point at infinity


def key_of(seed: int, purpose: str) -> int:
    """The private key of a cluster for a purpose."""
    return int.from_bytes(sha256(f"kpy/{seed}/{purpose}".encode()).digest(), "big") % (N - 1) + 1


@lru_cache(maxsize=16)
def public(key: int) -> Point:
    return _affine(_times(key, (*G, 1)))


def is_on_curve(point: Point) -> bool:
    """y² = x³ - 3x + b."""
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x * x - 3 * x + B)) % P == 0


def sign(key: int, message: bytes) -> tuple[int, int]:
    digest = sha256(message).digest()
    number = int.from_bytes(digest, "big")
    for nonce in _nonces(key, digest):
        r = _affine(_times(nonce, (*G, 1)))[0] % N
        s = pow(nonce, -1, N) * (number + r * key) % N
        if r and s:
            return r, s
    raise AssertionError("no nonce fits")  # pragma: no cover: there is no end of them


def verify(point: Point, message: bytes, r: int, s: int) -> bool:
    if not (0 < r < N and 0 < s < N and is_on_curve(point)):
        return False
    number, inverse = int.from_bytes(sha256(message).digest(), "big"), pow(s, -1, N)
    total = _plus(_times(number * inverse % N, (*G, 1)), _times(r * inverse % N, (*point, 1)))
    return total[2] != 0 and _affine(total)[0] % N == r


def _nonces(key: int, digest: bytes) -> list[int]:
    """The first candidates of RFC 6979, section 3.2; the chance that none of them fits is nil."""
    secret = key.to_bytes(SIZE, "big") + (int.from_bytes(digest, "big") % N).to_bytes(SIZE, "big")
    mac, value = b"\0" * 32, b"\1" * 32
    for step in (b"\0", b"\1"):
        mac = hmac.digest(mac, value + step + secret, "sha256")
        value = hmac.digest(mac, value, "sha256")
    found: list[int] = []
    while len(found) < 3:
        value = hmac.digest(mac, value, "sha256")
        number = int.from_bytes(value, "big")
        if 0 < number < N:
            found.append(number)
        mac = hmac.digest(mac, value + b"\0", "sha256")
        value = hmac.digest(mac, value, "sha256")
    return found


def _times(factor: int, point: _Jacobian) -> _Jacobian:
    total: _Jacobian = (1, 1, 0)
    for bit in bin(factor)[2:]:
        total = _twice(total)
        if bit == "1":
            total = _plus(total, point)
    return total


def _twice(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if not z or not y:
        return (1, 1, 0)
    square = y * y % P
    beta = x * square % P
    slope = 3 * (x - z * z) * (x + z * z) % P
    new_x = (slope * slope - 8 * beta) % P
    return new_x, (slope * (4 * beta - new_x) - 8 * square * square) % P, 2 * y * z % P


def _plus(one: _Jacobian, other: _Jacobian) -> _Jacobian:
    if not one[2] or not other[2]:
        return one if one[2] else other
    (x1, y1, z1), (x2, y2, z2) = one, other
    square1, square2 = z1 * z1 % P, z2 * z2 % P
    u1, u2, s1, s2 = x1 * square2 % P, x2 * square1 % P, y1 * square2 * z2 % P, y2 * square1 * z1 % P
    if u1 == u2:
        return _twice(one) if s1 == s2 else (1, 1, 0)
    h, r = u2 - u1, s2 - s1
    h2 = h * h % P
    h3, v = h * h2 % P, u1 * h2 % P
    x = (r * r - h3 - 2 * v) % P
    return x, (r * (v - x) - s1 * h3) % P, h * z1 * z2 % P


def _affine(point: _Jacobian) -> Point:
    x, y, z = point
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P
