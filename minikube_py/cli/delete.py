"""`kubectl delete` (pkg/cmd/delete/delete.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import KpyError, NotFound, UsageError
from minikube_py.cli import create, failures, select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item

PROPAGATION = {
    "background": "Background", "true": "Background", "foreground": "Foreground", "orphan": "Orphan", "false": "Orphan",
}  # fmt: skip


def run(call: Call) -> None:
    grace_s = _grace(call)
    cascade = propagation(call)
    if call.text("raw"):
        raise create.raw_refused(call)
    found = _find(call)
    if call.text("output") not in ("", "name"):
        raise UsageError(f"unexpected -o output mode: {call.text('output')}. We only support '-o name'")
    if call.on("all") and call.text("field-selector"):
        raise UsageError("cannot set --all and --field-selector at the same time")
    if grace_s == 0 and call.on("force"):
        call.warn(
            "Immediate deletion does not wait for confirmation that the running resource has been terminated. "
            "The resource may continue to run on the cluster indefinitely."
        )
    if call.on("interactive") and not _confirmed(call, found.items):
        return
    deleted: list[Item] = []
    errors = list(found.errors)
    with call.transaction():
        for item in found.items:
            try:
                deleted.append(_delete(call, item, grace_s, cascade))
            except KpyError as error:
                if not (_ignores_missing(call) and isinstance(error, NotFound)):
                    errors.append(failures.Sourced(error, "deleting", item.source) if item.source else error)
    failures.raise_all(errors)
    if not found.items:
        call.line("No resources found")
    elif call.on("wait") and call.dry_run == "none":
        wait_until_gone(call, deleted, call.seconds("timeout"))


def _ignores_missing(call: Call) -> bool:
    if call.changed("ignore-not-found"):
        return call.on("ignore-not-found")
    return call.on("all") or bool(call.text("selector") or call.text("field-selector"))


def _grace(call: Call) -> int | None:
    """The grace period in seconds; None for each object's own. 0 needs --force, else it becomes 1."""
    grace_s = call.number("grace-period")
    if call.on("now"):
        if grace_s != -1:
            raise UsageError("--now and --grace-period cannot be specified together")
        return 1
    if grace_s == 0 and not call.on("force"):
        return 1
    if grace_s > 0 and call.on("force"):
        raise UsageError("--force and --grace-period greater than 0 cannot be specified together")
    if call.on("force"):
        return 0
    return None if grace_s < 0 else grace_s


def propagation(call: Call) -> str:
    """--cascade as the API's propagation policy."""
    value = call.text("cascade")
    if value not in PROPAGATION:
        raise UsageError(f'invalid cascade value ({value}). Must be "background", "foreground", or "orphan"')
    return PROPAGATION[value]


def _find(call: Call) -> Found:
    return select.find(
        call,
        every=call.on("all"),
        all_namespaces=call.on("all-namespaces"),
        labels=call.text("selector"),
        fields=call.text("field-selector"),
        read=False,
    )


def _confirmed(call: Call, items: list[Item]) -> bool:
    """-i: show what would go and ask."""
    import sys

    call.line("You are about to delete the following " + str(len(items)) + " resource(s):")
    for item in items:
        call.line(f"{item.kind.plural}{'.' + item.kind.group if item.kind.group else ''}/{item.name}")
    call.say("Do you want to continue? (y/N): ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    call.line("deletion is cancelled")
    return False


def _delete(call: Call, item: Item, grace_s: int | None, propagation: str) -> Item:
    """Delete one object and tell; gives back the item with the object as it was."""
    if call.dry_run == "client":
        live = call.cluster.get(item.kind.resource, item.name, item.namespace)
    else:  # nobody needs the right to read what they delete
        call.cluster.authorize("delete", item.kind, item.namespace, item.name)
        live = call.cluster.stored(item.kind.resource, item.name, item.namespace)
        call.cluster.delete(
            item.kind.resource,
            item.name,
            item.namespace,
            grace_s=grace_s,
            propagation=propagation,
            dry_run=call.dry_run == "server",
        )
    if call.text("output") == "name":
        call.line(item.title)
    else:
        call.line(sentence(item, "force deleted" if grace_s == 0 else "deleted") + call.dry_run_suffix)
    return item._replace(object=live)


def sentence(item: Item, done: str) -> str:
    """'deployment.apps "web" deleted from default namespace'."""
    where = f" from {item.namespace} namespace" if item.kind.namespaced else ""
    return f'{item.kind.qualified} "{item.name}" {done}{where}'


def wait_until_gone(call: Call, items: list[Item], timeout_s: float) -> None:
    """Let virtual time pass until none of the objects (by uid) is left, 0: as long as anything happens.

    Raises UsageError when they are still there.
    """

    def left() -> list[Item]:
        return [item for item in items if _is_there(call, item)]

    if not left():
        return
    if not call.cluster.run_until(lambda: not left(), int(timeout_s) or None):
        first = left()[0]
        raise UsageError(f"timed out waiting for the condition on {first.kind.plural}/{first.name}")


def _is_there(call: Call, item: Item) -> bool:
    try:
        live = call.cluster.get(item.kind.resource, item.name, item.namespace)
    except NotFound:
        return False
    return bool(live["metadata"].get("uid") == item.object["metadata"].get("uid"))
