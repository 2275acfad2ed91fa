"""Lists: selectors, resourceVersion and its match, limit and continue.

A continue token names the revision of its first page and the last name shown; later pages are read as of that revision
(the log can tell), so that pages never contradict each other. Sources: k8s.io/apiserver/pkg/storage/continue.go,
pkg/storage/etcd3/store.go, pkg/apis/meta/internalversion/validation.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, NamedTuple

import orjson

from minikube_py.api import fieldselectors
from minikube_py.base import errors, selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.http.requests import Request

EVENTS = "events"
MATCHES = ("Exact", "NotOlderThan")
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You must start a new list without "
    "the continue parameter."
)


class Page(NamedTuple):
    """What a list shows (in the stored version), and its ListMeta."""

    objects: list[Object]
    metadata: Object


def page(cluster: Cluster, kind: Kind, request: Request, *, verb: str = "list") -> Page:
    """The objects that a list request is about. Raises BadRequest, Invalid, Expired, Forbidden."""
    place = request.place
    cluster.authorize(verb, kind, place.namespace)
    wanted = wanted_of(kind, request)
    limit = max(request.number("limit") or 0, 0)
    token = request.query.get("continue", "")
    revision, behind = _continued(token) if token else (_exact(cluster, request), "")
    newest = cluster.store.revision
    if revision > newest:
        raise too_large(revision, newest)
    try:
        objects = cluster.list_at(kind.resource, revision or newest, place.namespace, verb=verb)
    except errors.Expired:
        if not token:
            raise
        raise errors.Expired(EXPIRED) from None
    found = [obj for obj in objects if wanted(obj)]
    metadata: Object = {"resourceVersion": str(revision or newest)}
    if kind.storage == EVENTS:
        found.sort(key=_place_of)
    if behind:
        found = [obj for obj in found if _place_of(obj) > behind]
    if limit and len(found) > limit:
        rest = len(found) - limit
        found = found[:limit]
        metadata["continue"] = _token(revision or newest, _place_of(found[-1]))
        if not (request.query.get("labelSelector") or request.query.get("fieldSelector")):
            metadata["remainingItemCount"] = rest
    return Page(found, metadata)


def wanted_of(kind: Kind, request: Request) -> Callable[[Object], bool]:
    """Whether an object (in the stored version) is one that the selectors, the namespace and the name ask for."""
    query, place = request.query, request.place
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    chosen = _selector(labels) if labels else None
    matches = _matches(kind, fields) if fields else None
    namespace, name = place.namespace if kind.namespaced else None, place.name

    def wanted(obj: Object) -> bool:
        meta = obj["metadata"]
        return (
            (namespace is None or meta.get("namespace") == namespace)
            and (not name or meta["name"] == name)
            and (chosen is None or chosen.matches(meta.get("labels") or {}))
            and (matches is None or matches(obj))
        )

    return wanted


def _matches(kind: Kind, fields: str) -> Callable[[Object], bool]:
    """A field selector. What is wrong with one is told without what it was sent for: clients say that themselves."""
    try:
        return fieldselectors.parse(kind, fields)
    except errors.BadRequest as error:
        before, mark, told = str(error).rpartition("field label not supported: ")
        raise errors.BadRequest(mark + told if before else str(error)) from None


def _selector(text: str) -> selector.Selector:
    try:
        return selector.parse(text)
    except ValueError as error:
        raise errors.BadRequest(
            f"unable to parse requirement: {error}" if "parse" not in str(error) else str(error)
        ) from None


def _exact(cluster: Cluster, request: Request) -> int:
    """The revision to list at; 0 for the newest. Raises Invalid for a match without a version, and wrong ones."""
    match, text = request.query.get("resourceVersionMatch", ""), request.query.get("resourceVersion", "")
    if match and not text:
        raise _invalid(
            "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    if match and match not in MATCHES:
        raise _invalid(
            "resourceVersionMatch",
            f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""',
            "NotSupported",
        )
    revision = version_of(text)
    if match == "Exact" and not revision:
        raise _invalid(
            "resourceVersionMatch", 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        )
    newest = cluster.store.revision
    if revision > newest:
        raise too_large(revision, newest)
    return revision if match == "Exact" else 0


def check_version(cluster: Cluster, request: Request) -> None:
    """A get that wants at least some revision. Raises a timeout where that is still to come."""
    revision, newest = version_of(request.query.get("resourceVersion", "")), cluster.store.revision
    if revision > newest:
        raise too_large(revision, newest)


def version_of(text: str) -> int:
    """A resourceVersion as a number; '' is 0. Raises Invalid."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise _invalid(
            "resourceVersion",
            f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax',
            "Invalid",
        )
    return int(text)


def _invalid(field: str, message: str, reason: str = "Forbidden") -> errors.Invalid:
    return errors.Invalid("ListOptions", "meta.k8s.io", "", [errors.Cause(field, f"FieldValue{reason}", message)])


class Timeout(errors.StatusError):
    """What the server could only tell later."""

    reason, code = "Timeout", 504


def too_large(revision: int, newest: int) -> Timeout:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    details = {"causes": [cause], "retryAfterSeconds": 1}
    return Timeout(f"Too large resource version: {revision}, current: {newest}", details=details)


def _place_of(obj: Object) -> str:
    """Where an object stands in a list: by namespace and name. Those about one object stand in the order in which they
    were written, as if their names ended with the time like those of real ones."""
    meta = obj["metadata"]
    name = meta["name"]
    if "involvedObject" in obj:
        name = f"{name.rpartition('.')[0]}.\0{int(meta['resourceVersion']):020}"
    return f"{meta.get('namespace', '')}\0{name}"


def _token(revision: int, behind: str) -> str:
    told = orjson.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": behind})
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode()


def _continued(token: str) -> tuple[int, str]:
    """(revision, the place behind which to go on). Raises BadRequest."""
    try:
        told = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        revision, start = told["rv"], told["start"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        revision, start = 0, ""
    if type(revision) is not int or not isinstance(start, str) or not start or revision < 1:
        raise errors.BadRequest("continue key is not valid: incorrect encoding")
    return revision, start
