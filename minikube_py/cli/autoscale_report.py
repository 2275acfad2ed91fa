"""`kpy autoscale-report`: why the autoscalers did what they did, with the numbers of each decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from minikube_py.api.types import Key
from minikube_py.base.errors import NotFound, UsageError
from minikube_py.cli import own

if TYPE_CHECKING:
    import typer

    from minikube_py.cluster import Cluster

app = own.new_app("Show each decision of an autoscaler with its arithmetic.")

HPA, VPA, CLUSTER = "hpa", "vpa", "cluster"
_WORDS = {
    HPA: (HPA, "horizontalpodautoscaler", "horizontalpodautoscalers"),
    VPA: (VPA, "verticalpodautoscaler", "verticalpodautoscalers"),
}


@app.command()
def autoscale_report(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="HPA|VPA|cluster", help="hpa/NAME, vpa/NAME, a NAME of either, or 'cluster'.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="table or json.")] = "table",
    svg: Annotated[str, typer.Option("--svg", metavar="FILE", help="Write the course as a picture.")] = "",
    png: Annotated[str, typer.Option("--png", metavar="FILE", help="The same, as pixels (needs resvg-py).")] = "",
) -> None:
    """Show what an autoscaler saw, wanted and did.

    For a HorizontalPodAutoscaler: each sync that differed from the one before, with the value of every metric, the replicas
    it asked for, what the stabilization window and the limits made of them. For a VerticalPodAutoscaler: how each bound comes
    from percentile, margin, confidence, floor and policy, and which pods were evicted or resized. For 'cluster': the node
    groups with their sizes, node hours and cost, and why each node of them stays.
    """
    context: own.Context = ctx.obj
    if output not in ("table", "json"):
        raise UsageError(f"unknown output format {output!r}, must be 'table' or 'json'")
    cluster = context.cluster
    from minikube_py.cli import autoscale_charts, autoscale_tables

    sort, key = _find(cluster, context.namespace, name)
    found, text = autoscale_tables.OF[sort](cluster, key)
    for path, is_png in ((svg, False), (png, True)):
        if path:
            autoscale_charts.write(cluster, sort, key, path, png=is_png)
    if output == "json":
        import json

        text = json.dumps(found, indent=2) + "\n"
    own.echo(text, nl=False)


def _find(cluster: Cluster, namespace: str, name: str) -> tuple[str, Key]:
    """(hpa, vpa or cluster, key) of what is asked about; a bare name is that of an HPA first."""
    from minikube_py.api import vertical
    from minikube_py.autoscaling import hpa

    if name == CLUSTER:
        return CLUSTER, Key("", "", "")
    word, slash, rest = name.rpartition("/")
    wanted = next((sort for sort, words in _WORDS.items() if word.partition(".")[0] in words), "")
    if slash and not wanted:
        raise UsageError(f"{name!r} is neither hpa/NAME nor vpa/NAME nor 'cluster'")
    keys = {HPA: Key(hpa.RESOURCE, namespace, rest), VPA: Key(vertical.RESOURCE, namespace, rest)}
    for sort, key in keys.items():
        if wanted in ("", sort) and cluster.store.get(key) is not None:
            return sort, key
    raise NotFound(f'{keys[wanted or HPA].resource} "{rest}" not found')
