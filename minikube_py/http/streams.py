"""exec, attach and port-forward over WebSocket: streams that share one connection, told apart by the first byte of a message.

    0 stdin   1 stdout   2 stderr   3 how it ended (a Status)   4 size of the terminal   255 (v5) the stream named next is closed

Sources: k8s.io/apimachinery/pkg/util/remotecommand/constants.go, k8s.io/kubelet/pkg/cri/streaming/remotecommand,
k8s.io/apiserver/pkg/util/proxy.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from minikube_py.api.types import Key
from minikube_py.base import errors
from minikube_py.http import answers, following, forwarding, resources, tars
from minikube_py.http.answers import Answer, Refusal
from minikube_py.http.paths import place_of
from minikube_py.http.requests import Request
from minikube_py.http.terminal import Terminal
from minikube_py.programs import logs, shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

    from minikube_py.api.types import Object
    from minikube_py.http.app import Api
    from minikube_py.programs.commands import Session

CONNECTED = ("attach", "exec", "portforward")
STDIN, STDOUT, STDERR, ENDED, RESIZE, CLOSED = 0, 1, 2, 3, 4, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
PAUSE_S = 0.3  # real seconds without a word after which a client of a shell is taken for somebody who talks
HERE = re.compile(r"<<-?\s*['\"]?(\w+)")
UNFINISHED = re.compile("unexpected end of file|unexpected EOF")
PART = 32 * 1024  # bytes of a message
INPUT_MAX = 64 * 1024 * 1024  # bytes of standard input


class Target:
    """What a connection leads to: a container of a pod, and what is to be done there."""

    def __init__(self, pod: Object, container: Object, request: Request) -> None:
        self.pod, self.container = pod, container
        self.command = tuple(value for name, value in request.repeated if name == "command")
        self.stdin, self.tty = request.is_on("stdin"), request.is_on("tty")


class Streams:
    """The ASGI application behind every WebSocket."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        request = self._api.request_of(scope)
        world = self._api.world
        try:
            async with world.lock:
                target = self._api.as_asked(scope, request, lambda asked: prepare(self._api, asked))
                place = place_of("GET", request.path, request.query)
        except (errors.KpyError, ValueError) as error:
            await _refuse(socket, answers.refused(error))
            return
        assert place is not None
        offered = scope.get("subprotocols") or []
        try:
            if place.subresource == "portforward":
                await forwarding.forward(socket, offered, world, target.pod, request)
            else:
                protocol = next((one for one in (V5, V4) if one in offered), None)
                await socket.accept(subprotocol=protocol)
                conversation = Conversation(self._api, socket, target)
                await (conversation.attach() if place.subresource == "attach" else conversation.execute())
        except WebSocketDisconnect:
            return


def prepare(api: Api, request: Request) -> Target:
    """What a request to connect is about. Raises KpyError for what cannot be connected to. The lock is held."""
    cluster = api.world.cluster
    place = place_of("GET", request.path, request.query)
    kind = resources.kind_of(cluster, place) if place is not None else None
    if (
        place is None
        or kind is None
        or place.subresource not in CONNECTED
        or place.subresource not in kind.subresources
    ):
        raise Refusal(404, "the server could not find the requested resource")
    told = {field: request.query.get(field) == "true" for field in ("stdin", "stdout", "stderr", "tty")}
    cluster.connect(
        place.subresource, place.name, place.namespace or "", **told, container=request.query.get("container"),
        command=[value for name, value in request.repeated if name == "command"],
    )  # fmt: skip
    pod = cluster.stored("pods", place.name, place.namespace or "")
    if place.subresource == "portforward":
        forwarding.check(cluster, pod)
        return Target(pod, pod["spec"]["containers"][0], request)
    target = Target(pod, following.chosen(pod, request.query.get("container", "")), request)
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        raise errors.BadRequest(
            f"cannot exec into a container in a completed pod; current phase is {pod['status']['phase']}"
        )
    if place.subresource == "exec" and not target.command:
        raise errors.BadRequest("you must specify at least 1 command for the container")
    cluster.enter(pod, target.container)
    return target


async def _refuse(socket: WebSocket, found: Answer) -> None:
    headers = dict(found.headers)
    await socket.send_denial_response(Response(found.body, found.code, headers, found.media))


