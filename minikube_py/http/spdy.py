"""As much of SPDY/3.1 as kubectl's port-forward speaks through a WebSocket: streams with headers, data, and their ends.

Frames: a control frame is 0x8003, type (2 bytes), flags (1), length (3); a data frame is stream id (4), flags (1), length (3).
Header blocks are compressed with zlib, all of a direction as one stream, with the dictionary that the specification gives.

Source: the SPDY protocol, draft 3.1.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 0x01
VERSION = 0x8003
DATA_MAX = 32 * 1024
HEADERS_MAX = 64 * 1024
BUFFER_MAX = 16 * 1024 * 1024 + 8  # the largest frame there can be
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length content-location "
    "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match "
    "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range "
    "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method "
    "get status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin"
)
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal "
    "Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, "
    "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml"
    "+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    words = (word.replace("_", " ").encode() for word in _WORDS.split(" "))
    return b"".join(struct.pack(">I", len(word)) + word for word in words) + _REST.encode()


class Opened(NamedTuple):
    """The client has opened a stream."""

    stream: int
    headers: dict[str, str]


class Data(NamedTuple):
    """Bytes of a stream; `ended`: the client sends no more on it."""

    stream: int
    data: bytes
    ended: bool


class Closed(NamedTuple):
    """The client has given up a stream; 0: the connection."""

    stream: int


class ProtocolError(ValueError):
    """What came is no SPDY."""


class Session:
    """The server's side of a connection: bytes in, events out; and frames to send."""

    def __init__(self) -> None:
        self._buffer = b""
        self._unzip = zlib.decompressobj(zdict=_dictionary())
        self._zip = zlib.compressobj(9, zdict=_dictionary())

    def received(self, data: bytes) -> tuple[list[Opened | Data | Closed], bytes]:
        """What some bytes tell, and what is to be sent for them at once. Raises ProtocolError."""
        self._buffer += data
        found: list[Opened | Data | Closed] = []
        answer = b""
        while len(self._buffer) >= 8:
            first, second = struct.unpack(">II", self._buffer[:8])
            size, flags = second & 0xFFFFFF, second >> 24
            if len(self._buffer) < 8 + size:
                break
            body, self._buffer = self._buffer[8 : 8 + size], self._buffer[8 + size :]
            if not first >> 31:
                found.append(Data(first, body, bool(flags & FIN)))
            elif first >> 16 != VERSION:
                raise ProtocolError("not SPDY/3.1")
            elif first & 0xFFFF == PING:
                answer += _control(PING, body)
            else:
                found += self._control(first & 0xFFFF, flags, body)
        return found, answer

    def _control(self, sort: int, flags: int, body: bytes) -> list[Opened | Data | Closed]:
        if sort == GOAWAY:
            return [Closed(0)]
        if len(body) < 4:
            return []
        stream = struct.unpack(">I", body[:4])[0] & 0x7FFFFFFF
        if sort == SYN_STREAM:
            opened: list[Opened | Data | Closed] = [Opened(stream, self._headers(body[10:]))]
            return [*opened, Data(stream, b"", True)] if flags & FIN else opened
        return [Closed(stream)] if sort == RST_STREAM else []

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._unzip.decompress(block, HEADERS_MAX)
            (count,), at, words = struct.unpack(">I", plain[:4]), 4, []
            for _ in range(2 * min(count, 1000)):
                (size,) = struct.unpack(">I", plain[at : at + 4])
                words.append(plain[at + 4 : at + 4 + size].decode("latin-1"))
                at += 4 + size
        except (zlib.error, struct.error) as error:
            raise ProtocolError(f"bad headers: {error}") from None
        return dict(zip(words[::2], words[1::2], strict=True))

    def reply(self, stream: int) -> bytes:
        """The frame that accepts a stream."""
        block = self._zip.compress(struct.pack(">I", 0)) + self._zip.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, struct.pack(">I", stream) + block)

    @staticmethod
    def data(stream: int, data: bytes, *, end: bool) -> bytes:
        """Frames of data; `end`: the server sends no more on the stream."""
        parts = [data[start : start + DATA_MAX] for start in range(0, len(data), DATA_MAX)] or [b""]
        frames = b""
        for number, part in enumerate(parts):
            flags = FIN if end and number == len(parts) - 1 else 0
            frames += struct.pack(">II", stream, flags << 24 | len(part)) + part
        return frames


def _control(sort: int, body: bytes) -> bytes:
    return struct.pack(">HHI", VERSION, sort, len(body)) + body
