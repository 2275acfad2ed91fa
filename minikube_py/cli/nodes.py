"""`kpy node`: add, remove, fail, recover and reboot the machines of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from minikube_py.base.errors import AlreadyExists, NotFound, UsageError
from minikube_py.cli import own

if TYPE_CHECKING:
    import typer


Object = dict[str, Any]

app = own.new_app("Add, remove, fail, recover and reboot nodes.", group=True)

FAULT = "faults.sim.kpy.dev"


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The node's name.")],
    cpu: Annotated[str, typer.Option("--cpu", help="CPUs.")] = "4",
    memory: Annotated[str, typer.Option("--memory", help="Memory.")] = "8Gi",
    capacity: Annotated[
        list[str] | None,
        typer.Option("--capacity", metavar="RESOURCE=AMOUNT", help="More resources: nvidia.com/gpu=2, pods=250."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label; may be repeated.")
    ] = None,
    taint: Annotated[
        list[str] | None, typer.Option("--taint", metavar="KEY=VALUE:EFFECT", help="A taint; may be repeated.")
    ] = None,
    zone: Annotated[str, typer.Option("--zone", help="Its zone (topology.kubernetes.io/zone).")] = "",
    region: Annotated[str, typer.Option("--region", help="Its region (topology.kubernetes.io/region).")] = "",
) -> None:
    """Add a machine: its kubelet registers the node and is ready after the next reconcile."""
    from minikube_py import bootstrap
    from minikube_py.cli.taint import parse

    context: own.Context = ctx.obj
    cluster = context.cluster
    labels = dict(_pair(text) for text in label or ())
    more = dict(_pair(text) for text in capacity or ())
    if region:
        labels["topology.kubernetes.io/region"] = region
    for flag, amount in (("--cpu", cpu), ("--memory", memory), *(("--capacity", value) for value in more.values())):
        _check_amount(flag, amount)
    with cluster.transaction():
        nodes = cluster.list("nodes")
        if name in {node["metadata"]["name"] for node in nodes}:
            raise AlreadyExists(f'nodes "{name}" already exists')
        bootstrap.add_node(
            cluster.server,
            name,
            index=free_index(nodes),
            cpu=cpu,
            memory=memory,
            labels=labels,
            taints=parse(taint or [])[0],
            zone=zone,
            version=cluster.info.kubernetes_version,
        )
        if more:
            cluster.patch("nodes", name, "", {"status": {"capacity": more, "allocatable": more}}, subresource="status")
    own.echo(f"node/{name} added")


def _check_amount(flag: str, amount: str) -> None:
    from minikube_py.base import quantity

    try:
        quantity.parse(amount)
    except ValueError as error:
        raise UsageError(f'invalid argument "{amount}" for "{flag}" flag: {error}') from None


def free_index(nodes: list[Object]) -> int:
    """The lowest number whose pod range no node has: numbers give ranges and addresses, which must stay unique."""
    from minikube_py.api import machines

    taken = {(one.get("spec") or {}).get("podCIDR") for one in nodes}
    return next(index for index in range(len(nodes) + 1) if machines.pod_range(index) not in taken)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f'"{text}" is not of the form KEY=VALUE')
    return key, value


@app.command()
def remove(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The node's name.")]) -> None:
    """Take a machine away for good; its pods are collected at the next reconcile."""
    context: own.Context = ctx.obj
    with context.cluster.transaction():
        context.cluster.delete("nodes", name)
        _forget_fault(context, name)
        _forget_fault(context, name, "reboot")
    own.echo(f"node/{name} removed")


@app.command()
def fail(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The node's name.")]) -> None:
    """Switch a machine off: its kubelet falls silent, and the cluster notices after the grace period."""
    context: own.Context = ctx.obj
    cluster = context.cluster
    cluster.get("nodes", name)
    fault = {
        "apiVersion": "sim.kpy.dev/v1alpha1",
        "kind": "Fault",
        "metadata": {"name": f"node-down-{name}"},
        "spec": {"type": "NodeDown", "node": name},
    }
    try:
        cluster.create(fault)
    except AlreadyExists:
        raise UsageError(f"node {name} is down already") from None
    own.echo(f"node/{name} failed")


@app.command()
def recover(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The node's name.")]) -> None:
    """Switch a failed machine on again."""
    context: own.Context = ctx.obj
    context.cluster.get("nodes", name)
    if not _forget_fault(context, name):
        raise UsageError(f"node {name} is not down")
    own.echo(f"node/{name} recovered")


@app.command()
def reboot(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The node's name.")],
    takes: Annotated[str, typer.Option("--takes", metavar="DURATION", help="How long the machine is off.")] = "30s",
) -> None:
    """Switch a machine off and, after a while, on again: its containers start anew."""
    from minikube_py.api.simulator import time_s

    context: own.Context = ctx.obj
    cluster = context.cluster
    cluster.get("nodes", name)
    try:
        seconds = time_s(takes)
    except ValueError as error:
        raise UsageError(f'invalid argument "{takes}" for "--takes" flag: {error}') from None
    if seconds <= 0:
        raise UsageError(f'invalid argument "{takes}" for "--takes" flag: must be greater than zero')
    fault = {
        "apiVersion": "sim.kpy.dev/v1alpha1",
        "kind": "Fault",
        "metadata": {"name": f"node-reboot-{name}"},
        "spec": {"type": "NodeDown", "node": name, "for": f"{seconds}s"},
    }
    with cluster.transaction():
        _forget_fault(context, name, "reboot")
        cluster.create(fault)
    own.echo(f"node/{name} rebooting")


def _forget_fault(context: own.Context, name: str, what: str = "down") -> bool:
    try:
        context.cluster.delete(FAULT, f"node-{what}-{name}")
    except NotFound:
        return False
    return True
