"""`kpy image`: the simulated registry: which images it describes, and which of them cannot be pulled.

Every image that is not listed exists too, and is pulled. What goes wrong with one is a Fault of type PullFailing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from minikube_py.base.errors import AlreadyExists, NotFound, UsageError
from minikube_py.cli import own

if TYPE_CHECKING:
    import typer


Object = dict[str, Any]

app = own.new_app("List the images of the simulated registry, and add, remove and break them.", group=True)

FAULT = "faults.sim.kpy.dev"
IMAGE = "An image, or a glob: nginx:1.27, 'gcr.io/shop/*'."


@app.command("list")
def list_images(ctx: typer.Context) -> None:
    """List what the registry says of well-known images, and which pulls fail."""
    from minikube_py.printers import tables
    from minikube_py.programs import catalogue

    context: own.Context = ctx.obj
    rows = [["IMAGE", "SIZE", "PORTS", "PULL"]]
    for name, size, ports in catalogue.listed():
        rows.append([name, _megabytes(size), ",".join(map(str, ports)) or "<none>", "ok"])
    for fault in context.cluster.list(FAULT):
        spec = fault["spec"]
        if spec["type"] == "PullFailing" and spec.get("image"):
            rows.append([spec["image"], "-", "-", spec.get("message") or "registry does not answer"])
    own.echo(tables.layout(rows), nl=False)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}MB"


@app.command()
def add(ctx: typer.Context, image: Annotated[str, typer.Argument(help=IMAGE)]) -> None:
    """Let an image be pulled again that was removed or broken."""
    context: own.Context = ctx.obj
    try:
        context.cluster.delete(FAULT, _name(image))
    except NotFound:
        raise UsageError(f"image {image} can be pulled already") from None
    own.echo(f"image {image} added")


@app.command()
def remove(ctx: typer.Context, image: Annotated[str, typer.Argument(help=IMAGE)]) -> None:
    """Take an image out of the registry: pulls say that it is not found. Nodes that have it keep it."""
    from minikube_py.programs import images

    full = images.full_name(image) or image
    message = f'failed to pull and unpack image "{full}": failed to resolve image: {full}: not found'
    _break(ctx.obj, image, message)
    own.echo(f"image {image} removed")


@app.command()
def fail(
    ctx: typer.Context,
    image: Annotated[str, typer.Argument(help=IMAGE)],
    message: Annotated[
        str, typer.Option("--message", help="What the registry says; it does not answer unless given.")
    ] = "",
) -> None:
    """Let the pulls of an image fail."""
    _break(ctx.obj, image, message)
    own.echo(f"image {image} fails")


def _break(context: own.Context, image: str, message: str) -> None:
    spec: Object = {"type": "PullFailing", "image": image}
    if message:
        spec["message"] = message
    fault = {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Fault", "metadata": {"name": _name(image)}, "spec": spec}
    try:
        context.cluster.create(fault)
    except AlreadyExists:
        raise UsageError(f"image {image} cannot be pulled already; 'kpy image add {image}' undoes it") from None


def _name(image: str) -> str:
    """The Fault of an image: 'gcr.io/shop/*' -> 'image-gcr.io-shop-any'."""
    plain = re.sub(r"[^a-z0-9.-]+", "-", image.lower().replace("*", "any")).strip("-.")
    if not plain:
        raise UsageError(f'invalid image name "{image}"')
    return f"image-{plain}"
