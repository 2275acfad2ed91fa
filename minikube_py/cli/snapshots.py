"""Saved states of clusters: whole copies of the file in `$KPY_HOME/snapshots/<cluster>/<name>.db`.

A save is built beside its place and moved there whole; a restore is one transaction over the cluster's file. So a kill
leaves the state before or after, and other processes see the one or the other.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from minikube_py import home
from minikube_py.base.errors import StoreError, UsageError
from minikube_py.store import check, files, schema, turns
from minikube_py.store.store import Store


def _folder(cluster: str) -> Path:
    home.path(cluster)  # refuses names that could leave the folder
    return Path(home.root()) / "snapshots" / cluster


def _file(cluster: str, name: str) -> Path:
    if not home.NAME.fullmatch(name):
        raise UsageError(f"\"{name}\" is not a snapshot name: use lower case letters, digits and '-', at most 63")
    return _folder(cluster) / f"{name}.db"


def names(cluster: str) -> list[tuple[str, int]]:
    """The snapshots of a cluster with the virtual time that each shows (-1: it cannot be read), sorted by name."""
    folder = _folder(cluster)
    found = sorted(folder.glob("[!.]*.db")) if folder.is_dir() else []
    return [(file.stem, _time_s(file)) for file in found]


def _time_s(file: Path) -> int:
    try:
        with closing(_reading(file)) as connection:
            return int(connection.execute("SELECT value FROM meta WHERE name = 'now_s'").fetchone()[0])
    except (sqlite3.Error, TypeError, ValueError):
        return -1


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)


def save(cluster: str, name: str) -> None:
    """Copy a cluster's file, consistently even while another process writes (SQLite's backup)."""
    source, target = Path(home.path(cluster)), _file(cluster, name)
    if not source.exists():
        raise UsageError(f'cluster "{cluster}" does not exist')
    if target.exists():
        raise UsageError(f'snapshot "{name}" exists already')
    Store(str(source)).close()  # a file that is no cluster is not worth keeping
    fresh = Path(files.temporary(str(target)))
    try:
        files.make_private_folder(str(target.parent))
        os.close(os.open(fresh, os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600))
        with closing(_reading(source)) as reading, closing(sqlite3.connect(fresh)) as writing:
            reading.backup(writing)
            # One file without a log beside it: a snapshot is never written again.
            writing.execute("PRAGMA journal_mode = DELETE")
        os.link(fresh, target)  # fails where another process was faster
    except FileExistsError:
        raise UsageError(f'snapshot "{name}" exists already') from None
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot save {source} as {target}: {error}") from error
    finally:
        files.forget(str(fresh), *files.belonging(str(fresh)))


def restore(cluster: str, name: str) -> None:
    """Put a snapshot in the place of the cluster's state. Raises StoreError for one that is damaged or from a newer kpy."""
    source, target = _file(cluster, name), home.path(cluster)
    if not source.exists():
        raise UsageError(f'snapshot "{name}" does not exist')
    _check(source)
    try:
        with (
            turns.held(turns.lock(target, turns.TURN), home.tell_waiting),
            turns.held(turns.lock(target, turns.DOOR), home.tell_waiting),
            closing(_reading(source)) as reading,
            closing(schema.connect(target, create=True)) as writing,
        ):
            reading.backup(writing, sleep=0.01)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot restore {source} to {target}: {error}") from error


def _check(source: Path) -> None:
    """Nothing damaged may take the place of a cluster. An older schema may: it is brought up to date when opened."""
    found = check.basics(str(source))
    if found:
        raise StoreError(f"the snapshot {source} cannot be restored: {found[0]}")


def remove(cluster: str, name: str) -> None:
    file = _file(cluster, name)
    if not file.exists():
        raise UsageError(f'snapshot "{name}" does not exist')
    file.unlink()


def forget(cluster: str) -> None:
    """Delete all snapshots of a cluster that is gone."""
    shutil.rmtree(_folder(cluster), ignore_errors=True)
