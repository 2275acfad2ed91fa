"""The page that describers write on: indented lines with tabs, aligned at the end as Go's text/tabwriter does.

kubectl sets it up with minwidth 0, padding 2 and blanks: a tab ends a cell; a column is a run of lines that all have that
cell; it is as wide as its widest cell and two blanks. What stands behind the last tab of a line belongs to no column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.clock import seconds
from minikube_py.base.duration import human

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.printers.describe.lookup import Lookup

Object = dict[str, Any]

PADDING = 2
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEVER = "Mon, 01 Jan 0001 00:00:00 +0000"  # Go's zero time


class Writer:
    """Collects text; `lookup`, `now_s` and `show_events` are what the describers need besides the object."""

    def __init__(self, lookup: Lookup, now_s: int, show_events: bool = True) -> None:
        self.lookup = lookup
        self.now_s = now_s
        self.show_events = show_events
        self._parts: list[str] = []

    def put(self, level: int, text: str) -> None:
        """Text as it is, two blanks for each level in front; the caller ends lines."""
        self._parts.append("  " * level + text)

    def line(self, level: int, title: str, value: object = "") -> None:
        """`Title:<tab>value`."""
        self._parts.append(f"{'  ' * level}{title}:\t{value}\n")

    def row(self, level: int, *cells: object) -> None:
        """Cells with tabs between."""
        self._parts.append("  " * level + "\t".join(map(str, cells)) + "\n")

    def age(self, timestamp: str | None) -> str:
        """How long ago: '2m5s'; '<unknown>' for no time."""
        return human(self.now_s - seconds(timestamp)) if timestamp else "<unknown>"

    def raw(self) -> str:
        """What was written, with tabs."""
        return "".join(self._parts).replace("\x1b", "^[")

    def text(self) -> str:
        return align(self.raw())


def align(text: str) -> str:
    """Turn tabs into columns.

    >>> align("a:\\t1\\nlonger:\\t2\\n")
    'a:       1\\nlonger:  2\\n'
    """
    lines = [line.split("\t") for line in text.split("\n")]
    column = 0
    while True:
        start, seen = 0, False
        while start < len(lines):
            if len(lines[start]) - 1 <= column:
                start += 1
                continue
            end = start
            while end < len(lines) and len(lines[end]) - 1 > column:
                end += 1
            width = max(len(line[column]) for line in lines[start:end]) + PADDING
            for line in lines[start:end]:
                line[column] = line[column].ljust(width)
            start, seen = end, True
        if not seen:
            return "\n".join("".join(line) for line in lines)
        column += 1


def rfc1123(timestamp: str | None) -> str:
    """'2026-11-24T22:21:23Z' as 'Tue, 24 Nov 2026 22:21:23 +0000' (time.RFC1123Z)."""
    if not timestamp:
        return NEVER
    import time

    moment = time.gmtime(seconds(timestamp))
    return (
        f"{WEEKDAYS[moment.tm_wday]}, {moment.tm_mday:02d} {MONTHS[moment.tm_mon - 1]} {moment.tm_year} "
        f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d} +0000"
    )


def go_list(values: Iterable[object] | None) -> str:
    """A slice as Go's %v prints it: [a b]."""
    return "[" + " ".join(map(str, values or ())) + "]"


def go_bool(value: object) -> str:
    return "true" if value else "false"


def titled_bool(value: object) -> str:
    """'True', 'False'; '<unset>' for None."""
    return "<unset>" if value is None else "True" if value else "False"
