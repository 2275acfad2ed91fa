"""What flows over WebSockets, piece by piece: terminals, statements, archives, SPDY frames, forwarded connections."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.cluster import Cluster
from minikube_py.http import forwarding, spdy, tars
from minikube_py.http.streams import Statements
from minikube_py.http.terminal import Terminal
from minikube_py.http.world import World
from minikube_py.programs.shell import Result
from tests.http.asgi import pod

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.programs.commands import Session


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster.memory() as found:
        found.create(pod("web"))
        found.reconcile()
        yield found


@pytest.fixture
def session(cluster: Cluster) -> Session:
    found = cluster.get("pods", "web")
    return cluster.enter(found, found["spec"]["containers"][0])


# -- a terminal ----------------------------------------------------------------------------------------------------------


def test_what_is_typed_is_shown_and_run(session: Session) -> None:
    terminal = Terminal(session)
    prompt = session.prompt
    assert terminal.greeting() == prompt.encode()
    assert terminal.typed(b"ecX\x7fho hi") == b"ecX\b \bho hi"
    assert terminal.typed(b"\r") == b"\r\nhi\r\n" + prompt.encode()
    assert terminal.typed(b"half\x03") == b"half^C\r\n" + prompt.encode()
    assert terminal.typed(b"\x7f\x1b") == b""
    terminal.typed(b"cd /tmp\r")
    assert terminal.typed(b"\r").decode().endswith(":/tmp# ")
    terminal.typed(b"false\r")
    assert (terminal.typed(b"\x04"), terminal.code) == (b"\r\n", 1)


def test_a_terminal_ends_with_the_code_of_exit(session: Session) -> None:
    terminal = Terminal(session)
    terminal.typed(b"exit 300\rnever")
    assert terminal.code == 300 % 256


# -- statements ----------------------------------------------------------------------------------------------------------


def test_lines_that_are_not_whole_wait_for_others(session: Session) -> None:
    lines, out = Statements(), ""
    for data in (b"for i in 1 2", b"; do\n", b"echo $i\ndone\ncat <<EOF\n", b"deep\nEOF\necho 'a\n", b"b'\nfalse\n"):
        for statement in lines.complete(data):
            result = session.say(statement)
            if lines.ran(statement, result):
                out += result.stdout
    assert out == "1\n2\ndeep\na\nb\n"
    assert lines.code == 1


def test_an_error_is_no_unfinished_statement() -> None:
    lines = Statements()
    assert list(lines.complete(b"if fi\n")) == ["if fi\n"]
    assert lines.ran("if fi\n", Result(2, "", "syntax error near unexpected token `fi'", 0))


# -- archives ------------------------------------------------------------------------------------------------------------


def test_folders_come_and_go_as_archives(session: Session) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in (("in/a", b"\x00\xff" * 500), ("in/deep/b", b"text")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert tars.run(session, ("tar", "-xmf", "-", "-C", "/tmp"), packed.getvalue()) == (0, b"", b"")
    found = tars.run(session, ("tar", "cf", "-", "/tmp/in"), None)
    assert found is not None
    code, out, err = found
    assert (code, err) == (0, b"tar: Removing leading `/' from member names\n")
    with tarfile.open(fileobj=io.BytesIO(out)) as archive:
        assert sorted(archive.getnames()) == ["tmp/in", "tmp/in/a", "tmp/in/deep", "tmp/in/deep/b"]
        member = archive.extractfile("tmp/in/a")
        assert member is not None
        assert member.read() == b"\x00\xff" * 500


def test_calls_of_tar_that_fail_or_are_others(session: Session) -> None:
    missing = tars.run(session, ("tar", "cf", "-", "/nope"), None)
    assert missing is not None
    assert (missing[0], b"Cannot stat: No such file or directory" in missing[2]) == (2, True)
    broken = tars.run(session, ("tar", "xf", "-"), b"junk" * 200)
    assert broken is not None
    assert broken[0] == 2
    for other in (("tar", "tf", "-"), ("tar", "cf", "x.tar", "/etc"), ("ls", "cf", "-"), ("tar",)):
        assert tars.run(session, other, None) is None
    outside = io.BytesIO()
    with tarfile.open(fileobj=outside, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../up"), io.BytesIO())
    assert tars.run(session, ("tar", "xf", "-", "-C", "/tmp/in"), outside.getvalue()) is not None


# -- SPDY ----------------------------------------------------------------------------------------------------------------


class SpdyClient:
    """The other side of a session."""

    def __init__(self) -> None:
        self._zip = zlib.compressobj(zdict=spdy._dictionary())

    def open(self, stream: int, **headers: str) -> bytes:
        plain = struct.pack(">I", len(headers))
        for name, value in headers.items():
            plain += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
        block = self._zip.compress(plain) + self._zip.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack(">IIBB", stream, 0, 0, 0) + block
        return struct.pack(">HHI", spdy.VERSION, spdy.SYN_STREAM, len(body)) + body

    @staticmethod
    def data(stream: int, data: bytes, flags: int = 0) -> bytes:
        return struct.pack(">II", stream, flags << 24 | len(data)) + data


def frames(data: bytes) -> list[tuple[int, int, bytes]]:
    """(stream, flags, data) of the data frames in what a server sent; stream 0 with the type for control frames."""
    found = []
    while data:
        first, second = struct.unpack(">II", data[:8])
        size = second & 0xFFFFFF
        found.append((0, first & 0xFFFF, b"") if first >> 31 else (first, second >> 24, data[8 : 8 + size]))
        data = data[8 + size :]
    return found


def test_the_dictionary_is_that_of_the_specification() -> None:
    assert zlib.adler32(spdy._dictionary()) == 0xE3C6A7C2


def test_frames_may_come_in_any_pieces() -> None:
    client, session = SpdyClient(), spdy.Session()
    data = client.open(1, streamtype="data", port="80") + client.data(1, b"hello", spdy.FIN)
    found: list[Any] = []
    for byte in data:
        events, _ = session.received(bytes((byte,)))
        found += events
    assert found == [spdy.Opened(1, {"streamtype": "data", "port": "80"}), spdy.Data(1, b"hello", True)]


def test_pings_are_answered_and_goodbyes_heard() -> None:
    session = spdy.Session()
    ping = struct.pack(">HHI", spdy.VERSION, spdy.PING, 4) + b"\0\0\0\7"
    assert session.received(ping) == ([], ping)
    bye = struct.pack(">HHI", spdy.VERSION, spdy.GOAWAY, 8) + bytes(8)
    reset = struct.pack(">HHI", spdy.VERSION, spdy.RST_STREAM, 8) + struct.pack(">II", 5, 5)
    assert session.received(reset + bye) == ([spdy.Closed(5), spdy.Closed(0)], b"")


@pytest.mark.parametrize(
    "data", [b"\xff\xff\x00\x01\x00\x00\x00\x00", struct.pack(">HHI", 0x8003, 1, 14) + bytes(10) + b"junk"]
)
def test_what_is_no_spdy_is_refused(data: bytes) -> None:
    with pytest.raises(spdy.ProtocolError):
        spdy.Session().received(data)


def test_large_answers_are_cut_into_frames() -> None:
    sent = frames(spdy.Session.data(3, b"x" * 70_000, end=True))
    assert [(flags, len(part)) for _, flags, part in sent] == [(0, 32768), (0, 32768), (spdy.FIN, 4464)]


# -- forwarded connections -----------------------------------------------------------------------------------------------


def connection(cluster: Cluster, port: int) -> forwarding.Connection:
    return forwarding.Connection(World(cluster), cluster.get("pods", "web"), port)


def test_a_program_answers_requests_that_come_in_pieces(cluster: Cluster) -> None:
    found = connection(cluster, 80)
    assert found.received(b"GET / HT") == b""
    answer = found.received(b"TP/1.1\r\nHost: x\r\n\r\nPOST /form HTTP/1.1\r\nContent-Length: 3\r\n\r\na=")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n200 from pod default/web (1.27)\n")
    assert found.received(b"bHEAD / HTTP/1.0\r\n\r\n").count(b"HTTP/1.1 ") == 2
    assert not found.open


def test_a_port_without_a_program_refuses(cluster: Cluster) -> None:
    found = connection(cluster, 81)
    assert found.received(b"GET / HTTP/1.1\r\n\r\n") == b""
    assert found.problem.endswith("dial tcp4 127.0.0.1:81: connect: connection refused")


@pytest.mark.parametrize("data", [b"\x16\x03\x01 a TLS hello", b"*1\r\n$4\r\nPING\r\n", b"NOPE\r\n\r\n"])
def test_what_is_no_request_ends_the_connection(cluster: Cluster, data: bytes) -> None:
    found = connection(cluster, 80)
    assert found.received(data) == b""
    assert not found.open


def test_a_tunnel_carries_several_connections(cluster: Cluster) -> None:
    client, tunnel = SpdyClient(), forwarding._Tunnel(World(cluster), cluster.get("pods", "web"))
    for number in (0, 1):
        tunnel.received(client.open(4 * number + 1, streamtype="error", port="80", requestid=str(number)))
        tunnel.received(client.open(4 * number + 3, streamtype="data", port="80", requestid=str(number)))
    first = frames(tunnel.received(client.data(3, b"GET / HTTP/1.1\r\n\r\n")))
    assert [(stream, flags) for stream, flags, _ in first] == [(3, 0)]
    second = frames(tunnel.received(client.data(7, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")))
    assert [(stream, flags) for stream, flags, _ in second] == [(7, spdy.FIN), (5, spdy.FIN)]
    assert frames(tunnel.received(client.data(3, b"", spdy.FIN))) == [(3, spdy.FIN, b""), (1, spdy.FIN, b"")]
    tunnel.received(client.open(9, streamtype="error", port="81", requestid="2"))
    tunnel.received(client.open(11, streamtype="data", port="81", requestid="2"))
    refused = frames(tunnel.received(client.data(11, b"GET / HTTP/1.1\r\n\r\n")))
    assert [stream for stream, _, _ in refused] == [11, 9]
    assert b"connection refused" in refused[1][2]
