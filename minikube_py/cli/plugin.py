"""Programs named kpy-NAME or kubectl-NAME on the PATH, as commands (pkg/cmd/cmd.go, pkg/cmd/plugin/plugin.go).

`kpy foo bar --baz` runs kpy-foo-bar, or kpy-foo with the word bar, or kubectl-foo-bar ...; '-' in a word becomes '_'.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.cli.call import Call

PREFIXES = ("kpy", "kubectl")


def find(words: list[str]) -> list[str]:
    """The program for a command line and the words left for it; [] if there is none. The longest name counts."""
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
    found = list(_on_path(call))
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


def _on_path(call: Call) -> Iterator[str]:
    folders = dict.fromkeys(one for one in os.environ.get("PATH", "").split(os.pathsep) if one.strip())
    for folder in folders:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            why = f"open {folder}: {(error.strerror or '').lower()}"
            call.complain(f'Unable to read directory "{folder}" from your PATH: {why}. Skipping...')
            continue
        for entry in entries:
            if entry.name.startswith(tuple(f"{prefix}-" for prefix in PREFIXES)) and not entry.is_dir():
                yield os.path.join(folder, entry.name)


def _problems(path: str, name: str, seen: dict[str, str]) -> Iterator[str]:
    if not os.access(path, os.X_OK):
        yield f"warning: {path} identified as a kubectl plugin, but it is not executable"
    if name in seen:
        yield f"warning: {path} is overshadowed by a similarly named plugin: {seen[name]}"
    command = " ".join(name.split("-")[1:])
    if commands.find(command) is not None:
        yield f'warning: {name} overwrites existing command: "kubectl {command}"'
