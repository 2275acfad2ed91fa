"""Writes docs/cli.md, docs/resources.md, docs/errors.md and the examples of docs/simulation.md from the tables that the program itself uses.

    python -m tests.house.write_docs        # what `make docs` does

`test_documented.py` holds the files to what `pages()` gives.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from typing import Any, NamedTuple

from minikube_py.api.kinds import KINDS, Kind
from minikube_py.apiserver.admission import ADMISSION
from minikube_py.base import errors
from minikube_py.cli import cobra, commands
from minikube_py.engine.pipeline import PIPELINE
from tests.house.source import ROOT

NOTE = "<!-- Written by `make docs` from the program's own tables: change those, not this file. -->\n"
OPTION = re.compile(r"^    (?:-(\w), )?--([\w-]+)=(.*):\n\t(.*)$", re.MULTILINE)
# kubectl has no help texts of these two.
ABOUT = {"options": "Print the flags that every command takes", "help": "Print the help of a command"}
USAGE = {"options": "kpy options", "help": "kpy help [COMMAND [SUBCOMMAND]]"}


class Flag(NamedTuple):
    title: str
    default: str
    help: str


class Command(NamedTuple):
    """One section of docs/cli.md. `name` without 'kpy': 'rollout status', 'cluster snapshot save'."""

    name: str
    help: str
    usage: str
    flags: tuple[Flag, ...]
    aliases: tuple[str, ...] = ()


# -- commands ------------------------------------------------------------------------------------------------------


def all_commands() -> list[Command]:
    """Every command, in the order of the table; a group before what is below it."""
    found: list[Command] = []
    for row in commands.COMMANDS:
        if row.group == commands.OWN:
            found += _own(row)
        else:
            found.append(_like_kubectl(row))
    return found


def _like_kubectl(row: commands.Row) -> Command:
    text = cobra.help_text(row.name)
    head = text.partition("\n")[0].rstrip(".")
    usage = text.partition("\nUsage:\n")[2].partition("\n\n")[0].strip()
    flags = [] if row.name == "options" else _flags(text)
    usage = usage.replace("kubectl", "kpy")
    return Command(
        row.name, ABOUT.get(row.name) or row.help or head, USAGE.get(row.name) or usage, tuple(flags), row.aliases
    )


def _flags(text: str) -> list[Flag]:
    return [
        Flag(f"-{short}, --{name}" if short else f"--{name}", default, about)
        for short, name, default, about in OPTION.findall(text)
    ]


def _own(row: commands.Row) -> list[Command]:
    """kpy's own command with all below it, read off its typer application."""
    import typer

    module, _, name = row.target.partition(":")
    app = getattr(import_module(f"minikube_py.cli.{module}"), name)
    return list(_below(row.name, typer.main.get_command(app.typer())))


def _below(name: str, command: Any) -> list[Command]:
    subcommands: dict[str, Any] = getattr(command, "commands", {})
    words = [_argument(one) for one in command.params if one.param_type_name == "argument"]
    if subcommands:
        words.insert(0, "COMMAND")
    flags = tuple(_flag(one) for one in command.params if one.param_type_name == "option")
    usage = " ".join(["kpy", name, *words, *(["[options]"] if flags else [])])
    about = " ".join(inspect.cleandoc(command.help or "").split("\n\n")[0].split())
    found = [Command(name, about.rstrip("."), usage, flags)]
    for below, subcommand in subcommands.items():
        found += _below(f"{name} {below}", subcommand)
    return found


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _flag(parameter: Any) -> Flag:
    titles = ", ".join(sorted(parameter.opts, key=len))
    if parameter.is_flag:
        return Flag(titles, "false", parameter.help)
    default = parameter.default
    shown = str(default) if isinstance(default, int) else f"'{default or ''}'"
    return Flag(titles, "[]" if parameter.multiple else shown, parameter.help)


def cli_page() -> str:
    parts = [
        "# Commands\n\n",
        NOTE,
        "\nThe words, flags, outputs and exit codes are kubectl's; the last group is kpy's own. `kpy COMMAND --help` prints\n"
        "kubectl's whole help with its examples. A command that writes makes the default cluster if there is none.\n",
        "\n## Flags of every command\n\n",
        _flag_table(_flags(cobra.help_text("options"))),
        "\nOf these, kpy's own commands take `--context` and `-n`.\n",
    ]
    every = all_commands()
    for command in every:
        parts.append(f"\n## kpy {command.name}\n\n{_escaped(command.help)}.\n\n```\n{command.usage}\n```\n")
        if command.aliases:
            parts.append(f"\nAlso: {', '.join(f'`{alias}`' for alias in command.aliases)}.\n")
        below = [other.name for other in every if other.name.rpartition(" ")[0] == command.name]
        if below:
            parts.append(f"\nBelow it: {', '.join(f'[{name}](#kpy-{_anchor(name)})' for name in below)}.\n")
        if command.flags:
            parts.append("\n" + _flag_table(command.flags))
    return "".join(parts)


def _anchor(name: str) -> str:
    """'cluster snapshot save' as the address of its heading."""
    return name.replace(" ", "-")


