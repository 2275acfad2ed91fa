"""What kubectl itself checks in a manifest before it asks the server.

`validate` is the client's share of --validate=true (k8s.io/kubectl/pkg/validation/validation.go): the object says what
it is. `decode` is what its decoder cannot read in any command: metadata of the wrong types
(k8s.io/cli-runtime/pkg/resource/metadata_decoder.go).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import clock, gotext
from minikube_py.base.errors import UsageError

if TYPE_CHECKING:
    from minikube_py.api.types import Object

_STRINGS = ("generateName", "name", "namespace", "resourceVersion", "selfLink", "uid")
_NUMBERS = ("deletionGracePeriodSeconds", "generation")
_TIMES = ("creationTimestamp", "deletionTimestamp")
_MAPS = ("annotations", "labels")
_LISTS = {
    "finalizers": "[]string",
    "managedFields": "[]v1.ManagedFieldsEntry",
    "ownerReferences": "[]v1.OwnerReference",
}


def validate(value: Any, source: str) -> Object:
    """The value, if it is an object with apiVersion and kind (each item of a v1 List, too); else UsageError."""
    problems = _type_problems(value)
    if not problems and value["kind"] == "List" and value["apiVersion"] == "v1":
        items = value.get("items")
        if isinstance(items, list):
            problems = [problem for item in items for problem in _type_problems(item)]
        else:
            problems = ["invalid object to validate"]
    if problems:
        shown = list(dict.fromkeys(problems))
        problem = shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
        raise UsageError(
            f"error validating {gotext.quoted(source)}: error validating data: {problem}; "
            "if you choose to ignore these errors, turn validation off with --validate=false"
        )
    found: Object = value
    return found


def _type_problems(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return ["invalid object to validate"]
    problems = []
    for field in ("apiVersion", "kind"):
        found = value.get(field)
        if found is None:
            problems.append(f"{field} not set")
        elif not isinstance(found, str):
            problems.append(f"{field} isn't string type")
        elif field == "apiVersion" and found.count("/") > 1:
            problems.append(f"unexpected GroupVersion string: {found}")
    return problems


def decode(value: Any, source: str) -> Object:
    """The value, if kubectl's decoder can read its type and metadata; else UsageError."""
    problem = _decode_problem(value)
    if problem:
        raise UsageError(f"unable to decode {gotext.quoted(source)}: {problem}")
    found: Object = value
    return found


def _decode_problem(value: Any) -> str:
    if not isinstance(value, dict):
        return _wrong(value, "Go value of type unstructured.detector")
    if not isinstance(value.get("kind"), str) or not value["kind"]:
        return f"Object 'Kind' is missing in '{gotext.json_text(value)}'"
    items = value.get("items", [])
    if items is not None and not isinstance(items, list):
        return _wrong(items, "Go struct field decodeList.items of type []json.RawMessage")
    for item in items or ():
        if not isinstance(item, dict):
            return _wrong(item, "Go value of type map[string]interface {}")
    if not isinstance(value.get("apiVersion", ""), str):
        return _wrong(value["apiVersion"], "Go struct field metadataOnlyObject.TypeMeta.apiVersion of type string")
    metadata = value.get("metadata")
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        return _wrong(metadata, "Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta")
    return next(filter(None, (_field_problem(key, metadata[key]) for key in sorted(metadata))), "")


def _field_problem(key: str, value: Any) -> str:
    """What is wrong with one field of ObjectMeta; '' if nothing. Fields that it does not know do not matter."""
    where = f"Go struct field ObjectMeta.metadata.{key} of type"
    if value is None:
        return ""
    if key in _STRINGS:
        return "" if isinstance(value, str) else _wrong(value, f"{where} string")
    if key in _NUMBERS:
        return "" if type(value) is int else _wrong(value, f"{where} int64", exact=True)
    if key in _TIMES:
        return _time_problem(value)
    if key in _MAPS and not isinstance(value, dict):
        return _wrong(value, f"{where} map[string]string")
    if key in _LISTS and not isinstance(value, list):
        return _wrong(value, f"{where} {_LISTS[key]}")
    if key not in _MAPS and key != "finalizers":
        return ""
    inner = [value[name] for name in sorted(value)] if isinstance(value, dict) else value
    wrong = [item for item in inner if item is not None and not isinstance(item, str)]
    return _wrong(wrong[0], f"{where} string") if wrong else ""


def _time_problem(value: Any) -> str:
    if not isinstance(value, str):
        return _wrong(value, "Go value of type string")
    try:
        clock.seconds(value)
    except (ValueError, KeyError, IndexError):
        shown = gotext.quoted(value)
        return f'parsing time {shown} as "2006-01-02T15:04:05Z07:00": cannot parse {shown} as "2006"'
    return ""


def _wrong(value: Any, where: str, exact: bool = False) -> str:
    """json.UnmarshalTypeError; `exact` names a number that does not fit."""
    kinds = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}
    kind = kinds.get(type(value), "null")
    if exact and isinstance(value, float):
        kind = f"number {gotext.json_float(value)}"
    return f"json: cannot unmarshal {kind} into {where}"
