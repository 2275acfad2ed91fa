"""A Traffic's curves as lines of text: one character for each stretch of time, eight heights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

BARS = " ▁▂▃▄▅▆▇█"
COLUMNS = 60


class Curve(NamedTuple):
    """`values` are a second's; `total` counts over the whole time, None where adding up means nothing."""

    title: str
    values: list[float]
    total: float | None
    style: str  # of rich


def curves(pieces: list[list[Any]], columns: int = COLUMNS) -> list[Curve]:
    """Requests, errors by cause, pods that answer, and each version, over the time of the pieces."""
    if not pieces:
        return []
    versions = list(dict.fromkeys(name for piece in pieces for name in piece[5]))
    causes = list(dict.fromkeys(name for piece in pieces for name in piece[6]))
    found = [
        Curve("requests/s", sampled(pieces, lambda one: one[2], columns), _sum(pieces, lambda one: one[2]), "cyan")
    ]
    found += [
        Curve(f"{name}/s", sampled(pieces, lambda one, name=name: one[6].get(name, 0), columns), _sum(pieces, lambda one, name=name: one[6].get(name, 0)), "red")  # type: ignore[misc]
        for name in causes
    ]  # fmt: skip
    found.append(Curve("pods", sampled(pieces, lambda one: one[4] * (one[1] - one[0]), columns), None, "blue"))
    found += [
        Curve(f"version {name}", sampled(pieces, lambda one, name=name: one[5].get(name, 0), columns), _sum(pieces, lambda one, name=name: one[5].get(name, 0)), "green")  # type: ignore[misc]
        for name in versions
    ]  # fmt: skip
    return found


def sampled(pieces: list[list[Any]], amount: Callable[[list[Any]], float], columns: int) -> list[float]:
    """The amount a second in each column; a piece counts in a column by the time that they share."""
    start, end = pieces[0][0], pieces[-1][1]
    width = (end - start) / columns
    found = [0.0] * columns
    for piece in pieces:
        speed = amount(piece) / (piece[1] - piece[0])
        first, last = int((piece[0] - start) / width), min(int((piece[1] - start) / width), columns - 1)
        for column in range(first, last + 1):
            left, right = start + column * width, start + (column + 1) * width
            found[column] += speed * max(min(right, piece[1]) - max(left, piece[0]), 0) / width
    return found


def _sum(pieces: list[list[Any]], amount: Callable[[list[Any]], float]) -> float:
    return sum(amount(piece) for piece in pieces)


def bar(values: list[float]) -> str:
    """One character for each value; what is not zero shows, however small."""
    top = max(values, default=0)
    if top <= 0:
        return " " * len(values)
    return "".join(BARS[0 if value <= 0 else max(1, round(value / top * 8))] for value in values)


def number(value: float) -> str:
    """'12.5', '100', '10000'."""
    return f"{value:.1f}".removesuffix(".0")