class Conversation:
    """One exec or attach."""

    def __init__(self, api: Api, socket: WebSocket, target: Target) -> None:
        self._world, self._socket, self._target = api.world, socket, target

    async def execute(self) -> None:
        """Run a command and tell what it printed and how it ended."""
        target, cluster = self._target, self._world.cluster
        async with self._world.lock:
            session = cluster.enter(target.pod, target.container)
        problem = session.missing(target.command)
        if problem:
            await self._end(cluster.cannot_start(target.pod, target.container, problem))
            return
        bare = shell.is_bare(target.command)
        if target.tty and target.stdin and bare:
            code = await self._dialogue(session)
        elif target.stdin and bare:
            code = await self._script(session)
        else:
            code = await self._once(session, await self._input() if target.stdin else None)
        await self._keep(session)
        await self._end(code=code)

    async def _once(self, session: Session, given: bytes | None) -> int:
        target = self._target
        async with self._world.lock:
            packed = tars.run(session, target.command, given)
            if packed is not None:
                code, out, err = packed
            else:
                text = None if given is None else given.decode("utf-8", "surrogateescape")
                result = session.execute(target.command, text)
                code, out, err = result.code, _bytes(result.stdout), _bytes(result.stderr)
        if target.tty:
            out, err = (out + err).replace(b"\n", b"\r\n"), b""
        await self._tell(STDOUT, out)
        await self._tell(STDERR, err)
        return code

    async def _dialogue(self, session: Session) -> int:
        """A shell on a terminal: what is typed is shown, a line is run when it ends."""
        terminal = Terminal(session)
        await self._tell(STDOUT, terminal.greeting())
        while terminal.code is None:
            message = await self._next()
            if message is None:
                return 0
            if message[0] == STDIN:
                async with self._world.lock:
                    shown = terminal.typed(message[1:])
                await self._tell(STDOUT, shown)
        return terminal.code

    async def _script(self, session: Session) -> int:
        """A shell without a terminal. Input that ends at once is a script; with a client that goes on talking each
        statement is run as it comes."""
        first = b""
        while True:
            try:
                message = await asyncio.wait_for(
                    asyncio.shield(self._coming()), PAUSE_S if first.endswith(b"\n") else None
                )
            except TimeoutError:
                return await self._statements(session, first)
            self._reading = None
            if message is None:
                return await self._once(session, first)
            first += message[1:] if message[0] == STDIN else b""

    async def _statements(self, session: Session, first: bytes) -> int:
        lines = Statements()
        data = first
        while True:
            for statement in lines.complete(data):
                words = statement.split()
                if words[:1] == ["exit"]:
                    return int(words[1]) % 256 if len(words) > 1 and words[1].isdigit() else lines.code
                async with self._world.lock:
                    result = session.say(statement)
                if lines.ran(statement, result):
                    await self._tell(STDOUT, _bytes(result.stdout))
                    await self._tell(STDERR, _bytes(result.stderr))
            message = await self._coming()
            self._reading = None
            if message is None:
                return lines.code
            data = message[1:] if message[0] == STDIN else b""

    async def attach(self) -> None:
        """What the container writes from now on, until it ends."""
        world, target = self._world, self._target
        name, meta = target.container["name"], target.pod["metadata"]
        key = Key("pods", meta["namespace"], meta["name"])
        since_s, count = world.cluster.clock.now_s, 0
        number = following.restarts(target.pod, name)
        gone = asyncio.ensure_future(self._input())
        try:
            while (pod := world.cluster.store.get(key)) is not None and following.restarts(pod, name) == number:
                lines = logs.lines(target.container, pod, world.cluster.view, world.cluster.clock)
                fresh = [line for second, line in lines if second >= since_s]
                await self._tell(STDOUT, "".join(f"{line}\n" for line in fresh[count:]).encode())
                count = len(fresh)
                if following.has_ended(pod, name, number):
                    break
                moved = asyncio.ensure_future(world.hub.moved())
                world.wrote()
                await asyncio.wait((moved, gone), return_when=asyncio.FIRST_COMPLETED)
                moved.cancel()
                if gone.done() and self._is_gone:
                    return
                if gone.done():
                    await world.hub.moved()
        finally:
            gone.cancel()
        await self._end(code=0)

    # ---- messages

    _is_gone = False
    _reading: asyncio.Task[bytes | None] | None = None

    def _coming(self) -> asyncio.Task[bytes | None]:
        """The next message, while others may be waited for: forget it (`_reading`) when it has come."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._next())
        return self._reading

    async def _next(self) -> bytes | None:
        """The next message with something in it; None when the client is gone, or has closed its input."""
        while True:
            try:
                message = await self._socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                self._is_gone = True
                return None
            if message["type"] == "websocket.disconnect":
                self._is_gone = True
                return None
            data: bytes = message.get("bytes") or (message.get("text") or "").encode()
            if data[:2] == bytes((CLOSED, STDIN)):
                return None
            if data:
                return data

    async def _input(self) -> bytes:
        """All of standard input, to its end."""
        parts, size = [], 0
        while (message := await self._next()) is not None:
            if message[0] == STDIN:
                size += len(message) - 1
                if size > INPUT_MAX:
                    break
                parts.append(message[1:])
        return b"".join(parts)

    async def _tell(self, channel: int, data: bytes) -> None:
        if self._is_gone:
            return
        for start in range(0, len(data), PART):
            await self._socket.send_bytes(bytes((channel,)) + data[start : start + PART])

    async def _keep(self, session: Session) -> None:
        async with self._world.lock:
            self._world.cluster.leave(self._target.pod, session)
            self._world.wrote()

    async def _end(self, problem: str = "", code: int = 0) -> None:
        status: Object = {"metadata": {}, "status": "Success"}
        if problem:
            told = problem.removeprefix("Internal error occurred: ")
            status = {
                **status,
                "status": "Failure",
                "message": told,
                "reason": "InternalError",
                "details": {"causes": [{"message": told}]},
                "code": 500,
            }
        elif code:
            status = {
                "metadata": {},
                "status": "Failure",
                "message": f"command terminated with non-zero exit code: exit status {code}",
                "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
            }
        await self._tell(ENDED, orjson.dumps(status))
        if not self._is_gone:
            await self._socket.close()


class Statements:
    """Lines of a shell, put together where one alone is not whole. `code`: of the last that ran."""

    def __init__(self) -> None:
        self._rest, self._open = b"", ""
        self.code = 0

    def complete(self, data: bytes) -> Iterator[str]:
        """What may be run now: each line, behind those before it that were not whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = self._open + line.decode("utf-8", "surrogateescape") + "\n"
            if HERE.search(text) and not _ends_here(text):
                self._open = text
            else:
                self._open = ""
                yield text

    def ran(self, statement: str, result: shell.Result) -> bool:
        """Whether a statement was run; one that goes on waits for its other lines."""
        if result.code and UNFINISHED.search(result.stderr):
            self._open = statement
            return False
        self.code = result.code
        return True


def _ends_here(text: str) -> bool:
    """Whether each here-document of a text has its last line."""
    lines = [line.strip() for line in text.split("\n")]
    return all(word in lines for word in HERE.findall(text))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
