"""`kubectl describe` (pkg/cmd/describe/describe.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import KpyError, NotFound, UsageError
from minikube_py.cli import failures, get, lookup, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item


def run(call: Call) -> None:
    if not call.args and not call.list("filename") and not call.text("kustomize"):
        raise UsageError(
            'You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of '
            "supported resources."
        )
    found = select.find(call, bare_types=True, all_namespaces=call.on("all-namespaces"), labels=call.text("selector"))
    if found.errors and isinstance(found.errors[0], NotFound) and len(call.args) == 2:
        _by_prefix(call, call.args[1], found.errors)
        return
    events = call.on("show-events")
    if not call.changed("show-events") and (found.errors or len(found.items) > 1):
        events = False
    call.say("\n\n".join(text(call, item, events) for item in found.items))
    if not found.items and not found.errors:
        get.say_nothing_found(call, [kind._replace(namespaced=True) for kind in found.kinds])
    failures.raise_all(found.errors)


def _by_prefix(call: Call, prefix: str, errors: list[KpyError]) -> None:
    """`describe pod web` describes web-1 and web-2 if there is no web."""
    everything = select.find(call, call.args[:1], bare_types=True)
    near = [item for item in everything.items if item.name.startswith(prefix)]
    if not near:
        failures.raise_all(errors)
    for item in near:
        call.line(text(call, item, call.on("show-events")))


def text(call: Call, item: Item, events: bool) -> str:
    from minikube_py.printers.describe import describe

    return describe(item.kind, item.object, lookup.ClusterLookup(call.cluster), call.now_s, show_events=events)
