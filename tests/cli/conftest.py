"""A home of its own for each test, and `kpy`, which runs one command line in it."""

from __future__ import annotations

import io
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from minikube_py import home
from minikube_py.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one settled cluster of three nodes, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPY_HOME", str(folder))
        home.start("kpy", epoch_s=1_790_000_000, seed=1).close()
    return folder


@pytest.fixture
def kpy(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """`kpy("get", "pods")`, `kpy("apply", "-f", "-", stdin=text)`."""
    folder = tmp_path / "home"
    shutil.copytree(template, folder)
    monkeypatch.setenv("KPY_HOME", str(folder))

    def run(*words: str, stdin: str | bytes = "") -> Result:
        monkeypatch.setattr(
            sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin if isinstance(stdin, bytes) else stdin.encode()))
        )
        capsys.readouterr()
        code = main(list(words))
        streams = capsys.readouterr()
        return Result(code, streams.out, streams.err)

    return run
