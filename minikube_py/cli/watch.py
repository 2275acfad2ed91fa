"""`kubectl get --watch`: the list, then each change while virtual time passes, until nothing more happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import UsageError
from minikube_py.cli import failures, get, select, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.cli.call import Call
    from minikube_py.store.store import Change

Object = dict[str, Any]

LIMIT_S = 600  # virtual; --request-timeout says otherwise


def run(call: Call) -> None:
    found = get.look(call)
    failures.raise_all(found.errors)
    if len(found.kinds) != 1:
        raise UsageError("you may only specify a single resource type")
    kind = found.kinds[0]
    rows = Rows(call, kind)
    if not call.on("watch-only"):
        for item in found.items:
            rows.add("ADDED", item.object)
        rows.flush()
    call.cluster.authorize("watch", kind, None if call.on("all-namespaces") else call.namespace)
    names = {item.name for item in found.items} if found.single else None
    shown = _selection(call, kind, names)

    def on_change(change: Change) -> None:
        if change.key.resource != kind.storage:
            return
        was, is_ = (obj is not None and shown(obj) for obj in (change.old, change.new))
        if is_:
            rows.add("MODIFIED" if was else "ADDED", change.new or {})
        elif was:
            rows.add("DELETED", change.old or {})
        rows.flush()

    follow(call, on_change)


def follow(call: Call, on_change: Callable[[Change], None]) -> None:
    """Tell the changes while time passes: until the cluster has settled; with --realtime until --request-timeout."""
    if call.on("realtime"):
        limited = call.text("request-timeout") not in ("", "0")
        call.cluster.run_until(lambda: False, int(_limit_s(call)) if limited else None, on_change=on_change)
    else:
        call.cluster.reconcile(timeout_s=int(_limit_s(call)), on_change=on_change)


def _limit_s(call: Call) -> float:
    text = call.text("request-timeout")
    if text in ("", "0"):
        return LIMIT_S
    from minikube_py.base.duration import parse_go

    try:
        return float(text) if text.isdigit() else parse_go(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _selection(call: Call, kind: Kind, names: set[str] | None) -> Any:
    """Whether an object is one that the command asked for."""
    from minikube_py.base import selector

    labels = selector.parse(call.text("selector"))
    namespace = None if call.on("all-namespaces") or not kind.namespaced else call.namespace
    fields = None
    if call.text("field-selector"):
        from minikube_py.api import fieldselectors

        fields = fieldselectors.parse(kind, call.text("field-selector"))

    def shown(obj: Object) -> bool:
        metadata = obj["metadata"]
        return (
            (names is None or metadata["name"] in names)
            and namespace in (None, metadata.get("namespace", ""))
            and labels.matches(metadata.get("labels") or {})
            and (fields is None or bool(fields(obj)))
        )

    return shown


class Rows:
    """Prints rows below one header; a column never becomes narrower, as in kubectl's remembering tab writer."""

    def __init__(self, call: Call, kind: Kind) -> None:
        self._call = call
        self._kind = kind
        self._widths: list[int] = []
        self._pending: list[tuple[str, Object]] = []
        self._headed = call.on("no-headers")

    def add(self, event: str, obj: Object) -> None:
        self._pending.append((event, obj))

    def flush(self) -> None:
        pending, self._pending = self._pending, []
        if not pending:
            return
        call = self._call
        if call.text("output") not in ("", "wide"):
            for _, obj in pending:
                call.say(show.whole(call, [select.item_of(self._kind, obj)], True))
            return
        objects = [obj for _, obj in pending]
        lines = show.table(call, self._kind, objects, show_kind=call.on("show-kind")).splitlines()
        cells = [_cells(lines[0] if not call.on("no-headers") else "", line) for line in lines]
        if call.on("output-watch-events"):
            events = [event for event, _ in pending]
            cells = [
                [event, *row]
                for event, row in zip(([] if call.on("no-headers") else ["EVENT"]) + events, cells, strict=True)
            ]
        if not call.on("no-headers") and self._headed:
            cells = cells[1:]
        self._headed = True
        for row in cells:
            self._widen(row)
        for row in cells:
            call.line(self._padded(row))

    def _widen(self, row: list[str]) -> None:
        for index, cell in enumerate(row):
            if index == len(self._widths):
                self._widths.append(6)
            self._widths[index] = max(self._widths[index], len(cell) + 3)

    def _padded(self, row: list[str]) -> str:
        return "".join(cell.ljust(width) for cell, width in zip(row[:-1], self._widths, strict=False)) + row[-1]


def _cells(head: str, line: str) -> list[str]:
    """The cells of a padded line: columns begin where the header's words do, at least three blanks apart."""
    import re

    if not head:
        return re.split(r" {3,}", line)
    starts = [0, *(found.end() for found in re.finditer(r" {3,}(?=\S)", head))]
    return [line[start:end].rstrip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
