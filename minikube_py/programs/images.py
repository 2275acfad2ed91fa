"""Image references as containerd reads them: full name, validity, digest.

Sources: github.com/distribution/reference (normalize.go, regexp.go), pkg/util/parsers/parsers.go.
"""

from __future__ import annotations

import re
from hashlib import sha256

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?P<domain>(?:[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?P<tag>:[\w][\w.-]{0,127})?(?P<digest>@[A-Za-z][\w+.-]*:[0-9a-fA-F]{32,})?\Z"
)
_FULL: dict[str, str] = {}


def full_name(image: str) -> str:
    """The reference that the runtime pulls; '' if `image` is not a valid one.

    'nginx' -> 'docker.io/library/nginx:latest'; 'ghcr.io/a/b:1' stays; 'Nginx' -> ''.
    """
    found = _FULL.get(image)
    if found is None:
        found = _FULL[image] = _full_name(image)
    return found


def _full_name(image: str) -> str:
    first, slash, rest = image.partition("/")
    is_domain = bool(slash) and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    domain, remainder = (first, rest) if is_domain else ("docker.io", image)
    if domain == "docker.io" and "/" not in remainder:
        remainder = f"library/{remainder}"
    match = _NAME.match(f"{domain}/{remainder}")
    if match is None:
        return ""
    tagged = match["tag"] or match["digest"]
    return f"{domain}/{remainder}" + ("" if tagged else ":latest")


def is_reference(image: str) -> bool:
    """Whether the words of a reference are well-formed, as kubectl checks it (reference.ReferenceRegexp)."""
    return _NAME.match(image) is not None


def invalid_reason(image: str) -> str:
    """Why the reference cannot be parsed, in the words of the reference package."""
    lowered = image.lower()
    if lowered != image and full_name(lowered):
        repository = lowered if "/" in image else f"library/{image}"
        return (
            f"invalid reference format: repository name ({repository if '/' not in image else image}) must be lowercase"
        )
    return "invalid reference format"


def repository(image: str) -> str:
    """The full name without tag and digest: 'docker.io/library/nginx'."""
    name = (full_name(image) or image).partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def tag(image: str) -> str:
    """The tag, 'latest' if none is given, '' for a reference by digest alone."""
    name, _, digest = (full_name(image) or image).partition("@")
    _, colon, tail = name.rpartition(":")
    if colon and "/" not in tail:
        return tail
    return "" if digest else "latest"


_DIGESTS: dict[str, str] = {}


def image_id(image: str) -> str:
    """What a container status shows as imageID: repository@sha256:..., a pure function of the reference."""
    found = _DIGESTS.get(image)
    if found is None:
        _, at, digest = image.partition("@")
        digest = digest if at else "sha256:" + sha256(full_name(image).encode()).hexdigest()
        found = _DIGESTS[image] = f"{repository(image)}@{digest}"
    return found
