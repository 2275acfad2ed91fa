"""The package's source, parsed once: what the rules of the house are checked on."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "minikube_py"


class Module(NamedTuple):
    path: Path
    room: str  # 'base', 'cli', ...; the module's own name for those at the top
    tree: ast.Module

    @property
    def where(self) -> str:
        return str(self.path.relative_to(ROOT))


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE).parts
        room = inside[0] if len(inside) > 1 else path.stem
        found.append(Module(path, room, ast.parse(path.read_text())))
    return tuple(found)


def imports(module: Module) -> list[tuple[int, str]]:
    """(line, dotted name) of everything a module imports from the package, for typing or not."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name.split(".")[0] == "minikube_py"]
