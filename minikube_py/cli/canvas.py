"""What charts are drawn on: a canvas of plain shapes, as SVG text or as the pixels of a PNG. No library draws.

Coordinates are those of the SVG: x to the right, y down. PNG has SCALE pixels for each unit and writes text in the X Window
System's public-domain font `fixed` (6 by 13).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol, TypeAlias
from xml.sax.saxutils import escape

Point: TypeAlias = "tuple[float, float]"
SCALE = 2
GLYPH_WIDTH, GLYPH_HEIGHT, BASELINE = 6, 13, 11
# The rows of the 95 printable ASCII characters, a byte each (the lowest bit is the rightmost pixel), compressed, in base85.
FONT = (
    "c-m!D%WA|h3=GB;Q$jI8hfqW?CWK&mC`;)n`2RnvdV14VOR|wh(vCdJPSY<-YExnd0B#UKr;kR`cAoh9dP&;SAf^m$7bu@+K9Bv~"
    "x{dOfQf5mjQWD+SD8^|GTe@@Tw>q|2(%Aa+hc9ww2-GU)QX~YG4Wva{PZ>z+u+~6%MVwBL7(zuM7iWOI$0$fC9}h>cmU2-$v>F}5"
    "x>a<9A2zQsTFTA7bp-kOoML#6V-rb~(I-(;ft;hYkFt&7I$i8s%d#L{mlGvZ28=9@&^+a$tKXe6Y7QHrT4!mEwg`f}iB@r6HElmX"
    "&t21sSy$w{HE&QKkJgUEx>YshMh`azVhw{M-kP}$eR}f6G@_%MNDc5r8X2fVVF07UjyLGGF3cLU8_GPipfLt!gV7E3;HUpa9a8)g"
    "!?4xk-A;!`s+S|x^$CHJcx49C4VjmmuWTze7K^dMYw5>JtFaD!rZ~+a5GzD!Di8zfT}HAmJ{=$A*3E?QG?z%6O;<ZujVmWLYqT0A"
    "z08JiGd%-!0Mc+=A9hHSajsJ0Z&3I5^o8kv^6lmM_ariEP+<8J+FgJj)fY#B"
)


class Canvas(Protocol):
    def rect(self, x: float, y: float, width: float, height: float, colour: str) -> None: ...

    def line(self, points: list[Point], colour: str, *, width: float = 1.5, dashed: bool = False) -> None: ...

    def area(self, points: list[Point], colour: str, opacity: float) -> None: ...

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
    ) -> None: ...

    def data(self) -> bytes:
        """The file."""
        ...


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

    def data(self) -> bytes:
        return "\n".join([*self._parts, "</svg>", ""]).encode()


def _pairs(points: list[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


class Png:
    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width * SCALE, height * SCALE
        self._rows = [bytearray(b"\xff" * (3 * self.width)) for _ in range(self.height)]

    def rect(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        left, right = round(x * SCALE), round((x + width) * SCALE)
        for row in range(round(y * SCALE), round((y + height) * SCALE)):
            self._span(row, left, right, _rgb(colour), 1.0)

    def line(self, points: list[Point], colour: str, *, width: float = 1.5, dashed: bool = False) -> None:
        thick = max(1, round(width * SCALE / 1.5))
        travelled = 0
        for (x1, y1), (x2, y2) in pairwise(points):
            steps = max(1, round(max(abs(x2 - x1), abs(y2 - y1)) * SCALE))
            for step in range(steps + 1):
                travelled += 1
                if dashed and travelled // (4 * SCALE) % 2:
                    continue
                x, y = (x1 + (x2 - x1) * step / steps) * SCALE, (y1 + (y2 - y1) * step / steps) * SCALE
                for row in range(round(y - thick / 2), round(y - thick / 2) + thick):
                    self._span(row, round(x - thick / 2), round(x - thick / 2) + thick, _rgb(colour), 1.0)

    def area(self, points: list[Point], colour: str, opacity: float) -> None:
        """Even-odd: along each row between the edges that it crosses."""
        shape = [(x * SCALE, y * SCALE) for x, y in points]
        edges = list(zip(shape, [*shape[1:], shape[0]], strict=True)) if shape else []
        top, bottom = (f(y for _, y in shape) for f in (min, max)) if shape else (0, 0)
        for row in range(max(0, int(top)), min(self.height, int(bottom) + 1)):
            middle = row + 0.5
            crossed = sorted(
                x1 + (middle - y1) * (x2 - x1) / (y2 - y1)
                for (x1, y1), (x2, y2) in edges
                if (y1 <= middle) != (y2 <= middle)
            )
            for left, right in zip(crossed[::2], crossed[1::2], strict=False):
                self._span(row, round(left), round(right), _rgb(colour), opacity)

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
        words = words.encode("ascii", "replace").decode()
        left = round(x * SCALE) - {"start": 0, "middle": 1, "end": 2}[anchor] * GLYPH_WIDTH * SCALE * len(words) // 2
        top, ink = round(y * SCALE) - BASELINE * SCALE + SCALE, _rgb(colour)
        for index, letter in enumerate(words):
            for row, bits in enumerate(_glyph(letter)):
                for column in range(GLYPH_WIDTH):
                    if bits >> (GLYPH_WIDTH - 1 - column) & 1:
                        start = left + (index * GLYPH_WIDTH + column) * SCALE
                        for line in range(SCALE):
                            self._span(top + row * SCALE + line, start, start + SCALE + bold, ink, 1.0)

    def _span(self, row: int, left: int, right: int, ink: bytes, opacity: float) -> None:
        left, right = max(0, left), min(self.width, right)
        if not 0 <= row < self.height or left >= right:
            return
        pixels = self._rows[row]
        if opacity >= 1:
            pixels[3 * left : 3 * right] = ink * (right - left)
            return
        for at in range(3 * left, 3 * right):
            pixels[at] = round(pixels[at] * (1 - opacity) + ink[at % 3] * opacity)

    def data(self) -> bytes:
        import zlib
        from struct import pack

        def chunk(kind: bytes, body: bytes) -> bytes:
            return pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))

        header = pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        pixels = zlib.compress(b"".join(b"\0" + row for row in self._rows), 9)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _rgb(colour: str) -> bytes:
    """'#4c78a8' -> three bytes."""
    return bytes.fromhex(colour[1:])


_GLYPHS: list[bytes] = []


def _glyph(letter: str) -> bytes:
    if not _GLYPHS:
        import zlib
        from base64 import b85decode

        rows = zlib.decompress(b85decode(FONT))
        _GLYPHS.extend(rows[start : start + GLYPH_HEIGHT] for start in range(0, len(rows), GLYPH_HEIGHT))
    return _GLYPHS[ord(letter) - 32] if 32 <= ord(letter) < 127 else _GLYPHS[ord("?") - 32]
