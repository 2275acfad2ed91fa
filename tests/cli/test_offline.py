"""kpy says to thousands of command lines what the real kubectl says to them without a cluster (see `offline`)."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.cli import offline

if TYPE_CHECKING:
    from pathlib import Path


CASES = offline.recorded()
COMMANDS = sorted({offline.command_of(case.line) for case in CASES})

# What cannot be equal, with the reason: patterns are command lines, `*` at the end stands for anything.
CLUSTERS = "a context is a cluster's file, which these commands do not make"
KNOWN = {
    **{
        f"config {verb} {words}": CLUSTERS
        for verb in ("set-cluster", "set-credentials", "set-context", "unset", "use-context")
        for words in ("a", "-- a")
    },
    "config set a/b c/d": CLUSTERS,
    "config view --output=": "an empty format is none",
    "proxy*": "there is no proxy: `kpy serve` is said to be what to take",
    "create deployment d --image=i --dry-run=client -v 2": "client libraries tell of their own feature gates at level 2",
    "create deployment d --image=i --dry-run=client -o go-template={{.nope.x}} --allow-missing-template-keys=false": (
        "the raw data are shown in the order of the alphabet"
    ),
    "set image --local -f dep.yaml nginx= -o *": "an empty image is kept as such",
    "set env --local -f dep.yaml --from=configmap/x*": "words beside files are refused",
    "delete --raw /x -f y": "--raw is refused before the file is looked for",
    "exec p -f x -- ls": "words beside files are refused",
}


def is_known(line: str) -> bool:
    return any(line == one or (one.endswith("*") and line.startswith(one[:-1])) for one in KNOWN)


@pytest.fixture
def place(command: str, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one cluster, and the recorder's files as working directory."""
    if not command.startswith("config"):  # kubectl had an empty kubeconfig
        shutil.copytree(template, tmp_path / "kpy")
    folder = shutil.copytree(offline.FILES, tmp_path / "files")
    monkeypatch.setenv("KPY_HOME", str(tmp_path / "kpy"))
    monkeypatch.setenv("HOME", offline.HOME)
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_says_what_kubectl_says(command: str, place: Path) -> None:
    differing = []
    for case in CASES:
        if offline.command_of(case.line) == command and not is_known(case.line):
            found = offline.replay(case.line)
            if found != (case.code, case.out, case.err):
                differing.append((case.line, case[1:], found))
    assert differing == []


def test_how_many_are_equal(capsys: pytest.CaptureFixture[str]) -> None:
    known = Counter(is_known(case.line) for case in CASES)
    with capsys.disabled():
        print(f"\ncommand lines without a cluster: {known[False]} of {len(CASES)} equal")
    assert known[True] < len(CASES) // 40
