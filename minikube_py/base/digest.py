"""Hashes that end up in names: the pod-template-hash of ReplicaSets and the controller-revision-hash.

Sources: kubernetes pkg/controller/controller_utils.go (ComputeHash), k8s.io/apimachinery/pkg/util/rand
(SafeEncodeString). The real hash runs over Go's memory picture of the template, which no other program can know; here
it runs over the canonical JSON: equal templates give equal hashes, and the shape of the names is the same.
"""

from __future__ import annotations

import json
from typing import Any

_ALPHANUMS = "bcdfghjklmnpqrstvwxz2456789"
_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF


def canonical(obj: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fnv1a32(data: bytes, start: int = _OFFSET) -> int:
    """FNV-1a, 32 bits."""
    digest = start
    for byte in data:
        digest = ((digest ^ byte) * _PRIME) & _MASK
    return digest


def safe_encode(text: str) -> str:
    """Letters of `text` mapped to the alphabet of generated names, which has no vowels: '123' -> '456'-like."""
    return "".join(_ALPHANUMS[ord(letter) % len(_ALPHANUMS)] for letter in text)


_HASHES: dict[tuple[bytes, int | None], str] = {}
_CACHE_MAX = 1024


def template_hash(template: dict[str, Any], collisions: int | None = None) -> str:
    """The pod-template-hash: up to ten letters; another `collisions` (status.collisionCount) gives another hash."""
    key = canonical(template), collisions
    found = _HASHES.get(key)
    if found is None:
        if len(_HASHES) >= _CACHE_MAX:
            _HASHES.clear()
        digest = fnv1a32(key[0])
        if collisions is not None:
            digest = fnv1a32((collisions & _MASK).to_bytes(8, "little"), digest)
        found = _HASHES[key] = safe_encode(str(digest))
    return found
