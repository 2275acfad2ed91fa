"""`kpy serve`: a server for kubectl, helm and client libraries over a cluster's file."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

from minikube_py import home
from minikube_py.base.errors import UsageError
from minikube_py.cli import contexts, own

if TYPE_CHECKING:
    from types import ModuleType

    import typer

app = own.new_app("Serve the Kubernetes API, for kubectl, helm, client libraries and operators.")

MISSING = "kpy serve needs more packages: pip install 'minikube-py[serve]'"


@app.command()
def serve(
    ctx: typer.Context,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: the last one if it is free, else any.")] = 0,
    address: Annotated[str, typer.Option("--address", metavar="IP", help="Where to listen.")] = "127.0.0.1",
    clock: Annotated[
        str, typer.Option("--clock", metavar="MODE", help="virtual, manual, wall, or x60 (a minute each second).")
    ] = "virtual",
    kubeconfig: Annotated[
        str, typer.Option("--kubeconfig", metavar="FILE", help="Write the access data there too; other entries stay.")
    ] = "",
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="No TLS; who sends no token is the administrator.")
    ] = False,
    user: Annotated[
        list[str] | None,
        typer.Option("--user", metavar="NAME[=GROUP,...]", help="One more user, with a token of its own."),
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Start it behind and return when it answers.")
    ] = False,
    env: Annotated[
        bool, typer.Option("--env", help='Print the setting for a shell: eval "$(kpy serve --background --env)".')
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the server that runs behind.")] = False,
) -> None:
    """Serve the cluster over HTTPS on loopback until Ctrl-C.

    Time jumps ahead after each write until the cluster has settled (--clock virtual), passes only while a client watches
    (manual), or follows the wall clock. The command line may use the same cluster meanwhile.
    """
    context: own.Context = ctx.obj
    name = context.context or home.current()
    serving = _serving()
    place = serving.Place(name)
    if stop:
        done = "has stopped" if serving.stop(name) else "was not running"
        own.echo(f'The server of cluster "{name}" {done}.')
        return
    if env and not background and place.is_running:
        own.echo(f"export KUBECONFIG={shlex.quote(place.kubeconfig)}")
        return
    _check(clock, address)
    users = tuple(map(_user, user or ()))
    cluster = context.cluster  # makes the default cluster where there is none
    if background:
        context.close()
        given = Given(port, address, clock, kubeconfig, plain_http, tuple(user or ()))
        ran = place.is_running
        place = serving.start_behind(name, _words(given, name))
        where = serving.share(place, kubeconfig) if ran and kubeconfig else place.kubeconfig
        _tell(where, place.address, name, clock, env)
        return
    space = contexts.namespace(context.context)
    options = serving.Options(address, port, clock, kubeconfig, plain_http, users, space)
    serving.serve(cluster, options, lambda where: _tell(place.kubeconfig, where, name, clock, env))


class Given(NamedTuple):
    """The options that the process behind is started with."""

    port: int
    address: str
    clock: str
    kubeconfig: str
    plain_http: bool
    user: tuple[str, ...]


def _serving() -> ModuleType:
    """The module that runs servers. Raises UsageError where its packages are missing."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("cryptography", "httptools", "starlette", "uvicorn", "wsproto")):
        raise UsageError(MISSING)
    from minikube_py.http import serving

    return serving


def _user(text: str) -> tuple[str, tuple[str, ...]]:
    """'alice=devs,qa' -> ('alice', ('devs', 'qa')). Raises UsageError."""
    name, _, groups = text.partition("=")
    if not name or name.startswith("system:"):
        raise UsageError(f'"{name}" cannot be a user: use another name than those of the system')
    return name, tuple(group for group in groups.split(",") if group)


def _check(clock: str, address: str) -> None:
    """Raises UsageError for what the server could not do, before anything is started."""
    from ipaddress import ip_address

    from minikube_py.http.world import pace_of

    pace_of(clock)
    try:
        ip_address(address)
    except ValueError:
        raise UsageError(f'"{address}" is not an IP address') from None


def _words(given: Given, name: str) -> list[str]:
    """The command line of the process behind."""
    words = ["--context", name, "--port", str(given.port), "--address", given.address, "--clock", given.clock]
    words += ["--kubeconfig", os.path.abspath(given.kubeconfig)] if given.kubeconfig else []
    words += ["--plain-http"] if given.plain_http else []
    return [*words, *(word for user in given.user for word in ("--user", user))]


def _tell(kubeconfig: str, address: str, name: str, clock: str, env: bool) -> None:
    if env:
        own.echo(f"export KUBECONFIG={shlex.quote(kubeconfig)}")
    else:
        own.echo(
            f'Serving cluster "{name}" at {address} (clock: {clock}).\nexport KUBECONFIG={shlex.quote(kubeconfig)}'
        )
    sys.stdout.flush()
