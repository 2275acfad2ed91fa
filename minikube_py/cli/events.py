"""`kubectl events` (pkg/cmd/events/events.go, event_printer.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.clock import seconds
from minikube_py.base.duration import human
from minikube_py.base.errors import UsageError
from minikube_py.cli import select, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call

Object = dict[str, Any]


def run(call: Call) -> None:
    types = call.list("types")
    for one in types:
        if one.lower() not in ("normal", "warning"):
            raise UsageError("valid --types are Normal or Warning")
    if call.text("for").count("/") > 1:
        raise UsageError("arguments in resource/name form may not have more than one slash")
    kind = call.registry.resource("events")
    namespace = None if call.on("all-namespaces") else call.namespace
    events = [
        event
        for event in call.cluster.list("events", namespace)
        if (not types or event.get("type", "").lower() in map(str.lower, types)) and _concerns(call, event)
    ]
    events.sort(key=_moment)
    if call.text("output"):
        call.say(show.whole(call, [select.item_of(kind, event) for event in events], False))
    elif events:
        call.say(table(call, events))
    elif namespace is None:
        call.complain("No events found.")
    else:
        call.complain(f"No events found in {namespace} namespace.")


def _concerns(call: Call, event: Object) -> bool:
    """--for TYPE/NAME."""
    wanted = call.text("for")
    if not wanted:
        return True
    word, slash, name = wanted.partition("/")
    if not slash:
        raise UsageError("--for must be in resource/name form")
    kind = select.kind_named(call.registry, word)
    about = event.get("involvedObject") or {}
    return bool(about.get("kind") == kind.name and about.get("name") == name)


def _moment(event: Object) -> tuple[str, int]:
    """When it was last seen, to the second, and within one in the order of writing."""
    series = event.get("series") or {}
    seen = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or ""
    return str(seen)[:19], int(event["metadata"].get("resourceVersion") or 0)


def table(call: Call, events: list[Object]) -> str:
    """LAST SEEN, TYPE, REASON, OBJECT, MESSAGE; NAMESPACE in front with -A."""
    from minikube_py.printers import tables

    head = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    rows = [] if call.on("no-headers") else [head]
    for event in events:
        about = event.get("involvedObject") or {}
        rows.append(
            [
                interval(event, call.now_s),
                event.get("type", ""),
                event.get("reason", ""),
                f"{about.get('kind', '')}/{about.get('name', '')}",
                event.get("message", "").strip(),
            ]
        )
    if call.on("all-namespaces"):
        spaces = [event["metadata"].get("namespace", "") for event in events]
        for row, space in zip(rows, spaces if call.on("no-headers") else ["NAMESPACE", *spaces], strict=True):
            row.insert(0, space)
    return tables.layout(rows)


def interval(event: Object, now_s: int) -> str:
    """'15s', or '2s (x3 over 40s)' for repeated events."""

    def since(timestamp: str | None) -> str:
        return human(now_s - seconds(timestamp)) if timestamp else "<unknown>"

    first = since(event.get("eventTime") or event.get("firstTimestamp"))
    series = event.get("series")
    if series:
        return f"{since(series.get('lastObservedTime'))} (x{series.get('count', 0)} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{since(event.get('lastTimestamp'))} (x{event['count']} over {first})"
    return first
