"""`kubectl set selector` (pkg/cmd/set/set_selector.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import setting, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item


def run(call: Call) -> None:
    if not call.args:
        raise UsageError("one selector is required")
    *resources, text = call.args
    wanted, others = writing.label_selector(text)
    found = setting.found(call, resources)

    def change(item: Item) -> None:
        item = setting.typed(call, item)
        if item.kind.name != "Service":
            raise UsageError("setting a selector is only supported for Services")
        if others:
            shown = (f"{{{one['key']} {one['operator']} [{' '.join(one.get('values', ()))}]}}" for one in others)
            raise UsageError(f"match expression [{' '.join(shown)}] not supported on this object")
        old = item.object["spec"].get("selector") or {}
        fields = {**dict.fromkeys(old), **wanted}
        changed = writing.patch(call, item, {"spec": {"selector": fields}})
        show.result(call, item._replace(object=changed), "selector updated")

    writing.each(call, found.items, change, found.errors)
