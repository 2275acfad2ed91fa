"""`kubectl apply` on the client's side: create, or merge three ways with what was applied last.

Source: k8s.io/kubectl/pkg/cmd/apply (patcher.go), pkg/util/apply.go (the annotation).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from minikube_py.apiserver.origin import Origin
from minikube_py.apiserver.verbs import key_of, patched
from minikube_py.base import patch
from minikube_py.base.errors import StatusError

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object
    from minikube_py.apiserver.verbs import ApiServer

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MANAGER = "kubectl-client-side-apply"


def apply(
    server: ApiServer,
    kind: Kind,
    obj: Object,
    *,
    namespace: str,
    check: str = "Strict",
    dry_run: bool = False,
    local: bool = False,
    origin: Origin | None = None,
) -> tuple[Object, str]:
    """Returns (the stored object, 'created' | 'configured' | 'unchanged'). Warns where the annotation was missing.

    `local` (--dry-run=client): what a client can tell without sending anything: nothing is defaulted or refused.
    A patch that the server refuses is noted on the error (`__notes__`), as kubectl prints it.
    """
    origin = origin or Origin(MANAGER)
    meta = obj.get("metadata") or {}
    if not isinstance(meta, dict) or not isinstance(meta.get("name") or "", str):
        return server.create(kind, obj, namespace=namespace, origin=origin, check=check, dry_run=dry_run), "created"
    if kind.namespaced:
        meta = {**meta, "namespace": namespace}
    obj = {**obj, "metadata": meta}
    wanted = with_annotation(obj)
    current = server.store.get(key_of(kind, obj)) if meta.get("name") else None
    if current is None:
        if local:
            return wanted, "created"
        return server.create(kind, wanted, namespace=namespace, origin=origin, check=check, dry_run=dry_run), "created"
    last = last_applied(current)
    if last is None and not local:
        server.warnings.append(
            f"resource {kind.plural}/{meta['name']} is missing the {LAST_APPLIED} annotation which is required by "
            "kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl "
            "create --save-config or kubectl apply. The missing annotation will be patched automatically."
        )
    fields, form = difference(kind, last or {}, wanted, current)
    if not fields:
        return current, "unchanged"
    if local:
        return patched(kind, current, fields, form), "configured"
    try:
        new = server.patch(kind, key_of(kind, obj), fields, form=form, origin=origin, check=check, dry_run=dry_run)
    except StatusError as error:
        from minikube_py.api import secrets

        error.add_note(go_json(secrets.hidden(fields) if kind.resource == "secrets" else fields))
        raise
    return new, "configured"


def last_applied(obj: Object) -> Object | None:
    """What its annotation says that was applied last; None without one."""
    text = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if text is None:
        return None
    found: Object = json.loads(text) if text else {}
    return found


def difference(kind: Kind, original: Object, wanted: Object, current: Object) -> tuple[Object, str]:
    """The patch that takes `current` to what is wanted, and its form: strategic where the kind is a Go type."""
    from minikube_py.api import schema

    lists = schema.merge_keys(kind.version, kind.name)
    return patch.three_way(original, wanted, current, lists), "merge" if lists is None else "strategic"


def with_annotation(obj: Object) -> Object:
    """The object with itself, without that annotation, written into its last-applied annotation."""
    if not isinstance(obj["metadata"].get("annotations") or {}, dict):
        return obj  # the server will refuse it
    bare = without_annotation(obj)
    annotations = {**bare["metadata"]["annotations"], LAST_APPLIED: go_json(bare) + "\n"}
    return {**bare, "metadata": {**bare["metadata"], "annotations": annotations}}


def without_annotation(obj: Object) -> Object:
    """The object without that annotation, and with annotations, be they empty (util.GetModifiedConfiguration)."""
    meta = obj["metadata"]
    given = meta.get("annotations") or {}
    annotations = {name: value for name, value in given.items() if name != LAST_APPLIED}
    return {**obj, "metadata": {**meta, "annotations": annotations}}


def go_json(value: Object) -> str:
    """JSON as Go's encoder writes it: sorted keys, no spaces, <, > and & escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character, escaped in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(character, escaped)
    return text
