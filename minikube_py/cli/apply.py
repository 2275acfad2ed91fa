"""`kubectl apply` (pkg/cmd/apply/apply.go): the three-way merge itself is the cluster's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, NotFound, StatusError, UsageError
from minikube_py.cli import failures, select, show
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
    errors: list[KpyError] = []
    wanted = _wanted(call, errors)
    if not wanted and not errors:
        raise UsageError("no objects passed to apply")
    items: list[Item] = []
    verbs: list[str] = []
    with call.transaction():
        for item in wanted:
            try:
                applied, verb = _apply(call, item)
            except KpyError as error:
                errors.append(error)
                continue
            items.append(item._replace(name=applied["metadata"]["name"], object=applied))
            verbs.append(verb)
        _tell(call, items, verbs, errors)
        if call.on("prune") and not errors:
            from minikube_py.cli import prune

            prune.run(call, items)
    failures.raise_all(errors)


def _wanted(call: Call, errors: list[KpyError]) -> list[Item]:
    """The objects of the files. What cannot be read or has no kind here becomes one of `errors`; the others are applied."""
    found: list[Item] = []
    unread: list[KpyError] = []
    for obj, source in call.documents(unread):
        try:
            item = select.of_document(call, obj, source)
        except KpyError as error:
            unread.append(error)
            continue
        if _selected(call, obj):
            found.append(item)
    if unread:
        errors.append(unread[0] if len(unread) == 1 else failures.Several(unread))
    return found


def _tell(call: Call, items: list[Item], verbs: list[str], errors: list[KpyError]) -> None:
    """With -o yaml and the like nothing is printed when anything failed."""
    if not errors or call.text("output") in ("", "name"):
        show.results(call, items, verbs)


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
    if metadata.get("generateName") and not item.name:
        raise UsageError(f"from {metadata['generateName']}: cannot use generate name with apply")
    if call.on("server-side"):
        return _server_side(call, item), "serverside-applied"
    if not item.name:
        raise failures.Sourced(
            UsageError("resource name may not be empty"),
            f"retrieving current configuration of:\n{place(item)}\nfrom server for:",
            item.source,
        )
    is_new = not warn_of_missing_annotation(call, item)
    try:
        return call.cluster.apply(
            item.object,
            namespace=item.namespace or "default",
            dry_run=call.dry_run == "server",
            local=call.dry_run == "client",
            validation=call.validation,
        )
    except KpyError as error:
        if is_new:
            raise failures.Sourced(error, "creating", item.source) from None
        patch = "".join(getattr(error, "__notes__", ()))
        raise failures.OfPatch(error, patch, place(item), item.source) from None


def place(item: Item) -> str:
    """resource.Info.String()."""
    group, _, version = item.kind.version.rpartition("/")
    return (
        f'Resource: "{group}/{version}, Resource={item.kind.plural}", '
        f'GroupVersionKind: "{group}/{version}, Kind={item.kind.name}"\n'
        f'Name: "{item.name}", Namespace: "{item.namespace}"'
    )


def _server_side(call: Call, item: Item) -> Object:
    """--server-side: create, or merge what the file says into the stored object, without the last-applied annotation.

    Fields are not owned by managers here, so there are no conflicts: the file wins, as with --force-conflicts.
    """
    from minikube_py.api import schema, typed

    problem = typed.problem(item.kind, item.object, item.namespace)
    if problem:
        raise StatusError(problem)
    dry_run = call.dry_run == "server"
    try:
        call.cluster.get(item.kind.resource, item.name, item.namespace)
    except NotFound:
        return call.cluster.create(
            item.object, namespace=item.namespace or "default", dry_run=dry_run, validation=call.validation
        )
    form = "strategic" if schema.merge_keys(item.kind.version, item.kind.name) else "merge"
    return call.cluster.patch(
        item.kind.resource, item.name, item.namespace, item.object, type=form, dry_run=dry_run, manager="kubectl"
    )


def warn_of_missing_annotation(call: Call, item: Item) -> bool:
    """Say that an object was not made by apply, and whether it is being deleted. False where there is none yet."""
    try:
        live = call.cluster.get(item.kind.resource, item.name, item.namespace)
    except NotFound:
        return False
    if LAST_APPLIED not in (live["metadata"].get("annotations") or {}):
        call.warn(
            f"resource {item.kind.plural}/{item.name} is missing the {LAST_APPLIED} annotation which is required by kubectl "
            "apply. kubectl apply should only be used on resources created declaratively by either kubectl create "
            "--save-config or kubectl apply. The missing annotation will be patched automatically."
        )
    if live["metadata"].get("deletionTimestamp"):
        call.warn(f"Detected changes to resource {item.name} which is currently being deleted.")
    return True
