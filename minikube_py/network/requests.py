"""The words that Ingress and Gateway share: a request, where a rule sends it, and how hosts match."""

from __future__ import annotations

from typing import NamedTuple


class Request(NamedTuple):
    scheme: str
    host: str  # of the URL: where the connection goes
    port: int
    path: str  # without the query
    query: str = ""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    insecure: bool = False
    family: str = ""  # IPv4 or IPv6: only by an address of this family (curl -4, -6)

    @property
    def name(self) -> str:
        """The host that the request is for: its Host header, else that of the URL."""
        return (self.header("Host") or self.host).partition(":")[0].lower()

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Backend(NamedTuple):
    """A Service's port, by number or name; `weight` among its siblings."""

    namespace: str
    service: str
    port: int | str
    weight: int


class Match(NamedTuple):
    """`status` not 0: the proxy answers itself. `error` and `exit_code`: what curl says if there is no answer at all."""

    status: int
    backends: tuple[Backend, ...]
    steps: tuple[str, ...]
    error: str = ""
    exit_code: int = 0


def host_rank(pattern: str, host: str, *, deep: bool = False) -> int:
    """How well a rule's host fits: 3 exactly, 2 by wildcard, 0 not. `*.a.b` stands for one label, or any number if `deep`."""
    pattern, host = pattern.lower(), host.lower()
    if not pattern.startswith("*."):
        return 3 if pattern == host else 0
    if not host.endswith(pattern[1:]) or len(host) <= len(pattern) - 1:
        return 0
    return 2 if deep or "." not in host[: -len(pattern) + 1] else 0
