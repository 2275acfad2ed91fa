"""What the network has answered to the commands of a running script, so that its run stays a pure function.

A script that calls curl, wget, nc or nslookup depends on the cluster as it was at each second. The kubelet asks the network
when the container starts and when something changes, and writes the answers down; a run of the script reads them off:

    (("wget -qO- http://web", ((0, (("", "wget: bad address 'web'\\n", 1),)), (40, (("200 OK ...", "", 0),)))), ...)

From second 0 on the name is not known, from second 40 on somebody answers. Where several endpoints share the requests,
there are several answers, which are given in turn.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.programs.shell import Shell

Said: TypeAlias = "tuple[str, str, int]"  # stdout, stderr, exit code
Entries: TypeAlias = "tuple[tuple[int, tuple[Said, ...]], ...]"
Tape: TypeAlias = "tuple[tuple[str, Entries], ...]"
# (command, arguments) -> all that may be answered now; None where the network has nothing to say.
Asker: TypeAlias = "Callable[[str, list[str]], tuple[Said, ...] | None]"

ASKS = re.compile(r"\b(curl|wget|nc|nslookup)\b")
SLEEPS_MAX, COMMANDS_MAX = 100, 300  # how far a script is followed to find out what it asks
ENTRIES_MAX = 500  # of one command: what was answered before the last so many changes is forgotten
EMPTY: dict[str, Any] = {}


def asks(text: str) -> bool:
    """Whether a script calls a client of the network."""
    return ASKS.search(text) is not None


def command_of(name: str, argv: list[str]) -> str:
    return shlex.join((name.rpartition("/")[2], *argv))


def to_stdout(name: str, argv: list[str]) -> tuple[list[str], str]:
    """(the arguments that print what is fetched, the file it is to be written to or '').

    wget -q -O /tmp/x web -> wget -q -O - web, /tmp/x; wget http://web/a/b -> b; curl -s -o x web -> curl -s web, x.
    """
    if name == "curl":
        for flag in ("-o", "--output"):
            if flag in argv[:-1] and "-w" not in argv and "--write-out" not in argv:
                place = argv.index(flag)
                return [*argv[:place], *argv[place + 2 :]], argv[place + 1]
        return argv, ""
    if name != "wget" or "--spider" in argv:
        return argv, ""
    for place, word in enumerate(argv):
        if word in ("-O", "--output-document") and place + 1 < len(argv):
            target = argv[place + 1]
            return [*argv[: place + 1], "-", *argv[place + 2 :]], "" if target == "-" else target
        if word.startswith("-") and not word.startswith("--") and "O" in word:  # -qO- or -qO FILE
            if word.endswith("O") and place + 1 < len(argv):
                return [*argv[:place], word + "-", *argv[place + 2 :]], "" if argv[place + 1] == "-" else argv[
                    place + 1
                ]
            return argv, ""
    urls = [word for word in argv if not word.startswith("-")]
    path = urls[-1].partition("://")[2].partition("/")[2] if urls else ""
    return ["-O", "-", *argv], path.rpartition("/")[2] or "index.html"


def at(entries: Entries, second: int, turn: int) -> Said:
    """The answer at a second to the request number `turn`."""
    found = entries[0][1]
    for since, answers in entries:
        if since > second:
            break
        found = answers
    return found[turn % len(found)]


def of(memory: dict[str, Any], name: str, started: int) -> Tape:
    """What the kubelet has written down for a container that started then: its last instance or the one before."""
    kept = (memory.get("asks") or EMPTY).get(name)
    if kept and kept["started"] != started:
        kept = kept.get("former")
    if not kept or kept["started"] != started:
        return ()
    return tuple(
        (command, tuple((entry[0], tuple((one[0], one[1], one[2]) for one in entry[1])) for entry in entries))
        for command, entries in kept["tape"]
    )


def brought_up_to(shell: Shell, second: int, asker: Asker, is_new: bool) -> Tape:
    """The shell's tape with what the network answers now.

    `is_new`: the script was not run yet, so what it asks has to be found out; so has it when an answer has changed.
    """
    from minikube_py.programs.run import FOREVER_S, Run

    told: dict[str, Entries] = {}
    for command, entries in shell.tape:
        name, *argv = shlex.split(command)
        answers = asker(name, argv) or (Run.own_answer(shell, name, argv),)
        if answers != entries[-1][1]:  # what was asked within this second has been answered already
            entries = (*(one for one in entries if one[0] <= second), (second + 1, answers))
        told[command] = entries[-ENTRIES_MAX:]
    tape = tuple(told.items())
    if not is_new and tape == shell.tape:
        return tape
    run = Run(shell._replace(tape=tape), FOREVER_S, (), SLEEPS_MAX, COMMANDS_MAX, asker=asker, present=second)
    return tuple(run.tape.items())
