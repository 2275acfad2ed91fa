"""Turns among processes: file locks beside a cluster file, so that writers queue instead of failing.

- `<file>-turn` is held for a whole run of the engine: a second `reconcile` waits until the first has ended.
- `<file>-door` is held while a writer waits for SQLite's write lock. The engine looks at it at the end of every
  instant, and passes through it if it is held, so whoever waits there gets in: SQLite alone lets a process that commits
  and begins again win every time.

Readers take neither. The kernel frees the locks of a process that dies, however it dies. They are flock's, which SQLite
does not use; where a system or a file system has none, SQLite's own lock has to do.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from minikube_py.store.files import DOOR, TURN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 2.0  # how long a process waits in silence
STEP_S = 0.01


class Lock:
    """One lock file. `wait_told` is called once if the lock is not free within PATIENCE_S."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    def acquire(self, wait_told: Callable[[], None]) -> None:
        import fcntl
        import time

        descriptor = self._open()
        if descriptor < 0:
            return
        try:
            for _ in range(int(PATIENCE_S / STEP_S)):
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                except BlockingIOError:
                    time.sleep(STEP_S)
            wait_told()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            return  # a file system without locks
        except BaseException:  # Ctrl-C while waiting
            self.release()
            raise

    def is_wanted(self) -> bool:
        """Whether another process holds it just now."""
        import fcntl

        descriptor = self._open()
        if descriptor < 0:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False

    def _open(self) -> int:
        if self._descriptor < 0:
            try:
                self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            except OSError:
                return -1  # not to be written: SQLite will say so in a better sentence
        return self._descriptor

    def release(self) -> None:
        """Free the lock; closing the file does that."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class FreeLock(Lock):
    """For clusters in memory, and systems without flock: nobody has to wait."""

    __slots__ = ()

    def acquire(self, wait_told: Callable[[], None]) -> None:
        return

    def is_wanted(self) -> bool:
        return False

    def release(self) -> None:
        return


def lock(path: str, which: str) -> Lock:
    """The lock of a cluster file; `which` is TURN or DOOR."""
    if path == ":memory:" or os.name != "posix":
        return FreeLock(path)
    return Lock(path + which)


@contextmanager
def held(one: Lock, wait_told: Callable[[], None]) -> Iterator[None]:
    one.acquire(wait_told)
    try:
        yield
    finally:
        one.release()


__all__ = ["DOOR", "TURN", "Lock", "held", "lock"]