def _flag_table(flags: Any) -> str:
    lines = ["| flag | default | |", "|---|---|---|"]
    for flag in flags:
        default = f"`{flag.default}`" if flag.default not in ("''", "[]", "") else ""
        lines.append(f"| `{flag.title}` | {default} | {_escaped(flag.help)} |")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


# -- kinds ---------------------------------------------------------------------------------------------------------


def thinkers(kind: Kind) -> tuple[list[str], list[str], list[str]]:
    """(components that look at each object of the kind, components that its changes wake, admission plugins)."""
    resource = kind.storage
    look = [step.component for step in PIPELINE if step.resource == resource]
    woken = [step.component for step in PIPELINE if resource in step.wakes_on and step.resource != resource]
    plugins = [plugin.name for plugin in ADMISSION if resource in plugin.resources]
    return _once(look), [one for one in _once(woken) if one not in look], _once(plugins)


def _once(words: list[str]) -> list[str]:
    return list(dict.fromkeys(words))


def resources_page() -> str:
    everywhere = _once([step.component for step in PIPELINE if step.resource == "*" or "*" in step.wakes_on])
    always = _once([plugin.name for plugin in ADMISSION if not plugin.resources])
    thought_of = sum(bool(thinkers(kind)[0] or thinkers(kind)[1]) for kind in KINDS)
    lines = [
        "# Kinds",
        "",
        NOTE,
        f"kpy serves {len(KINDS)} kinds; CustomResourceDefinitions add more. Objects of every kind are decoded, defaulted,",
        "validated, stored, printed and described. What happens to them afterwards is in the last three columns:",
        "",
        "- **simulated by**: the components that look at each object of the kind and act on it;",
        "- **wakes**: further components that look again when such an object changes;",
        "- **admission**: the plugins of the API server that add to or refuse such an object.",
        "",
        f"{thought_of} kinds concern a component by name. All kinds concern the {_listed(everywhere)}, and",
        f"the admission plugins {_listed(always)}. The rows of `sim.kpy.dev` are the simulator's own: no real cluster",
        "serves them. `autoscaling.k8s.io` is there as if its CustomResourceDefinitions had been applied.",
        "",
        "| kind | names | apiVersion | namespaced | subresources | simulated by | wakes | admission |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_kind_row(kind) for kind in KINDS)]) + "\n"


def _kind_row(kind: Kind) -> str:
    look, woken, plugins = thinkers(kind)
    cells = [
        kind.name,
        ", ".join(f"`{word}`" for word in (kind.plural, *kind.short)),
        ", ".join((kind.version, *kind.others)),
        "yes" if kind.namespaced else "no",
        ", ".join(kind.subresources),
        ", ".join(look),
        ", ".join(woken),
        ", ".join(plugins),
    ]
    return "| " + " | ".join(cells) + " |"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


# -- errors --------------------------------------------------------------------------------------------------------


def error_classes() -> list[type[errors.KpyError]]:
    """The classes of base/errors.py, in the order of the file."""
    found = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.KpyError)]
    return [one for one in found if one.__module__ == errors.__name__]


def errors_page() -> str:
    assert errors.__doc__ is not None
    tree = inspect.cleandoc(errors.__doc__).partition("\n\n")[2].partition("\n\nSource")[0]
    lines = [
        "# Errors",
        "",
        NOTE,
        "Every error that kpy raises on purpose is one of these (`from minikube_py.base import errors`). The command line",
        "prints it in kubectl's words on standard error, without a traceback, and leaves with its exit code.",
        "",
        "```",
        inspect.cleandoc(tree),
        "```",
        "",
        "| class | is a | reason | HTTP code | exit code | |",
        "|---|---|---|---|---|---|",
    ]
    for one in error_classes():
        reason, code = (one.reason, str(one.code)) if issubclass(one, errors.StatusError) else ("", "")
        about = (one.__doc__ or "").split("\n\n")[0] if "__doc__" in vars(one) else ""
        lines.append(
            f"| `{one.__name__}` | `{one.__base__.__name__ if one.__base__ else ''}` | {reason} | {code} | "
            f"{one.exit_code} | {_escaped(' '.join(about.split()))} |"
        )
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """File name below docs/ -> what it must hold."""
    return {
        "cli.md": cli_page(),
        "resources.md": resources_page(),
        "errors.md": errors_page(),
        "simulation.md": simulation_page(),
    }


EXAMPLES = ("<!-- examples: written by `make docs` -->\n", "<!-- end of the examples -->\n")


def simulation_page() -> str:
    """docs/simulation.md with the table of the documentation's examples between its marks; the rest is by hand."""
    from tests.simulation import documented

    begin, end = EXAMPLES
    text = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    lines = ["| file | what the page says | what kpy did |", "|---|---|---|"]
    lines += [f"| `{file}` | {says} | {_cell(did)} |" for file, says, did in documented.rows()]
    return head + begin + "\n" + "\n".join(lines) + "\n\n" + end + tail


def _cell(text: str) -> str:
    """Text in a cell of a table: no bars, no line breaks, not too long."""
    short = text if len(text) <= CELL_MAX else text[: CELL_MAX - 4].rstrip() + " ..."
    return short.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


CELL_MAX = 300


def main() -> int:
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
