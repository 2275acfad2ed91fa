"""`make bench`: how fast kpy is, everything as ratios within one run. Prints a table, writes build/bench.json.

Nothing here is asserted: a busy machine makes numbers, not failures. Goals stand beside the figures.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import growth, scheduling, starts

ROOT = Path(__file__).parents[2]


class Row(NamedTuple):
    """One figure: `value` against `base`, both in `unit`; `goal` is the largest ratio that satisfies (None: no goal)."""

    name: str
    value: float
    base: float
    unit: str
    goal: float | None
    against: str

    @property
    def ratio(self) -> float:
        return self.value / self.base if self.base else float("nan")


def main() -> None:
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory(prefix="kpy-bench.") as folder:
        os.environ["KPY_HOME"] = folder
        rows = [
            Row(*row)
            for row in (
                *starts.measure(folder, runs=5 if quick else 21),
                *growth.measure(folder, quick),
                *scheduling.measure(quick),
            )
        ]
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    )
    print(table(rows))
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps([{**row._asdict(), "ratio": row.ratio} for row in rows], indent=2) + "\n")


def table(rows: list[Row]) -> str:
    head = ("WHAT", "VALUE", "AGAINST", "BASE", "RATIO", "GOAL")
    lines = [head] + [
        (
            row.name,
            f"{row.value:.4g} {row.unit}",
            row.against,
            f"{row.base:.4g} {row.unit}" if row.against else "",
            f"{row.ratio:.2f}" if row.against else "",
            "" if row.goal is None else f"<= {row.goal:g}" + ("" if row.ratio <= row.goal else "  missed"),
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[Any]:
    return subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})


if __name__ == "__main__":
    main()
