"""`kubectl plugin list`, and programs called kpy-NAME or kubectl-NAME on the PATH as commands (pkg/cmd/plugin, pkg/cmd/cmd.go).

`kpy foo bar x` runs the first of kpy-foo-bar, kubectl-foo-bar, kpy-foo, kubectl-foo that there is; a '-' in a word is a '_'.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

PREFIXES = ("kpy-", "kubectl-")


def run_if_there(argv: list[str]) -> int | None:
    """Run the plugin that a command line names; its exit code, or None where there is none."""
    import shutil

    words: list[str] = []
    for word in argv:
        if word.startswith("-"):
            break
        words.append(word.replace("-", "_"))
    for length in range(len(words), 0, -1):
        for prefix in PREFIXES:
            program = shutil.which(prefix + "-".join(words[:length]))
            if program is not None:
                return _run(program, argv[length:])
    return None


def _run(program: str, words: list[str]) -> int:
    import subprocess

    sys.stdout.flush()
    return subprocess.run([program, *words], check=False).returncode


def list_all(call: Call) -> None:
    problems: list[str] = []
    found = _found(call)
    if found:
        call.say("The following compatible plugins are available:\n\n")
    else:
        problems.append("error: unable to find any kubectl plugins in your PATH")
    seen: dict[str, str] = {}
    warnings = 0
    for path in found:
        name = os.path.basename(path)
        call.line(name if call.on("name-only") else path)
        for text in _doubts(path, name, seen):
            call.complain(f"  - {text}")
            warnings += 1
    if warnings:
        problems.append(
            "error: one plugin warning was found" if warnings == 1 else f"error: {warnings} plugin warnings were found"
        )
    if problems:
        raise UsageError("\n".join(problems))


def _found(call: Call) -> list[str]:
    found = []
    for folder in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        if not folder.strip():
            continue
        try:
            names = sorted(entry.name for entry in os.scandir(folder) if not entry.is_dir())
        except OSError as error:
            reason = (error.strerror or "").lower()
            call.complain(
                f'Unable to read directory "{folder}" from your PATH: open {folder}: {reason}. Skipping...'
            )
            continue
        found += [os.path.join(folder, name) for name in names if name.startswith(PREFIXES)]
    return found


def _doubts(path: str, name: str, seen: dict[str, str]) -> list[str]:
    from minikube_py.cli import commands

    doubts = []
    if not os.access(path, os.X_OK):
        doubts.append(f"warning: {path} identified as a kubectl plugin, but it is not executable")
    if name in seen:
        doubts.append(f"warning: {path} is overshadowed by a similarly named plugin: {seen[name]}")
    seen.setdefault(name, path)
    words = name.split("-")[1:]
    for length in range(len(words), 0, -1):
        row = commands.find(" ".join(words[:length]))
        if row is not None:
            doubts.append(f'warning: {name} overwrites existing command: "kubectl {row.name}"')
            break
    return doubts
