"""The files of a cluster: what belongs to one, private folders, temporaries that no kill leaves behind for long."""

from __future__ import annotations

import os
import re
from contextlib import suppress

TURN, DOOR = "-turn", "-door"  # lock files, see `turns`
OWNER = re.compile(r"\..+\.(\d{1,9})\.new(?:-[a-z]+)?")  # `.kpy.db.4711.new-wal` is of process 4711


def belonging(path: str) -> tuple[str, ...]:
    """All files that may lie beside a cluster file and belong to it."""
    return tuple(path + end for end in ("-wal", "-shm", "-journal", TURN, DOOR))


def make_private_folder(path: str) -> None:
    """Make a folder and those above it that are missing, for their owner only (os.makedirs: the last one only)."""
    if path and not os.path.isdir(path):
        make_private_folder(os.path.dirname(path))
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)


def temporary(file: str) -> str:
    """The name of a file of this process beside its later place. Removes those of processes that were killed."""
    folder, name = os.path.split(file)
    with suppress(OSError):
        for found in os.listdir(folder):
            owner = OWNER.fullmatch(found)
            if owner and not _is_alive(int(owner[1])):
                forget(os.path.join(folder, found))
    return os.path.join(folder, f".{name}.{os.getpid()}.new")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks only
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def forget(*paths: str) -> None:
    """Delete those of the files that are there."""
    for path in paths:
        if os.path.lexists(path):
            os.unlink(path)
