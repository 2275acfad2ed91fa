"""Charts over virtual time: panels below each other, each with lines and bands in steps, on one axis of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base.clock import timestamp
from minikube_py.base.duration import human
from minikube_py.cli import picture
from minikube_py.cli.canvas import Svg
from minikube_py.cli.traffic_curves import number

if TYPE_CHECKING:
    from minikube_py.cli.canvas import Point

WIDTH, LEFT, RIGHT = 860, 64, 190
PANEL, GAP, TOP = 120, 34, 52
COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#e45756", "#b279a2", "#9d755d", "#72b7b2", "#eeca3b")
TICKS = 8  # at most
MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS = (
    1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 20 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
)  # fmt: skip
GREY, LIGHT = "#555555", "#dddddd"


class Line(NamedTuple):
    """(second, value) from which on the value holds, in order; `dashed` for bounds and wishes.

    `sloped`: what grows steadily from point to point.
    """

    name: str
    points: list[tuple[float, float]]
    dashed: bool = False
    sloped: bool = False


class Band(NamedTuple):
    """What lies between two values over time: (second, low, high)."""

    name: str
    points: list[tuple[float, float, float]]


class Panel(NamedTuple):
    """`unit` stands above; `lines` are drawn over `bands`, each in the next of the `colours`."""

    unit: str
    lines: list[Line]
    bands: list[Band] = []  # noqa: RUF012 (a tuple's default, never changed)
    colours: tuple[str, ...] = COLOURS
    opacity: float = 0.25  # of the bands


def draw(title: str, subtitle: str, panels: list[Panel], start: float, end: float) -> str:
    """The chart as SVG; time goes from `start` to `end`, in seconds since 1970."""
    canvas = Svg(WIDTH, height_of(len(panels)))
    canvas.text(LEFT, 20, title, size=15, bold=True)
    canvas.text(LEFT, 37, subtitle, colour=GREY)
    for index, panel in enumerate(panels):
        _panel(canvas, panel, TOP + index * (PANEL + GAP) + 14, start, max(end, start + 1))
    if any(line.points for panel in panels for line in panel.lines) or any(
        band.points for panel in panels for band in panel.bands
    ):
        _time_axis(canvas, height_of(len(panels)) - 20, start, max(end, start + 1))
    return canvas.data()


def height_of(panels: int) -> int:
    return TOP + panels * (PANEL + GAP) + 24


def write(path: str, title: str, subtitle: str, panels: list[Panel], start: float, end: float, *, png: bool) -> None:
    """Write a chart to a file. Raises UsageError where that cannot be."""
    picture.write(path, draw(title, subtitle, panels, start, end), png=png)


def _panel(canvas: Svg, panel: Panel, top: int, start: float, end: float) -> None:
    bottom = top + PANEL
    values = [value for line in panel.lines for _, value in line.points]
    values += [high for band in panel.bands for _, _, high in band.points]
    highest = _rounded_up(max(values, default=0))
    canvas.text(LEFT, top - 5, panel.unit, bold=True)
    for share in (0, 0.5, 1):
        y = bottom - PANEL * share
        canvas.line([(LEFT, y), (WIDTH - RIGHT, y)], LIGHT, width=1)
        canvas.text(LEFT - 6, y + 4, _label(highest * share), anchor="end", colour=GREY)

    def place(second: float, value: float) -> Point:
        across = (min(max(second, start), end) - start) / (end - start)
        return LEFT + across * (WIDTH - LEFT - RIGHT), bottom - min(value, highest) / highest * PANEL

    legend = 0
    for index, band in enumerate(panel.bands):
        colour = panel.colours[index % len(panel.colours)]
        lows = _steps([(second, low) for second, low, _ in band.points], end)
        highs = _steps([(second, high) for second, _, high in band.points], end)
        canvas.area([place(*one) for one in [*highs, *reversed(lows)]], colour, panel.opacity)
        legend = _legend(canvas, band.name, colour, top, legend, panel.opacity)
    for index, line in enumerate(panel.lines):
        colour = panel.colours[index % len(panel.colours)]
        if line.points:
            canvas.line(
                [place(*one) for one in (line.points if line.sloped else _steps(line.points, end))],
                colour,
                dashed=line.dashed,
            )
        legend = _legend(canvas, line.name, colour, top, legend)
    if not values:
        canvas.text(WIDTH - RIGHT + 12, top + 10, "none", colour=GREY)


def _legend(canvas: Svg, name: str, colour: str, top: int, row: int, opacity: float = 1.0) -> int:
    x, y = WIDTH - RIGHT + 12, top + 10 + row * 15
    canvas.area([(x, y - 9), (x + 10, y - 9), (x + 10, y + 1), (x, y + 1)], colour, opacity)
    canvas.text(WIDTH - RIGHT + 27, y, name)
    return row + 1


def _steps(points: list[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """The corners of a curve whose values hold until the next: (0, 1), (5, 3) -> 0 at 1, 5 at 1, 5 at 3, the end at 3."""
    found: list[tuple[float, float]] = []
    for second, value in points:
        if found:
            found.append((second, found[-1][1]))
        found.append((second, value))
    return _thinned([*found, (end, found[-1][1])]) if found else []


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without the points in the middle of a level stretch."""
    inner = range(1, len(points) - 1)
    kept = [points[i] for i in inner if not points[i - 1][1] == points[i][1] == points[i + 1][1]]
    return [points[0], *kept, points[-1]]


def _time_axis(canvas: Svg, y: int, start: float, end: float) -> None:
    span = end - start
    step = next((one for one in STEPS if span / one <= TICKS), round(span / TICKS))
    for second in range(0, int(span) + 1, step):
        x = LEFT + (WIDTH - LEFT - RIGHT) * second / span
        canvas.text(x, y, human(second) if second else "0s", anchor="middle", colour=GREY)
    canvas.text(LEFT, y + 14, f"since {timestamp(int(start))}, virtual time", colour=GREY)


def _label(value: float) -> str:
    """250000 as people write it, but 0.25 in full: the middle of an axis is no rounded number."""
    return number(value) if value >= 10 else f"{value:g}"


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
