"""`kubectl apply` (pkg/cmd/apply/apply.go): the three-way merge itself is the cluster's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import Conflict, KpyError, NotFound, UsageError
from minikube_py.cli import delete, failures, select, show
from minikube_py.cli.create import LAST_APPLIED

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

SERVER_SIDE = "kubectl"  # the field manager of --server-side, unless --field-manager names another
ANNOTATION_MANAGER = "kubectl-last-applied"
CONFLICT_ADVICE = """Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


def run(call: Call) -> None:
    if call.args:
        raise call.usage(f"Unexpected args: [{' '.join(call.args)}]")
    delete.propagation(call)
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
    """--server-side, and what was applied without it before becomes server-side applied."""
    manager = call.text("field-manager") if call.changed("field-manager") else SERVER_SIDE
    applied = _send(call, item.object, item, manager)
    if call.dry_run == "server":
        return applied
    _keep_annotation(call, item, applied, manager)
    if call.cluster.take_over(item.kind.resource, item.name, item.namespace, manager=manager):
        return _send(call, item.object, item, manager)
    return applied


def _send(call: Call, obj: Object, item: Item, manager: str) -> Object:
    try:
        return call.cluster.apply_server_side(
            obj,
            namespace=item.namespace or "default",
            manager=manager,
            force=call.on("force-conflicts"),
            dry_run=call.dry_run == "server",
        )
    except Conflict as error:
        raise UsageError(f"{error}\n{CONFLICT_ADVICE}") from None


def _keep_annotation(call: Call, item: Item, applied: Object, manager: str) -> None:
    """The annotation of client-side apply gets a manager of its own, else the next server-side apply would remove it."""
    text = (applied["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if text is None or manager != SERVER_SIDE:
        return
    shown = call.cluster.with_managed_fields(item.kind.resource, applied)
    if any(entry["manager"] == ANNOTATION_MANAGER for entry in shown["metadata"]["managedFields"]):
        return
    place = {"name": item.name, **({"namespace": item.namespace} if item.namespace else {})}
    meta = {"annotations": {LAST_APPLIED: text}, **place}
    alone = {"apiVersion": item.object["apiVersion"], "kind": item.object["kind"], "metadata": meta}
    _send(call, alone, item, ANNOTATION_MANAGER)


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
