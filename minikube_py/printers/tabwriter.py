"""Columns of text as Go's text/tabwriter aligns them, with kubectl's settings.

A column is a run of consecutive lines that have a cell ended by a tab there; each run is as wide as its widest cell plus
three spaces, at least six. The last cell of a line is not padded. Source: k8s.io/cli-runtime/pkg/printers/tabwriter.go.
"""

from __future__ import annotations

PADDING, WIDTH_MIN = 3, 6


def align(text: str, padding: int = PADDING, width_min: int = WIDTH_MIN) -> str:
    """`text` with its tabs replaced by spaces."""
    rows = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[0] * (len(row) - 1) for row in rows]
    for column in range(max(len(row) for row in rows) - 1):
        first = 0
        while first < len(rows):
            last = first
            while last < len(rows) and len(rows[last]) > column + 1:
                last += 1
            if last > first:
                longest = max(len(rows[line][column]) for line in range(first, last))
                width = max(longest + padding, width_min) if longest else max(padding, width_min)
                for line in range(first, last):
                    widths[line][column] = width
            first = max(last, first + 1)
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(row, sizes, strict=False)) + row[-1]
        for row, sizes in zip(rows, widths, strict=True)
    )
