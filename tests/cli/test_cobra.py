"""Command lines against the words of the real kubectl."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from minikube_py.base.errors import UsageError
from minikube_py.cli import cobra, commands

if TYPE_CHECKING:
    from collections.abc import Callable

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "cli" / "refusals.json").read_text())
# kubectl names commands here that kpy does not have yet
OTHER_SUGGESTIONS = ("foo", "lis")


@pytest.mark.parametrize("case", CASES, ids=[case["command"] for case in CASES])
def test_a_command_line_gets_the_answer_of_the_real_kubectl(case: dict[str, Any], kpy: Callable[..., Any]) -> None:
    result = kpy(*case["command"].split())
    assert result.code == case["exit"]
    if case["command"] not in OTHER_SUGGESTIONS:
        assert result.err == case["stderr"]
    assert result.out == case["stdout"] or case["stdout"] == "(help)"


@pytest.mark.parametrize(
    ("words", "output", "args"),
    [
        ("pods -o json", "json", ["pods"]),
        ("pods -ojson", "json", ["pods"]),
        ("pods -o=json", "json", ["pods"]),
        ("--output=json pods", "json", ["pods"]),
        ("-o json pods web", "json", ["pods", "web"]),
        ("pods -- -o json", "", ["pods", "-o", "json"]),
        ("pods -Ao json", "json", ["pods"]),
    ],
)
def test_flags_may_stand_anywhere_and_in_every_spelling(words: str, output: str, args: list[str]) -> None:
    parsed = cobra.parse(words.split(), cobra.flags_of("get"), "kubectl get")
    assert (parsed.text("output"), parsed.args) == (output, args)


def test_slices_are_split_at_commas_and_arrays_are_not() -> None:
    parsed = cobra.parse(["-L", "a,b", "-L", "c"], cobra.flags_of("get"), "kubectl get")
    assert parsed.list("label-columns") == ["a", "b", "c"]
    literal = cobra.parse(["--from-literal=a=1,2"], cobra.flags_of("create configmap"), "kubectl create configmap")
    assert literal.list("from-literal") == ["a=1,2"]


def test_a_flag_without_its_value_takes_the_bare_one() -> None:
    parsed = cobra.parse(["--dry-run", "x"], cobra.flags_of("create deployment"), "kubectl create deployment")
    assert (parsed.text("dry-run"), parsed.args) == ("unchanged", ["x"])


def test_where_two_dashes_stood_is_remembered() -> None:
    parsed = cobra.parse(["p", "--image=x", "--", "sleep", "5"], cobra.flags_of("run"), "kubectl run")
    assert (parsed.args, parsed.dash) == (["p", "sleep", "5"], 1)


def test_the_command_is_the_first_word_that_is_no_value_of_a_global_flag() -> None:
    flags = cobra.Flags(cobra.global_flags())
    assert cobra.first_word(["-n", "foo", "--context=x", "get", "pods"], flags) == 3
    assert cobra.first_word(["--namespace", "foo"], flags) == -1


def test_every_kubectl_command_has_its_help_and_every_target_exists() -> None:
    for row in commands.COMMANDS:
        if row.target:
            assert callable(commands.load(row.target)) or hasattr(commands.load(row.target), "functions"), row.name
        if row.group != commands.OWN and row.name != "alpha":
            assert cobra.help_text(row.name), row.name


def test_deprecated_flags_still_work_and_say_so() -> None:
    flags = cobra.flags_of("autoscale")
    parsed = cobra.parse(["sts", "db", "--cpu-percent=80"], flags, "kubectl autoscale")
    assert parsed.number("cpu-percent") == 80
    assert flags.by_name["cpu-percent"].deprecated.startswith("Use --cpu")


def test_wrong_durations_are_refused_in_gos_words() -> None:
    with pytest.raises(UsageError, match='time: missing unit in duration "5"'):
        cobra.parse(["--timeout=5"], cobra.flags_of("wait"), "kubectl wait")
