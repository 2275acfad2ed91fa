"""`kpy what-if`: several futures of one cluster side by side, each on its own copy. The cluster itself does not change."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from minikube_py.api.types import Key
from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import own

if TYPE_CHECKING:
    import typer

    from minikube_py.api.types import Object
    from minikube_py.cli.chart import Line
    from minikube_py.cluster import Cluster
    from minikube_py.store.store import Change

app = own.new_app("Run each of several files on its own copy of the cluster, and compare.")

TRAFFICS = "traffics.sim.kpy.dev"
HOUR_S = 3600
AS_IS = "as it is"
# (key of a result, how the table calls it, how a value is shown)
MEASURES: tuple[tuple[str, str, str], ...] = (
    ("requests", "REQUESTS", "{:.0f}"),
    ("errors", "ERRORS", "{:.0f}"),
    ("errorPercent", "ERRORS, %", "{:.3g}"),
    ("p50", "P50", "{}"),
    ("p95", "P95", "{}"),
    ("p99", "P99", "{}"),
    ("podsMost", "PODS, MOST", "{:.0f}"),
    ("podHours", "POD-HOURS", "{:.2f}"),
    ("nodesMost", "NODES, MOST", "{:.0f}"),
    ("nodeHours", "NODE-HOURS", "{:.2f}"),
    ("cost", "COST", "{:.2f}"),
)


@app.command()
def what_if(
    ctx: typer.Context,
    filename: Annotated[
        list[str] | None,
        typer.Option(
            "--filename", "-f", metavar="FILE", help="A variant: what it applies is its own; may be repeated."
        ),
    ] = None,
    traffic: Annotated[
        list[str] | None,
        typer.Option("--traffic", metavar="FILE", help="Applied to every copy, to begin with: the load."),
    ] = None,
    for_: Annotated[str, typer.Option("--for", metavar="TIME", help="How long each runs, virtual.")] = "1h",
    baseline: Annotated[bool, typer.Option("--baseline", help="Also run the cluster as it is.")] = False,
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="table or json.")] = "table",
    svg: Annotated[str, typer.Option("--svg", metavar="FILE", help="Write the courses as a picture.")] = "",
    png: Annotated[str, typer.Option("--png", metavar="FILE", help="The same, as pixels (needs resvg-py).")] = "",
) -> None:
    """Apply each file to a copy of the cluster, let time pass, and print errors, latency, pod-hours and cost side by side.

    Only what comes in that time is counted. Pods are those that run, outside kube-system; cost is that of the NodeGroups' nodes.
    """
    context: own.Context = ctx.obj
    if output not in ("table", "json"):
        raise UsageError(f"unknown output format {output!r}, must be 'table' or 'json'")
    files, seconds = filename or [], own.duration_s(for_)
    if not files and not baseline:
        raise UsageError("nothing to compare: give files with -f, or --baseline")
    if seconds <= 0:
        raise UsageError("--for must be longer than no time")
    variants = [(AS_IS, "")] * baseline + list(zip(_names(files), files, strict=True))
    cluster, namespace = context.cluster, context.namespace
    futures = [_run(cluster, namespace, name, file, traffic or [], seconds) for name, file in variants]
    for path, is_png in ((svg, False), (png, True)):
        if path:
            _draw(futures, path, cluster.clock.now_s, seconds, png=is_png)
    if output == "json":
        import json

        own.echo(json.dumps([{"variant": one.name, **one.measures} for one in futures], indent=2))
    else:
        own.echo(_table(futures), nl=False)


def _names(files: list[str]) -> list[str]:
    """Short names: 'hpa-a' of 'x/hpa-a.yaml'; the whole path where two would be called the same."""
    short = [PurePath(file).stem or file for file in files]
    return [name if short.count(name) == 1 else file for name, file in zip(short, files, strict=True)]


class Future(NamedTuple):
    """How one variant fared. `pods`, `errors`: (second, value) for the chart."""

    name: str
    measures: dict[str, Any]
    pods: list[tuple[float, float]]
    errors: list[tuple[float, float]]


class _Meter:
    """Counts running pods and nodes while writes go by, and adds up their time."""

    def __init__(self, cluster: Cluster) -> None:
        self.at_s = cluster.clock.now_s
        self.pods = sum(map(_runs, cluster.store.list("pods")))
        self.nodes = len(cluster.store.list("nodes"))
        self.pods_most, self.nodes_most = self.pods, self.nodes
        self.pod_s = self.node_s = 0
        self.course: list[tuple[float, float]] = [(self.at_s, self.pods)]

    def see(self, change: Change) -> None:
        resource = change.key.resource
        if resource not in ("pods", "nodes"):
            return
        self.pass_to(change.time_s)
        if resource == "pods":
            self.pods += _runs(change.new) - _runs(change.old)
            self.pods_most = max(self.pods_most, self.pods)
            if self.course[-1][0] == change.time_s:
                self.course.pop()
            self.course.append((change.time_s, self.pods))
        else:
            self.nodes += (change.new is not None) - (change.old is not None)
            self.nodes_most = max(self.nodes_most, self.nodes)

    def pass_to(self, now_s: int) -> None:
        self.pod_s += self.pods * (now_s - self.at_s)
        self.node_s += self.nodes * (now_s - self.at_s)
        self.at_s = now_s


def _runs(pod: Object | None) -> bool:
    """Whether it is a pod that runs, other than the cluster's own."""
    if pod is None or pod["metadata"]["namespace"] == "kube-system":
        return False
    return (pod.get("status") or {}).get("phase") == "Running"


