"""Lines of kpy's own commands read without Typer mean what Typer reads in them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.cli import commands, own, quick

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Result

LINES = (
    "cluster start x --nodes=2 --cpu 1 --no-load-balancer", "cluster snapshot save s", "cluster list", "cluster status",
    "node add n --label a=b --label c=d --zone z", "node fail n", "reconcile", "reconcile --for 10s -w", "reconcile --step",
    "reconcile --until deploy/web=available --timeout=5m -v", "history", "image list", "dns web", "sql x",
)  # fmt: skip
LEFT_TO_TYPER = (
    "cluster", "cluster start --nodes 0", "cluster start --nodes x", "cluster nope", "cluster snapshot", "node add",
    "node add a b", "reconcile --help", "reconcile -h", "reconcile --nope", "reconcile --for", "reconcile x",
    "reconcile --step=true", "cluster snapshot save",
)  # fmt: skip


def app_and_words(line: str) -> tuple[Any, list[str]]:
    name, *words = line.split()
    row = commands.find(name)
    assert row is not None
    return commands.load(row.target), words


def called(line: str, monkeypatch: pytest.MonkeyPatch, *, with_typer: bool) -> tuple[str, dict[str, Any]]:
    """The function that a line calls and what it is given, but for the context."""
    app, words = app_and_words(line)
    seen: list[tuple[str, dict[str, Any]]] = []

    def spied(function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        import typer

        function.__globals__.setdefault("typer", typer)

        @wraps(function)
        def spy(**given: Any) -> None:
            seen.append((function.__name__, {key: value for key, value in given.items() if key != "ctx"}))

        return spy

    context = own.Context(None, "", writes=False)
    if not with_typer:
        function, rest = quick._function(app, words)
        return function.__name__, {
            key: value
            for key, value in quick._values(quick.parameters(function), rest, context).items()
            if key != "ctx"
        }
    for one in (app, *app.apps.values()):
        monkeypatch.setattr(one, "functions", {name: spied(function) for name, function in one.functions.items()})
    app.typer()(args=words, standalone_mode=False, obj=context)
    return seen[0]


@pytest.mark.parametrize("line", LINES)
def test_a_line_means_the_same_to_both(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = called(line, monkeypatch, with_typer=False)
    assert found == called(line, monkeypatch, with_typer=True)


@pytest.mark.parametrize("line", LEFT_TO_TYPER)
def test_help_and_mistakes_are_left_to_typer(line: str) -> None:
    app, words = app_and_words(line)
    assert quick.read(app, words, own.Context(None, "", writes=False)) is None


def test_an_ordinary_line_loads_no_typer(kpy: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "typer", raising=False)
    assert kpy("reconcile", "--for", "1s").code == 0
    assert kpy("cluster", "list").code == 0
    assert "typer" not in sys.modules
