"""Durations as kubectl prints them (AGE) and as Go reads and writes them.

Sources: k8s.io/apimachinery/pkg/util/duration/duration.go (HumanDuration); Go's package time (ParseDuration, String).
"""

from __future__ import annotations

import re

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400

_UNIT_NS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000}
_UNIT_NS |= {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_MAX_NS = (1 << 63) - 1


def human(seconds: float) -> str:
    """kubectl's AGE, two or three significant figures: 90 -> '90s', 125 -> '2m5s', 273600 -> '3d4h'."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 2 * MINUTE:
        return f"{max(whole, 0)}s"
    if whole < 10 * MINUTE:
        return _two(whole // MINUTE, "m", whole % MINUTE, "s")
    if whole < 3 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 8 * HOUR:
        return _two(whole // HOUR, "h", whole // MINUTE % 60, "m")
    if whole < 2 * DAY:
        return f"{whole // HOUR}h"
    if whole < 8 * DAY:
        return _two(whole // DAY, "d", whole // HOUR % 24, "h")
    if whole < 2 * YEAR:
        return f"{whole // DAY}d"
    if whole < 8 * YEAR:
        return _two(whole // YEAR, "y", whole // DAY % 365, "d")
    return f"{whole // YEAR}y"


def short_human(seconds: float) -> str:
    """One unit only: 125 -> '2m' (ShortHumanDuration)."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    for limit, unit, letter in ((MINUTE, 1, "s"), (HOUR, MINUTE, "m"), (DAY, HOUR, "h"), (YEAR, DAY, "d")):
        if whole < limit:
            return f"{max(whole, 0) // unit}{letter}"
    return f"{whole // YEAR}y"


def _two(big: int, big_letter: str, small: int, small_letter: str) -> str:
    return f"{big}{big_letter}{small}{small_letter}" if small else f"{big}{big_letter}"


def parse_go(text: str) -> float:
    """Seconds of a Go duration: '1h2m3.5s' -> 3723.5. Raises ValueError with Go's words."""
    invalid = ValueError(f"time: invalid duration {_quoted(text)}")
    rest, sign = text, 1
    if rest[:1] in ("+", "-"):
        sign, rest = (-1 if rest[0] == "-" else 1), rest[1:]
    if rest == "0":
        return 0.0
    if not rest:
        raise invalid
    total_ns = 0
    while rest:
        match = _PART.match(rest)
        assert match is not None
        whole, fraction, unit = match.groups()
        if not (whole or fraction):
            raise invalid
        if not unit:
            raise ValueError(f"time: missing unit in duration {_quoted(text)}")
        if unit not in _UNIT_NS:
            raise ValueError(f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}")
        scale, fraction = _UNIT_NS[unit], fraction or ""
        total_ns += int(whole or 0) * scale + int(fraction or 0) * scale // 10 ** len(fraction)
        if total_ns > _MAX_NS:
            raise invalid
        rest = rest[match.end() :]
    return sign * total_ns / 10**9


def go(seconds: float) -> str:
    """A duration in Go's words: 3723.5 -> '1h2m3.5s', 0.1 -> '100ms', 0 -> '0s'."""
    total_ns = round(abs(seconds) * 10**9)
    sign = "-" if seconds < 0 and total_ns else ""
    if total_ns == 0:
        return "0s"
    for unit, size in (("ns", 10**3), ("µs", 10**6), ("ms", 10**9)):
        if total_ns < size:
            return f"{sign}{_decimal(total_ns, size // 1000)}{unit}"
    hours, rest_ns = divmod(total_ns, HOUR * 10**9)
    minutes, rest_ns = divmod(rest_ns, MINUTE * 10**9)
    text = f"{_decimal(rest_ns, 10**9)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(amount: int, unit: int) -> str:
    whole, fraction = divmod(amount, unit)
    if not fraction:
        return str(whole)
    return f"{whole}.{str(unit + fraction)[1:].rstrip('0')}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
