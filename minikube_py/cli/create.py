"""`kubectl create -f` (pkg/cmd/create/create.go), and what the generators (`create deployment` ...) share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, StatusError, UsageError
from minikube_py.cli import failures, select, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def run(call: Call) -> int:
    if call.args:
        raise call.usage(f"Unexpected args: [{' '.join(call.args)}]")
    call.validation  # noqa: B018  # refused before anything else is looked at
    if call.on("edit") and not call.list("filename") and not call.text("kustomize"):
        raise UsageError(select.NOTHING_GIVEN)
    call.require_files()
    if call.text("raw"):
        raise raw_refused(call)
    if call.on("edit"):
        return _edit_first(call)
    errors: list[KpyError] = []
    count = 0
    with call.transaction():
        for obj, source in call.documents(errors):
            try:
                item = select.of_document(call, obj, source)
                if call.text("selector") and not _matches(call, obj):
                    continue
                created = send(call, _saving(call, item))
            except KpyError as error:
                sourced = not isinstance(error, UsageError)
                errors.append(failures.Sourced(error, "creating", source) if sourced else error)
                continue
            count += 1
            show.result(call, created, "created")
    failures.raise_all(errors)
    if not count:
        raise UsageError("no objects passed to create")
    return 0


def _edit_first(call: Call) -> int:
    """--edit: each object in the editor; what is left as it was is not created."""
    from minikube_py.cli import edit

    def store(objects: list[Object]) -> list[str]:
        for new in objects:
            item = _saving(call, select.of_document(call, new, "edited-file"))
            try:
                created = send(call, item)
            except KpyError as error:
                return [edit.refused(call, item, error)]
            show.result(call, created, "created")
        return []

    return max((edit.session(call, obj, store) for obj, _ in call.documents()), default=0)


def raw_refused(call: Call) -> UsageError:
    """--raw of the writing commands: nothing is sent anywhere."""
    path = call.text("raw")
    if not path.startswith("/"):
        return UsageError(f'--raw must be a valid URL path: parse "{path}": invalid URI for request')
    return UsageError("--raw is not supported: there is no server to send to")


def _matches(call: Call, obj: Object) -> bool:
    from minikube_py.base import selector

    return selector.parse(call.text("selector")).matches((obj.get("metadata") or {}).get("labels") or {})


def _saving(call: Call, item: Item) -> Item:
    """With --save-config the object carries itself as its last applied configuration."""
    if not call.on("save-config"):
        return item
    return item._replace(object=with_last_applied(item.object, item.namespace))


def with_last_applied(obj: Object, namespace: str) -> Object:
    """The object with the annotation that a later `apply` compares with."""
    from minikube_py.apiserver import apply

    metadata = {**(obj.get("metadata") or {}), **({"namespace": namespace} if namespace else {})}
    return apply.with_annotation({**obj, "metadata": metadata})


def send(call: Call, item: Item) -> Item:
    """Create one object; with --dry-run=client it is only given back."""
    if call.dry_run == "client":
        return item
    created = call.cluster.create(
        item.object,
        namespace=item.namespace or "default",
        dry_run=call.dry_run == "server",
        validation=call.validation,
    )
    return item._replace(name=created["metadata"].get("name") or "<unknown>", object=created)


def one_name(call: Call) -> str:
    """The NAME that every generator takes."""
    count = len(call.args) if call.parsed.dash < 0 else call.parsed.dash
    if count != 1:
        raise call.usage(f"exactly one NAME is required, got {count}")
    return call.args[0]


def generated(call: Call, obj: Object, failing: str = "", verb: str = "created") -> None:
    """Create what a generator made, and say so. With -n the namespace is written into the object, as kubectl does.

    `failing`: what kubectl puts in front of a refusal ('failed to create deployment: ').
    """
    call.validation  # noqa: B018  # a wrong --validate is refused though nothing will be validated
    kind = call.registry.find(obj["apiVersion"], obj["kind"])
    assert kind is not None, obj["kind"]
    namespace = call.namespace if kind.namespaced else ""
    if kind.namespaced and call.text("namespace"):
        obj = {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
    if call.on("save-config"):
        obj = _with_itself(obj)
    item = select.Item(kind, namespace, obj["metadata"]["name"], obj)
    try:
        sent = send(call, item)
    except StatusError as error:
        if failing:
            raise UsageError(f"{failing}{error}") from None
        raise
    show.result(call, sent, verb)


def _with_itself(obj: Object) -> Object:
    """A generated object with itself as its last applied configuration, in the order of Go's structs."""
    from minikube_py.printers import goorder

    text = goorder.compact(goorder.in_order(obj)) + "\n"
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), LAST_APPLIED: text}}}
