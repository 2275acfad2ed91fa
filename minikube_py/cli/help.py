"""`kpy --help`, `kpy help COMMAND`, `kpy options`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.cli import cobra, commands

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

HEAD = """kubectl controls the Kubernetes cluster manager.

 Find more information at: https://kubernetes.io/docs/reference/kubectl/
"""
TAIL = """Usage:
  kubectl [flags] [options]

Use "kubectl <command> --help" for more information about a given command.
Use "kubectl options" for a list of global command-line options (applies to all commands).
"""


def overview() -> str:
    """All commands in kubectl's groups, kpy's own behind."""
    groups: dict[str, list[str]] = {}
    for row in commands.COMMANDS:
        if row.group:
            groups.setdefault(row.group, []).append(f"  {row.name:<15} {row.help}")
    order = (
        commands.BEGINNER, commands.INTERMEDIATE, commands.DEPLOY, commands.MANAGEMENT, commands.TROUBLE,
        commands.ADVANCED, commands.SETTINGS, commands.OTHER, commands.OWN,
    )  # fmt: skip
    blocks = [f"{group}\n" + "\n".join(groups[group]) + "\n" for group in order]
    return "\n".join((HEAD, *blocks, TAIL))


def options(call: Call) -> None:
    call.say(cobra.help_text("options"))


def run(call: Call) -> None:
    """`help COMMAND [SUBCOMMAND]`: the command's help; the overview if there is no such command."""
    name = ""
    for word in call.args:
        row = commands.find(f"{name} {word}".strip())
        if row is None:
            break
        name = row.name
        if row.group == commands.OWN:
            from minikube_py.cli import own

            own.call(row, commands.load(row.target), [*call.args[1:], "--help"])
            return
    text = cobra.help_text(name) if name else ""
    if not text:
        if call.args and not name:
            topic = " ".join(f"`{word}`" for word in call.args)
            call.complain(f"Unknown help topic [{topic}]")
        text = overview()
    call.say(text)
