"""JSON Web Tokens signed with ES256 by a cluster's own key, which comes from its seed (RFC 7515, 7519, 7517).

token = sign(seed, {"iss": ..., "sub": ...})
read(seed, token)     its claims; ValueError in the words of Kubernetes' library where it is none of the cluster's
keys(seed)            the key set that others check tokens with
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from typing import Any

from minikube_py.base import p256

PURPOSE = "service-account"


def sign(seed: int, claims: dict[str, Any]) -> str:
    key = p256.key_of(seed, PURPOSE)
    head = {"alg": "ES256", "kid": _key_id(seed)}
    body = ".".join(_part(json.dumps(one, separators=(",", ":")).encode()) for one in (head, claims))
    r, s = p256.sign(key, body.encode())
    return f"{body}.{_part(_bytes(r) + _bytes(s))}"


def unverified(token: str) -> dict[str, Any] | None:
    """The claims that a text in the shape of a token makes, whoever signed it; None for other texts."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        found = json.loads(_data(parts[1]))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@lru_cache(maxsize=256)  # whoever has a token sends it with every request, and checking one takes milliseconds
def read(seed: int, token: str) -> dict[str, Any]:
    """The claims of a token that this cluster has signed. Raises ValueError."""
    claims, (body, _, signature) = unverified(token), token.rpartition(".")
    try:
        raw = _data(signature)
    except ValueError:
        raw = b""
    if claims is None or len(raw) != 2 * p256.SIZE:
        raise ValueError("go-jose/go-jose: compact JWS format must have three parts")
    r, s = int.from_bytes(raw[: p256.SIZE], "big"), int.from_bytes(raw[p256.SIZE :], "big")
    if not p256.verify(p256.public(p256.key_of(seed, PURPOSE)), body.encode(), r, s):
        raise ValueError("go-jose/go-jose: error in cryptographic primitive")
    return claims


def keys(seed: int) -> dict[str, Any]:
    """The JSON Web Key Set of /openid/v1/jwks."""
    x, y = p256.public(p256.key_of(seed, PURPOSE))
    key = {"use": "sig", "kty": "EC", "kid": _key_id(seed), "crv": "P-256", "alg": "ES256"}
    return {"keys": [{**key, "x": _part(_bytes(x)), "y": _part(_bytes(y))}]}


def _key_id(seed: int) -> str:
    x, y = p256.public(p256.key_of(seed, PURPOSE))
    return _part(sha256(_bytes(x) + _bytes(y)).digest())


def _bytes(number: int) -> bytes:
    return number.to_bytes(p256.SIZE, "big")


def _part(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _data(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
