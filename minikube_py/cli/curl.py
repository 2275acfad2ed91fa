"""`kpy curl`: follow a request through the cluster, and print what curl would."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from minikube_py.api.families import IPV4, IPV6
from minikube_py.base.errors import UsageError
from minikube_py.cli import own, places
from minikube_py.network import routes

if TYPE_CHECKING:
    import typer


app = own.new_app("Follow a request from a pod, a node or outside to the container that answers.")
FAILED = 22  # curl's exit code for --fail
SILENT_BODIES = (301, 302, 303, 307, 308)


@app.command()
def curl(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="web, web.shop:8080/path, http://10.96.0.7/, https://...")],
    from_: Annotated[str, typer.Option("--from", metavar="PLACE", help=places.HELP)] = "outside",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Tell every step and the rule that decided.")
    ] = False,
    header: Annotated[list[str] | None, typer.Option("--header", "-H", metavar="NAME: VALUE", help="A header.")] = None,
    request: Annotated[str, typer.Option("--request", "-X", metavar="METHOD", help="The method.")] = "GET",
    max_time: Annotated[int, typer.Option("--max-time", "-m", min=1, metavar="SECONDS", help="Give up after.")] = 10,
    include: Annotated[bool, typer.Option("--include", "-i", help="Print the status line too.")] = False,
    ipv4: Annotated[bool, typer.Option("--ipv4", "-4", help="By IPv4 alone.")] = False,
    ipv6: Annotated[bool, typer.Option("--ipv6", "-6", help="By IPv6 alone.")] = False,
    insecure: Annotated[bool, typer.Option("--insecure", "-k", help="Trust any certificate.")] = False,
    fail: Annotated[bool, typer.Option("--fail", "-f", help="No answer but exit code 22 for 400 and above.")] = False,
    count: Annotated[
        int, typer.Option("--count", min=1, max=100_000, metavar="N", help="Ask so often, and count.")
    ] = 1,
) -> int:
    """Follow a request to the container that answers, by the state of the cluster now. Exit codes are curl's.

    Names are looked up as at the place that asks: `web` and `web.shop` work in pods. From outside lead the addresses of
    nodes, load balancers, Ingresses and Gateways, and the hosts of Ingresses and HTTPRoutes.
    """
    context: own.Context = ctx.obj
    cluster = context.cluster
    headers = tuple(_header(text) for text in header or ())
    try:
        asked = routes.parse(url, headers=headers, method=request.upper(), insecure=insecure)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if ipv4 or ipv6:
        asked = asked._replace(family=IPV6 if ipv6 else IPV4)
    source = places.place(context, from_)
    if count > 1:
        return _count(context, source, asked, count, max_time)
    outcome = routes.request(cluster.view, cluster.clock, source, asked, limit_s=max_time)
    if verbose:
        for hop in outcome.hops:
            own.echo(f"* {hop.step + ':':<10}{hop.text}", err=True)
    return _show(outcome, include=include or verbose, fail=fail)


def _show(outcome: routes.Outcome, *, include: bool, fail: bool) -> int:
    if not outcome.status:
        own.echo(outcome.message, err=True)
        return outcome.exit_code
    if fail and outcome.status >= 400:
        own.echo(f"curl: ({FAILED}) The requested URL returned error: {outcome.status}", err=True)
        return FAILED
    if include:
        own.echo(f"HTTP/1.1 {outcome.status} {phrase(outcome.status)}")
    own.echo(outcome.body or f"{outcome.status} {phrase(outcome.status)}{_from(outcome)}")
    return 0


def _from(outcome: routes.Outcome) -> str:
    """' from pod shop/web-1 (1.27)'; proxies and the API server answer without a pod."""
    return f" from pod {outcome.pod} ({outcome.version})" if outcome.pod and outcome.status not in (502, 504) else ""


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _count(context: own.Context, source: object, asked: object, count: int, limit_s: int) -> int:
    """Ask many times within this second; one line for each answer with how often it came."""
    cluster = context.cluster
    found: dict[str, int] = {}
    code = 0
    for number in range(count):
        one = routes.request(cluster.view, cluster.clock, source, asked, number=number, limit_s=limit_s)  # type: ignore[arg-type]
        text = f"{one.status} {phrase(one.status)}{_from(one)}" if one.status else one.message
        found[text] = found.get(text, 0) + 1
        code = code or one.exit_code
    for text, times in sorted(found.items(), key=lambda one: (-one[1], one[0])):
        own.echo(f"{times:>7} {text}")
    return code


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise UsageError(f'"{text}" is not of the form NAME: VALUE')
    return name.strip(), value.strip()
