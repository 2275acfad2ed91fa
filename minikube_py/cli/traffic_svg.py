"""A Traffic's curves as an SVG: requests by version, errors by cause, and pods that answer, over virtual time."""

from __future__ import annotations

from typing import Any

from minikube_py.cli import chart
from minikube_py.cli.chart import Band, Panel

VERSION_COLOURS = ("#4c78a8", "#72b7b2", "#54a24b", "#b279a2", "#9d755d", "#bab0ac")
CAUSE_COLOURS = ("#e45756", "#f58518", "#eeca3b", "#d67195", "#9c3d3d")
POD_COLOURS = ("#7f7f7f",)
OPACITY = 0.85


def draw(title: str, subtitle: str, pieces: list[list[Any]]) -> str:
    """The whole file. `pieces` as `network.tally.pieces` gives them; without any the panels are empty."""
    answering = [float(one[4]) for one in pieces]
    panels = [
        Panel("requests/s by version", [], _stacked(pieces, _rates(pieces, 5)), VERSION_COLOURS, OPACITY),
        Panel("errors/s by cause", [], _stacked(pieces, _rates(pieces, 6)), CAUSE_COLOURS, OPACITY),
        Panel("pods that answer", [], _stacked(pieces, {"pods": answering}), POD_COLOURS, OPACITY),
    ]
    start, end = (pieces[0][0], pieces[-1][1]) if pieces else (0, 1)
    return chart.draw(title, subtitle, panels, start, end)


def _rates(pieces: list[list[Any]], index: int) -> dict[str, list[float]]:
    """By name, how many a second in each piece."""
    names = dict.fromkeys(name for piece in pieces for name in piece[index])
    return {name: [one[index].get(name, 0) / (one[1] - one[0]) for one in pieces] for name in names}


def _stacked(pieces: list[list[Any]], values: dict[str, list[float]]) -> list[Band]:
    """Each upon those before it."""
    found = []
    floor = [0.0] * len(pieces)
    for name, heights in values.items():
        roof = [low + height for low, height in zip(floor, heights, strict=True)]
        found.append(Band(name, [(one[0], low, high) for one, low, high in zip(pieces, floor, roof, strict=True)]))
        floor = roof
    return found
