"""`kpy history`, `kpy sql`, `kpy digest`: the cluster's log and file, read by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from minikube_py.base.errors import UsageError
from minikube_py.cli import narrative, own

if TYPE_CHECKING:
    from minikube_py.store.store import Change

history_app = own.new_app("Show who changed what, when and why.")
sql_app = own.new_app("Ask the cluster's file a question in SQL.")
digest_app = own.new_app("Print a checksum of the cluster's whole log.")


@history_app.command()
def history(
    ctx: typer.Context,
    resource: Annotated[str, typer.Argument(metavar="[TYPE[/NAME]]", help="Only changes of these objects.")] = "",
    since: Annotated[int, typer.Option("--since", help="Only after this revision.")] = 0,
) -> None:
    """Print the log: revision, virtual time, verb, object, who did it, and the revision that led to it."""
    from minikube_py.printers import tables

    context: own.Context = ctx.obj
    cluster = context.cluster
    word, _, name = resource.partition("/")
    kind = cluster.kind(word) if word else None

    def wanted(change: Change) -> bool:
        return (kind is None or change.key.resource == kind.storage) and (not name or change.key.name == name)

    rows = [["REVISION", "TIME", "VERB", "OBJECT", "ACTOR", "CAUSE"]]
    for change in cluster.changes(since):
        if wanted(change):
            space = f"{change.key.namespace}/" if change.key.namespace else ""
            where = f"{change.key.resource} {space}{change.key.name}"
            cause = str(change.cause) if change.cause else ""
            rows.append([str(change.revision), narrative.clock(change.time_s), change.verb, where, change.actor, cause])
    typer.echo(tables.layout(rows), nl=False)


@sql_app.command()
def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="A SELECT over the tables object, log, wake and meta.")],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON objects instead of a table.")] = False,
) -> None:
    """Read the cluster's file with SQL. It is opened read-only: a statement that writes is refused."""
    import json
    import sqlite3
    from contextlib import closing

    from minikube_py.printers import tables

    context: own.Context = ctx.obj
    path = context.cluster.info.path
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise UsageError(str(error)) from None
    if json_:
        for row in rows:
            typer.echo(json.dumps(dict(zip(names, map(_plain, row), strict=True))))
        return
    texts = [["" if value is None else str(_plain(value)) for value in row] for row in rows]
    typer.echo(tables.layout([names, *texts]) if names else "", nl=False)


def _plain(value: object) -> object:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@digest_app.command()
def digest(ctx: typer.Context) -> None:
    """Print a SHA-256 over all writes: equal commands on equal seeds give equal digests."""
    from hashlib import sha256

    from minikube_py.base.digest import canonical

    context: own.Context = ctx.obj
    total = sha256()
    for change in context.cluster.changes():
        row = [change.revision, change.time_s, change.verb, *change.key, change.actor, change.cause, change.new]
        total.update(canonical(row) + b"\n")
    typer.echo(total.hexdigest())
