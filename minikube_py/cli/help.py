"""`kpy --help`, `kpy help COMMAND`, `kpy options`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from minikube_py.cli import cobra, commands

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

HEAD = """kubectl controls the Kubernetes cluster manager.

 Find more information at: https://kubernetes.io/docs/reference/kubectl/"""
PLUGINS = "Subcommands provided by plugins:"
TAIL = """Usage:
  kubectl [flags] [options]

Use "kubectl <command> --help" for more information about a given command.
Use "kubectl options" for a list of global command-line options (applies to all commands).
"""


def overview() -> str:
    """All commands in kubectl's groups, those of plugins among them, and kpy's own behind."""
    return HEAD + usage()


def usage() -> str:
    """The overview without its head, as it follows on a complaint."""
    from minikube_py.cli import plugin

    groups: dict[str, list[str]] = {}
    for row in commands.COMMANDS:
        if row.group:
            width = 17 if row.group == commands.OWN else 15
            groups.setdefault(row.group, []).append(f"  {row.name:<{width}} {row.help}")
    order = (
        commands.BEGINNER, commands.INTERMEDIATE, commands.DEPLOY, commands.MANAGEMENT, commands.TROUBLE,
        commands.ADVANCED, commands.SETTINGS, PLUGINS, commands.OTHER, commands.OWN,
    )  # fmt: skip
    groups[PLUGINS] = [
        f"  {name:<11}   The command {name} is a plugin installed by the user" for name in plugin.names()
    ]
    blocks = ["".join(f"{line}\n" for line in (group, *groups[group])) for group in order]
    return "\n".join(("\n", *blocks, TAIL))


def options(call: Call) -> None:
    call.say(cobra.help_text("options").replace("$HOME", os.path.expanduser("~")))


def alpha(call: Call) -> None:
    call.line("No alpha commands are available in this version of kubectl")


def run(call: Call) -> None:
    """`help COMMAND [SUBCOMMAND]`: the command's help; the overview if there is no such command."""
    if call.args == ["alpha"]:
        alpha(call)
        return
    name = ""
    for word in call.args:
        row = commands.find(f"{name} {word}".strip())
        if row is None:
            break
        name = row.name
        if name == "options":
            return  # kubectl's is empty
        if row.group == commands.OWN:
            from minikube_py.cli import own

            own.call(row, commands.load(row.target), [*call.args[1:], "--help"])
            return
    text = cobra.help_text(name) if name else ""
    if not text:
        if call.args and not name:
            topic = " ".join(f"`{word}`" for word in call.args)
            call.complain(f"Unknown help topic [{topic}]\n{usage().rstrip(chr(10))}")
            return
        text = overview()
    call.say(text)
