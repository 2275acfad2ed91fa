"""`kpy dns`: look a name up as CoreDNS would answer a pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from minikube_py.base.errors import UsageError
from minikube_py.cli import own, places
from minikube_py.network import dns
from minikube_py.network.places import Place

if TYPE_CHECKING:
    import typer


app = own.new_app("Look a name up as a pod would.")
TYPES = ("A", "AAAA", "CNAME", "SRV")


@app.command()
def look_up(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="web, web.shop, _http._tcp.web.shop.svc.cluster.local.")],
    from_: Annotated[
        str, typer.Option("--from", metavar="PLACE", help=f"{places.HELP} Without it: any pod of the namespace.")
    ] = "",
    type_: Annotated[str, typer.Option("--type", "-t", metavar="TYPE", help="A, AAAA, CNAME or SRV.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every name that was asked for.")] = False,
) -> int:
    """Print the records of a name, and by which search domain it was found. Exit code 1 if there is none."""
    context: own.Context = ctx.obj
    wanted = type_.upper()
    if wanted and wanted not in TYPES:
        raise UsageError(f"--type must be one of {', '.join(TYPES)}, not {type_}")
    place = places.place(context, from_) if from_ else _anybody(context.namespace)
    types = (wanted,) if wanted else ("SRV",) if name.startswith("_") else ("A", "AAAA")
    answer = dns.lookup(name, place, context.cluster.view, types)
    if verbose:
        for full, code in answer.tried:
            own.echo(f"; {full}: {code}", err=True)
    if not answer.records:
        own.echo(f"** server can't find {name}: {answer.code} ({answer.why})", err=True)
        return 1
    for record in answer.records:
        own.echo(str(record))
    return 0


def _anybody(namespace: str) -> Place:
    """A pod without anything special in a namespace."""
    pod = {"metadata": {"namespace": namespace, "name": "anybody"}, "spec": {"containers": []}}
    return Place("", pod, "", namespace, (), f"{namespace}/anybody")
