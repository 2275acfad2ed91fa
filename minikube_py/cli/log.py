"""`kpy history`, `kpy sql`, `kpy digest`: the cluster's log and file, read by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from minikube_py.base.errors import UsageError
from minikube_py.cli import narrative, own

if TYPE_CHECKING:
    import typer

    from minikube_py.cluster import Cluster
    from minikube_py.store.store import Change

history_app = own.new_app("Show who changed what, when and why.")
sql_app = own.new_app("Ask the cluster's file a question in SQL.")
digest_app = own.new_app("Print one hash of the cluster's whole state.")


@history_app.command()
def history(
    ctx: typer.Context,
    resource: Annotated[
        str, typer.Argument(metavar="[TYPE[/NAME]]", help="Only changes of these objects; or the word 'compact'.")
    ] = "",
    since: Annotated[int, typer.Option("--since", min=0, help="Only after this revision.")] = 0,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="With compact: how many of the last revisions to keep.")
    ] = None,
) -> None:
    """Print the log: revision, virtual time, verb, object, who did it, and the revision that led to it.

    `kpy history compact` forgets all but the last revisions (1,000,000 unless --keep says otherwise) and gives the space
    back. A cluster does so by itself when it has grown far beyond that.
    """
    context: own.Context = ctx.obj
    if resource == "compact":
        own.echo(_compact(context.cluster, keep))
        return
    if keep is not None:
        raise UsageError("--keep belongs to 'kpy history compact'")
    own.echo(_log(context, resource, since), nl=False)


def _compact(cluster: Cluster, keep: int | None) -> str:
    from minikube_py.store.compaction import KEEP

    gone = cluster.compact(KEEP if keep is None else keep)
    if not gone:
        return "nothing to forget"
    return f"forgot {gone} revision{'' if gone == 1 else 's'}, up to {cluster.store.compacted}"


def _log(context: own.Context, resource: str, since: int) -> str:
    """The rows of the log as a table; only those of a kind, or of one object, if asked."""
    from minikube_py.printers import tables

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
    return tables.layout(rows)


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
            own.echo(json.dumps(dict(zip(names, map(_plain, row), strict=True))))
        return
    texts = [["" if value is None else str(_plain(value)) for value in row] for row in rows]
    own.echo(tables.layout([names, *texts]) if names else "", nl=False)


def _plain(value: object) -> object:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@digest_app.command()
def digest(ctx: typer.Context) -> None:
    """Print a SHA-256 over objects, log, wakes, memory and meta: equal commands on equal seeds give equal digests."""
    context: own.Context = ctx.obj
    own.echo(context.cluster.digest())
