"""No wall clock, no global chance, no hash order outside base/clock.py."""

from __future__ import annotations

import ast

import pytest

from tests.house import source

FORBIDDEN_MODULES = {"random", "uuid", "secrets"}
FORBIDDEN_CALLS = {
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "monotonic"), ("time", "perf_counter"),
    ("os", "urandom"), ("os", "getrandom"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"),
    ("date", "today"),
}  # fmt: skip
CLOCK = "minikube_py/base/clock.py"
CHECKED = [module for module in source.modules() if module.where != CLOCK]


def offences(module: source.Module) -> list[str]:
    found = []
    methods = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef) and node.name == "__hash__"]
    inside_hash = {inner for method in methods for inner in ast.walk(method)}
    for node in ast.walk(module.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found += [f"{module.where}:{node.lineno} imports {name}" for name in names if name in FORBIDDEN_MODULES]
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id == "hash" and node not in inside_hash:
                found.append(f"{module.where}:{node.lineno} calls hash()")
            if (
                isinstance(function, ast.Attribute)
                and isinstance(function.value, ast.Name)
                and (function.value.id, function.attr) in FORBIDDEN_CALLS
            ):
                found.append(f"{module.where}:{node.lineno} calls {function.value.id}.{function.attr}()")
    return found


@pytest.mark.parametrize("module", CHECKED, ids=lambda module: module.where)
def test_only_the_clock_knows_time_and_chance(module: source.Module) -> None:
    assert not offences(module), "\n".join(offences(module))
