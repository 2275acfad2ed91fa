"""`kpy autoscale-report`: why the autoscalers did what they did, with the numbers of each decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from minikube_py.base.errors import NotFound, UsageError
from minikube_py.cli import own

if TYPE_CHECKING:
    import typer

    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster

app = own.new_app("Show each decision of an autoscaler with its arithmetic.")


@app.command()
def autoscale_report(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="HPA|cluster", help="A HorizontalPodAutoscaler, or 'cluster'.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="table or json.")] = "table",
) -> None:
    """Show what an autoscaler saw, wanted and did.

    For a HorizontalPodAutoscaler: each sync that differed from the one before, with the value of every metric, the replicas
    it asked for, what the stabilization window and the limits made of them. For 'cluster': the node groups with their
    sizes, node hours and cost, and why each node of them stays.
    """
    context: own.Context = ctx.obj
    if output not in ("table", "json"):
        raise UsageError(f"unknown output format {output!r}, must be 'table' or 'json'")
    if name == "cluster":
        found, text = _of_cluster(context.cluster)
    else:
        found, text = _of_hpa(context.cluster, context.namespace, name.rpartition("/")[2])
    if output == "json":
        import json

        text = json.dumps(found, indent=2) + "\n"
    own.echo(text, nl=False)


def _of_hpa(cluster: Cluster, namespace: str, name: str) -> tuple[Any, str]:
    from minikube_py.api.types import Key
    from minikube_py.autoscaling import hpa
    from minikube_py.base.clock import timestamp
    from minikube_py.printers import tables

    key = Key(hpa.RESOURCE, namespace, name)
    if cluster.store.get(key) is None:
        raise NotFound(f'{hpa.RESOURCE} "{name}" not found')
    decisions: list[Object] = cluster.view.memory(hpa.NAME, key).get("decisions") or []
    found = [{"time": timestamp(int(one["at_s"])), **one} for one in decisions]
    rows = [["TIME", "CURRENT", "METRICS", "ASKED", "WINDOW", "LIMIT", "REPLICAS"]]
    for one in found:
        window = str(one["stabilized"]) if one["stabilized"] == one["asked"] else f"{one['stabilized']} ({one['able']})"
        limit = "" if one["limited"] == "DesiredWithinRange" else one["limited"]
        told = "; ".join(map(_metric, one["metrics"]))
        cells = (one["time"], one["current"], told, one["asked"], window, limit, one["replicas"])
        rows.append([str(cell) for cell in cells])
    return found, tables.layout(rows) if decisions else f"{namespace}/{name} has decided nothing yet\n"


def _metric(told: list[Any]) -> str:
    """'cpu resource utilization (percentage of request): 80% (40m) -> 5', or why there is no value."""
    from minikube_py.base import quantity

    if len(told) == 1:
        return str(told[0])
    name, value_m, percent, replicas = told
    value = quantity.from_milli(value_m, quantity.BINARY_SI if name.startswith("memory") else quantity.DECIMAL_SI)
    return f"{name}: {f'{percent}% ({value})' if percent is not None else value} -> {replicas}"


def _of_cluster(cluster: Cluster) -> tuple[Any, str]:
    from minikube_py.autoscaling import cluster_autoscaler, node_groups
    from minikube_py.base.clock import timestamp
    from minikube_py.printers import tables

    groups = node_groups.groups(cluster.view)
    if not groups:
        raise NotFound("there are no NodeGroups, so there is nothing to scale")
    memory = cluster.view.memory(cluster_autoscaler.NAME, node_groups.key_of(groups[0].name))
    rows = [["GROUP", "MIN", "MAX", "WANTED", "NODES", "BOOTING", "NODE-HOURS", "COST"]]
    found: Object = {"groups": [], "nodes": []}
    total = 0.0
    for group in groups:
        hours, cost = node_groups.cost(group, cluster.clock)
        total += cost
        numbers = (group.minimum, group.maximum, group.target, len(group.nodes), len(group.booting))
        rows.append([group.name, *map(str, numbers), f"{hours:.2f}", f"{cost:.2f}"])
        names = ("minimum", "maximum", "wanted", "nodes", "booting")
        told = dict(zip(names, numbers, strict=True))
        found["groups"].append({"name": group.name, **told, "nodeHours": hours, "cost": cost})
    text = tables.layout(rows) + f"\ncost so far: {total:.2f}\n"
    since, needed = memory.get("unneeded") or {}, memory.get("needed") or {}
    lines = [["NODE", "GROUP", "STATE"]]
    for group in groups:
        for node in group.nodes:
            own_name = node["metadata"]["name"]
            state = f"unneeded since {timestamp(since[own_name])}" if own_name in since else needed.get(own_name, "")
            lines.append([own_name, group.name, state])
            found["nodes"].append({"name": own_name, "group": group.name, "state": state})
    return found, text + ("\n" + tables.layout(lines) if len(lines) > 1 else "")
