"""`make crash`: kpy is killed (kill -9) a thousand times at moments from a seed, and leaves whole transactions only.

    python -m tests.simulation.crash --kills 1000 --seed 1

Each scene is a command on a prepared home. It runs once undisturbed, and it is known then which states the file may be
in: those between two transactions. Then it is killed, again and again, somewhere in the time that it took. After each kill
- `kpy cluster check` finds nothing, which includes SQLite's own integrity check;
- the digest is that of a state between two transactions;
- the command again (if it had not got through) and a reconcile end in the digest of the undisturbed run: byte for byte.

Children are forks of this process, which has everything imported: a kill costs some 100 ms, and most of it lies in work.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from minikube_py import home
from minikube_py.__main__ import main as kpy
from minikube_py.store import check, digest, schema
from minikube_py.store.store import Store
from tests.simulation import workload

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH_S = 1_790_000_000
MEMORY = "/dev/shm"


class Scene(NamedTuple):
    """`words`: the command that is killed; `before`: those that prepare its home; `prelude`: what its process does first."""

    name: str
    words: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    prelude: Callable[[], None] = lambda: None


class Outcome(NamedTuple):
    """How a kill ended: whether it came before the command was done, and which state it left, counted in transactions."""

    scene: str
    share: float
    killed: bool
    state: int


# ------------------------------------------------------------------------------------------------------------- scenes


def manifest() -> str:
    """Six Deployments with their Services, as JSON documents."""
    names = [f"app-{number}" for number in range(6)]
    objects = [workload.deployment(name, 4, 1, "25%", "25%") for name in names]
    for obj in objects:  # all of them fit on the nodes
        obj["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "10m", "memory": "8Mi"}}
    return "\n".join(map(json.dumps, [*objects, *map(workload.service, names)]))


def add_a_column(connection: sqlite3.Connection) -> None:
    """A made-up migration with some work: a column of the log that is filled row by row, with an index."""
    connection.execute("ALTER TABLE log ADD COLUMN place TEXT")
    connection.execute("UPDATE log SET place = resource || '/' || namespace || '/' || name")
    connection.execute("CREATE INDEX log_place ON log (place)")


def a_newer_kpy() -> None:
    schema.MIGRATIONS = (schema.Migration(schema.SCHEMA_VERSION + 1, "places", add_a_column),)
    schema.SCHEMA_VERSION += 1


def scenes(file: str) -> tuple[Scene, ...]:
    apply, settle = ("apply", "-f", file), ("reconcile",)
    delete = ("delete", "-f", file, "--wait=false")
    save = ("cluster", "snapshot", "save", "old")
    return (
        Scene("apply", apply),
        Scene("reconcile", settle, (apply,)),
        Scene("delete", delete, (apply, settle)),
        Scene("undo", settle, (apply, settle, delete)),
        Scene("restore", ("cluster", "snapshot", "restore", "old"), (save, apply, settle)),
        Scene("migration", ("get", "pods"), (apply, settle), a_newer_kpy),
    )


# ---------------------------------------------------------------------------------------------------------- processes


def child(folder: Path, words: tuple[str, ...], prelude: Callable[[], None], told: Path | None = None) -> int:
    """Fork a process that runs one command in a home; returns its id. `told`: where it writes a digest at each commit."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.environ["KPY_HOME"] = str(folder)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(silence, stream)
        prelude()
        if told is not None:
            _tell_commits(told)
        code = kpy(list(words))
    finally:
        os._exit(code)


def _tell_commits(told: Path) -> None:
    """After each instant of the engine, write down the digest of what is safe then."""
    checkpoint = Store.checkpoint

    def telling(store: Store) -> None:
        checkpoint(store)
        with told.open("a") as file:
            file.write(digest.digest(store.connection) + "\n")

    Store.checkpoint = telling  # type: ignore[method-assign]


def run(folder: Path, words: tuple[str, ...], prelude: Callable[[], None], told: Path | None = None) -> float:
    """Run a command to its end; returns the seconds it took."""
    start = time.monotonic()
    status = os.waitpid(child(folder, words, prelude, told), 0)[1]
    assert status == 0, f"kpy {' '.join(words)} ended with status {status}"
    return time.monotonic() - start


def kill_after(seconds: float, folder: Path, words: tuple[str, ...], prelude: Callable[[], None]) -> bool:
    """Start a command and kill it after a time; returns whether it was still running."""
    process = child(folder, words, prelude)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def state(folder: Path) -> str:
    """The digest of a home's cluster, and its schema."""
    with closing(sqlite3.connect(folder / "clusters" / "kpy.db")) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        return f"{version} {digest.digest(connection)}"


# -------------------------------------------------------------------------------------------------------------- kills


