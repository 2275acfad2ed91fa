"""Programs named kpy-NAME or kubectl-NAME on the PATH, as commands (pkg/cmd/cmd.go, pkg/cmd/plugin/plugin.go).

`kpy foo bar --baz` runs kpy-foo-bar, or kpy-foo with the word bar, or kubectl-foo-bar ...; '-' in a word becomes '_'.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.cli.call import Call

PREFIXES = ("kpy", "kubectl")


def find(words: list[str]) -> list[str]:
    """The program for a command line and the words left for it; [] if there is none. The longest name counts.

    Raises failures.Plain where flags stand in front: a plugin reads its flags itself.
    """
    if words[0].startswith("-"):
        from minikube_py.cli import failures

        raise failures.Plain(f"Error: flags cannot be placed before plugin name: {words[0]}")
    import shutil

    names: list[str] = []
    for word in words:
        if word.startswith("-"):
            break
        names.append(word.replace("-", "_"))
    for length in range(len(names), 0, -1):
        for prefix in PREFIXES:
            path = shutil.which("-".join((prefix, *names[:length])))
            if path is not None:
                return [path, *words[length:]]
    return []


def execute(argv: list[str]) -> int:
    """Become the program; returns only where that fails."""
    os.execv(argv[0], argv)


def run_list(call: Call) -> None:
    """`plugin list`: what is found, with what is wrong about it."""
    found = list(_on_path(call.complain))
    problems: list[str] = []
    warnings = 0
    if found:
        call.line("The following compatible plugins are available:\n")
    else:
        problems.append("error: unable to find any kubectl plugins in your PATH")
    seen: dict[str, str] = {}
    for path in found:
        name = os.path.basename(path)
        call.line(name if call.on("name-only") else path)
        for problem in _problems(path, name, seen):
            call.complain(f"  - {problem}")
            warnings += 1
        seen.setdefault(name, path)
    if warnings:
        count = "one plugin warning was" if warnings == 1 else f"{warnings} plugin warnings were"
        problems.append(f"error: {count} found")
    if problems:
        raise UsageError("\n".join(problems))


def names() -> list[str]:
    """What the overview of commands lists: the first word behind the prefix, for each plugin that is not meant for below a
    command of kubectl's."""
    found = [os.path.basename(path).split("-")[1:] for path in _on_path(lambda text: None)]
    return [words[0] for words in found if len(words) == 1 or commands.find(words[0]) is None]


def of_create(words: list[str]) -> list[str]:
    """`create foo` where kubectl-create-foo is there: the one command that plugins may add to."""
    if words and not words[0].startswith("-") and commands.find(f"create {words[0]}") is None:
        found = find(["create", *words])
        if found and os.path.basename(found[0]).count("-") > 1:
            return found
    return []


def _on_path(complain: Callable[[str], None]) -> Iterator[str]:
    """The plugins in all folders of the PATH, in order."""
    folders = dict.fromkeys(one for one in os.environ.get("PATH", "").split(os.pathsep) if one.strip())
    for folder in folders:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            why = f"open {folder}: {(error.strerror or '').lower()}"
            complain(f'Unable to read directory "{folder}" from your PATH: {why}. Skipping...')
            continue
        for entry in entries:
            if entry.name.startswith(tuple(f"{prefix}-" for prefix in PREFIXES)) and not entry.is_dir():
                yield os.path.join(folder, entry.name)


def _problems(path: str, name: str, seen: dict[str, str]) -> Iterator[str]:
    if not os.access(path, os.X_OK):
        yield f"warning: {path} identified as a kubectl plugin, but it is not executable"
    if name in seen:
        yield f"warning: {path} is overshadowed by a similarly named plugin: {seen[name]}"
    words = name.split("-")[1:]
    known = [" ".join(words[:length]) for length in range(len(words), 0, -1)]
    command = next((one for one in known if commands.find(one) is not None), "")
    if command:
        yield f'warning: {name} overwrites existing command: "kubectl {command}"'
