"""`kpy cluster`: start, list, choose, delete, save and restore cluster files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

from minikube_py import home
from minikube_py.base.clock import seconds, timestamp
from minikube_py.base.duration import human
from minikube_py.base.errors import StoreError, UsageError
from minikube_py.cli import own, snapshots

if TYPE_CHECKING:
    import typer

    from minikube_py.api.types import Object


app = own.new_app("Start, list, choose, check, delete, save and restore clusters.", group=True)
snapshot = own.new_app("Save a cluster's whole state under a name, and go back to it.", group=True)
app.add_typer(snapshot, name="snapshot")


# What controllers/service_load_balancer.py looks for.
NO_CLOUD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "cloud-provider"},
    "data": {"loadBalancer": "none"},
}


@app.command()
def start(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The cluster; the current one unless given.")] = "",
    nodes: Annotated[
        int, typer.Option("--nodes", min=1, max=5000, help="How many, the first one is the control plane.")
    ] = 3,
    cpu: Annotated[str, typer.Option("--cpu", help="CPUs of each node.")] = "4",
    memory: Annotated[str, typer.Option("--memory", help="Memory of each node.")] = "8Gi",
    epoch: Annotated[
        str, typer.Option("--epoch", metavar="TIME", help="Where virtual time starts (RFC 3339); now unless given.")
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="All chance in the cluster follows from it.")] = 0,
    kubernetes_version: Annotated[
        str, typer.Option("--kubernetes-version", help="What the API server says it is.")
    ] = "v1.36.2",
    no_load_balancer: Annotated[
        bool, typer.Option("--no-load-balancer", help="No cloud: Services of type LoadBalancer stay <pending>.")
    ] = False,
    scheduler_config: Annotated[
        str, typer.Option("--scheduler-config", metavar="FILE", help="A KubeSchedulerConfiguration: profiles, plugins.")
    ] = "",
    ip_family: Annotated[
        str, typer.Option("--ip-family", metavar="ipv4|dual", help="dual: IPv6 addresses beside the IPv4 ones.")
    ] = "ipv4",
    admission_config: Annotated[
        str,
        typer.Option(
            "--admission-control-config-file",
            metavar="FILE",
            help="The API server's AdmissionConfiguration: defaults and exemptions of PodSecurity.",
        ),
    ] = "",
    static_pods: Annotated[
        bool, typer.Option("--static-pods/--no-static-pods", help="With the control plane's own pods in kube-system.")
    ] = True,
) -> None:
    """Make a cluster (and choose it, if it is the first one)."""
    from minikube_py.base import quantity

    for flag, value in (("--cpu", cpu), ("--memory", memory)):
        try:
            if quantity.milli(value) <= 0:
                raise ValueError("must be greater than zero")
        except ValueError as error:
            raise UsageError(f'invalid argument "{value}" for "{flag}" flag: {error}') from None
    if ip_family not in ("ipv4", "dual"):
        raise UsageError(f"--ip-family must be ipv4 or dual, not {ip_family!r}")
    chosen = name or home.DEFAULT
    scheduler = _scheduler(scheduler_config) if scheduler_config else None
    cluster = home.start(
        chosen,
        epoch_s=_epoch_s(epoch),
        nodes=nodes,
        cpu=cpu,
        memory=memory,
        seed=seed,
        kubernetes_version=_version(kubernetes_version),
        static_pods=static_pods,
        dual_stack=ip_family == "dual",
        admission=_admission(admission_config),
    )
    if no_load_balancer:
        cluster.create(NO_CLOUD, namespace="kube-system")
    if scheduler is not None:
        cluster.create(scheduler)
    if name and home.current() != name:
        home.use(name)
    info = cluster.info
    own.echo(
        f'cluster "{chosen}" started: {nodes} node{"s" if nodes != 1 else ""}, Kubernetes {info.kubernetes_version}'
    )


def _epoch_s(text: str) -> int | None:
    if not text:
        return None
    try:
        return seconds(text)
    except (ValueError, KeyError, IndexError):
        raise UsageError(f"--epoch wants a time such as 2026-01-01T00:00:00Z, not {text!r}") from None


def _scheduler(filename: str) -> Object:
    """The ConfigMap that holds a scheduler's configuration. Raises UsageError if it is wrong."""
    from pathlib import Path

    from minikube_py.scheduler import configuration, settings

    try:
        text = Path(filename).read_text(encoding="utf-8")
        configuration.read(text)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"--scheduler-config {filename}: {what}") from None
    key = settings.WHERE
    meta = {"name": key.name, "namespace": key.namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {settings.FILE: text}}


def _admission(path: str) -> dict[str, Any]:
    """The configurations of an AdmissionConfiguration (apiserver.config.k8s.io/v1) by plugin. Raises UsageError."""
    import os

    from minikube_py.api import documents

    found: dict[str, Any] = {}
    if not path:
        return found
    for document in documents.read_file(path):
        if document.object.get("kind") != "AdmissionConfiguration":
            raise UsageError(f"{path}: want kind AdmissionConfiguration, not {document.object.get('kind')!r}")
        plugins = document.object.get("plugins") or []
        if not isinstance(plugins, list) or not all(isinstance(plugin, dict) for plugin in plugins):
            raise UsageError(f"{path}: plugins: a list of plugins is wanted")
        for plugin in plugins:
            if plugin.get("name") != "PodSecurity":
                raise UsageError(f"{path}: only PodSecurity can be configured here, not {plugin.get('name')!r}")
            settings = plugin.get("configuration")
            if settings is None and plugin.get("path"):
                beside = os.path.join(os.path.dirname(path), plugin["path"])
                settings = next(documents.read_file(beside)).object
            found["PodSecurity"] = _pod_security(settings or {}, path)
    return found


