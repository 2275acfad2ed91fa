"""The main job on real input: `kpy create --dry-run=server -o json -f FILE` for every manifest of the corpus, against what
a real API server and kubectl answered: exit code, stderr and every object, complete with defaults and admission."""

from __future__ import annotations

import contextlib
import io
import json
import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.api.corpus import Case, Object, cases, differences, masked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = ("create", "--dry-run=server", "-o", "json", "-f")

# Manifests with a known difference, and why.
KNOWN: dict[str, str] = {}


class Result(NamedTuple):
    """What one command line did."""

    exit: int
    stderr: str
    objects: list[Object]


def run(case: Case, folder: Path) -> Result:
    """The manifest through the command line, from `folder`, so that messages name it by its path in the corpus."""
    from minikube_py.__main__ import main

    file = folder / case.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(case.text, encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*COMMAND, case.path])
    return Result(code, err.getvalue(), list(objects_of(out.getvalue())))


def objects_of(text: str) -> Iterator[Object]:
    """The JSON documents that kubectl prints one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        found, at = decoder.raw_decode(text, at)
        yield found
        at += len(text[at:]) - len(text[at:].lstrip())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to run in, with a cluster of its own: every case is a dry run, so one cluster serves all."""
    place, before = tmp_path_factory.mktemp("corpus"), os.getcwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPY_HOME", str(place / "home"))
        os.chdir(place)
        yield place
        os.chdir(before)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path)
def test_a_manifest_from_the_wild_gives_what_a_real_api_server_gave(case: Case, folder: Path) -> None:
    if case.path in KNOWN:
        pytest.xfail(KNOWN[case.path])
    found = run(case, folder)
    assert found.stderr == case.stderr
    assert found.exit == case.exit
    expected = masked(case.objects)
    assert differences(expected, masked(found.objects)) == []
