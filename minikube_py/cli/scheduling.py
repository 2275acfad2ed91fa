"""`kpy explain-schedule` and `kpy capacity`: why a pod goes where it goes, and how many of its kind fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from minikube_py.api.types import Key
from minikube_py.base.errors import NotFound, UsageError
from minikube_py.cli import own

if TYPE_CHECKING:
    import typer

    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.scheduler.capacity import Capacity
    from minikube_py.scheduler.explain import Report
    from minikube_py.store.store import Change

explain_app = own.new_app("Show why a pod goes to its node, or to none.")
capacity_app = own.new_app("Count how many copies of a pod fit, and what ends it.")

COPIES = "how-many-fit-"


@explain_app.command()
def explain_schedule(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="POD", help="A pod that waits, or one that has its node.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="table or json.")] = "table",
) -> None:
    """Show what every plugin of the scheduler says about every node: verdict, score, normalised, weighted; and the winner.

    For a pod that has its node, the cluster is looked at as it was at the revision of its binding.
    """
    from minikube_py.scheduler.cache import Cache
    from minikube_py.scheduler.explain import explain

    context: own.Context = ctx.obj
    cluster = context.cluster
    _check_output(output)
    key = Key("pods", context.namespace, name.removeprefix("pod/").removeprefix("pods/"))
    if cluster.store.get(key) is None:
        raise NotFound(f'pods "{key.name}" not found')
    binding = _binding(cluster, key)
    with cluster.what_if():
        clock = cluster.clock
        if binding is not None:
            _go_back(cluster, binding.revision)
            clock = clock.at(binding.time_s)
        pod = cluster.store.get(key)
        assert pod is not None, key
        report = explain(pod, cluster.view.derived("scheduler", Cache), clock)
    if output == "json":
        _print_json(_as_json(key, report, binding))
    else:
        own.echo(_as_text(key, report, binding), nl=False)


def _check_output(output: str) -> None:
    if output not in ("table", "json"):
        raise UsageError(f"unknown output format {output!r}, must be 'table' or 'json'")


def _print_json(found: Object) -> None:
    import json

    own.echo(json.dumps(found, indent=2))


def _binding(cluster: Cluster, key: Key) -> Change | None:
    """The write that gave the pod its node; None if it has none. Raises UsageError if the scheduler did not choose it."""
    pod = cluster.store.get(key)
    if pod is None or not pod["spec"].get("nodeName"):
        return None
    for change in reversed(cluster.store.history(0, key)):
        if change.new is not None and not (change.old or {"spec": {"nodeName": "?"}})["spec"].get("nodeName"):
            return change
        if change.old is None:
            break
    raise UsageError(f'pod "{key.name}" was created with its node, {pod["spec"]["nodeName"]}: nobody scheduled it')


def _go_back(cluster: Cluster, revision: int) -> None:
    """Make everything what it was before a revision. Only inside `what_if`."""
    store = cluster.store
    before: dict[Key, Object | None] = {}
    for change in store.history(revision - 1):
        if change.key.resource != "events":
            before.setdefault(change.key, change.old)
    for key, obj in before.items():
        if obj is not None:
            store.put(key, obj, time_s=0, actor="", cause=0)
        elif store.get(key) is not None:
            store.remove(key, time_s=0, actor="", cause=0)


def _as_json(key: Key, report: Report, binding: Change | None) -> Object:
    return {
        "namespace": key.namespace,
        "pod": key.name,
        "node": _node_of(binding) or None,
        "revision": binding.revision if binding is not None else None,
        "winner": report.winner or None,
        "message": report.message,
        "nodes": [
            {
                "name": node.name,
                "feasible": not node.refusal,
                "filters": dict(node.filters),
                "scores": {score.plugin: {**score._asdict(), "weighted": score.weighted} for score in node.scores},
                "total": node.total if not node.refusal else None,
            }
            for node in report.nodes
        ],
    }


def _node_of(binding: Change | None) -> str:
    return binding.new["spec"]["nodeName"] if binding is not None and binding.new is not None else ""


def _as_text(key: Key, report: Report, binding: Change | None) -> str:
    from minikube_py.cli.narrative import clock
    from minikube_py.printers import tables

    if binding is not None:
        where = f"went to {_node_of(binding)} at revision {binding.revision}, {clock(binding.time_s)}"
    elif report.winner:
        where = f"would go to {report.winner}"
    else:
        where = f"has no node to go to: {report.message}"
    text = f"Pod {key.namespace}/{key.name} {where}\n"
    if report.nodes:
        verdicts = [["NODE", "VERDICT", "SCORE", "WINNER"]]
        for node in report.nodes:
            total = "" if node.refusal else str(node.total)
            verdicts.append([node.name, node.refusal or "fits", total, "*" if node.name == report.winner else ""])
        text += "\n" + tables.layout(verdicts)
    scores = [["NODE", "PLUGIN", "SCORE", "NORMALIZED", "WEIGHT", "WEIGHTED"]]
    for node in report.nodes:
        for score in node.scores:
            raw = "" if score.raw is None else str(score.raw)
            numbers = [raw, str(score.normalized), str(score.weight), str(score.weighted)]
            scores.append([node.name, score.plugin, *numbers])
    return text + ("\n" + tables.layout(scores) if len(scores) > 1 else "")


@capacity_app.command()
def capacity(
    ctx: typer.Context,
    filename: Annotated[
        str,
        typer.Option("--filename", "-f", metavar="FILE", help="A manifest of a pod, or of what has a template of one."),
    ],
    until: Annotated[
        str, typer.Option("--until", metavar="full|N", help="Stop when the cluster is full, or at N.")
    ] = "full",
    output: Annotated[str, typer.Option("--output", "-o", metavar="FORMAT", help="table or json.")] = "table",
) -> None:
    """Count how many copies of a pod the cluster takes beside what it has, which constraint ends it, and where they go.

    The copies are created and scheduled as real ones, with admission and quotas, and everything is undone: nothing is
    written.
    """
    from minikube_py.scheduler.capacity import measure

    context: own.Context = ctx.obj
    cluster = context.cluster
    _check_output(output)
    wanted = None if until == "full" else _number(until)
    template = pod_of(_manifest(filename))
    origin = cluster._origin("default-scheduler")

    def bind(pod: Object, node: str) -> object:
        key = Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        return cluster.server.change(key, {"spec": {"nodeName": node}}, "binding", origin)

    def create() -> Object:
        return cluster.create(template, namespace=context.namespace)

    with cluster.what_if():
        found = measure(create, bind, cluster.view, cluster.clock, wanted)
    if output == "json":
        _print_json(_capacity_json(found))
    else:
        own.echo(_capacity_text(found), nl=False)


def _number(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise UsageError(f"--until must be 'full' or a number of copies, not {text!r}")
    return int(text)


def _manifest(filename: str) -> Object:
    from minikube_py.api import documents

    found = [inner.object for document in documents.read(filename) for inner in documents.flatten(document)]
    if len(found) != 1:
        raise UsageError(f"{filename} holds {len(found)} objects: give one with a pod")
    return found[0]


def pod_of(obj: Object) -> Object:
    """The pod of a manifest: itself, or made from its template. Nameless, so that there may be many. Raises UsageError."""
    template: Any = obj
    if obj.get("kind") != "Pod":
        spec = obj.get("spec") or {}
        template = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template")
        if not isinstance(template, dict):
            raise UsageError(f"a {obj.get('kind') or 'document without a kind'} has no pod template")
    meta = dict(template.get("metadata") or {})
    if obj["metadata"].get("namespace"):
        meta["namespace"] = obj["metadata"]["namespace"]
    meta.pop("name", None)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, "generateName": COPIES},
        "spec": template.get("spec"),
    }


def _capacity_json(found: Capacity) -> Object:
    return {
        "copies": found.copies,
        "endedBy": {"message": found.message, "plugins": found.plugins} if found.message else None,
        "nodes": [
            {"name": name, "copies": copies, "refusedBy": list(found.refusals.get(name, ()))}
            for name, copies in found.per_node.items()
        ],
    }


def _capacity_text(found: Capacity) -> str:
    from minikube_py.printers import tables

    copies = f"{found.copies} {'copy fits' if found.copies == 1 else 'copies fit'}"
    text = f"{copies}; the next one: {found.message}\n" if found.message else f"{copies}\n"
    rows = [["NODE", "COPIES", "ENDED BY"]]
    rows += [[name, str(count), ", ".join(found.refusals.get(name, ()))] for name, count in found.per_node.items()]
    return text + "\n" + tables.layout(rows)
