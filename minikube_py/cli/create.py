"""`kubectl create -f` (pkg/cmd/create/create.go), and what the generators (`create deployment` ...) share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, StatusError, UsageError
from minikube_py.cli import failures, select, show

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def run(call: Call) -> None:
    if call.args:
        raise call.usage(f"Unexpected args: [{' '.join(call.args)}]")
    call.require_files()
    if call.text("raw"):
        raise UsageError("--raw is not supported: there is no server to send to")
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
    if len(call.args) != 1:
        raise call.usage(f"exactly one NAME is required, got {len(call.args)}")
    return call.args[0]


def generated(call: Call, obj: Object, failing: str = "", verb: str = "created") -> None:
    """Create what a generator made, and say so. With -n the namespace is written into the object, as kubectl does.

    `failing`: what kubectl puts in front of a refusal ('failed to create deployment: ').
    """
    kind = call.registry.find(obj["apiVersion"], obj["kind"])
    assert kind is not None, obj["kind"]
    namespace = call.namespace if kind.namespaced else ""
    if kind.namespaced and call.text("namespace"):
        obj = {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
    if call.on("save-config"):
        obj = with_last_applied(obj, namespace)
    item = select.Item(kind, namespace, obj["metadata"]["name"], obj)
    try:
        sent = send(call, item)
    except StatusError as error:
        if failing:
            raise UsageError(f"{failing}{error}") from None
        raise
    if call.dry_run == "client" and call.text("output") == "json":
        call.say(_in_order(sent.object))
    else:
        show.result(call, sent, verb)


def _in_order(obj: Object) -> str:
    """JSON with the fields in the order of Go's structs, as kubectl prints what it made and did not send."""
    text = json.dumps(obj, indent=4, ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e") + "\n"
