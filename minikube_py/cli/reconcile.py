"""`kpy reconcile`: let virtual time pass, and tell what the components did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from minikube_py.base.errors import NotFound, UsageError
from minikube_py.cli import conditions, narrative, own

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

    from minikube_py.cluster import Cluster
    from minikube_py.engine.report import Deed, Report

app = own.new_app("Run the simulation until nothing is left to do, for a time, or until a condition holds.")

UNTIL_FORMS = (
    'write --until as for `wait`, with the resource behind it: "condition=Available deploy/web", '
    '"jsonpath={.status.phase}=Running pod/x", "create job/y", "delete pod/z", or in short deploy/web=available'
)


@app.command()
def reconcile(
    ctx: typer.Context,
    step: Annotated[bool, typer.Option("--step", help="Run one pass and tell what each component did in it.")] = False,
    for_: Annotated[str, typer.Option("--for", metavar="TIME", help="Run exactly so long: 90s, 10m, 1h.")] = "",
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="CONDITION",
            help="Run until a condition holds: deploy/web=available, 'condition=Ready pod/x', "
            "'jsonpath={.status.phase}=Running pod/x', 'create pod/x', 'delete pod/x'.",
        ),
    ] = "",
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="Give up after so long, virtual.")] = "10m",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Print each write as it comes.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell every action with its reason.")] = False,
) -> int:
    """Run the scheduler, the controllers and the kubelets until the cluster has settled.

    Time is virtual: it jumps from one thing to do to the next. Ends with a summary: settled or not, at what time, how
    many writes, and which objects are not healthy. Exit code 1 if it did not settle, or the condition did not come true.
    """
    if sum((step, bool(for_), bool(until))) > 1:
        raise UsageError("--step, --for and --until exclude each other")
    context: own.Context = ctx.obj
    cluster = context.cluster
    condition = until_condition(cluster, context.namespace, until) if until else None
    story = narrative.Story(full=step)
    first_revision = cluster.store.revision

    def on_deed(deed: Deed) -> None:
        story.add(deed)
        if verbose and (text := narrative.detail(deed)):
            own.echo(text)

    report: Report = cluster.reconcile(
        timeout_s=own.duration_s(timeout),
        for_s=own.duration_s(for_) if for_ else None,
        until=condition,
        step=step,
        on_change=(lambda change: own.echo(narrative.change_line(change))) if watch else None,
        on_deed=on_deed,
    )
    if not watch and not verbose:
        for line in story.lines(report, first_revision, cluster.store.revision):
            own.echo(line)
    return _finish(report, condition, until, partial=step or bool(for_))


def _finish(report: Report, condition: Callable[[], bool] | None, until: str, *, partial: bool) -> int:
    met = condition() if condition is not None else None
    wanted = "" if met is None else f"{until}: {'met' if met else 'not met'}"
    for line in narrative.summary(report, wanted=wanted):
        own.echo(line)
    if met is not None:
        return 0 if met else 1
    return 0 if report.settled or partial else 1


def until_condition(cluster: Cluster, namespace: str, text: str) -> Callable[[], bool]:
    """'condition=Available deploy/web' or 'deploy/web=available' as a check on the cluster. Raises UsageError."""
    what, _, resource = text.strip().rpartition(" ")
    if not what:
        resource, equals, condition = text.partition("=")
        what = (
            f"condition={condition}"
            if condition.lower() not in ("create", "delete", "created", "deleted")
            else condition.removesuffix("d")
        )
        if not equals:
            raise UsageError(UNTIL_FORMS)
    word, slash, name = resource.partition("/")
    if not slash or not name:
        raise UsageError(UNTIL_FORMS)
    kind = cluster.kind(word)
    check = conditions.parse(what)

    def holds() -> bool:
        try:
            return check(cluster.get(kind.resource, name, namespace if kind.namespaced else ""))
        except NotFound:
            return check(None)

    return holds
