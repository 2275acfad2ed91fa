"""curl, wget, nc and nslookup inside a container: the same requests as `kpy curl`, in the words of these tools.

`inside(pod, view, clock)` gives what `programs.run.Run.clients` calls: (command, arguments) -> (stdout, stderr, exit code), or
None where the network has nothing to say (names that are not the cluster's), and the shell's own rules count.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.network import dns, places, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.types import Object, View
    from minikube_py.base.clock import Clock
    from minikube_py.network.places import Place
    from minikube_py.network.requests import Request
    from minikube_py.network.routes import Outcome

    Said = tuple[str, str, int]
    Clients = Callable[[str, list[str]], Said | None]

ENDPOINTS_MAX = 16  # of which the answers are told apart
CURL_TIMEOUT_S, WGET_TIMEOUT_S = 134, 900  # until the kernel gives up, and wget's own
# Flags of curl, wget and nc that take the next word, and those that are read.
CURL_VALUES = ("-o", "-w", "-m", "-H", "-X", "-d", "-A", "-u", "-e", "--max-time", "--connect-timeout", "--header",
               "--request", "--output", "--write-out", "--retry", "--data", "--user", "--resolve")  # fmt: skip
WGET_VALUES = ("-O", "-T", "-t", "-U", "-P", "-o")


class _Where(NamedTuple):
    """Who asks, of what, and when; `numbers` tell the requests of one second apart."""

    place: Place
    view: View
    clock: Clock
    numbers: Iterator[int]

    def ask(self, asked: Request, limit_s: int) -> Outcome:
        number = next(self.numbers)
        return routes.request(self.view, self.clock, self.place, asked, number=number, limit_s=limit_s)


class _Words(NamedTuple):
    flags: list[tuple[str, str]]
    rest: list[str]

    def value(self, *names: str) -> str:
        return next((value for flag, value in self.flags if flag in names), "")

    def on(self, letter: str, *names: str) -> bool:
        """Whether '-s' stands there, alone or among others ('-sf'), or one of the long names."""
        return any(
            flag in names or (flag[:1] == "-" and flag[:2] != "--" and letter in flag[1:]) for flag, _ in self.flags
        )


def inside(pod: Object, view: View, clock: Clock) -> Clients:
    where = _Where(places.of_pod(pod), view, clock, count())

    def call(command: str, words: list[str]) -> Said | None:
        tool = _TOOLS.get(command.rpartition("/")[2])
        return None if tool is None else tool(words, where)

    return call


class _Each(NamedTuple):
    """Like `_Where`, but the request goes to one endpoint after the other; `seen` gets their number, and when one's answer
    may change by itself (0: never)."""

    place: Place
    view: View
    clock: Clock
    number: int
    seen: list[tuple[int, int]]

    def ask(self, asked: Request, limit_s: int) -> Outcome:
        found = routes.spread(self.view, self.clock, self.place, asked, limit_s=limit_s)[:ENDPOINTS_MAX]
        until = min((outcome.until for _, _, outcome in found if outcome.until), default=0)
        self.seen.append((len(found), until))
        return found[self.number % len(found)][2]


def every(pod: Object, view: View, clock: Clock, command: str, words: list[str]) -> tuple[tuple[Said, ...] | None, int]:
    """(all that the endpoints may answer to a command now, each once, or None; when that may change by itself or 0)."""
    tool = _TOOLS.get(command.rpartition("/")[2])
    if tool is None:
        return None, 0
    found: dict[Said, None] = {}
    number, total, until = 0, 1, 0
    while number < total:
        where = _Each(places.of_pod(pod), view, clock, number, [])
        said = tool(words, where)
        if said is None:
            return None, 0
        found[said] = None
        if where.seen:
            total, until = where.seen[0]
        number += 1
    return tuple(found), until


def _words(argv: list[str], values: tuple[str, ...]) -> _Words:
    flags: list[tuple[str, str]] = []
    rest: list[str] = []
    remaining = iter(argv)
    for word in remaining:
        name, equals, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            rest.append(word)
        elif equals and word.startswith("--"):
            flags.append((name, value))
        elif word in values:
            flags.append((word, next(remaining, "")))
        elif word[:2] in values and len(word) > 2 and word[1] != "-":  # -m5, -O-
            flags.append((word[:2], word[2:]))
        elif word[1] != "-" and f"-{word[-1]}" in values:  # -so FILE, -qO -
            flags += [(word[:-1], ""), (f"-{word[-1]}", next(remaining, ""))]
        elif word[1] != "-" and any(f"-{letter}" in values for letter in word[1:]):  # -qO-
            at = next(index for index, letter in enumerate(word) if index and f"-{letter}" in values)
            flags += [(word[:at], ""), (f"-{word[at]}", word[at + 1 :])]
        else:
            flags.append((word, ""))
    return _Words(flags, rest)


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def body(outcome: Outcome) -> str:
    """The page, or what stands for it: '200 OK from pod shop/web-1 (1.27)'."""
    if outcome.body:
        return outcome.body
    whom = f" from pod {outcome.pod} ({outcome.version})" if outcome.pod and outcome.status not in (502, 504) else ""
    return f"{_phrase(outcome.status)}{whom}\n"


def _curl(argv: list[str], where: _Where | _Each) -> Said | None:
    words = _words(argv, CURL_VALUES)
    if not words.rest:
        return None
    limit = words.value("-m", "--max-time", "--connect-timeout")
    limit_s = max(int(float(limit)), 1) if limit.replace(".", "", 1).isdigit() else CURL_TIMEOUT_S
    headers = tuple(
        (name.strip(), value.strip())
        for flag, text in words.flags
        if flag in ("-H", "--header")
        for name, _, value in (text.partition(":"),)
    )
    try:
        asked = routes.parse(words.rest[0], headers=headers, method=words.value("-X", "--request") or "GET", insecure=words.on("k", "--insecure"))  # fmt: skip
    except ValueError as error:
        return "", f"{error}\n", 3
    outcome = where.ask(asked, limit_s)
    if outcome.cause == "dns" and outcome.exit_code == 6:
        return None
    quiet = words.on("s", "--silent") and not words.on("S", "--show-error")
    if not outcome.status:
        return _format(words, outcome), "" if quiet else f"{outcome.message}\n", outcome.exit_code
    if words.on("f", "--fail") and outcome.status >= 400:
        told = "" if quiet else f"curl: (22) The requested URL returned error: {outcome.status}\n"
        return _format(words, outcome), told, 22
    head = f"HTTP/1.1 {_phrase(outcome.status)}\n\n" if words.on("i", "--include") or words.on("I", "--head") else ""
    text = "" if words.value("-o", "--output") or words.on("I", "--head") else body(outcome)
    return head + text + _format(words, outcome), "", 0


def _format(words: _Words, outcome: Outcome) -> str:
    """-w '%{http_code}\\n'; other variables stay as they are."""
    text = words.value("-w", "--write-out")
    return text.replace("%{http_code}", f"{outcome.status:03d}").replace("\\n", "\n")


def _wget(argv: list[str], where: _Where | _Each) -> Said | None:
    words = _words(argv, WGET_VALUES)
    if not words.rest:
        return None
    try:
        asked = routes.parse(words.rest[0], insecure=words.on("", "--no-check-certificate"))
    except ValueError:
        return "", f"wget: bad address '{words.rest[0]}'\n", 1
    outcome = where.ask(asked, WGET_TIMEOUT_S)
    if outcome.cause == "dns" and outcome.exit_code == 6:
        return None
    if not outcome.status:
        why = {7: "can't connect to remote host: Connection refused", 28: "download timed out"}
        return "", f"wget: {why.get(outcome.exit_code, 'TLS error from peer')}\n", 1
    if outcome.status >= 400:
        return "", f"wget: server returned error: HTTP/1.1 {_phrase(outcome.status)}\n", 1
    return (body(outcome) if words.value("-O") == "-" else ""), "", 0


def _nc(argv: list[str], where: _Where | _Each) -> Said | None:
    """`nc -z HOST PORT`: whether somebody accepts."""
    words = _words(argv, ("-w",))
    if len(words.rest) != 2 or not words.rest[1].isdigit():
        return None
    host, port = words.rest
    try:
        asked = routes.parse(f"{host}:{port}")
    except ValueError:
        return None
    outcome = where.ask(asked, CURL_TIMEOUT_S)
    if outcome.cause == "dns":
        return None
    if outcome.status or (outcome.hops and outcome.hops[-1].text.endswith("but does not answer")):
        return "", f"{host} ({port}) open\n" if words.on("v") else "", 0
    why = "Connection refused" if outcome.exit_code == 7 else "Operation timed out"
    return "", f"nc: {host} ({port}): {why}\n" if words.on("v") or why != "Connection refused" else "", 1


def _nslookup(argv: list[str], where: _Where | _Each) -> Said | None:
    names = [word for word in argv if not word.startswith("-")]
    if not names:
        return None
    answer = dns.lookup(names[0], where.place, where.view)
    if answer.code == dns.TIMEOUT:
        return "", ";; connection timed out; no servers could be reached\n", 1
    if not answer.records:
        return None
    client = dns.resolver(where.place)
    head = f"Server:\t\t{client.server}\nAddress:\t{client.server}:53\n\n" if client.server else ""
    return head + "".join(f"Name:\t{answer.name}\nAddress: {one}\n" for one in answer.addresses), "", 0


_TOOLS = {"curl": _curl, "wget": _wget, "nc": _nc, "nslookup": _nslookup}
