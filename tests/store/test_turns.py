"""Turns among processes: who comes second waits, says so once, and is served."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from minikube_py import home
from minikube_py.store import turns
from minikube_py.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPY_HOME", str(tmp_path / "home"))
    home.start("kpy", epoch_s=1_790_000_000, nodes=1).close()
    return tmp_path / "home"


def kpy(folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "minikube_py", *words],
        env={**os.environ, "KPY_HOME": str(folder), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def hold_turn(store: Store) -> Callable[[], None]:
    context = store.turn()
    context.__enter__()
    return lambda: context.__exit__(None, None, None)  # type: ignore[return-value]


def hold_transaction(store: Store) -> Callable[[], None]:
    context = store.transaction()
    context.__enter__()
    return lambda: context.__exit__(None, None, None)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        (hold_turn, ("reconcile",)),
        (hold_transaction, ("reconcile",)),
        (hold_transaction, ("create", "namespace", "x")),
        (hold_turn, ("cluster", "snapshot", "restore", "saved")),
    ],
)
def test_who_comes_second_says_after_two_seconds_that_it_waits_and_is_served(
    hold: Callable[[Store], Callable[[], None]], words: tuple[str, ...], folder: Path
) -> None:
    assert kpy(folder, "cluster", "snapshot", "save", "saved").communicate(timeout=60)[1] == ""
    store = Store(str(folder / "clusters" / "kpy.db"))
    release = hold(store)
    second = kpy(folder, *words)
    assert second.stderr is not None
    assert second.stderr.readline() == home.WAITING
    assert second.poll() is None
    release()
    out, err = second.communicate(timeout=60)
    assert (second.returncode, err) == (0, ""), err
    assert out
    store.close()


def test_readers_wait_for_nobody(folder: Path) -> None:
    store = Store(str(folder / "clusters" / "kpy.db"))
    for hold in (hold_turn, hold_transaction):
        release = hold(store)
        reader = kpy(folder, "get", "nodes", "-o", "name")
        assert reader.communicate(timeout=60) == ("node/control-plane\n", "")
        release()
    store.close()


def test_the_turn_of_a_killed_process_is_free(folder: Path) -> None:
    program = "import sys, time; from minikube_py.store.store import Store\nwith Store(sys.argv[1]).turn(): print(1, flush=True); time.sleep(60)"
    path = str(folder / "clusters" / "kpy.db")
    holder = subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"1\n"
    holder.kill()
    holder.communicate()
    told: list[int] = []
    with turns.held(turns.lock(path, turns.TURN), lambda: told.append(1)):
        assert not told


def test_a_writer_gets_in_between_two_instants_of_a_busy_engine(folder: Path) -> None:
    """SQLite alone would let the process win that commits and begins again at once."""
    path = str(folder / "clusters" / "kpy.db")
    engine, got_in = Store(path), threading.Event()

    def write() -> None:
        writer = Store(path)
        with writer.transaction():
            got_in.set()
        writer.close()

    with engine.transaction():
        thread = threading.Thread(target=write)
        thread.start()
        begin = time.monotonic()
        while not got_in.is_set() and time.monotonic() - begin < 30:
            time.sleep(0.005)
            engine.checkpoint()
    thread.join(timeout=30)
    assert got_in.is_set()
    engine.close()


def test_clusters_in_memory_have_no_turns() -> None:
    store = Store(":memory:")
    with store.turn(), store.turn(), store.transaction(), store.turn():
        pass
