"""What the API server's decoder does with a document: refuse wrong types and unknown fields, and print it back as Go does.

Type errors are told before unknown fields. How values are decoded is in `gocodec`, by the types of `gotypes`; custom
resources are pruned and defaulted by their own schema (`custom`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import gotypes
from minikube_py.api.gocodec import PatchRun, Place, Run, Stop, codec
from minikube_py.base import gotext
from minikube_py.base.errors import BadRequest, Cause, Invalid

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object


def decode(kind: Kind, obj: Object, strictness: str = "Strict") -> tuple[Object, list[str]]:
    """The document as the API server would print it, and warnings (without 'Warning: ' in front).

    `strictness`: Strict (unknown fields are an error), Warn, Ignore. Raises BadRequest in the API server's words.
    """
    version = str(obj.get("apiVersion") or kind.version)
    go = gotypes.type_of(version, kind.name)
    run = Run()
    try:
        decoded = codec(go).decode(run, obj, None) if go is not None else _custom(kind, obj, run)
    except Stop as stop:
        raise _bad(kind, version, str(stop)) from None
    if run.error:
        raise _bad(kind, version, run.error)
    if run.unknown and strictness == "Strict":
        listed = ", ".join(f'unknown field "{field}"' for field in run.unknown)
        raise _bad(kind, version, f"strict decoding error: {listed}")
    warnings = [f'unknown field "{field}"' for field in run.unknown] if strictness == "Warn" else []
    return decoded, warnings


def patched(kind: Kind, obj: Object, patch: Any, how: str, strictness: str = "Strict") -> tuple[Object, list[str]]:
    """As `decode`, for an object that a patch has changed. `how`: 'strategic', 'merge' or 'json'.

    Raises Invalid without a kind ('The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": ...').
    Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
    """
    problem = "" if how == "strategic" else _foreign(kind, obj)
    if problem:
        raise Invalid("", "", "", [_patch_cause(obj, patch, how, problem)])
    obj = {**obj, "apiVersion": kind.version, "kind": kind.name}
    go = gotypes.type_of(kind.version, kind.name)
    run = PatchRun() if how == "strategic" else Run()
    decoded = obj
    try:
        decoded = codec(go).decode(run, obj, None) if go is not None else _custom(kind, obj, run)
        problem = run.error
    except Stop as stop:
        problem = str(stop)
    fields = [f'unknown field "{field}"' for field in (sorted(run.unknown) if how == "strategic" else run.unknown)]
    if not problem and fields and strictness == "Strict":
        problem = f"strict decoding error: {', '.join(fields)}"
    if problem:
        raise Invalid("", "", "", [_patch_cause(obj, patch, how, problem)])
    return decoded, fields if strictness == "Warn" else []


def _patch_cause(obj: Object, patch: Any, how: str, problem: str) -> Cause:
    if obj.get("kind") == "Secret":
        from minikube_py.api import secrets

        obj, patch = secrets.hidden(obj), secrets.hidden(patch)
    told = gotext.shown(patch) if how == "strategic" else gotext.json_text(obj)
    return Cause("patch", "FieldValueInvalid", f"Invalid value: {gotext.quoted(told)}: {problem}")


def _foreign(kind: Kind, obj: Object) -> str:
    """Why an object that a merge patch made another kind of cannot be read. (A strategic merge patch ignores it.)"""
    version, name = obj.get("apiVersion"), obj.get("kind")
    if (version or kind.version) == kind.version and (name or kind.name) == kind.name:
        return ""
    bare = str(version).rpartition("/")[2]
    return f"converting ({bare}.{name}) to ({kind.version.rpartition('/')[2]}.{kind.name}): unknown conversion"


def _custom(kind: Kind, obj: Object, run: Run) -> Object:
    """Kinds that are no Go type: metadata is decoded strictly, the rest is pruned and defaulted by a CRD's schema."""
    place = Place(None, "metadata", kind.name)
    metadata = codec("meta.v1.ObjectMeta").decode(run, obj.get("metadata") or {}, place)
    if kind.simulated:
        from minikube_py.api import custom, simulator

        return {**custom.prune(simulator.schema(kind.name), obj, "", run.unknown), "metadata": metadata}
    if kind.schemas is None:
        return {**obj, "metadata": metadata}
    from minikube_py.api import custom

    return custom.shape(kind, {**obj, "metadata": metadata}, run.unknown)


def _bad(kind: Kind, version: str, text: str) -> BadRequest:
    bare = version.rpartition("/")[2]
    return BadRequest(f'{kind.name} in version "{bare}" cannot be handled as a {kind.name}: {text}')
