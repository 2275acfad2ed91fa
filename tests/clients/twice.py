"""The commands of the recording, run twice on the same state: by the real kubectl against `kpy serve`, and by kpy itself.

    python -m tests.clients.twice        print what differs, and equal/total

Both clusters begin as copies of one file. The served one has its clock on `manual`: time passes only where a command watches,
as in kpy. What is chance or time is masked as in the replay of the recording (tests/cli/recorded.py).
"""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base import clock
from tests.cli import recorded
from tests.clients import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.recorded import Case

BEHIND_S = 1800
# kubectl's own business, which no server sees (compared with the recording in tests/cli), or what kpy does otherwise on purpose.
NOT_ASKED = {
    **dict.fromkeys(("help", "help_get", "help_apply", "help_rollout", "no_args", "options"), "asks no server"),
    **dict.fromkeys(("cluster_info", "config_view", "config_contexts"), "kpy's contexts are files, not addresses"),
    "attach": "goes on until the container ends; kpy stops after a virtual minute",
    "port_forward": "goes on until Ctrl-C; kpy has no sockets",
}
# Commands that ask again and again instead of watching: time must pass by itself.
POLLING = ("drain",)
KUBECTL = str(Path(sys.executable).with_name("kubectl"))  # of this version, whatever the machine has besides


class Pair(NamedTuple):
    """What both printed for one command, masked."""

    case: Case
    kubectl: str
    kpy: str

    @property
    def equal(self) -> bool:
        return self.kubectl == self.kpy

    @property
    def difference(self) -> str:
        lines = difflib.unified_diff(
            self.kubectl.splitlines(), self.kpy.splitlines(), "kubectl", "kpy", lineterm="", n=1
        )
        return "\n".join(lines)


def run(folder: Path) -> Iterator[Pair]:
    """Run every command twice. `folder` gets two subfolders: with a home and a working directory each."""
    ours, theirs = folder / "kpy", folder / "kubectl"
    # kubectl tells some ages by its own clock: virtual time begins behind it, and stays there
    with recorded.prepared(ours, clock.wall_now_s() - BEHIND_S) as cases:
        shutil.copytree(ours, theirs)
        with serving.served(theirs / "home", "--clock", "manual") as server:
            elapsed_s = 0.0
            for case in cases:
                if case.name in NOT_ASKED:
                    continue
                _pass_time(server, recorded.PAUSES.get(case.name, 0))
                if case.name in recorded.UNRECORDED:
                    words = recorded.UNRECORDED[case.name].split()
                    recorded.call(words, "")
                    _kubectl(server, theirs, words, "")
                found = recorded.call(case.words, case.stdin)
                with _clock(server, "virtual" if case.name in POLLING else "manual"):
                    expected = _kubectl(server, theirs, case.words, case.stdin)
                yield Pair(case, masked(case, *expected), masked(case, *found))
                elapsed_s += min(case.wall_s, 1)
                _pass_time(server, int(elapsed_s))
                elapsed_s %= 1


@contextmanager
def _clock(server: serving.Served, mode: str) -> Iterator[None]:
    if mode == "manual":
        yield
        return
    server.call("POST", serving.CLOCK, {"mode": mode})
    yield
    server.call("POST", serving.CLOCK, {"mode": "manual"})


def _pass_time(server: serving.Served, seconds: int) -> None:
    recorded.pass_time(seconds)
    server.pass_time(seconds)


def _kubectl(server: serving.Served, folder: Path, words: list[str], stdin: str) -> tuple[int, str, str]:
    try:
        done = subprocess.run(
            [KUBECTL, *words],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=folder,
            env=server.environment,
            timeout=60,
        )
    except subprocess.TimeoutExpired as error:
        return -1, str(error.stdout), f"still running after {error.timeout} s\n{error.stderr}"
    return done.returncode, done.stdout, done.stderr


# What differs between the two for a reason that is none of kubectl's.
OWN = (
    (re.compile(r".*metrics\.k8s\.io.*\n"), ""),  # api-resources: kpy's table lists what is stored
)


MASKED = (
    (re.compile(r"\b127\.0\.0\.1:\d+"), "<api server>:<port>"),
    (re.compile(r"(IPv4 +)\d+( +)127\.0\.0\.1"), r"\1<port>\2<api server>"),
)


def masked(case: Case, code: int, out: str, err: str) -> str:
    if case.name.startswith("api_"):
        for pattern, by in OWN:
            out = pattern.sub(by, out)
    for pattern, by in MASKED:
        out = pattern.sub(by, out)
    return recorded.masked(case, code, out, err)


def main() -> None:
    total = equal = 0
    with tempfile.TemporaryDirectory() as folder:
        for pair in run(Path(folder)):
            total += 1
            equal += pair.equal
            if not pair.equal:
                print(f"=== {pair.case.name}: kubectl {pair.case.command}\n{pair.difference}", flush=True)
    print(f"equal: {equal} of {total}")


if __name__ == "__main__":
    main()
