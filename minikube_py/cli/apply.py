"""`kubectl apply` (pkg/cmd/apply/apply.go): the three-way merge itself is the cluster's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, NotFound, StatusError, UsageError
from minikube_py.cli import create, failures, select, show
from minikube_py.cli.create import LAST_APPLIED

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]


def run(call: Call) -> None:
    if call.args:
        raise call.usage(f"Unexpected args: [{' '.join(call.args)}]")
    call.require_files()
    _check_flags(call)
    items: list[Item] = []
    verbs: list[str] = []
    errors: list[KpyError] = []
    with call.cluster.transaction():
        for obj, source in call.documents(errors):
            try:
                item = select.of_document(call, obj, source)
                if not _selected(call, obj):
                    continue
                applied, verb = _apply(call, item)
            except KpyError as error:
                errors.append(error)
                continue
            items.append(item._replace(name=applied["metadata"]["name"], object=applied))
            verbs.append(verb)
        if not items and not errors:
            raise UsageError("no objects passed to apply")
        show.results(call, items, verbs)
        if call.on("prune"):
            from minikube_py.cli import prune

            prune.run(call, items)
    failures.raise_all(errors)


def _selected(call: Call, obj: Object) -> bool:
    if not call.text("selector"):
        return True
    from minikube_py.base import selector

    labels = (obj.get("metadata") or {}).get("labels") or {}
    return selector.parse(call.text("selector")).matches(labels)


def _check_flags(call: Call) -> None:
    server_side, dry_run = call.on("server-side"), call.dry_run
    if call.on("force-conflicts") and not server_side:
        raise UsageError("--force-conflicts only works with --server-side")
    if dry_run == "client" and server_side:
        raise UsageError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
    if call.on("force") and server_side:
        raise UsageError("--force cannot be used with --server-side")
    if dry_run == "server" and call.on("force"):
        raise UsageError("--dry-run=server cannot be used with --force")
    if call.on("all") and call.text("selector"):
        raise UsageError("cannot set --all and --selector at the same time")
    if call.on("prune") and not call.on("all") and not call.text("selector"):
        raise UsageError(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. "
            "If you did not mean to prune all resources, specify a label selector"
        )


def _apply(call: Call, item: Item) -> tuple[Object, str]:
    metadata = item.object.get("metadata") or {}
    if not metadata.get("name"):
        if metadata.get("generateName"):
            raise UsageError(f"from {metadata['generateName']}: cannot use generate name with apply")
        raise UsageError(
            f"error when retrieving current configuration of:\n{place(item)}\n"
            f'from server for: "{item.source}": resource name may not be empty'
        )
    if call.on("server-side"):
        return _server_side(call, item), "serverside-applied"
    live = _live(call, item)
    if live is None:
        if call.dry_run == "client":
            return create.with_last_applied(item.object, item.namespace), "created"
        try:
            return _send(call, item)
        except StatusError as error:
            raise failures.Sourced(error, "creating", item.source) from None
    if live["metadata"].get("deletionTimestamp"):
        call.warn(f"Detected changes to resource {item.name} which is currently being deleted.")
    try:
        return _send(call, item)
    except StatusError as error:
        raise failures.OfPatch(error, _patch_text(item, live), place(item), item.source) from None


def _send(call: Call, item: Item) -> tuple[Object, str]:
    return call.cluster.apply(
        item.object,
        namespace=item.namespace or "default",
        dry_run=call.dry_run != "none",
        validation=call.validation,
    )


def _patch_text(item: Item, live: Object) -> str:
    """The three-way patch that was refused, as kubectl shows it."""
    import json

    from minikube_py.apiserver import apply

    text = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    wanted = create.with_last_applied(item.object, item.namespace)
    fields, _ = apply.difference(item.kind, json.loads(text) if text else {}, wanted, live)
    return apply.go_json(fields)


def _live(call: Call, item: Item) -> Object | None:
    try:
        return call.cluster.get(item.kind.resource, item.name, item.namespace)
    except NotFound:
        return None


def place(item: Item) -> str:
    """Where an object lives, in the words of cli-runtime's resource.Info."""
    version = item.kind.version if "/" in item.kind.version else f"/{item.kind.version}"
    return (
        f'Resource: "{version}, Resource={item.kind.plural}", GroupVersionKind: "{version}, Kind={item.kind.name}"\n'
        f'Name: "{item.name}", Namespace: "{item.namespace}"'
    )


def _server_side(call: Call, item: Item) -> Object:
    """--server-side: create, or merge what the file says into the stored object, without the last-applied annotation.

    Fields are not owned by managers here, so there are no conflicts: the file wins, as with --force-conflicts.
    """
    from minikube_py.api import schema

    dry_run = call.dry_run == "server"
    if _live(call, item) is None:
        return call.cluster.create(
            item.object, namespace=item.namespace or "default", dry_run=dry_run, validation=call.validation
        )
    form = "strategic" if schema.merge_keys(item.kind.version, item.kind.name) else "merge"
    return call.cluster.patch(
        item.kind.resource, item.name, item.namespace, item.object, type=form, dry_run=dry_run, manager="kubectl"
    )
