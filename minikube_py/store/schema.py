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
import sqlite3

from minikube_py.base.errors import StoreError

APPLICATION_ID = 0x6B707921  # 'kpy!'
SCHEMA_VERSION = 1

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
    """Open a cluster file (':memory:' for one that is never written). Raises StoreError in one sentence."""
    if path != ":memory:":
        _prepare_file(path, create=create)
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=30.0, cached_statements=256)
        connection.execute("PRAGMA busy_timeout = 30000")
        _check(connection, path, create=create or path == ":memory:")
        # WAL: readers are never blocked by a writer. NORMAL: a power cut may lose the last commits, never tear the file.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -65536")
    except sqlite3.Error as error:
        raise explain(error, path) from error
    return connection


def _prepare_file(path: str, *, create: bool) -> None:
    if create:
        try:
            os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
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
        connection.executescript(
            f"BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    elif application != APPLICATION_ID:
        raise StoreError(f"{path} is not a kpy cluster file")
    elif version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer kpy (schema {version}, this one knows up to {SCHEMA_VERSION}): update kpy"
        )


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
        return StoreError(f"another process has been writing {path} for more than 30 s: try again")
    return StoreError(f"the cluster file {path} cannot be used: {text}")
