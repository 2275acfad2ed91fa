"""The tables of a cluster file, and how a file is opened, checked and brought up to date.

- object: the current body of every object, one row each.
- bucket: the secondary index, one row for each (bucket, object); what the buckets are is `indexes.buckets`.
- log: one row for each write; the row id is the resourceVersion. `before` holds what is needed to get the version before:
  a reverse merge patch, or the whole object of a deletion; `previous` is that version's revision (0 at a creation).
- wake, memory: what the engine's steps asked for and keep in mind. counter: sums over the pods of each node.
- meta: now, seed, epoch, how far the engine has read, and so on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from minikube_py.base.errors import StoreError
from minikube_py.store import files

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from typing import NamedTuple
else:
    import _sqlite3 as sqlite3  # all of `sqlite3` but its converters of dates, which take longer to load

    from minikube_py.base.record import NamedTuple

APPLICATION_ID = 0x6B707921  # 'kpy!'


class Migration(NamedTuple):
    """How a file of schema `version - 1` becomes one of `version`: `run` gets a connection inside a transaction."""

    version: int
    what: str
    run: Callable[[sqlite3.Connection], None]


def _file_network_clients(connection: sqlite3.Connection) -> None:
    """The bucket x: of pods whose commands ask the network."""
    from minikube_py.api import pods
    from minikube_py.base import jsontext

    rows = connection.execute("SELECT id, body FROM object WHERE resource = 'pods'").fetchall()
    read = jsontext.loader(len(rows))
    found = [(row_id, read(body)) for row_id, body in rows]
    clients = [("x:", row_id) for row_id, pod in found if pods.node_of(pod) and pods.asks_network(pod)]
    connection.executemany("INSERT OR IGNORE INTO bucket VALUES (?, ?)", clients)


# In order, without gaps, from version 2 on.
MIGRATIONS: tuple[Migration, ...] = (Migration(2, "pods that ask the network are found by it", _file_network_clients),)
SCHEMA_VERSION = MIGRATIONS[-1].version if MIGRATIONS else 1
PAGE_SIZE = 8_192  # bytes: one body of 3.5 KB and nothing else fits into a page of 4 KB
BUSY_MS = 2_000  # how long SQLite waits for its write lock before the caller may say so

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE object (
  id INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  revision INTEGER NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX object_key ON object (resource, namespace, name);
CREATE TABLE bucket (bucket TEXT NOT NULL, object INTEGER NOT NULL, PRIMARY KEY (bucket, object)) WITHOUT ROWID;
CREATE TABLE log (
  revision INTEGER PRIMARY KEY, time_s INTEGER NOT NULL, verb TEXT NOT NULL,
  resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  actor TEXT NOT NULL, cause INTEGER NOT NULL, previous INTEGER NOT NULL, before TEXT);
CREATE TABLE wake (
  step TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  due_s INTEGER NOT NULL, background INTEGER NOT NULL, PRIMARY KEY (step, resource, namespace, name)) WITHOUT ROWID;
CREATE INDEX wake_due ON wake (background, due_s);
CREATE TABLE memory (
  step TEXT NOT NULL, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (resource, namespace, name, step)) WITHOUT ROWID;
CREATE TABLE counter (node TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""


def connect(path: str, *, create: bool = False) -> sqlite3.Connection:
    """Open a cluster file (':memory:' for one that is never written) and bring it up to this schema.

    Raises StoreError in one sentence.
    """
    if path != ":memory:":
        _prepare_file(path, create=create)
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MS / 1000, cached_statements=256)
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        _check(connection, path, create=create or path == ":memory:")
        # WAL: readers are never blocked by a writer. NORMAL: a power cut may lose the last commits, never tear the file.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -65536")
    except sqlite3.Error as error:
        connection.close()
        raise explain(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_file(path: str, *, create: bool) -> None:
    if create:
        try:
            files.make_private_folder(os.path.dirname(path))
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StoreError(f"cannot create the cluster file {path}: {error.strerror}") from error
    elif not os.path.exists(path):
        raise StoreError(f"there is no cluster file {path}")
    elif os.path.isdir(path):
        raise StoreError(f"{path} is a folder, not a cluster file")


def _check(connection: sqlite3.Connection, path: str, *, create: bool) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if empty and create:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.executescript(
            f"BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    elif application != APPLICATION_ID:
        raise StoreError(f"{path} is not a kpy cluster file")
    elif version > SCHEMA_VERSION:
        raise StoreError(newer(path, version))
    elif version < SCHEMA_VERSION:
        migrate(connection)


def newer(path: str, version: int) -> str:
    return f"{path} was written by a newer kpy (schema {version}, this one knows up to {SCHEMA_VERSION}): update kpy"


def migrate(connection: sqlite3.Connection) -> None:
    """Run the migrations that a file still lacks, in one transaction: a kill leaves the old file or the new one.

    Whoever opens an older file brings it up to date, readers too; a process that lost the race finds nothing left to do.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for migration in MIGRATIONS:
            if migration.version > version:
                migration.run(connection)
                connection.execute(f"PRAGMA user_version = {migration.version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def damaged(path: str, why: str) -> StoreError:
    return StoreError(f"the cluster file {path} is damaged: {why}; restore a snapshot or delete the cluster")


def explain(error: sqlite3.Error, path: str) -> StoreError:
    """An error of SQLite as one sentence that names the file."""
    text = str(error)
    if "not a database" in text or "malformed" in text:
        return damaged(path, text)
    if "full" in text:
        return StoreError(f"the disk is full: nothing was written to {path}")
    if "readonly" in text or "unable to open" in text:
        return StoreError(f"no permission to write the cluster file {path}: {text}")
    if "locked" in text:
        return StoreError(f"another process is writing {path}: try again")
    return StoreError(f"the cluster file {path} cannot be used: {text}")
