"""Where garbage is thrown at kpy: a small cluster, restored for each piece, and what must never happen."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import shutil
import signal
import sqlite3
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from minikube_py import home
from minikube_py.__main__ import main
from minikube_py.store import check, schema
from minikube_py.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = int(os.environ.get("KPY_GARBAGE", "300"))  # of each sort
SECONDS_MAX = 5.0  # of CPU: a busy machine is not a hang
MEBIBYTES_MAX = 500


class Result(NamedTuple):
    code: int
    out: str
    err: str
    revision: int  # of the cluster afterwards


class Hang(BaseException):
    """Not an Exception: nothing that is tested may catch it."""


@contextlib.contextmanager
def limited(seconds: float = SECONDS_MAX) -> Iterator[None]:
    """Raise Hang where the block has used so much CPU."""

    def ring(*_: object) -> None:
        raise Hang(f"more than {seconds:g} s of CPU")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _memory(name: str) -> float:
    """A line of /proc/self/status in MiB; where there is none, the most that the process ever had."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1024


class Ground:
    """A home with one settled cluster. `fresh()` brings it back to what it was."""

    def __init__(self, folder: Path, *commands: tuple[str, ...]) -> None:
        self.folder = folder
        self.file = folder / "clusters" / "kpy.db"
        os.environ["KPY_HOME"] = str(folder)
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak: the tests before these are not asked about
        self._began_at = _memory("VmRSS")
        self.opened: list[sqlite3.Connection] = []
        self._remember_connections()
        home.start("kpy", epoch_s=1_790_000_000, nodes=2, seed=1).close()
        self.close()
        for words in commands:
            assert self.run(*words).code == 0, words
        self.saved = folder / "saved.db"
        shutil.copy(self.file, self.saved)
        self.revision = self.now_at()

    def fresh(self) -> None:
        for end in ("-wal", "-shm"):
            Path(f"{self.file}{end}").unlink(missing_ok=True)
        shutil.copy(self.saved, self.file)

    def grown_mebibytes(self) -> float:
        """By how much the process has grown at most since this ground was laid."""
        return _memory("VmHWM") - self._began_at

    def _remember_connections(self) -> None:
        """A process closes its file when it ends; here many command lines share one process."""
        connect = schema.connect

        def remembered(path: str, *, create: bool = False) -> sqlite3.Connection:
            self.opened.append(connect(path, create=create))
            return self.opened[-1]

        schema.connect = remembered
        self.restore = lambda: setattr(schema, "connect", connect)

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def now_at(self) -> int:
        store = Store(str(self.file))
        revision = store.revision
        store.close()
        return revision

    def run(self, *words: str, stdin: bytes = b"") -> Result:
        """One command line in this process. An AssertionError with the trace where it ends in anything but an exit code."""
        out, err, before = io.StringIO(), io.StringIO(), sys.stdin
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8", errors="surrogateescape")
        os.environ["KPY_HOME"] = str(self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), limited():
                code = main(list(words))
        except Hang as error:
            raise AssertionError(f"kpy {' '.join(words)[:300]}: {error}\n{stdin[:600]!r}\n{_tail()}") from None
        except (Exception, SystemExit):
            raise AssertionError(f"kpy {' '.join(words)[:300]}\n{stdin[:600]!r}\n{_tail()}") from None
        finally:
            sys.stdin = before
            self.close()
        assert "Traceback" not in err.getvalue()
        return Result(code, out.getvalue(), err.getvalue(), self.now_at())

    def check(self) -> None:
        found = check.problems(str(self.file))
        assert not found, found


def _tail() -> str:
    return traceback.format_exc()[-1500:]
