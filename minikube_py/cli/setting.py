"""What the `kubectl set` commands share: find the objects, change their pod specs, send the difference, tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import patch as patches
from minikube_py.base.errors import KpyError, StatusError, UsageError
from minikube_py.cli import failures, podspecs, select, show, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item

Object = dict[str, Any]


def found(call: Call, resources: list[str]) -> Found:
    """The objects; with --local those of the files alone, without a cluster's answer."""
    if call.on("local"):
        if not resources and not call.list("filename"):
            raise UsageError(select.NOTHING_GIVEN)
        if resources:
            raise UsageError(
                "you must specify resources by --filename when --local is set.\n"
                "Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'"
            )
        items = [select.of_document(call, obj, source) for obj, source in call.documents()]
        return select.Found(items, [], len(items) == 1, [item.kind for item in items])
    return select.find(call, resources, every=call.on("all"), labels=call.text("selector"))


def change_specs(
    call: Call,
    objects: Found,
    change: Callable[[Object], Object],
    verb: str,
    failing: str,
    errors: list[KpyError] | None = None,
) -> None:
    """Change each object's pod spec. Objects that do not change are passed over in silence, as kubectl does.

    `failing`: what kubectl puts in front of a refusal. `errors`: filled by `change` itself (a container that is not
    there); raised at the end.
    """
    collected: list[KpyError] = errors if errors is not None else []
    with call.transaction():
        for item in objects.items:
            try:
                _change(call, item, change, verb)
            except StatusError as error:
                collected.append(UsageError(f"{failing}{error}"))
            except KpyError as error:
                collected.append(error)
    failures.raise_all([*objects.errors, *collected])


def _change(call: Call, item: Item, change: Callable[[Object], Object], verb: str) -> None:
    if podspecs.spec_of(item.object) is None:
        raise UsageError(
            f"{item.kind.plural}/{item.name} the object is not a pod or does not have a pod template: {item.kind.name}"
        )
    fields = patches.diff(item.object, podspecs.with_spec(item.object, change))
    if fields:
        changed = writing.patch(call, item, fields)
        show.result(call, item._replace(object=changed), verb)
