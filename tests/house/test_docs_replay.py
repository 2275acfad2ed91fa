"""The examples of the pages are true: each page's console and Python blocks run in order, in a fresh home.

In a block of ```console, `$ ` begins a command (`> ` continues it) and the lines behind are what it prints, on either
stream. A line of `...` stands for any lines, `...` within a line for any characters. KPY_GOLDEN=1 (`make golden`) writes
what was printed into the blocks that differ.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.house.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/simulation.md",
    "docs/traffic.md",
    "docs/autoscaling.md",
    "docs/policies.md",
    "docs/serve.md",
)
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHIM = f'#!/bin/sh\nexec "{sys.executable}" -m minikube_py "$@"\n'


class Example(NamedTuple):
    command: str
    expected: list[str]
    lines: list[str]  # of the command, as written


def examples(block: str) -> list[Example]:
    found: list[Example] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Example(line[2:], [], [line]))
        elif line.startswith("> ") and found and not found[-1].expected:
            last = found.pop()
            found.append(Example(f"{last.command}\n{line[2:]}", [], [*last.lines, line]))
        else:
            assert found, f"output without a command: {line}"
            found[-1].expected.append(line)
    return found


def matches(expected: list[str], printed: list[str]) -> bool:
    """Whether the printed lines are the expected ones, `...` lines standing for any."""
    if not expected:
        return not printed
    if expected[0] == "...":
        return any(matches(expected[1:], printed[number:]) for number in range(len(printed) + 1))
    return bool(printed) and _line_matches(expected[0], printed[0]) and matches(expected[1:], printed[1:])


def _line_matches(expected: str, printed: str) -> bool:
    if "..." not in expected:
        return expected == printed.rstrip()
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, printed.rstrip()) is not None


class Desk:
    """A folder with manifests/ in it, a home, and `kpy` on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "desk"
        programs = folder / "bin"
        for path in (self.folder, programs):
            path.mkdir()
        shutil.copytree(ROOT / "manifests", self.folder / "manifests")
        (programs / "kpy").write_text(SHIM)
        (programs / "kpy").chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KPY_")}
        self.env = {
            **kept,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "KPY_HOME": str(folder / "home"),
        }

    def run(self, argv: list[str]) -> list[str]:
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return [line.rstrip() for line in done.stdout.splitlines()]

    def without_paths(self, line: str) -> str:
        """A line as a page may show it: where this desk stands is nobody's business."""
        return line.replace(str(self.folder.parent), "...")


def replay(desk: Desk, language: str, block: str) -> tuple[str, list[str]]:
    """(the block as it should be, what differs) after running it."""
    if language == "python":
        printed = desk.run([sys.executable, "-W", "error", "-c", block])
        return block, printed
    written: list[str] = []
    differences: list[str] = []
    for example in examples(block):
        printed = desk.run(["bash", "-c", example.command])
        is_same = matches(example.expected, printed)
        written += [*example.lines, *(example.expected if is_same else map(desk.without_paths, printed))]
        if not is_same:
            differences += [f"$ {example.command}", *printed]
    return "\n".join(written) + "\n", differences


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_true(page: str, tmp_path: Path) -> None:
    path = ROOT / page
    text, desk = path.read_text(encoding="utf-8"), Desk(tmp_path)
    parts: list[str] = []
    failures: list[str] = []
    position = 0
    for block in BLOCK.finditer(text):
        fresh, differences = replay(desk, block[1], block[2])
        failures += differences
        parts += [text[position : block.start(2)], fresh]
        position = block.end(2)
    if failures and os.environ.get("KPY_GOLDEN"):
        path.write_text("".join([*parts, text[position:]]), encoding="utf-8")
        return
    assert not failures, f"{page} prints now:\n" + "\n".join(failures)


def test_dots_stand_for_anything() -> None:
    assert matches(["a", "...", "d"], ["a", "b", "c", "d"])
    assert matches(["web-...   Running"], ["web-x7k2p   Running"])
    assert not matches(["a", "..."], ["b", "a"])
    assert not matches(["a"], ["a", "b"])
