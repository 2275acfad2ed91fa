"""What happened in a run, told for people: which component did what, in the order API server, store, controllers,
scheduler, kubelet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.types import Create, Delete, Patch, Record, Remember, Wake
from minikube_py.base.clock import timestamp
from minikube_py.base.duration import human

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.types import Key
    from minikube_py.engine.report import Deed, Report
    from minikube_py.store.store import Change

Object = dict[str, Any]

LAST = ("default-scheduler", "kubelet")  # behind the controllers, in this order
UNHEALTHY_MAX = 50  # lines that a summary spends on them
LABELS = {"default-scheduler": "scheduler"}


class Story:
    """Collects the deeds of a run. `full`: each of them in words; else counted as they come, so that a large run costs
    no memory: objects are counted, not writes ('created 3 pods', 'updated the status of 2 pods')."""

    def __init__(self, *, full: bool) -> None:
        self.full = full
        self._told: dict[str, list[str]] = {}
        self._counts: dict[str, dict[tuple[str, str], dict[object, None]]] = {}

    def add(self, deed: Deed) -> None:
        if isinstance(deed.action, (Wake, Remember, Record)):
            return
        if self.full:
            self._told.setdefault(deed.component, []).append(sentence(deed))
            return
        found = self._counts.setdefault(deed.component, {}).setdefault(_sort(deed), {})
        found[len(found) if isinstance(deed.action, Create) else deed.action.key] = None

    def lines(self, report: Report, first_revision: int, last_revision: int) -> list[str]:
        """`[component] what it did`."""
        lines = [f"[api-server] carried out {report.writes} write{_s(report.writes)}"]
        if last_revision > first_revision:
            lines.append(f"[store] revision {first_revision} -> {last_revision}")
        for component in _ordered(self._told if self.full else self._counts):
            lines += [f"[{label(component)}] {text}" for text in self._texts(component)]
        return lines

    def _texts(self, component: str) -> list[str]:
        if self.full:
            return self._told[component]
        counts = self._counts[component].items()
        return [f"{verb} {len(found)} {_plural(noun, len(found))}" for (verb, noun), found in counts]


def label(component: str) -> str:
    return LABELS.get(component, component)


def _ordered(components: Iterable[str]) -> list[str]:
    """Controllers in the order of their first deed, then the scheduler, then the kubelets."""
    seen = list(dict.fromkeys(components))
    return [one for one in seen if one not in LAST] + [one for one in LAST if one in seen]


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _plural(resource: str, count: int) -> str:
    plural = resource.partition(".")[0]
    if count != 1 or plural == "endpoints":
        return plural
    for ending, single in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if plural.endswith(ending):
            return plural.removesuffix(ending) + single
    return plural


def _sort(deed: Deed) -> tuple[str, str]:
    action = deed.action
    if isinstance(action, Create):
        kind = action.object["kind"].lower()
        return "created", kind if kind == "endpoints" else kind + ("es" if kind.endswith("s") else "s")
    if isinstance(action, Delete):
        return "deleted", action.key.resource
    assert isinstance(action, Patch), action
    if action.subresource == "binding":
        return "assigned", action.key.resource
    if action.subresource == "status":
        return "updated the status of", action.key.resource
    return "changed", action.key.resource


def sentence(deed: Deed) -> str:
    """One deed in words; '' for wakes, notes and events."""
    action = deed.action
    if isinstance(action, Create):
        made = deed.outcome if isinstance(deed.outcome, dict) else action.object
        text = f"created {_title(made)}"
    elif isinstance(action, Delete):
        text = f"deleted {_of_key(action.key)}"
    elif isinstance(action, Patch):
        text = _change(action.key, action.fields, action.subresource)
    else:
        return ""
    return f"{text}: refused: {deed.outcome}" if isinstance(deed.outcome, Exception) else text


def detail(deed: Deed) -> str:
    """A deed for -v: events too, and which object led to it."""
    action = deed.action
    text = f"event {action.reason}: {action.message}" if isinstance(action, Record) else sentence(deed)
    return f"{clock(deed.time_s)} [{label(deed.component)}] {text} (because of {_of_key(deed.key)})" if text else ""


def _title(obj: Object) -> str:
    metadata = obj["metadata"]
    name = metadata.get("name") or metadata.get("generateName", "") + "?"
    space = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{obj['kind'].lower()} {space}{name}"


def _of_key(key: Key) -> str:
    space = f"{key.namespace}/" if key.namespace else ""
    return f"{_plural(key.resource, 1)} {space}{key.name}"


def _change(key: Key, fields: Object, subresource: str) -> str:
    """What a patch means: an assignment, a new phase, a new size, or just a change."""
    title = _of_key(key)
    spec, status = fields.get("spec") or {}, fields.get("status") or {}
    if subresource == "binding":
        return f"assigned {title} to {spec.get('nodeName')}"
    if "replicas" in spec:
        return f"scaled {title} to {spec['replicas']}"
    if status.get("phase"):
        return f"{title} is {status['phase']}"
    for one in status.get("conditions") or ():
        if one.get("type") == "Ready":
            return f"{title} is {'ready' if one.get('status') == 'True' else 'not ready'}"
    if subresource == "status" or set(fields) == {"status"}:
        return f"updated the status of {title}"
    return f"changed {title}"


def clock(now_s: int) -> str:
    """The time of day: '22:21:23'."""
    return timestamp(now_s)[11:19]


def change_line(change: Change) -> str:
    """A write for -w: '22:21:23 update pod default/web-1 by kubelet'."""
    return f"{clock(change.time_s)} {change.verb:<6} {_of_key(change.key)} by {label(change.actor)}"


def summary(report: Report, *, wanted: str = "") -> list[str]:
    """Settled or not, at what virtual time, how many writes, and who is not well."""
    taken = human(report.now_s - report.started_s)
    state = wanted or ("settled" if report.settled else "not settled")
    lines = [
        f"{state} at {timestamp(report.now_s)} after {taken}: {report.writes} write{_s(report.writes)} in "
        f"{report.instants} instant{_s(report.instants)}"
    ]
    if report.unhealthy:
        lines.append(f"{len(report.unhealthy)} not healthy:")
        lines += [f"  {_of_key(key)}: {reason}" for key, reason in report.unhealthy[:UNHEALTHY_MAX]]
        if len(report.unhealthy) > UNHEALTHY_MAX:
            lines.append(f"  and {len(report.unhealthy) - UNHEALTHY_MAX} more")
    else:
        lines.append("everything is healthy")
    return lines
