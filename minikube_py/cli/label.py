"""`kubectl label` and `kubectl annotate` (pkg/cmd/label/label.go, pkg/cmd/annotate/annotate.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import KpyError, UsageError
from minikube_py.cli import failures, select, show, writing

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Found, Item


def label(call: Call) -> None:
    resources, pairs = writing.resources_and_pairs(call.args, "label")
    add, remove = _labels(pairs)
    found = _found(call, resources, bool(add or remove), "label")
    if call.on("list"):
        _list(call, found, "labels")
        return

    def change(item: Item) -> None:
        labels = (item.object.get("metadata") or {}).get("labels") or {}
        for key in remove:
            if key not in labels and call.dry_run != "client" and not call.on("local"):
                call.line(f'label "{key}" not found.')
        if not call.on("overwrite"):
            _refuse_overwriting(labels, add)
        added = {key: value for key, value in add.items() if labels.get(key) != value}
        removed = {key: None for key in remove if key in labels}
        changed = item.object
        if added or removed:
            changed = writing.patch(call, item, _fields(call, "labels", {**added, **removed}))
        show.result(call, item._replace(object=changed), _label_verb(bool(added), bool(removed)))

    _carry_out(call, found, change)


def _label_verb(added: bool, removed: bool) -> str:
    if added and removed:
        return "modified"
    return "labeled" if added else "unlabeled" if removed else "not labeled"


def _labels(pairs: list[str]) -> tuple[dict[str, str], list[str]]:
    """`a=b` adds, `c-` removes."""
    from minikube_py.base import selector

    add: dict[str, str] = {}
    remove: list[str] = []
    for pair in pairs:
        if "=" not in pair:
            remove.append(pair[:-1])
            continue
        key, _, value = pair.partition("=")
        if "=" in value:
            raise UsageError(f"invalid label spec: {pair}")
        problems = selector.value_errors(value)
        if problems:
            raise UsageError(f'invalid label value: "{pair}": {";".join(problems)}')
        add[key] = value
    if set(add) & set(remove):
        raise UsageError("can not both modify and remove a label in the same command")
    return add, remove


def _refuse_overwriting(labels: dict[str, str], add: dict[str, str]) -> None:
    errors: list[KpyError] = [
        UsageError(f"'{key}' already has a value ({labels[key]}), and --overwrite is false")
        for key, value in add.items()
        if key in labels and labels[key] != value
    ]
    failures.raise_all(errors)


def annotate(call: Call) -> None:
    resources, pairs = writing.resources_and_pairs(call.args, "annotation")
    add, remove = _annotations(pairs)
    found = _found(call, resources, bool(add or remove), "annotation")
    if call.on("list"):
        _list(call, found, "annotations")
        return

    def change(item: Item) -> None:
        annotations = (item.object.get("metadata") or {}).get("annotations") or {}
        taken = [key for key in add if key in annotations and annotations[key] != add[key]]
        if taken and not call.on("overwrite"):
            texts = "; ".join(f"'{key}' already has a value ({annotations[key]})" for key in taken)
            raise UsageError(f"--overwrite is false but found the following declared annotation(s): {texts}")
        changed = writing.patch(call, item, _fields(call, "annotations", {**add, **dict.fromkeys(remove)}))
        show.result(call, item._replace(object=changed), "annotated")

    _carry_out(call, found, change)


def _annotations(pairs: list[str]) -> tuple[dict[str, str], list[str]]:
    add: dict[str, str] = {}
    remove: list[str] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if equals:
            add[key] = value
        else:
            remove.append(pair[:-1])
    both = [key for key in remove if key in add]
    if both:
        raise UsageError(
            f"can not both modify and remove the following annotation(s) in the same command: {', '.join(both)}"
        )
    return add, remove


def _fields(call: Call, field: str, values: dict[str, str | None]) -> dict[str, object]:
    """The merge patch; with --resource-version it is refused if the object is another one by now."""
    metadata: dict[str, object] = {field: values}
    if call.text("resource-version"):
        metadata["resourceVersion"] = call.text("resource-version")
    return {"metadata": metadata}


def _found(call: Call, resources: list[str], changes: bool, what: str) -> Found:
    files = call.list("filename") or call.text("kustomize")
    if call.on("local"):
        example = "-f pod.yaml or --filename=pod.json" if what == "label" else "-f rsrc.yaml or --filename=rsrc.json"
        if resources:
            raise UsageError(f"can only use local files by {example} when --local=true is set")
        if not files:
            raise UsageError(f"one or more files must be specified as {example}")
    if not resources and not files:
        raise UsageError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if not changes and not call.on("list"):
        raise UsageError(f"at least one {what} update is required")
    if call.on("list") and call.text("output"):
        raise UsageError("--list and --output may not be specified together")
    for flag in ("selector", "field-selector"):
        if call.on("all") and call.text(flag):
            raise UsageError(f"cannot set --all and --{flag} at the same time")
    if call.on("local"):
        return select.locally(call)
    found = writing.chosen(call, resources)
    if call.text("resource-version") and not found.single:
        raise UsageError("--resource-version may only be used with a single resource")
    return found


def _list(call: Call, found: Found, field: str) -> None:
    for item in found.items:
        indent = ""
        if not found.single and not call.list("filename"):
            indent = " "
            call.line(f"Listing {field} for {item.kind.name}.{item.kind.group}/{item.name}:")
        for key, value in sorted(((item.object.get("metadata") or {}).get(field) or {}).items()):
            call.line(f"{indent}{key}={value}")
    failures.raise_all(found.errors)


def _carry_out(call: Call, found: Found, change: object) -> None:
    writing.each(call, found.items, change, found.errors)  # type: ignore[arg-type]
