"""port-forward: what somebody sends to a port of a pod, and what its program answers.

Two protocols: kubectl's, which is SPDY within a WebSocket (a data and an error stream for each connection), and that of client
libraries, in which the first byte of a message tells its channel (two for each port: data and error).

A simulated program answers HTTP requests, with the status that its probes get and a line that tells who answered. On anything
else it closes the connection.

Sources: k8s.io/client-go/tools/portforward, k8s.io/kubelet/pkg/cri/streaming/portforward (httpstream.go, websocket.go).
"""

from __future__ import annotations

import struct
from http import HTTPStatus
from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.base import errors
from minikube_py.http import spdy
from minikube_py.network import serving

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.http.requests import Request
    from minikube_py.http.world import World

TUNNEL, CHANNELS = "SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"
HEAD_MAX, BODY_MAX = 64 * 1024, 16 * 1024 * 1024  # bytes
NORMAL, WRONG = 1000, 1002


def check(cluster: Cluster, pod: Object) -> None:
    """Whether a pod can be connected to. Raises BadRequest, InternalError."""
    meta, phase = pod["metadata"], (pod.get("status") or {}).get("phase")
    cluster.check_node(pod, f"portForward/{meta['namespace']}/{meta['name']}")
    if phase != "Running":
        raise errors.BadRequest(f"unable to forward port because pod is not running. Current status={phase}")


async def forward(socket: WebSocket, offered: list[str], world: World, pod: Object, request: Request) -> None:
    """Carry on one connection in the protocol that was offered, to its end."""
    if TUNNEL in offered:
        await socket.accept(subprotocol=TUNNEL)
        await _tunnelled(socket, world, pod)
        return
    ports = [
        int(port) for name, value in request.repeated if name == "ports" for port in value.split(",") if port.isdigit()
    ]
    await socket.accept(subprotocol=CHANNELS if CHANNELS in offered else None)
    if not ports:
        await socket.close(WRONG, 'query parameter "ports" is required')
        return
    await _channelled(socket, world, pod, ports)


class Connection:
    """One connection to a port: bytes in, bytes out. `problem`: why there is none; `open`: whether more may come."""

    def __init__(self, world: World, pod: Object, port: int) -> None:
        self._world, self._port = world, port
        self._key = Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        self._buffer = b""
        self.open, self.problem = True, ""

    def received(self, data: bytes) -> bytes:
        """What the program sends for these bytes."""
        self._buffer += data
        out = b""
        while self.open and b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            size = _length(head)
            if len(rest) < size:
                break
            self._buffer = rest[size:]
            out += self._answer(head)
        if self.open and (len(self._buffer) > HEAD_MAX + BODY_MAX or not _may_be_http(self._buffer)):
            self.open = False
        return out

    def _answer(self, head: bytes) -> bytes:
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1"):
            self.open = False
            return b""
        path = words[1].partition("?")[0]
        cluster = self._world.cluster
        pod = cluster.store.get(self._key)
        reply = None if pod is None else serving.reply(pod, self._port, path, cluster.view, cluster.clock)
        if pod is None or reply is None or reply.sort != serving.ANSWERED:
            self.open = False
            self.problem = refused_text(self._port, pod)
            return b""
        if any(line.lower().replace(" ", "") == "connection:close" for line in lines) or words[2] == "HTTP/1.0":
            self.open = False
        meta = pod["metadata"]
        body = f"{reply.status} from pod {meta['namespace']}/{meta['name']} ({reply.version})\n".encode()
        phrase = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else ""
        lasts = "keep-alive" if self.open else "close"
        told = f"HTTP/1.1 {reply.status} {phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: {lasts}\r\n\r\n"
        return told.encode() + (b"" if words[0] == "HEAD" else body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


def _may_be_http(data: bytes) -> bool:
    """Whether bytes may be the beginning of a request: a method in capitals."""
    word = data[:16].partition(b" ")[0]
    return not word or (word.isalpha() and word.isupper())


def refused_text(port: int, pod: Object | None) -> str:
    """What containerd says where nobody listens."""
    uid = pod["metadata"]["uid"] if pod is not None else ""
    return (
        f"error forwarding port {port} to pod {uid.replace('-', '')}, uid : failed to execute portforward in network "
        f"namespace: failed to connect to localhost:{port} inside namespace: dial tcp4 127.0.0.1:{port}: connect: "
        "connection refused"
    )


# -- kubectl's protocol ------------------------------------------------------------------------------------------------


class _Tunnel:
    """The streams of a SPDY session. A pair of them, with the same request id, is a connection."""

    def __init__(self, world: World, pod: Object) -> None:
        self._world, self._pod = world, pod
        self._session = spdy.Session()
        self._errors: dict[str, int] = {}  # request id -> its error stream
        self._connections: dict[int, tuple[Connection, str]] = {}  # data stream -> its connection and request id
        self.closed = False

    def received(self, data: bytes) -> bytes:
        """What is to be sent for some bytes. Raises ProtocolError."""
        found, out = self._session.received(data)
        for one in found:
            if isinstance(one, spdy.Opened):
                out += self._session.reply(one.stream)
                self._open(one)
            elif isinstance(one, spdy.Data):
                out += self._data(one)
            elif not one.stream:
                self.closed = True
            else:
                self._connections.pop(one.stream, None)
        return out

    def _open(self, one: spdy.Opened) -> None:
        number, port = one.headers.get("requestid", ""), one.headers.get("port", "")
        if one.headers.get("streamtype") == "error":
            self._errors[number] = one.stream
        elif port.isdigit():
            self._connections[one.stream] = (Connection(self._world, self._pod, int(port)), number)

    def _data(self, one: spdy.Data) -> bytes:
        known = self._connections.get(one.stream)
        if known is None:
            return b""
        connection, number = known
        out = connection.received(one.data) if one.data else b""
        ended = one.ended or not connection.open
        frames = self._session.data(one.stream, out, end=ended) if out or ended else b""
        if ended:
            del self._connections[one.stream]
            error = self._errors.pop(number, 0)
            if error:
                frames += self._session.data(error, connection.problem.encode(), end=True)
        return frames


async def _tunnelled(socket: WebSocket, world: World, pod: Object) -> None:
    tunnel = _Tunnel(world, pod)
    while not tunnel.closed:
        data = await socket.receive_bytes()
        try:
            out = tunnel.received(data)
        except spdy.ProtocolError:
            await socket.close(WRONG)
            return
        if out:
            await socket.send_bytes(out)
    await socket.close(NORMAL)


# -- that of client libraries ------------------------------------------------------------------------------------------


async def _channelled(socket: WebSocket, world: World, pod: Object, ports: list[int]) -> None:
    connections = [Connection(world, pod, port) for port in ports]
    for number, port in enumerate(ports):  # each channel begins with its port
        for channel in (2 * number, 2 * number + 1):
            await socket.send_bytes(bytes((channel,)) + struct.pack("<H", port))
    while any(connection.open for connection in connections):
        data = await socket.receive_bytes()
        number = data[0] // 2 if data else len(ports)
        if number >= len(ports) or data[0] % 2 or not connections[number].open:
            continue
        connection = connections[number]
        out = connection.received(data[1:])
        if out:
            await socket.send_bytes(bytes((2 * number,)) + out)
        if connection.problem:
            await socket.send_bytes(bytes((2 * number + 1,)) + connection.problem.encode())
    await socket.close(NORMAL)
