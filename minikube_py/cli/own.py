"""kpy's own commands: Typer applications, imported only when one is called. kubectl's global flags work here too."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

    from minikube_py.cli.commands import Row
    from minikube_py.cluster import Cluster

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


def call(row: Row, app: Any, words: list[str]) -> int:
    """Run a Typer app with the words behind its name. Raises KpyError for wrong words."""
    taken, rest = _take_globals(words)
    context = Context(taken.get("context"), taken.get("namespace", ""), writes=row.writes)
    try:
        code = app(args=rest, prog_name=f"kpy {row.name}", standalone_mode=False, obj=context)
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


def new_app(help_text: str, *, group: bool = False) -> typer.Typer:
    """A Typer app in kpy's style: plain help, -h too, no shell completion flags; a bare group prints its help."""
    os.environ.setdefault("TYPER_USE_RICH", "0")
    import typer

    return typer.Typer(
        help=help_text,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=group,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


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
