"""Saved states of clusters: whole copies of the file in `$KPY_HOME/snapshots/<cluster>/<name>.db`."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from minikube_py import home
from minikube_py.base.errors import StoreError, UsageError
from minikube_py.store.store import Store


def _folder(cluster: str) -> Path:
    home.path(cluster)  # refuses names that could leave the folder
    return Path(home.root()) / "snapshots" / cluster


def _file(cluster: str, name: str) -> Path:
    if not home.NAME.fullmatch(name):
        raise UsageError(f"\"{name}\" is not a snapshot name: use lower case letters, digits and '-', at most 63")
    return _folder(cluster) / f"{name}.db"


def names(cluster: str) -> list[tuple[str, int]]:
    """The snapshots of a cluster with the virtual time that each shows, sorted by name."""
    from minikube_py.cluster import Cluster

    folder = _folder(cluster)
    found = sorted(folder.glob("*.db")) if folder.is_dir() else []
    times = []
    for file in found:
        with Cluster.open(str(file)) as saved:
            times.append((file.stem, saved.clock.now_s))
    return times


def save(cluster: str, name: str) -> None:
    """Copy a cluster's file, consistently even while another process writes (SQLite's backup)."""
    source, target = Path(home.path(cluster)), _file(cluster, name)
    if not source.exists():
        raise UsageError(f'cluster "{cluster}" does not exist')
    if target.exists():
        raise UsageError(f'snapshot "{name}" exists already')
    Store(str(source)).close()  # a file that is no cluster is not worth keeping
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}") from error
    _copy(source, target)


def restore(cluster: str, name: str) -> None:
    """Put a snapshot in the place of the cluster's state, in one transaction of SQLite's backup."""
    source = _file(cluster, name)
    if not source.exists():
        raise UsageError(f'snapshot "{name}" does not exist')
    _copy(source, Path(home.path(cluster)), over=True)


def _copy(source: Path, target: Path, *, over: bool = False) -> None:
    fresh = target if over else target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(fresh)) as writing,
        ):
            reading.backup(writing)
        if not over:
            fresh.chmod(0o600)
            fresh.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot copy {source} to {target}: {error}") from error


def remove(cluster: str, name: str) -> None:
    file = _file(cluster, name)
    if not file.exists():
        raise UsageError(f'snapshot "{name}" does not exist')
    file.unlink()


def forget(cluster: str) -> None:
    """Delete all snapshots of a cluster that is gone."""
    shutil.rmtree(_folder(cluster), ignore_errors=True)
