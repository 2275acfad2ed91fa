"""The server as an ASGI application: from the bytes of a request to the handler that its path names, and back.

    app = app_of(World(cluster), Users({token: subject}))

Everything a client can be told is an Answer; watches and followed logs are streams. A refusal becomes a Status object here
and nowhere else.

Sources: k8s.io/apiserver/pkg/server/config.go (the chain of filters), pkg/endpoints/filters.
"""

from __future__ import annotations

import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote

from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute

from minikube_py.api import resources as deprecations
from minikube_py.apiserver.admission import webhooks
from minikube_py.base import errors
from minikube_py.http import asking, following, nonresource, resources, streams, subresources, watching
from minikube_py.http.answers import GZIP_FROM, NOT_FOUND, Answer, Refusal, accept_of, refused
from minikube_py.http.metrics import Metrics
from minikube_py.http.paths import place_of
from minikube_py.http.requests import BODY_MAX, Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, MutableMapping

    from starlette.types import Receive, Scope, Send

    from minikube_py.http.users import Users
    from minikube_py.http.world import World

T = TypeVar("T")
WARNINGS_MAX, WARNING_MAX = 4096, 256  # letters of all warnings together, and of each where that is too much
ALWAYS = (("Cache-Control", "no-cache, private"),)


def app_of(world: World, users: Users) -> Starlette:
    """The application. Its lifespan starts and ends the clock of the world."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        world.start()
        yield
        await world.stop()

    api = Api(world, users)
    routes = [WebSocketRoute("/{path:path}", streams.Streams(api)), Mount("/", app=api)]
    return Starlette(routes=routes, lifespan=lifespan)


class Api:
    """What answers HTTP requests. One request at a time looks at the cluster; streams go on side by side."""

    def __init__(self, world: World, users: Users) -> None:
        self.world, self.users, self.metrics = world, users, Metrics()
        world.cluster.server.authenticator = lambda token, audiences: users.owner_of(world.cluster, token, audiences)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self.metrics.now()
        request = self.request_of(scope)
        found: Answer | watching.Stream
        try:
            request = request._replace(body=await _body(request.headers, receive))
            found = await self._answer(scope, request)
        except errors.KpyError as error:
            found = refused(error)
        if isinstance(found, Answer):
            await _send(send, found, request.method, request.headers)
            self.metrics.count(request.method, request.path, found.code, self.metrics.now() - began)
        else:
            self.metrics.count(request.method, request.path, 200, 0)
            await found.send(receive, send)

    @staticmethod
    def request_of(scope: Scope) -> Request:
        """The request of an ASGI scope, still without its body."""
        raw = scope.get("raw_path")
        path = unquote(raw.decode("latin-1").partition("?")[0]) if raw else scope["path"]
        repeated = tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        return Request(
            scope.get("method", "GET"), path, dict(reversed(repeated)), repeated, headers_of(scope), b"", None
        )

    async def _answer(self, scope: Scope, request: Request) -> Answer | watching.Stream:
        return await asking.Asking().repeated(lambda: self._attempt(scope, request))

    async def _attempt(self, scope: Scope, request: Request) -> Answer | watching.Stream:
        """Answer a request. Raises Pending, with nothing done, where a webhook must be asked first."""
        async with self.world.lock:
            before = self.world.cluster.store.revision
            found: Answer | watching.Stream
            try:
                found = self.as_asked(scope, request, self._whole)
            except asking.Pending:
                self.world.cluster.warnings.clear()
                raise
            except Exception as error:
                found = refused(error)
            found = self._with_warnings(found)
            if self.world.cluster.store.revision != before or not isinstance(found, Answer):
                self.world.wrote()
        return found

    def as_asked(self, scope: Scope, request: Request, do: Callable[[Request], T]) -> T:
        """Do something in the name of the one who asks. Raises KpyError. The lock is held by the caller."""
        cluster = self.world.cluster
        cluster.store.refresh()
        given = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        played = [one for one in given if one[0].startswith("impersonate-")]
        subject = self.users.subject(cluster, request.headers, played)
        cluster.subject = subject
        try:
            return do(request._replace(subject=subject))
        finally:
            cluster.subject = None

    def _whole(self, request: Request) -> Answer | watching.Stream:
        """Carry out a request; where webhooks may stop it, all its writes or none."""
        cluster = self.world.cluster
        if request.method in ("GET", "HEAD") or not any(map(cluster.view.count, webhooks.CONFIGURATIONS)):
            return self._dispatch(request)
        with cluster.transaction():
            return self._dispatch(request)

    def _dispatch(self, request: Request) -> Answer | watching.Stream:
        cluster = self.world.cluster
        place = place_of(request.method, request.path, request.query)
        if place is None or nonresource.is_own(request.path):
            return nonresource.handle(self.world, self.metrics, request)
        kind = resources.kind_of(cluster, place)
        if kind is None:
            nonresource.authorize(cluster, request, place)
            return NOT_FOUND
        request = request._replace(place=place)
        request = request._replace(accept=_accept(request))
        deprecation = deprecations.deprecation(kind, place.version)
        if deprecation:
            cluster.warnings.append(deprecation)
        if place.subresource == "log":
            return following.log(self.world, kind, request)
        if place.subresource == "proxy":
            return following.proxy(cluster, kind, request)
        if place.subresource in streams.CONNECTED:
            streams.prepare(self, request)
            raise errors.BadRequest("Upgrade request required")
        if place.subresource:
            return subresources.handle(cluster, kind, request)
        if place.verb == "watch":
            return watching.watch(self.world, kind, request)
        return resources.handle(cluster, kind, request)

    def _with_warnings(self, found: Answer | watching.Stream) -> Answer | watching.Stream:
        """An answer with what the API server warned of meanwhile."""
        warnings = self.world.cluster.warnings
        if not warnings:
            return found
        told = tuple(("Warning", f'299 - "{_quoted(text)}"') for text in shortened(dict.fromkeys(warnings)))
        warnings.clear()
        return found._replace(headers=(*found.headers, *told)) if isinstance(found, Answer) else found


def _accept(request: Request) -> Any:
    """What the client reads. A watch may ask for other forms of stream; a log is text whatever it says."""
    header = request.headers.get("accept", "")
    if request.place.subresource in ("log", "proxy"):
        return request.accept
    return accept_of(header.replace(";stream=watch", ""))


def shortened(warnings: Iterable[str]) -> list[str]:
    """Warnings that fit into a response: where they are too long together, each is cut, and the last ones are left out
    (apiserver's endpoints/filters/warning.go)."""
    found, room = list(warnings), WARNINGS_MAX
    if sum(map(len, found)) <= room:
        return found
    kept = []
    for text in (text[:WARNING_MAX] for text in found):
        room -= len(text)
        if room < 0:
            break
        kept.append(text)
    return kept


def _quoted(text: str) -> str:
    """Text within a header: one line without control characters, quotes and backslashes marked."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.replace("\\", "\\\\").replace('"', '\\"').encode("utf-8", "replace").decode("latin-1")


def headers_of(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """The headers by their lower-case names, the last one of a name."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _body(headers: dict[str, str], receive: Receive) -> bytes:
    """The whole body. Raises Refusal where it is too large."""
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > BODY_MAX:
        raise Refusal(413, f"Request entity too large: limit is {BODY_MAX}")
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        part = message.get("body", b"")
        size += len(part)
        if size > BODY_MAX:
            raise Refusal(413, f"Request entity too large: limit is {BODY_MAX}")
        parts.append(part)
        if not message.get("more_body"):
            break
    body = b"".join(parts)
    if headers.get("content-encoding", "") == "gzip":
        return _unzipped(body)
    return body


def _unzipped(body: bytes) -> bytes:
    try:
        unzip = zlib.decompressobj(wbits=31)
        found = unzip.decompress(body, BODY_MAX + 1)
    except zlib.error as error:
        raise errors.BadRequest(f"the body is not gzip: {error}") from None
    if len(found) > BODY_MAX:
        raise Refusal(413, f"Request entity too large: limit is {BODY_MAX}")
    return found


async def _send(send: Send, found: Answer, method: str, asked: dict[str, str]) -> None:
    body, headers = found.body, [*ALWAYS, *found.headers, ("Content-Type", found.media)]
    if len(body) > GZIP_FROM and "gzip" in asked.get("accept-encoding", ""):
        packer = zlib.compressobj(1, wbits=31)
        body = packer.compress(body) + packer.flush()
        headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    headers.append(("Content-Length", str(len(body))))
    raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": found.code, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
