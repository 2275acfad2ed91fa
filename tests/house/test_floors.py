"""Imports point down only, never sideways between rooms of one floor; what thinks cannot write."""

from __future__ import annotations

import pytest

from tests.house import source

# Lowest first. Rooms in one tuple share a floor and may not import each other.
FLOORS = (
    ("base",),
    ("api",),
    ("store",),
    ("apiserver",),
    ("programs",),
    ("network", "scheduler"),
    ("controllers", "kubelet", "autoscaling"),
    ("engine", "bootstrap"),
    ("cluster",),
    ("home",),
    ("printers",),
    ("http",),
    ("cli",),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
THINKING = ("programs", "network", "scheduler", "controllers", "kubelet", "autoscaling")
WRITING = ("store", "apiserver", "engine", "cluster")


def room_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("module", source.modules(), ids=lambda module: module.where)
def test_imports_point_down(module: source.Module) -> None:
    if module.room == "__init__":
        return
    own = FLOOR_OF[module.room]
    upward = [
        f"{module.where}:{line} imports {name}"
        for line, name in source.imports(module)
        if room_of(name) in FLOOR_OF and room_of(name) != module.room and FLOOR_OF[room_of(name)] >= own
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize(
    "module", [module for module in source.modules() if module.room in THINKING], ids=lambda module: module.where
)
def test_what_thinks_cannot_write(module: source.Module) -> None:
    writers = [
        f"{module.where}:{line} imports {name}" for line, name in source.imports(module) if room_of(name) in WRITING
    ]
    assert not writers, "\n".join(writers)


def test_every_room_has_a_floor() -> None:
    rooms = {module.room for module in source.modules()} - {"__init__"}
    assert rooms <= set(FLOOR_OF), rooms - set(FLOOR_OF)
