"""`kpy traffic`: send requests, stop, and see whether anybody noticed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

from minikube_py.api.types import Key
from minikube_py.base.clock import timestamp
from minikube_py.base.duration import human
from minikube_py.base.errors import NotFound, UsageError
from minikube_py.cli import own, traffic_curves
from minikube_py.network import rates, tally
from minikube_py.network import traffic as traffics

if TYPE_CHECKING:
    import typer

    from minikube_py.api.types import Object

app = own.new_app("Send requests over virtual time, and see what came of them.", group=True)

NAME = "traffic"
PODS_SHOWN = 20


@app.command()
def start(
    ctx: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A URL, service/NAME[:PORT], or http://NODE:NODEPORT.")
    ],
    name: Annotated[str, typer.Option("--name", help="The Traffic's name.")] = NAME,
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="outside, inside, or a selector of pods: app=front. Services: inside, else outside.",
        ),
    ] = "",
    rate: Annotated[float, typer.Option("--rate", min=0, help="Requests a second.")] = 10.0,
    ramp: Annotated[str, typer.Option("--ramp", metavar="FROM:TO:TIME", help="Rising from one rate to another.")] = "",
    sine: Annotated[str, typer.Option("--sine", metavar="MEAN:AMPLITUDE:PERIOD", help="Up and down: 100:50:24h.")] = "",
    spike: Annotated[
        str, typer.Option("--spike", metavar="BASE:PEAK:AFTER:TIME", help="High for a time: 10:500:5m:30s.")
    ] = "",
    step: Annotated[
        list[str] | None,
        typer.Option("--step", metavar="AFTER=RATE", help="Another rate after a time; may be repeated."),
    ] = None,
    duration: Annotated[str, typer.Option("--duration", metavar="TIME", help="End after; never unless given.")] = "",
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long a client waits.")] = "10s",
    retries: Annotated[int, typer.Option("--retries", min=0, help="How often a client tries again.")] = 0,
    keep_alive: Annotated[bool, typer.Option("--keep-alive", help="Clients keep their connections open.")] = False,
) -> None:
    """Start a Traffic: requests come from now on, whenever virtual time passes."""
    context: own.Context = ctx.obj
    spec: Object = {"target": _target(target), "rate": _rate(rate, ramp, sine, spike, step or [])}
    if from_:
        spec["from"] = _source(from_)
    spec |= {"timeout": timeout, "retries": retries, "keepAlive": keep_alive}
    if duration:
        spec["duration"] = duration
    obj = {"apiVersion": "sim.kpy.dev/v1alpha1", "kind": "Traffic", "metadata": {"name": name}, "spec": spec}
    context.cluster.create(obj, namespace=context.namespace)
    own.echo(f"traffic.sim.kpy.dev/{name} started: {rates.describe(spec['rate'])}")


def _target(text: str) -> Object:
    kind, slash, name = text.partition("/")
    if kind not in ("service", "services", "svc") or not slash:
        return {"url": text}
    name, colon, port = name.partition(":")
    if colon and not port.isdigit():
        raise UsageError(f'"{text}" is not of the form service/NAME:PORT')
    return {"service": {"name": name, **({"port": int(port)} if colon else {})}}


def _source(text: str) -> Any:
    if text in ("outside", "inside"):
        return text
    from minikube_py.base import selector

    labels = dict(pair.partition("=")[::2] for pair in text.split(","))
    selector.parse(text)
    if not all(labels.values()):
        raise UsageError(f"--from wants outside, inside, or labels such as app=front, not {text!r}")
    return {"podSelector": {"matchLabels": labels}}


def _rate(rate: float, ramp: str, sine: str, spike: str, steps: list[str]) -> Any:
    if sum(map(bool, (ramp, sine, spike, steps))) > 1:
        raise UsageError("--ramp, --sine, --spike and --step exclude each other")
    if ramp:
        low, high, over = _words("--ramp", ramp, 3)
        return {"ramp": {"from": _number(low), "to": _number(high), "over": over}}
    if sine:
        mean, amplitude, period = _words("--sine", sine, 3)
        return {"sine": {"mean": _number(mean), "amplitude": _number(amplitude), "period": period}}
    if spike:
        base, peak, after, time = _words("--spike", spike, 4)
        return {"spike": {"base": _number(base), "peak": _number(peak), "after": after, "for": time}}
    if steps:
        pairs = [text.partition("=")[::2] for text in steps]
        return {"steps": [{"after": "0s", "perSecond": _plain(rate)}, *({"after": after, "perSecond": _number(value)} for after, value in pairs)]}  # fmt: skip
    return _plain(rate)


def _words(flag: str, text: str, count: int) -> list[str]:
    words = text.split(":")
    if len(words) != count or not all(words):
        raise UsageError(f"{flag} wants {count} values with colons between them, not {text!r}")
    return words


def _number(text: str) -> float:
    try:
        return _plain(float(text))
    except ValueError:
        raise UsageError(f"not a number: {text!r}") from None


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


@app.command()
def stop(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=f"The Traffic; {NAME} unless given.")] = NAME,
) -> None:
    """Stop a Traffic; its counts stay until it is deleted (`kpy delete traffic NAME`)."""
    context: own.Context = ctx.obj
    with context.cluster.transaction():
        context.cluster.patch("traffics.sim.kpy.dev", name, context.namespace, {"spec": {"paused": True}})
        context.cluster.engine.run_only((traffics.NAME,))
    own.echo(f"traffic.sim.kpy.dev/{name} stopped")


@app.command()
def status(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=f"The Traffic; {NAME} unless given.")] = "",
    svg: Annotated[str, typer.Option("--svg", metavar="FILE", help="Write the curves as a picture.")] = "",
    png: Annotated[str, typer.Option("--png", metavar="FILE", help="The same, as pixels (needs resvg-py).")] = "",
) -> None:
    """Show requests, errors by cause, latency, pods and versions, and their curves over virtual time."""
    context: own.Context = ctx.obj
    cluster = context.cluster
    if name:
        found = [cluster.get("traffics.sim.kpy.dev", name, context.namespace)]
    else:
        found = cluster.list("traffics.sim.kpy.dev", context.namespace)
        if not found:
            raise NotFound(f"no Traffic found in {context.namespace} namespace: `kpy traffic start TARGET` begins one")
    if (svg or png) and len(found) > 1:
        raise UsageError(f"{'--svg' if svg else '--png'} draws one Traffic: give its name")
    for number, one in enumerate(found):
        if number:
            own.echo("")
        counts = one["status"]
        key = Key(traffics.RESOURCE, one["metadata"]["namespace"], one["metadata"]["name"])
        pieces = tally.pieces(counts, cluster.view.memory(traffics.NAME, key))
        _show(one, counts, pieces)
        if svg or png:
            _draw(svg, png, one, counts, pieces)


def _draw(svg: str, png: str, traffic: Object, counts: Object, pieces: list[list[Any]]) -> None:
    from minikube_py.cli import picture, traffic_svg

    text = traffic_svg.draw(f"Traffic {traffic['metadata']['name']}: {_target_of(traffic)}", _summary(counts), pieces)
    for path, is_png in ((png, True), (svg, False)):
        if path:
            picture.write(path, text, png=is_png)


def _target_of(traffic: Object) -> str:
    return rates.url_of(traffic["spec"]["target"], traffic["metadata"]["namespace"])


def _summary(counts: Object) -> str:
    share = counts["errors"] / counts["requests"] * 100 if counts["requests"] else 0
    causes = ", ".join(f"{count} {cause}" for cause, count in counts["causes"].items())
    told = f"{counts['requests']} requests, {counts['errors']} errors ({share:.3g} %{': ' + causes if causes else ''})"
    latency = counts.get("latency") or {}
    return told + "".join(f", {name} {latency[name]}" for name in ("p50", "p95", "p99") if name in latency)


def _show(traffic: Object, counts: Object, pieces: list[list[Any]]) -> None:
    meta = traffic["metadata"]
    phase = counts.get("phase") or "Pending"
    own.echo(
        f"{meta['namespace']}/{meta['name']}  {_target_of(traffic)}  {rates.describe(traffic['spec']['rate'])}  {phase}"
    )
    own.echo(_summary(counts))
    found = traffic_curves.curves(pieces)
    if found:
        own.echo("")
        _curves(found)
        start_s, end_s = pieces[0][0], pieces[-1][1]
        width = max(len(one.title) for one in found)
        ends = f"{timestamp(start_s)[11:19]}{timestamp(end_s)[11:19]:>{traffic_curves.COLUMNS - 8}}"
        own.echo(f"{'':<{width}}  {ends}  {human(end_s - start_s)}")
    _tables(counts)


def _curves(found: list[traffic_curves.Curve]) -> None:
    width = max(len(one.title) for one in found)
    lines = [(f"{one.title:<{width}}  ", traffic_curves.bar(one.values), _scale(one), one.style) for one in found]
    if not sys.stdout.isatty():
        for title, bar, scale, _ in lines:
            own.echo(f"{title}{bar}  {scale}")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for title, bar, scale, style in lines:
        console.print(Text.assemble(title, (bar, style), f"  {scale}"), no_wrap=True, overflow="ignore", crop=False)


def _scale(curve: traffic_curves.Curve) -> str:
    highest = f"max {traffic_curves.number(max(curve.values))}"
    return highest if curve.total is None else f"{highest}, {round(curve.total)} in all"


def _tables(counts: Object) -> None:
    from minikube_py.printers import tables

    pods = sorted(counts["pods"].items())
    for title, rows in (("VERSION", list(counts["versions"].items())), ("POD", pods[:PODS_SHOWN])):
        if rows:
            own.echo("")
            lines = [[title, "REQUESTS", "ERRORS"], *([name, str(one[0]), str(one[1])] for name, one in rows)]
            own.echo(tables.layout(lines), nl=False)
    if len(pods) > PODS_SHOWN:
        own.echo(f"... and {len(pods) - PODS_SHOWN} more pods")
