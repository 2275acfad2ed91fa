"""What charts are drawn on: plain shapes as SVG text. x goes to the right, y down."""

from __future__ import annotations

from typing import TypeAlias
from xml.sax.saxutils import escape

Point: TypeAlias = "tuple[float, float]"


class Svg:
    def __init__(self, width: int, height: int) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="sans-serif" font-size="11">'
        ]
        self.rect(0, 0, width, height, "#ffffff")

    def rect(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self._parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{colour}"/>')

    def line(self, points: list[Point], colour: str, *, width: float = 1.5, dashed: bool = False) -> None:
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        shape = f'points="{_pairs(points)}" fill="none" stroke="{colour}" stroke-width="{width:g}"'
        self._parts.append(f"<polyline {shape}{dash}/>")

    def area(self, points: list[Point], colour: str, opacity: float) -> None:
        self._parts.append(f'<polygon points="{_pairs(points)}" fill="{colour}" fill-opacity="{opacity:g}"/>')

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int = 11,
        anchor: str = "start",
        colour: str = "#222222",
        bold: bool = False,
    ) -> None:
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(words)}</text>'
        )

    def data(self) -> str:
        """The file."""
        return "\n".join([*self._parts, "</svg>", ""])


def _pairs(points: list[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