def _pod_security(settings: dict[str, Any], path: str) -> dict[str, Any]:
    from minikube_py.apiserver.admission import pod_security

    defaults, exemptions = settings.get("defaults") or {}, settings.get("exemptions") or {}
    for name, value in (("defaults", defaults), ("exemptions", exemptions)):
        if not isinstance(value, dict):
            raise UsageError(f"{path}: {name}: a mapping is wanted")
    for name, value in exemptions.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise UsageError(f"{path}: exemptions.{name}: a list of names is wanted")
    labels = {f"{pod_security.PREFIX}{name}": value for name, value in defaults.items()}
    causes = pod_security.policy_of(labels, {}).causes
    if causes:
        name = causes[0].field.removeprefix(f"metadata.labels[{pod_security.PREFIX}").removesuffix("]")
        raise UsageError(f"{path}: defaults.{name}: {causes[0].message}")
    return {"defaults": defaults, "exemptions": exemptions}


def _version(text: str) -> str:
    import re

    version = text if text.startswith("v") else f"v{text}"
    if not re.fullmatch(r"v1\.\d{1,3}(\.\d{1,3})?", version):
        raise UsageError(f"--kubernetes-version wants a version such as v1.36.2, not {text!r}")
    return version if version.count(".") == 2 else f"{version}.0"


@app.command("list")
def list_() -> None:
    """List the clusters; the current one has a star."""
    from minikube_py.printers import tables

    rows = [["CURRENT", "NAME", "NODES", "VERSION", "TIME", "AGE"]]
    for name in home.clusters():
        current = "*" if name == home.current() else ""
        try:
            cluster = home.open(name)
            info, now_s = cluster.info, cluster.clock.now_s
            cells = [
                str(len(cluster.list("nodes"))),
                info.kubernetes_version,
                timestamp(now_s),
                human(now_s - info.epoch_s),
            ]
        except StoreError as error:
            cells = ["-", "-", "-", f"broken: {error}"]
        rows.append([current, name, *cells])
    own.echo(tables.layout(rows), nl=False)


@app.command()
def status(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The cluster; the current one unless given.")] = "",
) -> None:
    """Show what a cluster was made with, its time, and how much is in it."""
    cluster = home.open(name or None)
    info, now_s = cluster.info, cluster.clock.now_s
    nodes = cluster.list("nodes")
    pods = cluster.list("pods")
    running = sum((pod.get("status") or {}).get("phase") == "Running" for pod in pods)
    for title, value in (
        ("Name", info.name),
        ("File", info.path),
        ("Kubernetes", info.kubernetes_version),
        ("Seed", info.seed),
        ("Started", timestamp(info.epoch_s)),
        ("Now", f"{timestamp(now_s)} ({human(now_s - info.epoch_s)} later)"),
        ("Revision", cluster.store.revision),
        ("Nodes", len(nodes)),
        ("Pods", f"{len(pods)} ({running} running)"),
    ):
        own.echo(f"{title + ':':<12} {value}")


@app.command()
def check(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The cluster; the current one unless given.")] = "",
) -> int:
    """Look for damage in a cluster's file, one line for each finding; exit code 1 if there is any. Changes nothing."""
    import os

    from minikube_py.store import check

    chosen = name or home.current()
    file = home.path(chosen)
    if not os.path.exists(file):
        raise UsageError(f'cluster "{chosen}" does not exist')
    found = check.problems(file)
    for line in found:
        own.echo(f"{file}: {line}")
    if not found:
        own.echo(f'cluster "{chosen}" is whole')
    return 1 if found else 0


@app.command()
def use(name: Annotated[str, typer.Argument(help="The cluster to work with from now on.")]) -> None:
    """Choose the current cluster (as `kpy config use-context`)."""
    home.use(name)
    own.echo(f'Switched to context "{name}".')


@app.command()
def delete(name: Annotated[str, typer.Argument(help="The cluster to delete for good.")]) -> None:
    """Delete a cluster with its snapshots, and end its server."""
    if os.path.isdir(home.serve_folder(name)):
        from minikube_py.http import serving

        serving.stop(name)
    home.remove(name)
    snapshots.forget(name)
    own.echo(f'cluster "{name}" deleted')


@snapshot.command()
def save(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The snapshot's name.")]) -> None:
    """Save the current cluster's state."""
    context: own.Context = ctx.obj
    snapshots.save(context.context or home.current(), name)
    own.echo(f'snapshot "{name}" saved')


@snapshot.command()
def restore(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The snapshot's name.")]) -> None:
    """Go back to a saved state; what happened since is lost."""
    context: own.Context = ctx.obj
    snapshots.restore(context.context or home.current(), name)
    own.echo(f'snapshot "{name}" restored')


@snapshot.command("list")
def list_snapshots(ctx: typer.Context) -> None:
    """List the saved states of the current cluster."""
    from minikube_py.printers import tables

    context: own.Context = ctx.obj
    found = snapshots.names(context.context or home.current())
    if not found:
        own.echo("No snapshots found.", err=True)
        return
    own.echo(
        tables.layout(
            [["NAME", "TIME"], *([name, timestamp(now_s) if now_s >= 0 else "damaged"] for name, now_s in found)]
        ),
        nl=False,
    )


@snapshot.command("delete")
def delete_snapshot(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The snapshot's name.")]) -> None:
    """Delete a saved state."""
    context: own.Context = ctx.obj
    snapshots.remove(context.context or home.current(), name)
    own.echo(f'snapshot "{name}" deleted')
