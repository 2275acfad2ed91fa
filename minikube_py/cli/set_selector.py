"""`kubectl set selector` (pkg/cmd/set/set_selector.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import UsageError
from minikube_py.cli import setting, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

OPERATORS = {"in": "In", "notin": "NotIn", "exists": "Exists", "!": "DoesNotExist"}


def run(call: Call) -> None:
    if not call.args:
        raise UsageError("one selector is required")
    *resources, text = call.args
    wanted, others = _parse(text)
    found = setting.found(call, resources)

    def change(item: Item) -> None:
        if item.kind.name != "Service":
            raise UsageError("setting a selector is only supported for Services")
        if others:
            raise UsageError(f"match expression [{' '.join(others)}] not supported on this object")
        old = item.object["spec"].get("selector") or {}
        fields = {**dict.fromkeys(old), **wanted}
        changed = writing.patch(call, item, {"spec": {"selector": fields}})
        show.result(call, item._replace(object=changed), "selector updated")

    writing.each(call, found.items, change, found.errors)


def _parse(text: str) -> tuple[dict[str, str], list[str]]:
    """'app=web,tier=front' as labels; other operators, which cannot be in a Service, as Go prints them
    (metav1.ParseToLabelSelector)."""
    from minikube_py.base import selector

    try:
        requirements = selector.parse(text).requirements
    except selector.SelectorError as error:
        raise UsageError(f'couldn\'t parse the selector string "{text}": {error}') from None
    labels: dict[str, str] = {}
    others = []
    for one in requirements:
        if one.operator in ("=", "=="):
            labels[one.key] = one.values[0]
        elif one.operator in OPERATORS:
            others.append(f"{{{one.key} {OPERATORS[one.operator]} [{' '.join(one.values)}]}}")
        elif one.operator in ("<", ">"):
            raise UsageError(f"\"{'lt' if one.operator == '<' else 'gt'}\" isn't supported in label selectors")
        else:
            raise UsageError(f'"{one.operator}" is not a valid label selector operator')
    return labels, others
