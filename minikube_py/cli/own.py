"""kpy's own commands, written as Typer applications; kubectl's global flags work here too.

Importing typer takes longer than most of them run. So an `App` only remembers its functions: an ordinary command line is
read by `quick` from their annotations, and whatever else there is (help, a mistake) is left to Typer, which is made of the
same functions then. A module that wants to start fast imports typer for type checkers alone: annotations are text.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from minikube_py.base.errors import KpyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import typer

    from minikube_py.cli.commands import Row
    from minikube_py.cluster import Cluster

Function = TypeVar("Function", bound="Callable[..., Any]")
GLOBAL = ("context", "namespace")


class Context:
    """What an own command is given (as `ctx.obj`): the cluster and namespace that were asked for."""

    def __init__(self, context: str | None, namespace: str, *, writes: bool) -> None:
        self.context = context
        self.writes = writes
        self._namespace = namespace
        self._cluster: Cluster | None = None

    @property
    def cluster(self) -> Cluster:
        if self._cluster is None:
            from minikube_py import home

            self._cluster = home.open(self.context, create=self.writes)
        return self._cluster

    @property
    def namespace(self) -> str:
        from minikube_py.cli import contexts

        return self._namespace or contexts.namespace(self.context)

    def close(self) -> None:
        """Leave the cluster's file to others."""
        self.cluster.close()
        self._cluster = None

    def flush_warnings(self) -> None:
        if self._cluster is not None:
            for text in dict.fromkeys(self._cluster.warnings):
                sys.stderr.write(f"Warning: {text}\n")


class App:
    """The functions of an own command, by the names of its subcommands; a single one needs no name."""

    def __init__(self, help_text: str, *, group: bool) -> None:
        self.help = help_text
        self.group = group
        self.functions: dict[str, Callable[..., Any]] = {}
        self.apps: dict[str, App] = {}

    def command(self, name: str = "") -> Callable[[Function], Function]:
        """The decorator of a subcommand, named after its function unless `name` is given."""

        def add(function: Function) -> Function:
            self.functions[name or function.__name__.rstrip("_").replace("_", "-")] = function
            return function

        return add

    def add_typer(self, app: App, *, name: str) -> None:
        self.apps[name] = app

    def typer(self) -> typer.Typer:
        """The same as a Typer application."""
        os.environ.setdefault("TYPER_USE_RICH", "0")
        import typer

        made = typer.Typer(
            help=self.help,
            add_completion=False,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            no_args_is_help=self.group,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        if self.group:
            made.callback()(_group)  # without one, Typer takes a single command for the whole application
        for name, function in self.functions.items():
            function.__globals__.setdefault("typer", typer)  # what its annotations speak of
            made.command(name)(function)
        for name, app in self.apps.items():
            made.add_typer(app.typer(), name=name)
        return made


def _group() -> None:
    """What stands behind a group's name and does nothing by itself."""


def new_app(help_text: str, *, group: bool = False) -> App:
    """An app in kpy's style: plain help, -h too, no shell completion flags; a bare group prints its help."""
    return App(help_text, group=group)


def echo(text: object = "", *, nl: bool = True, err: bool = False) -> None:
    """A line to standard output (or error), at once."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{text}\n" if nl else str(text))
    stream.flush()


def call(row: Row, app: App, words: list[str]) -> int:
    """Run an app with the words behind its name. Raises KpyError for wrong words."""
    from minikube_py.cli import quick

    taken, rest = _take_globals(words)
    context = Context(taken.get("context"), taken.get("namespace", ""), writes=row.writes)
    try:
        ready = quick.read(app, rest, context)
        if ready is not None:
            code = ready()
        else:
            code = app.typer()(args=rest, prog_name=f"kpy {row.name}", standalone_mode=False, obj=context)
    except KpyError:
        raise
    except Exception as error:
        return _of_click(row, error)
    finally:
        context.flush_warnings()
    return code if isinstance(code, int) else 0


def _of_click(row: Row, error: Exception) -> int:
    """Click's own exceptions (Typer carries its own copy of Click): exits and wrong usage."""
    name = type(error).__name__
    if name == "Exit":
        return int(getattr(error, "exit_code", 0))
    if name == "Abort":
        raise KeyboardInterrupt from None
    formatted = getattr(error, "format_message", None)
    if formatted is None:
        raise error
    message = formatted()
    if name == "NoArgsIsHelpError":
        sys.stdout.write(message + "\n")
        return 0
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else f"kpy {row.name}"
    raise UsageError(message[:1].lower() + message[1:].rstrip("."), f"See '{path} --help' for usage.") from None


def _take_globals(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take --context and -n/--namespace out of the words, wherever they stand before a `--`."""
    taken: dict[str, str] = {}
    rest: list[str] = []
    remaining: Iterator[str] = iter(words)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
            break
        name, equals, value = word.lstrip("-").partition("=")
        name = "namespace" if name == "n" else name
        if not word.startswith("-") or name not in GLOBAL:
            rest.append(word)
            continue
        taken[name] = value if equals else next(remaining, "")
        if not taken[name]:
            raise UsageError(f"flag needs an argument: {word}")
    return taken, rest


def duration_s(text: str) -> int:
    """'90s', '10m', '1h30m', '8d', '1d12h' or plain seconds as whole seconds. Raises UsageError."""
    from minikube_py.base.duration import DAY, parse_go

    days, letter, rest = text.partition("d")
    try:
        if letter and days.isdigit():  # Go's durations know no days
            return int(days) * DAY + (int(parse_go(rest)) if rest else 0)
        return int(text) if text.isdigit() else int(parse_go(text))
    except ValueError as error:
        raise UsageError(str(error)) from None
