"""The style's limits, as tests."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house import source

LINES_MAX = 70
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")


@pytest.mark.parametrize("module", source.modules(), ids=lambda module: module.where)
def test_functions_are_short(module: source.Module) -> None:
    long = [
        f"{module.where}:{node.lineno} {node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines: split it"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LINES_MAX
    ]
    assert not long, "\n".join(long)


@pytest.mark.parametrize("module", source.modules(), ids=lambda module: module.where)
def test_modules_tell_their_role_and_nothing_is_unfinished(module: source.Module) -> None:
    text = module.path.read_text()
    assert not UNFINISHED.search(text), module.where
    if text.strip():
        assert ast.get_docstring(module.tree), f"{module.where} has no docstring"
