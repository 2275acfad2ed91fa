"""Running the server: its folder, its users, its certificates, in the foreground or behind.

`$KPY_HOME/clusters/NAME.serve/` holds what belongs to a cluster's server: kubeconfig, tokens.json, the certificates, port,
pid and log. A server holds a lock on `lock` as long as it runs: whoever finds it free knows that there is none.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py import home
from minikube_py.api import machines
from minikube_py.apiserver.authorizer import Subject
from minikube_py.apiserver.origin import ADMIN
from minikube_py.base import clock
from minikube_py.base.errors import StoreError, UsageError
from minikube_py.store import files

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from minikube_py.cluster import Cluster

LOOK_S = 0.05
START_S, STOP_S = 60, 20  # real seconds
LOOPBACK = "127.0.0.1"


class Options(NamedTuple):
    """`port` 0: the last one if it is free, else any. `users`: name -> groups, beside the administrator."""

    host: str = LOOPBACK
    port: int = 0
    clock: str = "virtual"
    kubeconfig: str = ""
    plain: bool = False
    users: tuple[tuple[str, tuple[str, ...]], ...] = ()
    namespace: str = ""


class Place:
    """The folder of a cluster's server, and what is in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = home.serve_folder(name)

    def path(self, file: str) -> str:
        return os.path.join(self.folder, file)

    def read(self, file: str) -> str:
        return home.read(self.path(file))

    def write(self, file: str, text: str) -> None:
        home.write(self.path(file), text)

    @property
    def kubeconfig(self) -> str:
        """The kubeconfig that the running server has written."""
        return self.read("config-path") or self.path("kubeconfig")

    @property
    def address(self) -> str:
        return self.read("address")

    def acquire(self) -> int | None:
        """The lock that a running server holds: a descriptor, or None where one runs."""
        import fcntl

        files.make_private_folder(self.folder)
        descriptor = os.open(self.path("lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    @property
    def is_running(self) -> bool:
        if not os.path.isdir(self.folder):
            return False
        descriptor = self.acquire()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def tokens(self, users: dict[str, tuple[str, ...]]) -> dict[str, str]:
        """A token for each user; those that were given out stay."""
        try:
            found = json.loads(self.read("tokens.json") or "{}")
        except ValueError:
            found = {}
        found = found if isinstance(found, dict) else {}
        tokens = {user: str(found.get(user) or clock.secret()) for user in users}
        self.write("tokens.json", json.dumps({**found, **tokens}, indent=2) + "\n")
        return tokens


# -- in the foreground -----------------------------------------------------------------------------------------------


def serve(cluster: Cluster, options: Options, tell: Callable[[str], None]) -> None:
    """Serve a cluster until somebody ends it. `tell` hears the address when requests are answered. Raises UsageError."""
    place = Place(cluster.name)
    lock = place.acquire()
    if lock is None:
        raise UsageError(
            f"cluster \"{cluster.name}\" is served already at {place.address}: 'kpy serve --stop' ends that"
        )
    try:
        _run(_serve(cluster, place, options, tell))
    finally:
        files.forget(place.path("pid"), place.path("address"), place.path("config-path"))
        os.close(lock)


def _run(work: Coroutine[None, None, None]) -> None:
    """Run to the end, on uvloop where it is installed: a request costs a third less."""
    try:
        from uvloop import run
    except ImportError:
        asyncio.run(work)
    else:
        run(work)


async def _serve(cluster: Cluster, place: Place, options: Options, tell: Callable[[str], None]) -> None:
    import uvicorn

    from minikube_py.http import endpoint
    from minikube_py.http.app import app_of
    from minikube_py.http.users import Users
    from minikube_py.http.world import World

    groups = {ADMIN.user: ADMIN.groups, **dict(options.users)}
    tokens = place.tokens(groups)
    users = Users({token: Subject(user, groups[user]) for user, token in tokens.items()}, open=options.plain)
    listener = _listener(options, place)
    port = listener.getsockname()[1]
    world = World(cluster, clock=options.clock)
    certificates: dict[str, Any] = {} if options.plain else _certificates(place, options)
    settings = uvicorn.Config(
        app_of(world, users), http="httptools", ws="wsproto", lifespan="on", log_level="warning", access_log=False,
        server_header=False, timeout_graceful_shutdown=2, timeout_keep_alive=300, ws_max_size=64 * 1024 * 1024,
        **certificates,
    )  # fmt: skip

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            world.hub.close()  # watches end now: the server would wait for them, and then break them off
            await super().shutdown(sockets)

    server = Server(settings)
    address = f"{'http' if options.plain else 'https'}://{_in_url(options.host)}:{port}"
    endpoint.publish(cluster, options.host, port)
    _write_kubeconfig(place, cluster.name, address, tokens, options)
    place.write("port", f"{port}\n")
    place.write("pid", f"{os.getpid()}\n")
    watching = asyncio.create_task(_tell_when_ready(server, place, address, tell))
    gone = asyncio.create_task(_end_without_file(server, cluster.store.path))
    try:
        await server.serve(sockets=[listener])
    finally:
        if os.path.exists(cluster.store.path):
            endpoint.publish(cluster, machines.machine_address(0), 6443)
        watching.cancel()
        gone.cancel()
        await asyncio.gather(watching, gone, return_exceptions=True)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _tell_when_ready(server: object, place: Place, address: str, tell: Callable[[str], None]) -> None:
    while not getattr(server, "started", False):
        await asyncio.sleep(LOOK_S)
    place.write("address", f"{address}\n")
    tell(address)


async def _end_without_file(server: object, path: str) -> None:
    """A cluster that was deleted is served no more."""
    while os.path.exists(path):
        await asyncio.sleep(1)
    server.should_exit = True  # type: ignore[attr-defined]


def _certificates(place: Place, options: Options) -> dict[str, str]:
    from minikube_py.http import certificates

    certificates.ensure(place.folder, [] if options.host in ("0.0.0.0", "::", "localhost") else [options.host])
    return {"ssl_certfile": place.path("server.crt"), "ssl_keyfile": place.path("server.key")}


def _listener(options: Options, place: Place) -> socket.socket:
    """A socket on the wanted port; without one on the last port, else on any. Raises UsageError."""
    last = place.read("port")
    wanted = [options.port] if options.port else [*([int(last)] if last.isdigit() else []), 0]
    problem: OSError | None = None
    for port in wanted:
        # told to be TCP: of other sockets asyncio does not know that small packets may not wait (TCP_NODELAY)
        found = socket.socket(
            socket.AF_INET6 if ":" in options.host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((options.host, port))
        except OSError as error:
            found.close()
            problem = error
            continue
        return found
    assert problem is not None
    raise UsageError(f"cannot listen at {options.host}:{wanted[0]}: {problem.strerror}")


def _write_kubeconfig(place: Place, name: str, address: str, tokens: dict[str, str], options: Options) -> None:
    from minikube_py.http import kubeconfig

    authority = "" if options.plain else place.read("ca.crt") + "\n"
    wanted = kubeconfig.config(name, address, authority, tokens, admin=ADMIN.user, namespace=options.namespace)
    files.forget(place.path("kubeconfig"))
    kubeconfig.write(place.path("kubeconfig"), wanted)
    if options.kubeconfig:
        kubeconfig.write(os.path.abspath(options.kubeconfig), wanted)
    place.write(
        "config-path", (os.path.abspath(options.kubeconfig) if options.kubeconfig else place.path("kubeconfig")) + "\n"
    )


# -- behind ----------------------------------------------------------------------------------------------------------


def start_behind(name: str, words: list[str]) -> Place:
    """Start `kpy serve WORDS` as a process of its own and wait until it answers. Raises UsageError with the end of its log."""
    import subprocess
    import time

    place = Place(name)
    if place.is_running:
        return place
    files.make_private_folder(place.folder)
    files.forget(place.path("address"))
    with open(os.open(place.path("log"), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "minikube_py", "serve", *words],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        )  # fmt: skip
    for _ in range(int(START_S / LOOK_S)):
        if place.address:
            return place
        if child.poll() is not None:
            break
        time.sleep(LOOK_S)
    else:
        child.terminate()
    told = place.read("log").removeprefix("error: ")
    raise UsageError(f"the server did not start: {told or 'it said nothing'}")


def share(place: Place, path: str) -> str:
    """Write the access data of a server that runs already into one more file; the file's whole path. Raises UsageError."""
    from minikube_py.http import kubeconfig

    whole = os.path.abspath(path)
    kubeconfig.write(whole, kubeconfig.read(place.path("kubeconfig")))
    return whole


def stop(name: str) -> bool:
    """End the server of a cluster; whether there was one. Raises StoreError if it does not end."""
    import signal
    import time

    place = Place(name)
    if not place.is_running:
        return False
    pid = place.read("pid")
    if pid.isdigit():
        os.kill(int(pid), signal.SIGTERM)
    for _ in range(int(STOP_S / LOOK_S)):
        if not place.is_running:
            return True
        time.sleep(LOOK_S)
    raise StoreError(f'the server of cluster "{name}" (process {pid or "unknown"}) does not end')
