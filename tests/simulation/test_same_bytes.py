"""The same commands give the same bytes: whatever process, hash seed, day, folder or Python; and swept or not.

Seeds are printed, and SEED chooses one. Where two runs differ, the commands are cut down before they are shown.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from minikube_py.cluster import Cluster
from tests.simulation import workload
from tests.simulation.shrink import shrink

ROOT = Path(__file__).parents[2]
SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else [101, 102]
LENGTH = 25


@cache
def played(python: str, hash_seed: str, folder: str, words: str) -> dict[str, str]:
    """What a process of its own prints."""
    with tempfile.TemporaryDirectory(prefix=f"kpy-same.{folder}") as place:
        done = subprocess.run(
            [python, "-m", "tests.simulation.play", place, words],
            cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Kathmandu" if folder else "UTC"},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def hash_of(what: str, *, python: str = sys.executable, hash_seed: str = "0", folder: str = "", **words: Any) -> str:
    return played(python, hash_seed, folder, json.dumps(words, sort_keys=True))[what]


def assert_equal(seed: int, one: dict[str, Any], other: dict[str, Any], what: str = "digest") -> None:
    """Two ways to play the same commands end the same; else the shortest list of commands that shows the difference."""

    def differ(commands: list[workload.Command]) -> bool:
        told = {"seed": seed, "commands": commands}
        return hash_of(what, **{**told, **one}) != hash_of(what, **{**told, **other})

    commands = workload.commands(seed, LENGTH)
    if differ(commands):
        short = shrink(commands, differ, tries=60)
        listed = "\n".join(map(repr, short))
        pytest.fail(f"SEED={seed}: {one} and {other} differ in their {what} after\n{listed}")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "other",
    [{"hash_seed": "4711"}, {"folder": "another folder.", "day": 400}, {"sessions": 1}],
    ids=["another hash seed", "another folder and day", "a session for each command"],
)
def test_it_does_not_matter_where_and_when(other: dict[str, Any], seed: int) -> None:
    assert_equal(seed, {}, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_dirty_keys_and_full_sweeps_write_the_same_log_across_sessions(seed: int) -> None:
    assert_equal(seed, {"sessions": 3}, {"sweep": True, "sessions": 3, "hash_seed": "7"}, "log")


@pytest.mark.parametrize("seed", SEEDS)
def test_short_roads_lead_where_the_long_ones_lead(seed: int) -> None:
    """Moulds, twins and facets make a pod cheaper, never different."""
    assert_equal(seed, {}, {"long": True}, "log")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_it_does_not_matter_which_python(version: str) -> None:
    python = shutil.which(f"python{version}")
    if python is None or version == "{}.{}".format(*sys.version_info):
        pytest.skip(f"Python {version} is not installed beside this one")
    if subprocess.run([python, "-c", "import orjson, yaml, jsonschema, bashkit"], capture_output=True).returncode:
        pytest.skip(f"Python {version} has none of the packages")
    assert_equal(SEEDS[0], {}, {"python": python})


def test_a_digest_sees_every_table() -> None:
    cluster = Cluster.memory(nodes=2)
    seen = [cluster.digest()]
    assert cluster.digest() == Cluster.memory(nodes=2).digest()
    for change in (
        "UPDATE meta SET value = value + 1 WHERE name = 'now_s'",
        "UPDATE object SET body = json_set(body, '$.x', 1) WHERE name = 'worker-1'",
        "UPDATE log SET actor = 'somebody' WHERE revision = 3",
        "INSERT INTO wake VALUES ('s', 'r', 'ns', 'n', 1, 0)",
        "INSERT INTO memory VALUES ('s', 'r', 'ns', 'n', '{}')",
        "INSERT INTO counter VALUES ('n', '{}')",
    ):
        cluster.store.connection.execute(change)
        seen.append(cluster.digest())
    assert len(set(seen)) == len(seen)


def test_a_digest_does_not_see_how_the_file_is_laid_out() -> None:
    cluster = Cluster.memory(nodes=2)
    before = cluster.digest()
    cluster.store.connection.execute("UPDATE object SET id = id + 1000")
    cluster.store.connection.execute("VACUUM")
    assert cluster.digest() == before


@pytest.mark.parametrize(
    ("commands", "bad", "left"),
    [
        (range(25), {7}, [7]),
        (range(25), {3, 19}, [3, 19]),
        (range(1), {0}, [0]),
        (range(64), set(range(60, 64)), [60, 61, 62, 63]),
    ],
)
def test_a_failing_list_is_cut_down_to_what_matters(commands: range, bad: set[int], left: list[int]) -> None:
    assert shrink(commands, lambda found: bad <= set(found)) == left