def _run(cluster: Cluster, namespace: str, name: str, file: str, traffic: list[str], seconds: int) -> Future:
    copy = cluster.copy()
    copy.subject = cluster.subject
    try:
        for path in [*([file] if file else []), *traffic]:
            _apply(copy, path, namespace)
        before, spent = _counts(copy), _cost(copy)
        meter = _Meter(copy)
        copy.reconcile(for_s=seconds, on_change=meter.see)
        meter.pass_to(copy.clock.now_s)
        after = _counts(copy)
        measures = {
            **_of_traffic(before, after),
            "podsMost": meter.pods_most,
            "podHours": meter.pod_s / HOUR_S,
            "nodesMost": meter.nodes_most,
            "nodeHours": meter.node_s / HOUR_S,
            "cost": _cost(copy) - spent,
        }
        return Future(name, measures, meter.course, _errors(copy, cluster.clock.now_s))
    finally:
        copy.close()


def _apply(copy: Cluster, path: str, namespace: str) -> None:
    from minikube_py.api import documents

    for document in documents.read(path):
        for one in documents.flatten(document):
            try:
                copy.apply(one.object, namespace=namespace)
            except KpyError as error:
                raise UsageError(f"{path}: {error}") from error


def _cost(cluster: Cluster) -> float:
    from minikube_py.autoscaling import node_groups

    return sum(node_groups.cost(group, cluster.clock)[1] for group in node_groups.groups(cluster.view))


# --- what became of requests -------------------------------------------------------------------------------------------


def _counts(cluster: Cluster) -> dict[Key, Object]:
    """The counts of every Traffic as of now."""
    from minikube_py.network import traffic

    found = {}
    for one in cluster.store.list(TRAFFICS):
        meta = one["metadata"]
        found[Key(TRAFFICS, meta["namespace"], meta["name"])] = traffic.current(one, cluster.view, cluster.clock)
    return found


def _of_traffic(before: dict[Key, Object], after: dict[Key, Object]) -> dict[str, Any]:
    """Requests and errors that came in between, and the quantiles of the latency of what was answered."""
    from minikube_py.network import latency

    requests = errors = 0
    histogram = latency.read({})
    for key, counts in after.items():
        old = before.get(key) or {}
        requests += counts.get("requests", 0) - old.get("requests", 0)
        errors += counts.get("errors", 0) - old.get("errors", 0)
        was = latency.read(old.get("histogram") or {})
        now = latency.read(counts.get("histogram") or {})
        histogram = [sum(three) for three in zip(histogram, now, (-one for one in was), strict=True)]
    quantiles = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    shown = {name: latency.shown(latency.quantile(histogram, share)) for name, share in quantiles.items()}
    return {
        "requests": requests,
        "errors": errors,
        "errorPercent": errors / requests * 100 if requests else 0.0,
        **(shown if any(histogram) else dict.fromkeys(quantiles, "-")),
    }


def _errors(cluster: Cluster, since_s: int) -> list[tuple[float, float]]:
    """Errors a second of all Traffics together, over time."""
    changes: dict[float, float] = {}
    for counts in _counts(cluster).values():
        for start, end, _, errors, *_ in counts.get("timeline") or ():
            if end > max(start, since_s) and errors:
                rate = errors / (end - start)
                changes[start] = changes.get(start, 0.0) + rate
                changes[end] = changes.get(end, 0.0) - rate
    level, found = 0.0, [(float(since_s), 0.0)]
    for second in sorted(changes):
        level = max(0.0, level + changes[second])
        found.append((float(second), level))
    return found


# --- showing -----------------------------------------------------------------------------------------------------------


def _table(futures: list[Future]) -> str:
    from minikube_py.printers import tables

    rows = [["", *(one.name for one in futures)]]
    for key, title, form in MEASURES:
        rows.append([title, *(form.format(one.measures[key]) for one in futures)])
    return tables.layout(rows)


def _draw(futures: list[Future], path: str, start_s: int, seconds: int, *, png: bool) -> None:
    from minikube_py.cli import chart

    def lines(field: str) -> list[Line]:
        return [chart.Line(one.name, getattr(one, field)) for one in futures]

    panels = [chart.Panel("pods that run", lines("pods")), chart.Panel("errors/s", lines("errors"))]
    subtitle = "; ".join(
        f"{one.name}: {one.measures['errors']} errors, p95 {one.measures['p95']}, {one.measures['podHours']:.1f} pod-hours"
        for one in futures
    )
    chart.write(path, "What if", subtitle, panels, start_s, start_s + seconds, png=png)
