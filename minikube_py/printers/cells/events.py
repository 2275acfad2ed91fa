"""Cells of Events, of core and of events.k8s.io. Source: printEvent in pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.printers.cells.meta import at, since

if TYPE_CHECKING:
    from minikube_py.api.types import Object


def last_seen(event: Object, now_s: int) -> str:
    series = at(event, "series", "lastObservedTime")
    last = series or event.get("lastTimestamp") or event.get("deprecatedLastTimestamp")
    return since(last, now_s) if last else first_seen(event, now_s)


def first_seen(event: Object, now_s: int) -> str:
    first = event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp") or event.get("eventTime")
    return since(first, now_s)


def count(event: Object, now_s: int) -> int:
    if event.get("series"):
        return int(event["series"].get("count", 0))
    return int(event.get("count") or event.get("deprecatedCount") or 1)


def target(event: Object, now_s: int) -> str:
    """'pod/web-5c8f6-x2k4p'"""
    about = _about(event)
    kind = str(about.get("kind", "")).lower()
    return f"{kind}/{about['name']}" if about.get("name") else kind


def field_path(event: Object, now_s: int) -> str:
    return str(_about(event).get("fieldPath", ""))


def source(event: Object, now_s: int) -> str:
    """'kubelet, node-1'; the reporting controller where there is no source."""
    given = event.get("source") or event.get("deprecatedSource") or {}
    component = given.get("component") or event.get("reportingComponent") or event.get("reportingController") or ""
    instance = given.get("host") or event.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else str(component)


def message(event: Object, now_s: int) -> str:
    return str(event.get("message") or event.get("note") or "").strip()


def _about(event: Object) -> Object:
    return event.get("involvedObject") or event.get("regarding") or {}
