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

STRICT = ("set image", "set resources", "set selector", "set subject")  # those that refuse words beside --local


def found(call: Call, resources: list[str]) -> Found:
    """The objects; with --local those of the files alone, without a cluster's answer."""
    if call.on("local"):
        if not call.list("filename") and not call.text("kustomize") and not (resources and call.command in STRICT):
            raise UsageError(select.NOTHING_GIVEN)
        if resources and call.command in STRICT:
            raise UsageError(
                "you must specify resources by --filename when --local is set.\n"
                "Example resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'"
            )
        return select.locally(call)
    return select.find(call, resources, every=call.on("all"), labels=call.text("selector"))


def object_name(call: Call, item: Item) -> str:
    """resource.Info.ObjectName: 'deployments/web'; for a local file 'pod/p', and with a line's end where there is a group."""
    if not call.on("local"):
        return f"{item.kind.plural}/{item.name}"
    return f"{item.title}\n" if item.kind.group else item.title


def typed(call: Call, item: Item) -> Item:
    """What is not sent anywhere, as Go's struct of its kind prints it: without unknown fields, with 'status: {}'."""
    if call.text("output") in ("", "name") or not (call.on("local") or call.dry_run == "client"):
        return item
    from minikube_py.api import decode

    return item._replace(object=decode.decode(item.kind, item.object, "Ignore")[0])


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
                collected.append(UsageError(f"error: {object_name(call, item)} {error}\n"))
    failures.raise_all([*objects.errors, *collected])


def _change(call: Call, item: Item, change: Callable[[Object], Object], verb: str) -> None:
    if podspecs.spec_of(item.object) is None:
        version = item.kind.version.rpartition("/")[2]
        raise UsageError(f"the object is not a pod or does not have a pod template: *{version}.{item.kind.name}")
    item = typed(call, item)
    fields = patches.diff(item.object, podspecs.with_spec(item.object, change))
    if fields:
        changed = writing.patch(call, item, fields)
        show.result(call, item._replace(object=changed), verb)
