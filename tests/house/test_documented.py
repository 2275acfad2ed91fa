"""docs/ says what the program does: the generated pages are fresh, and every command, kind and error is in them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml

from minikube_py.api import kinds, simulator, validation
from minikube_py.api.kinds import KINDS
from minikube_py.apiserver import events
from minikube_py.base import errors
from minikube_py.cli import commands
from minikube_py.controllers import silence
from minikube_py.kubelet import restarts
from minikube_py.programs import behaviour, catalogue
from tests.house import write_docs
from tests.house.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@cache
def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["cli.md", "resources.md", "errors.md", "simulation.md"])
def test_the_generated_pages_are_fresh(name: str) -> None:
    assert page(name) == write_docs.pages()[name], f"docs/{name} is out of date: run `make docs`"


def test_every_command_has_a_section_with_help_and_usage() -> None:
    sections = re.findall(r"^## kpy (.+)\n\n(.+)\.\n\n```\n(kpy .+)\n", page("cli.md"), re.MULTILINE)
    names = [name for name, _, _ in sections]
    assert len(set(names)) == len(names)
    missing = [row.name for row in commands.COMMANDS if row.name not in names and row.name != "alpha"]
    assert not missing, f"run `make docs`: docs/cli.md lacks {missing}"


def test_every_command_of_a_typer_application_is_among_them() -> None:
    own = [command.name for command in write_docs.all_commands() if command.name.startswith("cluster ")]
    assert {"cluster start", "cluster snapshot save", "cluster snapshot restore"} <= set(own)
    assert all(f"\n## kpy {name}\n" in page("cli.md") for name in own)


def test_every_kind_has_a_row() -> None:
    rows = set(re.findall(r"^\| (\w+) \| `(\w+)`[^|]* \| ([\w./]+)", page("resources.md"), re.MULTILINE))
    missing = [kind.resource for kind in KINDS if (kind.name, kind.plural, kind.version) not in rows]
    assert not missing, f"run `make docs`: docs/resources.md lacks {missing}"


def test_every_error_is_in_the_tree_and_in_the_table() -> None:
    tree, table = errors.__doc__ or "", page("errors.md")
    classes = [one.__name__ for one in write_docs.error_classes()]
    assert len(classes) > 10
    assert not [name for name in classes if not re.search(rf"\b{name} ", tree)], "missing in base/errors.py's docstring"
    assert not [name for name in classes if f"| `{name}` |" not in table], "run `make docs`"


@pytest.mark.parametrize("path", sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))), ids=lambda path: path.name)
def test_links_lead_to_files(path: Path) -> None:
    targets = [target for target in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in target]
    assert not [target for target in targets if not (path.parent / target).exists()]


def test_the_program_of_the_simulation_page_is_valid_and_shows_every_field() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page("simulation.md"), re.MULTILINE | re.DOTALL)
    shown = next(yaml.safe_load(block) for block in blocks if "kind: Program" in block)
    program = kinds.BUILTIN.named("programs")
    assert program is not None
    assert validation.validate(program, {**shown, "metadata": {"namespace": "default", **shown["metadata"]}}) == []
    assert {*shown["spec"], "requests"} == set(simulator.schema("Program")["properties"]["spec"]["properties"])


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        ("pull of an image nobody described", behaviour.DEFAULT.pull_s),
        ("from `Created` to `Started`", behaviour.DEFAULT.create_s),
        ("main container of a Job's pod", behaviour.JOB_RUNS_S),
        ("init container", behaviour.INIT_RUNS_S),
        ("end after SIGTERM", behaviour.DEFAULT.stop_s),
        ("a node that is off is noticed", silence.GRACE_S),
        ("an event is forgotten", events.EVENT_TTL_S),
    ],
)
def test_the_seconds_of_the_simulation_page_are_those_of_the_code(row: str, seconds: int) -> None:
    found = re.search(rf"^\| {re.escape(row)}[^|]* \| (\d+)", page("simulation.md"), re.MULTILINE)
    assert found is not None
    assert int(found[1]) == seconds


def test_back_offs_and_catalogue_of_the_simulation_page_are_those_of_the_code() -> None:
    text = page("simulation.md")
    pulls = [restarts.pull_delay_s(tries) for tries in range(1, 8)]
    assert f"| retry of a failed pull | {', '.join(map(str, pulls))}, ... |" in text
    assert f"{len(catalogue._data()['images'])} well-known images" in text
