"""`kubectl set selector` (pkg/cmd/set/set_selector.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import select, setting, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item


def run(call: Call) -> None:
    expressions = [word for word in call.args if "=" in word]
    resources = [word for word in call.args if "=" not in word]
    if not resources and not call.list("filename"):
        raise UsageError(select.NOTHING_GIVEN)
    if len(expressions) != 1:
        raise UsageError("one selector is required")
    wanted = _map(expressions[0])
    found = setting.found(call, resources)

    def change(item: Item) -> None:
        if item.kind.name != "Service":
            raise UsageError("setting a selector is only supported for Services")
        old = item.object["spec"].get("selector") or {}
        fields = {**dict.fromkeys(old), **wanted}
        changed = writing.patch(call, item, {"spec": {"selector": fields}})
        show.result(call, item._replace(object=changed), "selector updated")

    writing.each(call, found.items, change, found.errors)


def _map(text: str) -> dict[str, str]:
    """'app=web,tier=front'; other operators cannot be in a Service."""
    from minikube_py.base import selector

    labels = {}
    for one in selector.parse(text).requirements:
        if one.operator not in ("=", "=="):
            raise UsageError(f"match expression [{one}] not supported on this object")
        labels[one.key] = one.values[0]
    return labels
