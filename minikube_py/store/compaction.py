"""Forgetting the past: the log keeps the last revisions only. etcd's compaction, with a generous default."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

KEEP = 1_000_000  # revisions that a cluster keeps by itself
SLACK = 100_000  # revisions beyond that before it forgets again: now and then much, not always a little


def forget(connection: sqlite3.Connection, floor: int, *, events_read: int) -> int:
    """Delete the rows up to revision `floor`; returns how many.

    The rows of events stay until their hour is over: they are how `apiserver.events.expire` finds what is to go, and
    `events_read` is the revision up to which it has looked. They tell nobody what was before `floor`.
    """
    gone = connection.execute(
        "DELETE FROM log WHERE revision <= ?1 AND (resource <> 'events' OR verb = 'delete' OR revision <= ?2)",
        (floor, events_read),
    )
    return gone.rowcount
