"""`kubectl scale` (pkg/cmd/scale/scale.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import failures, select, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item


def run(call: Call) -> None:
    replicas = call.number("replicas")
    if replicas < 0:
        raise UsageError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    if call.number("current-replicas") < -1:
        raise UsageError("The --current-replicas must specify an integer of -1 or greater")
    found = select.find(call, every=call.on("all"), labels=call.text("selector"))
    if call.text("resource-version") and len(found.items) > 1:
        raise UsageError("cannot use --resource-version with multiple resources")
    if not found.items:
        failures.raise_all(found.errors)
        raise UsageError("no objects passed to scale")
    writing.each(call, found.items, lambda item: _scale(call, item, replicas), found.errors)
    if call.seconds("timeout") and call.dry_run == "none":
        _wait(call, found.items, replicas)


def _scale(call: Call, item: Item, replicas: int) -> None:
    if "scale" not in item.kind.subresources:
        raise UsageError(f"cannot scale {item.kind.plural}: the server could not find the requested resource")
    check_precondition(call, item)
    scaled = writing.patch(call, item, {"spec": {"replicas": replicas}}, "scale")
    show.result(call, item._replace(object=scaled), "scaled")


def check_precondition(call: Call, item: Item) -> None:
    current, expected = item.object["spec"].get("replicas", 1), call.number("current-replicas")
    if expected not in (-1, current):
        raise UsageError(f"Expected replicas to be {expected}, was {current}")
    version, wanted = item.object["metadata"].get("resourceVersion", ""), call.text("resource-version")
    if wanted and wanted != version:
        raise UsageError(f"Expected resource version to be {wanted}, was {version}")


def _wait(call: Call, items: list[Item], replicas: int) -> None:
    def reached(item: Item) -> bool:
        live = call.cluster.get(item.kind.resource, item.name, item.namespace)
        return bool((live.get("status") or {}).get("replicas", 0) == replicas)

    if not call.cluster.run_until(lambda: all(map(reached, items)), int(call.seconds("timeout"))):
        raise UsageError("timed out waiting for the condition")
