"""`kubectl replace` (pkg/cmd/replace/replace.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import NotFound, StatusError, UsageError
from minikube_py.cli import create, delete, failures, select, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item


def run(call: Call) -> None:
    call.validation  # noqa: B018  # refused before anything else is looked at
    delete.propagation(call)
    call.require_files()
    force = call.on("force")
    if call.changed("grace-period") and call.number("grace-period") >= 0 and not force:
        raise UsageError("--grace-period must have --force specified")
    if call.changed("timeout") and call.seconds("timeout") and not force:
        raise UsageError("--timeout must have --force specified")
    if force and call.dry_run != "none":
        raise UsageError("--dry-run can not be used when --force is set")
    found = select.of_files(call)
    items, errors = found.items, found.errors
    if force and not items and not errors:  # without --force kubectl has nothing to say of nothing
        raise UsageError("no objects passed to replace")
    if force:
        _delete_first(call, items)
    with call.transaction():
        for item in items:
            try:
                done = create.send(call, item) if force else _replace(call, item)
            except StatusError as error:
                errors.append(failures.Sourced(error, "creating" if force else "replacing", item.source))
                continue
            show.result(call, done, "replaced")
    failures.raise_all(errors)


def _replace(call: Call, item: Item) -> Item:
    if call.dry_run == "client":
        return item
    updated = call.cluster.update(
        item.object,
        namespace=item.namespace,
        subresource=call.text("subresource"),
        dry_run=call.dry_run == "server",
        validation=call.validation,
    )
    return item._replace(object=updated)


def _delete_first(call: Call, items: list[Item]) -> None:
    """--force: delete, wait until it is gone, create anew."""
    gone: list[Item] = []
    grace_s = call.number("grace-period") if call.changed("grace-period") else 0
    for item in items:
        try:
            live = call.cluster.get(item.kind.resource, item.name, item.namespace)
            call.cluster.delete(item.kind.resource, item.name, item.namespace, grace_s=max(grace_s, 0))
        except NotFound:
            continue
        call.line(delete.sentence(item, "deleted"))
        gone.append(item._replace(object=live))
    delete.wait_until_gone(call, gone, call.seconds("timeout"))
