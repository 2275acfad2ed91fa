"""A Traffic's curves as an SVG: requests by version, errors by cause, and pods that answer, over virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape

from minikube_py.base.clock import timestamp
from minikube_py.base.duration import human
from minikube_py.cli.traffic_curves import number

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, LEFT, RIGHT = 860, 64, 150
PANEL, GAP, TOP = 120, 34, 52
VERSION_COLOURS = ("#4c78a8", "#72b7b2", "#54a24b", "#b279a2", "#9d755d", "#bab0ac")
CAUSE_COLOURS = ("#e45756", "#f58518", "#eeca3b", "#d67195", "#9c3d3d")
POD_COLOURS = ("#7f7f7f",)
TICKS = 6


class Panel(NamedTuple):
    """Areas upon each other: (title, height a second of each piece); `unit` stands above."""

    unit: str
    areas: list[tuple[str, list[float]]]
    colours: tuple[str, ...]


def chart(title: str, subtitle: str, pieces: list[list[Any]]) -> str:
    """The whole file. `pieces` as `network.tally.pieces` gives them; without any the panels are empty."""
    panels = [
        Panel("requests/s by version", _areas(pieces, 5), VERSION_COLOURS),
        Panel("errors/s by cause", _areas(pieces, 6), CAUSE_COLOURS),
        Panel("pods that answer", [("pods", [float(one[4]) for one in pieces])], POD_COLOURS),
    ]
    height = TOP + len(panels) * (PANEL + GAP) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(LEFT, 20, title, size=15, weight="bold"),
        _text(LEFT, 37, subtitle, fill="#555555"),
    ]
    for index, panel in enumerate(panels):
        parts += _panel(panel, pieces, TOP + index * (PANEL + GAP) + 14)
    parts += _time_axis(pieces, height - 20)
    return "\n".join([*parts, "</svg>", ""])


def _areas(pieces: list[list[Any]], index: int) -> list[tuple[str, list[float]]]:
    names = dict.fromkeys(name for piece in pieces for name in piece[index])
    return [(name, [one[index].get(name, 0) / (one[1] - one[0]) for one in pieces]) for name in names]


def _panel(panel: Panel, pieces: list[list[Any]], top: int) -> list[str]:
    bottom = top + PANEL
    sums = [sum(values[index] for _, values in panel.areas) for index in range(len(pieces))]
    highest = _rounded_up(max(sums, default=0))
    parts = [_text(LEFT, top - 5, panel.unit, weight="bold")]
    for share in (0, 0.5, 1):
        y = bottom - PANEL * share
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:g}" y2="{y:g}" stroke="#dddddd"/>')
        parts.append(_text(LEFT - 6, y + 4, number(highest * share), anchor="end", fill="#555555"))
    across, upward = _scales(pieces, highest, bottom)
    floor = [0.0] * len(pieces)
    for index, (name, values) in enumerate(panel.areas):
        colour = panel.colours[index % len(panel.colours)]
        roof = [low + value for low, value in zip(floor, values, strict=True)]
        parts.append(f'<path d="{_outline(pieces, floor, roof, across, upward)}" fill="{colour}" fill-opacity="0.85"/>')
        y = top + 10 + index * 15
        parts.append(f'<rect x="{WIDTH - RIGHT + 12}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 27, y, name))
        floor = roof
    if not any(sums):
        parts.append(_text(WIDTH - RIGHT + 12, top + 10, "none", fill="#555555"))
    return parts


def _scales(
    pieces: list[list[Any]], highest: float, bottom: int
) -> tuple[Callable[[float], float], Callable[[float], float]]:
    start, end = (pieces[0][0], pieces[-1][1]) if pieces else (0, 1)
    width = WIDTH - LEFT - RIGHT
    return (lambda at: LEFT + (at - start) / (end - start) * width), (lambda value: bottom - value / highest * PANEL)


def _outline(
    pieces: list[list[Any]],
    floor: list[float],
    roof: list[float],
    across: Callable[[float], float],
    upward: Callable[[float], float],
) -> str:
    """Along the roof in steps, and back along the floor; neighbours of one height are one step."""
    there = [(at, level) for one, level in zip(pieces, roof, strict=True) for at in one[:2] for level in (level,)]
    back = [(at, level) for one, level in zip(pieces, floor, strict=True) for at in one[:2] for level in (level,)]
    points = [*_thinned(there), *reversed(_thinned(back))]
    return "M" + "L".join(f"{across(at):.1f},{upward(level):.1f}" for at, level in points) + "Z"


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the points in the middle of a level stretch."""
    inner = range(1, len(points) - 1)
    kept = [points[i] for i in inner if not points[i - 1][1] == points[i][1] == points[i + 1][1]]
    return [*points[:1], *kept, *points[-1:]]


def _time_axis(pieces: list[list[Any]], y: int) -> list[str]:
    if not pieces:
        return []
    start, end = pieces[0][0], pieces[-1][1]
    across, _ = _scales(pieces, 1, y)
    parts = []
    for index in range(TICKS + 1):
        at = start + (end - start) * index / TICKS
        parts.append(
            _text(across(at), y, "0s" if not index else human(round(at - start)), anchor="middle", fill="#555555")
        )
    parts.append(_text(LEFT, y + 14, f"since {timestamp(start)}, virtual time", fill="#555555"))
    return parts


def _rounded_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5, 10, ... for an axis; 1 for 0."""
    if value <= 0:
        return 1.0
    size = 1.0
    while size * 10 <= value:
        size *= 10
    while size > value:
        size /= 10
    return next(size * step for step in (1, 2, 2.5, 5, 10) if size * step >= value * 0.999)


def _text(x: float, y: float, words: str, *, size: int = 11, anchor: str = "start", fill: str = "#222222", weight: str = "normal") -> str:  # fmt: skip
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">{escape(words)}</text>'
