"""One hash of a cluster's whole state: equal for equal states, whatever file, folder, page layout or process they are in.

It runs over objects, log, wakes, memory, the sums of nodes, and meta. What SQLite alone knows (row ids, free pages) and what can be
computed from the rest (the index) is left out.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite3 import Connection

# Each table's rows in an order of their own, and which column holds JSON text (-1: none).
ROWS: tuple[tuple[str, str, int], ...] = (
    ("meta", "SELECT name, value FROM meta ORDER BY name", -1),
    (
        "object",
        "SELECT resource, namespace, name, revision, body FROM object ORDER BY resource, namespace, name",
        4,
    ),
    (
        "log",
        "SELECT revision, time_s, verb, resource, namespace, name, actor, cause, previous, before FROM log "
        "ORDER BY revision",
        9,
    ),
    (
        "wake",
        "SELECT step, resource, namespace, name, due_s, background FROM wake ORDER BY step, resource, namespace, name",
        -1,
    ),
    (
        "memory",
        "SELECT step, resource, namespace, name, body FROM memory ORDER BY step, resource, namespace, name",
        4,
    ),
    ("counter", "SELECT node, body FROM counter ORDER BY node", 1),
)


def digest(connection: Connection) -> str:
    """The SHA-256 of the state as 64 hexadecimal digits.

    JSON is read and written anew by one library, so that it does not matter which one wrote a row; the order of fields
    counts: equal states are equal bytes.
    """
    import orjson

    total = sha256()
    for table, query, column in ROWS:
        total.update(table.encode() + b"\n")
        for row in connection.execute(query):
            fields: list[Any] = list(row)
            if column >= 0 and fields[column] is not None:
                fields[column] = orjson.loads(fields[column])
            total.update(orjson.dumps(fields) + b"\n")
    return total.hexdigest()
