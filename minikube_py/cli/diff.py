"""`kubectl diff` (pkg/cmd/diff): the live objects against what `apply` would make of them, shown by the diff program.

Exit code 1 means that there are differences, more than 1 that something failed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import KpyError, NotFound, UsageError
from minikube_py.cli import select

if TYPE_CHECKING:
    from minikube_py.cli.call import Call
    from minikube_py.cli.select import Item

Object = dict[str, Any]

FAILED = 2  # 1 means that there are differences
HIDDEN, BEFORE, AFTER = "***", "*** (before)", "*** (after)"


def run(call: Call) -> int:
    try:
        return _run(call)
    except KpyError as error:
        error.exit_code = FAILED
        raise


def _run(call: Call) -> int:
    import tempfile

    if call.args:
        raise call.usage(f"Unexpected args: [{' '.join(call.args)}]")
    call.require_files()
    with (
        tempfile.TemporaryDirectory(prefix="LIVE-") as live_folder,
        tempfile.TemporaryDirectory(prefix="MERGED-") as merged_folder,
    ):
        for obj, source in call.documents():
            item = select.of_document(call, obj, source)
            live, merged = versions(call, item)
            if item.kind.resource == "secrets" and not call.on("show-secrets"):
                live, merged = masked(live, merged)
            for folder, version in ((live_folder, live), (merged_folder, merged)):
                _write(os.path.join(folder, file_name(item)), version)
        return _compare(call, live_folder, merged_folder)


def file_name(item: Item) -> str:
    """'apps.v1.Deployment.default.web'."""
    return f"{item.kind.version.replace('/', '.')}.{item.kind.name}.{item.namespace}.{item.name}"


def versions(call: Call, item: Item) -> tuple[Object | None, Object]:
    """The object as it is (None if it is not) and as `apply` would make it, but for the last-applied annotation."""
    from minikube_py.apiserver import apply

    try:
        live = call.cluster.get(item.kind.resource, item.name, item.namespace)
    except NotFound:
        return None, call.cluster.create(item.object, namespace=item.namespace or "default", dry_run=True)
    wanted = apply.without_annotation(item.object)
    if item.kind.namespaced:
        wanted["metadata"]["namespace"] = item.namespace
    fields, form = apply.difference(item.kind, apply.last_applied(live) or {}, wanted, live)
    if not fields:
        return live, live
    return live, call.cluster.patch(item.kind.resource, item.name, item.namespace, fields, type=form, dry_run=True)


def masked(live: Object | None, merged: Object) -> tuple[Object | None, Object]:
    """A Secret's values hidden; values that change are marked as before and after."""
    before, after = (live or {}).get("data") or {}, merged.get("data") or {}
    shown_before, shown_after = dict.fromkeys(before, HIDDEN), dict.fromkeys(after, HIDDEN)
    for key in before.keys() & after.keys():
        if before[key] != after[key]:
            shown_before[key], shown_after[key] = BEFORE, AFTER
    new = {**merged, "data": shown_after} if after else merged
    return ({**live, "data": shown_before} if live and before else live), new


def _write(path: str, obj: Object | None) -> None:
    """The object as YAML; an empty file where there is none."""
    from minikube_py.printers import output, yaml_text

    with open(path, "w", encoding="utf-8") as file:
        file.write(yaml_text.dump(output.without_managed_fields(obj)) if obj is not None else "")


def _compare(call: Call, live: str, merged: str) -> int:
    """Run the diff program; KUBECTL_EXTERNAL_DIFF names another one, with arguments."""
    import shlex
    import subprocess

    words = shlex.split(os.environ.get("KUBECTL_EXTERNAL_DIFF") or "diff -u -N")
    try:
        done = subprocess.run([*words, live, merged], capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f'failed to run "{words[0]}": {(error.strerror or str(error)).lower()}') from None
    call.say(done.stdout)
    if done.stderr:
        call.complain(done.stderr.rstrip("\n"))
    return done.returncode
