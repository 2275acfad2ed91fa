"""What is wrong with a cluster file: `kpy cluster check`. Reads the file and changes nothing.

Each finding is one line that names the file's part. An empty list means that the file holds what the store promises:
intact pages, revisions without gaps, every row of the index, and sums and cursors that fit.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeAlias

from minikube_py.api import pods
from minikube_py.api.types import Key
from minikube_py.base import jsontext
from minikube_py.store import indexes, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from sqlite3 import Connection

    Look: TypeAlias = Callable[[Connection], Iterator[str]]

MAGIC = b"SQLite format 3\0"
SHOWN_MAX = 20  # findings of one sort


def problems(path: str) -> list[str]:
    """The findings about a cluster file, most basic first."""
    return _look(path, LOOKS)


def basics(path: str) -> list[str]:
    """Whether a file may be opened at all: no damaged page, not foreign, not from a newer kpy. An older one is well."""
    return [line for line in _look(path, ()) if "an older kpy" not in line]


def _look(path: str, looks: tuple[Look, ...]) -> list[str]:
    found = list(_of_file(path))
    if found:
        return found
    try:
        with closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=30)) as connection:
            connection.execute("BEGIN")  # one picture of the cluster, also while others write
            found = [*_of_schema(connection), *_of_pages(connection)]
            return found or [line for look in looks for line in _few(look(connection))]
    except sqlite3.Error as error:
        return [f"the file cannot be read: {error}"]


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _few(lines: Iterator[str]) -> list[str]:
    found = list(lines)
    return found if len(found) <= SHOWN_MAX else [*found[:SHOWN_MAX], f"... and {len(found) - SHOWN_MAX} more like it"]


def _of_file(path: str) -> Iterator[str]:
    """What the first bytes and the size tell (SQLite's file format, section 1.3)."""
    try:
        with open(path, "rb") as file:
            head = file.read(100)
        size = os.path.getsize(path)
    except OSError as error:
        yield f"the file cannot be read: {error.strerror}"
        return
    if not head:
        yield "the file is empty"
    elif head[:16] != MAGIC[: len(head)]:
        yield "the file is no SQLite database"
    elif len(head) < 100:
        yield f"the file is truncated: {size} bytes"
    elif int.from_bytes(head[68:72], "big") != schema.APPLICATION_ID and not _has_wal(path):
        yield "the file is a database of another program, not a kpy cluster"
    else:
        page = int.from_bytes(head[16:18], "big")
        page = 65_536 if page == 1 else page
        pages = int.from_bytes(head[28:32], "big")
        if size < pages * page and not _has_wal(path):
            yield f"the file is truncated: {size} bytes of {pages * page}"


def _has_wal(path: str) -> bool:
    """Pages may lie in the write-ahead log still: then the file alone says little."""
    return os.path.exists(path + "-wal") and os.path.getsize(path + "-wal") > 0


def _of_schema(connection: Connection) -> Iterator[str]:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        yield "the file is a database of another program, not a kpy cluster"
    elif version != schema.SCHEMA_VERSION:
        age = "a newer kpy" if version > schema.SCHEMA_VERSION else "an older kpy; opening it brings it up to date"
        yield f"the file has schema {version}, this kpy writes {schema.SCHEMA_VERSION}: it is from {age}"


def _of_pages(connection: Connection) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({SHOWN_MAX})"):
        if line != "ok":
            yield f"integrity: {' '.join(line.split())}"


def _meta(connection: Connection, name: str) -> int:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def _newest(connection: Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(revision), 0) FROM log").fetchone()[0])


def _revisions(connection: Connection) -> Iterator[str]:
    """Every revision after the compacted one has its row."""
    before = _meta(connection, "compacted")
    for (revision,) in connection.execute("SELECT revision FROM log WHERE revision > ? ORDER BY revision", (before,)):
        if revision != before + 1:
            yield f"log: revisions {before + 1} to {revision - 1} are missing"
        before = revision


def _cursors(connection: Connection) -> Iterator[str]:
    newest = _newest(connection)
    for name, what in (("cursor", "the engine has read"), ("expired", "events expired"), ("compacted", "compacted")):
        if _meta(connection, name) > newest:
            yield f"meta: {what} up to revision {_meta(connection, name)}, but the newest is {newest}"
    if not _meta(connection, "epoch_s"):
        yield "meta: the cluster has no beginning: a start did not finish"
    elif _meta(connection, "now_s") < _meta(connection, "epoch_s"):
        yield "meta: now lies before the cluster's beginning"


def _objects(connection: Connection) -> Iterator[str]:
    """Each body says what its row says, and is what the log wrote last."""
    query = (
        "SELECT o.resource, o.namespace, o.name, o.revision, o.body, l.resource, l.namespace, l.name, l.verb "
        "FROM object o LEFT JOIN log l ON l.revision = o.revision ORDER BY o.resource, o.namespace, o.name"
    )
    compacted = _meta(connection, "compacted")
    for *words, revision, body, resource, namespace, name, verb in connection.execute(query):
        key = Key(*words)
        meta = _parsed(body).get("metadata", {})
        if not meta:
            yield f"object {_text(key)}: the body is no JSON object"
        elif (meta.get("namespace", ""), meta.get("name"), meta.get("resourceVersion")) != (*key[1:], str(revision)):
            yield f"object {_text(key)}: the body is of another object or revision than the row"
        is_told = (resource, namespace, name) == tuple(key) and verb != "delete"
        if not is_told and (resource is not None or revision > compacted):
            yield f"object {_text(key)}: the log has no write of revision {revision}"


def _ghosts(connection: Connection) -> Iterator[str]:
    """What the log wrote last and did not delete is there."""
    query = (
        "SELECT resource, namespace, name, max(revision), verb FROM log l GROUP BY resource, namespace, name "
        "HAVING verb <> 'delete' AND NOT EXISTS (SELECT 1 FROM object o WHERE o.resource = l.resource "
        "AND o.namespace = l.namespace AND o.name = l.name) ORDER BY 1, 2, 3"
    )
    for *words, revision, _ in connection.execute(query):
        yield f"object {_text(Key(*words))}: written at revision {revision}, and gone without a deletion"


def _index(connection: Connection) -> Iterator[str]:
    """The rows of the index are those that the objects ask for."""
    stored: dict[int, list[str]] = {}
    for bucket, row_id in connection.execute("SELECT bucket, object FROM bucket ORDER BY object, bucket"):
        stored.setdefault(row_id, []).append(bucket)
    for row_id, *words, body in connection.execute(
        "SELECT id, resource, namespace, name, body FROM object ORDER BY id"
    ):
        key, obj = Key(*words), _parsed(body)
        wanted = sorted(set(indexes.buckets(key, obj))) if obj else []
        has = stored.pop(row_id, [])
        if obj and wanted != has:
            differ = sorted(set(wanted) ^ set(has))
            yield f"index: {_text(key)} lies wrong in {', '.join(differ)}"
    for row_id, buckets in stored.items():
        yield f"index: {', '.join(buckets)} name object {row_id}, which is not there"


def _counters(connection: Connection) -> Iterator[str]:
    """The sums of the nodes are those of their pods."""
    sums: dict[str, dict[str, int]] = {}
    for (body,) in connection.execute("SELECT body FROM object WHERE resource = 'pods'"):
        pod = _parsed(body)
        if pod and pods.node_of(pod) and not pods.is_finished(pod):
            total = sums.setdefault(pods.node_of(pod), {})
            for name, amount in pods.counters(pod).items():
                total[name] = total.get(name, 0) + amount
    stored = {node: jsontext.loads(body) for node, body in connection.execute("SELECT node, body FROM counter")}
    for node in sorted(sums.keys() | stored.keys()):
        wanted = {name: amount for name, amount in sums.get(node, {}).items() if amount}
        if wanted != stored.get(node, {}):
            yield f"counter: node {node} is said to carry {stored.get(node, {})}, its pods are {wanted}"


def _memories(connection: Connection) -> Iterator[str]:
    """Steps remember only objects that are there. (A wake may outlive its object until it is due.)"""
    query = (
        "SELECT step, resource, namespace, name FROM memory t WHERE NOT EXISTS (SELECT 1 FROM object o "
        "WHERE o.resource = t.resource AND o.namespace = t.namespace AND o.name = t.name) ORDER BY 1, 2, 3, 4"
    )
    for step, *words in connection.execute(query):
        yield f"memory: {step} remembers {_text(Key(*words))}, which is gone"


LOOKS = (_revisions, _cursors, _objects, _ghosts, _index, _counters, _memories)


def _parsed(body: str) -> Any:
    """An object's body; {} if it is none."""
    try:
        found = jsontext.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("metadata"), dict) else {}


def _text(key: Key) -> str:
    return f"{key.resource} {key.namespace}/{key.name}" if key.namespace else f"{key.resource} {key.name}"