class Stage:
    """A scene with its prepared home, the states it may leave, and how long it takes undisturbed."""

    def __init__(self, scene: Scene, ground: Path) -> None:
        self.scene = scene
        self.ground = ground
        self.home = ground / scene.name
        shutil.copytree(ground / "empty", self.home)
        for words in scene.before:
            run(self.home, words, lambda: None)
        undisturbed, told = self.copy("undisturbed"), ground / f"{scene.name}.commits"
        told.touch()
        run(undisturbed, scene.words, scene.prelude, told)
        version = state(undisturbed).split()[0]
        commits = [f"{version} {line}" for line in told.read_text().split()]
        self.states = list(dict.fromkeys([state(self.home), *commits, state(undisturbed)]))
        run(undisturbed, ("reconcile",), scene.prelude)
        self.end = state(undisturbed)
        self.took_s = min(run(self.copy(f"timed-{turn}"), scene.words, scene.prelude) for turn in range(3))

    def copy(self, name: str) -> Path:
        target = self.ground / "copies" / f"{self.scene.name}-{name}"
        shutil.copytree(self.home, target)
        return target

    def kill(self, number: int, share: float) -> Outcome:
        """Kill the command after a share of its time, and hold what it leaves against what may be."""
        scene, folder = self.scene, self.copy(str(number))
        file = str(folder / "clusters" / "kpy.db")
        killed = kill_after(share * self.took_s, folder, scene.words, scene.prelude)
        about = f"{scene.name} killed after {share:.3f} of {self.took_s:.3f} s"
        left = state(folder)
        assert left in self.states, f"{about}: the file is in a state between two transactions"
        position = self.states.index(left)
        self._check(file, about)
        if position < len(self.states) - 1:
            run(folder, scene.words, scene.prelude)
        run(folder, ("reconcile",), scene.prelude)
        assert state(folder) == self.end, f"{about}: it ends otherwise than an undisturbed run"
        self._check(file, about)
        left_over = sorted(found.name for found in (folder / "clusters").iterdir() if found.name.startswith("."))
        assert not left_over, f"{about}: {left_over} are left"
        shutil.rmtree(folder)
        return Outcome(scene.name, share, killed, position)

    def _check(self, file: str, about: str) -> None:
        found = [line for line in check.problems(file) if not line.startswith("the file has schema")]
        assert not found, f"{about}: {found}"


def shares(dice: Random, count: int) -> list[float]:
    """Moments as shares of the undisturbed time: half of them anywhere, half where the commits are."""
    return [dice.uniform(0, 1.05) if number % 2 else dice.uniform(0.6, 1.05) for number in range(count)]


def play(kills: int, seed: int, tell: Callable[[str], None] = lambda line: None) -> list[Outcome]:
    """Kill `kills` times, spread over the scenes. Raises AssertionError with the scene, the moment and what is wrong."""
    # In memory where there is such a folder: a kill is no power cut, what a process has written stays either way.
    with tempfile.TemporaryDirectory(prefix="kpy-crash.", dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        ground = Path(folder)
        (ground / "empty").mkdir(mode=0o700)
        os.environ["KPY_HOME"] = str(ground / "empty")
        home.start("kpy", epoch_s=EPOCH_S, seed=3).close()
        file = ground / "all.json"
        file.write_text(manifest())
        _warm_up(ground, str(file))
        found: list[Outcome] = []
        for number, scene in enumerate(scenes(str(file))):
            own = kills // 6 + (number < kills % 6)
            stage = Stage(scene, ground)
            for index, share in enumerate(shares(Random(f"{seed} {scene.name}"), own)):
                found.append(stage.kill(index, share))
            tell(summary(scene, stage, [outcome for outcome in found if outcome.scene == scene.name]))
        return found


def _warm_up(ground: Path, file: str) -> None:
    """Let this process import what its children need, so that they are killed in their work."""
    shutil.copytree(ground / "empty", ground / "warm")
    os.environ["KPY_HOME"] = str(ground / "warm")
    with (ground / "warm.out").open("w") as out, contextlib.redirect_stdout(out):
        for words in [words for scene in scenes(file)[:-1] for words in (*scene.before, scene.words)]:
            if words != ("cluster", "snapshot", "save", "old") or not (ground / "warm" / "snapshots").exists():
                assert kpy(list(words)) == 0, words


def summary(scene: Scene, stage: Stage, found: list[Outcome]) -> str:
    last = len(stage.states) - 1
    left = {"before": 0, "between": 0, "after": 0}
    for outcome in found:
        left["before" if outcome.state == 0 else "after" if outcome.state == last else "between"] += 1
    return (
        f"{scene.name:<10} {sum(outcome.killed for outcome in found):>4} of {len(found)} killed in {stage.took_s:.2f} s of "
        f"work and {last} transaction{'s' if last > 1 else ''}; left {', '.join(f'{count} {word}' for word, count in left.items())}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    print(f"seed {words.seed}", flush=True)
    try:
        found = play(words.kills, words.seed, lambda line: print(line, flush=True))
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    print(f"{len(found)} kills: every file whole, every end the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
