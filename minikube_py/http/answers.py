"""Answers on the wire: JSON or YAML bodies, Status objects for refusals, and which media types are spoken.

Sources: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters (status.go, errors.go), handlers/negotiation.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from minikube_py.base import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Object

JSON, YAML, TEXT = "application/json", "application/yaml", "text/plain"
ACCEPTED = (JSON, YAML)
GZIP_FROM = 128 * 1024  # bytes from which on a body is compressed (compressionFilter's defaultGzipThresholdBytes)
REASONS = {
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
}


class Answer(NamedTuple):
    """A whole response. `headers`: beside Content-Type and Content-Length."""

    code: int
    body: bytes
    media: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Refusal(errors.StatusError):
    """A refusal that only HTTP knows: of a media type, a body, a path."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code, self.reason = code, reason or REASONS.get(code, "BadRequest")


def dumped(value: Any) -> bytes:
    return orjson.dumps(value) + b"\n"


def answer(value: Any, accept: Accept, *, code: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """An object in the form that the client reads."""
    if accept.media == YAML:
        from minikube_py.printers import yaml_text

        return Answer(code, yaml_text.dump(value).encode() + b"\n", YAML, tuple(headers))
    return Answer(code, dumped(value), JSON, tuple(headers))


def text(body: str, *, code: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    return Answer(code, body.encode(), f"{TEXT}; charset=utf-8", tuple(headers))


NOT_FOUND = text("404 page not found\n", code=404, headers=(("X-Content-Type-Options", "nosniff"),))


# -- what the client reads -------------------------------------------------------------------------------------------


class Accept(NamedTuple):
    """The form that a client asked for. `as_kind`: '' (the object), 'Table' or 'PartialObjectMetadata'(List)."""

    media: str = JSON
    as_kind: str = ""


def accept_of(
    header: str, *, allowed: tuple[str, ...] = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
) -> Accept:
    """The first form in the Accept header that this server speaks. Raises Refusal (406)."""
    for part in header.split(","):
        media, *parameters = (word.strip() for word in part.split(";"))
        wanted = dict(word.partition("=")[::2] for word in parameters)
        kind = wanted.get("as", "")
        if kind and (kind not in allowed or wanted.get("g") != "meta.k8s.io" or wanted.get("v") != "v1"):
            continue
        if media in ("", "*/*", "application/*", JSON):
            return Accept(JSON, kind)
        if media in (YAML, "application/x-yaml", "text/yaml"):
            return Accept(YAML, kind)
    raise Refusal(406, f"only the following media types are accepted: {', '.join(ACCEPTED)}")


# -- Status ----------------------------------------------------------------------------------------------------------


def status_of(error: Exception) -> Object:
    """The Status object that tells a refusal."""
    code, reason, details = 400, "BadRequest", {}
    if isinstance(error, errors.StatusError):
        code, reason, details = error.code, error.reason, _details(error.details)
    elif isinstance(error, errors.StoreError):
        code, reason = 500, "InternalError"
    found: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": str(error)}
    if reason != "Unknown":
        found["reason"] = reason
    if details:
        found["details"] = details
    return {**found, "code": code}


def _details(given: Object) -> Object:
    found = {name: value for name, value in given.items() if value and name != "causes"}
    causes = [_cause(cause) for cause in given.get("causes") or ()]
    return {**found, "causes": causes} if causes else found


def _cause(cause: errors.Cause | Object) -> Object:
    """One finding; of admission and budgets it comes as an object already."""
    if isinstance(cause, dict):
        return cause
    return {"reason": cause.reason, "message": cause.message, "field": cause.field}


def success(code: int, details: Object) -> Object:
    """The Status of what was done and has no object to show."""
    found: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        found["details"] = details
    return {**found, "code": code} if code != 200 else found


def refused(error: Exception) -> Answer:
    """A refusal as an Answer; what is a fault of our own is told to the log, too."""
    if isinstance(error, RecursionError):
        error = errors.BadRequest("the object in the body is nested too deeply")
    if not type(error).__module__.startswith("minikube_py."):
        traceback.print_exception(error, file=sys.stderr)
        error = errors.InternalError(f"Internal error occurred: {error}")
    status = status_of(error)
    headers: tuple[tuple[str, str], ...] = ()
    retry_s = (status.get("details") or {}).get("retryAfterSeconds")
    if retry_s:
        headers = (("Retry-After", str(retry_s)),)
    return answer(status, Accept(), code=status["code"], headers=headers)
