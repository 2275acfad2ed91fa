"""The verb watch: what is there already, if it is asked for, and then every change.

Sources: k8s.io/apiserver/pkg/endpoints/handlers/{get,watch}.go, pkg/storage/cacher/cacher.go, KEP-3157 (watch-list).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from minikube_py.base import errors
from minikube_py.http import pages, resources
from minikube_py.http.answers import JSON, status_of
from minikube_py.http.watches import END_OF_INITIAL, Form, Watcher, event, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Send

    from minikube_py.api.kinds import Kind
    from minikube_py.http.requests import Request
    from minikube_py.http.world import World

TIMEOUT_S = 1800.0  # real seconds after which a watch ends, if the client does not say (--min-request-timeout)


class Stream:
    """A response that goes on: the parts come from `parts`; `closed` is called at its end, however it ends."""

    def __init__(self, parts: AsyncIterator[bytes], closed: Any, media: str = JSON) -> None:
        self._parts, self._closed, self._media = parts, closed, media

    async def send(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", self._media.encode()), (b"cache-control", b"no-cache, private")]
        gone = asyncio.ensure_future(_disconnected(receive))
        writing = asyncio.ensure_future(self._write(send, headers))
        try:
            await asyncio.wait((gone, writing), return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
        finally:
            for task in (gone, writing):
                task.cancel()
            await asyncio.gather(gone, writing, return_exceptions=True)
            self._closed()

    async def _write(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        async for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def watch(world: World, kind: Kind, request: Request) -> Stream:
    """Begin a watch. Raises Forbidden, Invalid, BadRequest."""
    cluster, place, query = world.cluster, request.place, request.query
    cluster.authorize("watch", kind, place.namespace, place.name)
    if "watch" not in kind.verbs or (not kind.namespaced and place.namespace is not None):
        raise errors.MethodNotAllowed(resources.NOT_ALLOWED)
    initial = query.get("sendInitialEvents")
    _check(request, initial)
    form = Form(kind, place.version, request.accept.as_kind.removesuffix("List"), resources.include_of(request))
    watcher = Watcher(form, pages.wanted_of(kind, request), bookmarks=request.is_on("allowWatchBookmarks"))
    timeout_s = float(request.number("timeoutSeconds") or 0) or TIMEOUT_S
    world.hub.pump()
    try:
        _catch_up(world, watcher, request, initial)
    except errors.StatusError as error:
        watcher.push(event("ERROR", status_of(error)))
        watcher.close()
    if not watcher.closed:
        world.hub.add(watcher)
    return Stream(watcher.batches(timeout_s, world.hub), lambda: world.hub.remove(watcher))


def _check(request: Request, initial: str | None) -> None:
    match = request.query.get("resourceVersionMatch", "")
    if initial is None:
        if match:
            told = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            raise _invalid("resourceVersionMatch", told)
        return
    if match != "NotOlderThan":
        told = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise _invalid("resourceVersionMatch", told)
    if request.is_on("sendInitialEvents") and not request.is_on("allowWatchBookmarks"):
        raise _invalid(
            "allowWatchBookmarks", "Forbidden: sendInitialEvents requires setting allowWatchBookmarks to true"
        )


def _invalid(field: str, message: str) -> errors.Invalid:
    return errors.Invalid("ListOptions", "meta.k8s.io", "", [errors.Cause(field, "FieldValueForbidden", message)])


def _catch_up(world: World, watcher: Watcher, request: Request, initial: str | None) -> None:
    """Queue what comes before the present: the objects that are there, or the changes since a revision."""
    cluster, kind = world.cluster, watcher.form.kind
    since = pages.version_of(request.query.get("resourceVersion", ""))
    newest, now_s = cluster.store.revision, cluster.clock.now_s
    if since > newest:
        raise pages.too_large(since, newest)
    wants_objects = request.is_on("sendInitialEvents") if initial is not None else since == 0
    if wants_objects:
        for obj in cluster.there(kind, request.place.namespace):
            if watcher.wanted(obj):
                watcher.push(watcher.encoded("ADDED", obj, now_s))
    elif since and since < newest:
        for change in cluster.changes(since):
            if change.key.resource == kind.storage:
                tell(watcher, change, now_s, {})
    watcher.revision = newest
    if initial is not None and wants_objects:
        watcher.bookmark(newest, END_OF_INITIAL)
