"""`kpy`: find the command in the table, import its module, run it, and turn errors into text and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import cobra, commands

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cli.call import Call
    from minikube_py.cli.cobra import Parsed
    from minikube_py.cli.commands import Row

# Commands that refuse a wrong --dry-run before they look at their arguments.
DRY_RUN_FIRST = frozenset(
    ("annotate", "apply", "apply set-last-applied", "create", "delete", "expose", "label", "patch", "replace",
     "rollout undo", "taint")
)  # fmt: skip

# ... and those that do so with a wrong -o; the others look for their objects first.
OUTPUT_FIRST = frozenset(
    ("apply set-last-applied", "certificate approve", "certificate deny", "create", "expose", "replace", "wait")
)

# Global flags whose values have to be looked at.
GLOBALS = frozenset(
    ("as-group", "as-uid", "as-user-extra", "cluster", "context", "kubeconfig", "profile", "request-timeout", "user")
)

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it


def main(argv: list[str] | None = None) -> int:
    """Run one command line; returns the exit code. Expected errors never show a traceback."""
    try:
        code = run([_word(word) for word in (sys.argv[1:] if argv is None else argv)])
        sys.stdout.flush()
    except KpyError as error:
        from minikube_py.cli import failures

        sys.stdout.flush()
        sys.stderr.write(failures.text(error))
        return error.exit_code
    except ValueError as error:
        if not type(error).__module__.startswith("minikube_py."):
            raise
        sys.stdout.flush()
        sys.stderr.write(
            f"error: {error}\n"
        )  # what a user wrote cannot be read: a selector, a JSONPath, a quantity, a patch
        return KpyError.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader is gone (kpy get pods | head); keep Python from complaining again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except RecursionError:
        sys.stderr.write("error: what was given is nested too deeply\n")
        return KpyError.exit_code
    except OSError as error:
        # What a user's machine refuses: a home that may not be entered, a standard output on a full disk.
        sys.stderr.write(f"error: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}\n")
        return KpyError.exit_code
    return code


def _word(word: str) -> str:
    """Bytes that are no UTF-8 come as lone surrogates; nothing further in can store or print those."""
    return word if word.isascii() else word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def run(argv: list[str]) -> int:
    """Find and call the command of `argv`. Raises KpyError."""
    if argv and argv[0].startswith("__complete"):
        from minikube_py.cli import complete

        return complete.run(argv[1:], described=argv[0] == "__complete")
    if argv and _has_preferences(argv):
        from minikube_py.cli import kuberc

        argv = kuberc.apply(argv)
    position = cobra.first_word(argv, cobra.Flags(cobra.global_flags()))
    if position < 0:
        return _no_command(argv)
    name = argv[position]
    row = commands.find(name)
    if row is None:
        from minikube_py.cli import plugin

        program = plugin.find(argv)
        if program:
            return plugin.execute(program)
        raise _unknown(name)
    words = argv[:position] + argv[position + 1 :]
    if name == "create" and position == 0:
        from minikube_py.cli import plugin

        program = plugin.of_create(words)
        if program:
            return plugin.execute(program)
    if row.group == commands.OWN:
        return _call_own(row, words)
    row, words = _descend(row, words)
    return _call(row, words)


def _has_preferences(argv: list[str]) -> bool:
    """Whether there may be a kuberc file; each command asks, so this must cost nothing."""
    if any("--kuberc" in word for word in argv):
        return True
    named = os.environ.get("KUBERC")
    return named != "off" if named else os.path.exists(os.path.join(os.path.expanduser("~"), ".kube", "kuberc"))


def _descend(row: Row, words: list[str]) -> tuple[Row, list[str]]:
    """From 'rollout' to 'rollout status', as far as the words lead."""
    while commands.children(row.name):
        flags = cobra.flags_of(row.name)
        position = cobra.first_word(words, flags)
        below = commands.find(f"{row.name} {words[position]}") if position >= 0 else None
        if below is None:
            break
        row, words = below, words[:position] + words[position + 1 :]
    return row, words


def _call(row: Row, words: list[str]) -> int:
    from minikube_py.cli.call import Call

    parsed = _parse(words, row.name)
    if parsed.on("help") and row.name != "alpha":
        sys.stdout.write("" if row.name == "options" else cobra.help_text(row.name))
        return 0
    if not row.target:
        return _call_group(row.name, parsed.args)
    cobra.check_required(row.name, parsed)
    _check_globals(row.name, parsed)
    call = Call(row.name, parsed, writes=row.writes)
    if row.name in DRY_RUN_FIRST or row.name.startswith("set "):
        call.dry_run  # noqa: B018  # refused before anything else is looked at
    _check_output(call)
    for name in parsed.given:
        deprecated = parsed.flags.by_name[name].deprecated
        if deprecated:
            call.complain(f"Flag --{name} has been deprecated, {deprecated}")
    return _carry_out(commands.load(row.target), call)


def _parse(words: list[str], name: str) -> Parsed:
    see = f"kubectl {name}"
    try:
        return cobra.parse(words, cobra.flags_of(name), see)
    except UsageError as error:
        if name == "options":
            raise UsageError(str(error), "Run 'kubectl options' without flags.") from None
        if name != "diff":
            raise
        # 1 would mean that there are differences (pkg/cmd/diff/diff.go: SetFlagErrorFunc)
        refused = UsageError(str(error), f"See '{see} -h' for help and examples")
        refused.exit_code = 2
        raise refused from None


def _check_globals(name: str, parsed: Parsed) -> None:
    known = cobra.global_flags()  # some commands have a flag of their own by the same name
    if any(parsed.flags.by_name[flag] in known for flag in GLOBALS.intersection(parsed.given)):
        from minikube_py.cli import connection

        connection.check(name, parsed)


def _call_group(name: str, args: list[str]) -> int:
    """A command that is nothing without a subcommand shows its help; kubectl is not of one mind how."""
    if name == "certificate":
        sys.stdout.write(cobra.help_text(name))
        return 0
    if args:
        raise UsageError(f'unknown command "{" ".join(args)}"', f"See 'kubectl {name} -h' for help and examples")
    stream = sys.stdout if name == "rollout" else sys.stderr
    stream.write(cobra.help_text(name))
    return 1


def _check_output(call: Call) -> None:
    """The commands that print what they changed refuse an unknown -o before they change anything."""
    if not call.writes or call.command == "delete" or call.text("output") in ("", "name"):
        return
    is_named = bool(call.args or call.list("filename") or call.text("kustomize")) and call.parsed.dash != 0
    if is_named or call.command in OUTPUT_FIRST or call.command.startswith("set "):
        from minikube_py.cli import show

        show.plan(call)


def _carry_out(function: Callable[[Call], int | None], call: Call) -> int:
    was_collecting = gc.isenabled()
    if not call.writes:
        gc.disable()  # many objects are read, and none thrown away: looking for garbage would take longer than printing
    try:
        code = function(call) or 0
        call.settle_if_asked()
    finally:
        call.flush_warnings()
        if was_collecting:
            gc.enable()
    call.check_warnings()
    return code


def _call_own(row: Row, words: list[str]) -> int:
    """kpy's own commands are Typer apps; typer is imported here and nowhere else."""
    from minikube_py.cli import own

    return own.call(row, commands.load(row.target), words)


def _no_command(argv: list[str]) -> int:
    """`kpy`, `kpy --help`, `kpy --version`: the overview; unknown flags are refused."""
    from minikube_py.cli import help as helping

    if argv == ["--version"]:
        from minikube_py import __version__

        sys.stdout.write(f"kpy {__version__}\n")
        return 0
    _check_globals("help", cobra.parse(argv, cobra.Flags([*cobra.global_flags(), cobra.HELP_FLAG]), "kubectl"))
    sys.stdout.write(helping.overview())
    return 0


def _unknown(name: str) -> UsageError:
    synonyms = {row.name: row.synonyms for row in commands.COMMANDS}
    near = cobra.suggestions(name, commands.KUBECTL, synonyms) or cobra.suggestions(name, commands.TOP, {})
    more = "\n\nDid you mean this?\n" + "".join(f"\t{single}\n" for single in near) if near else ""
    return UsageError(f'unknown command "{name}" for "kubectl"{more.rstrip(chr(10))}')


if __name__ == "__main__":
    sys.exit(main())
