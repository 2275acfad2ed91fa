"""A chart as a file: the SVG as it is, or as a PNG, drawn by resvg (the extra `png`)."""

from __future__ import annotations

from minikube_py.base.errors import UsageError
from minikube_py.cli import own

ZOOM = 2  # 1720 pixels wide, sharp on paper
# The font is one of the machine's: the first of these that is there.
STYLE = 'svg { font-family: "DejaVu Sans", Arial, Helvetica, "Liberation Sans", "Noto Sans", sans-serif }'
LETTER = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text x="2" y="15">x</text></svg>'


def write(path: str, svg: str, *, png: bool = False) -> None:
    """Write a chart to a file and say so on stderr. Raises UsageError where that cannot be."""
    content = svg.encode()
    if png:
        content, legible = pixels(svg)
        if not legible:
            own.echo("warning: this machine has no font that the picture could be written in", err=True)
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    own.echo(f"{path} written", err=True)


def pixels(svg: str) -> tuple[bytes, bool]:
    """The file, and whether its words can be read: a machine without any of the fonts leaves them out. Raises UsageError."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise UsageError("--png needs the package resvg-py: pip install 'minikube-py[png]'; --svg needs none") from None
    blank = svg_to_bytes(svg_string=LETTER.replace(">x<", "><"), style_sheet=STYLE)
    letter = svg_to_bytes(svg_string=LETTER, style_sheet=STYLE)
    return bytes(svg_to_bytes(svg_string=svg, zoom=ZOOM, style_sheet=STYLE)), letter != blank
