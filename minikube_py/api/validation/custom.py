"""Custom objects against the schema of their CustomResourceDefinition, and the CEL rules in it.

Where an object breaks the schema itself, the rules are not evaluated, and a finding says so.
Sources: k8s.io/kube-openapi/pkg/validation/validate, k8s.io/apiextensions-apiserver/pkg/apiserver/{validation,schema/listtype}.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import names
from minikube_py.api.validation.causes import Causes, quote, to_json
from minikube_py.base import goregex
from minikube_py.base.errors import Cause

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

INT_OR_STRING = "x-kubernetes-int-or-string"
RULES = "x-kubernetes-validations"
_SERVER_FIELDS = ("apiVersion", "kind", "metadata")
_BLOCKING = frozenset({
    "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
})  # fmt: skip
_NOT_CHECKED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_FORMATS = {
    "date": _DATE,
    "date-time": _DATE + r"[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([zZ]|[+-]\d\d:\d\d)",
    "uuid": r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}",
    "email": r"[^@\s]+@[^@\s]+",
    "byte": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "hostname": r"(?i)(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
}


def check(causes: Causes, kind: Kind, obj: Object, old: Object | None) -> None:
    """Adds what breaks the schema of the object's version, or its rules. `old`: what it replaces."""
    version = str(obj.get("apiVersion") or kind.version)
    schema = kind.schemas.by_version.get(version) if kind.schemas else None
    if not schema:
        return
    broken = against(causes, obj, schema)
    if not _has_rules(schema):
        return
    if broken:
        causes.found.append(Cause("<nil>", "FieldValueInvalid", _NOT_CHECKED))
        return
    assert kind.schemas is not None, kind.name
    node = kind.schemas.rules(version)
    if node is not None:
        from minikube_py.api.cel import rules

        causes.found += rules.check(node, obj, old).causes


def against(causes: Causes, obj: Object, schema: Object) -> bool:
    """Adds what breaks a schema; what the API server itself writes (apiVersion, kind, metadata) is left out.

    Returns whether the object is so broken that rules cannot be evaluated.
    """
    before = len(causes)
    fields = {name: value for name, value in obj.items() if name not in _SERVER_FIELDS}
    _object(causes, fields, schema, "")
    _lists(causes, fields, schema, "")
    return any(cause.reason in _BLOCKING for cause in causes.found[before:])


def findings(value: Any, schema: Object, path: str = "") -> list[Cause]:
    """What breaks a schema in a value that is no whole object."""
    causes = Causes()
    _value(causes, value, schema, path)
    _lists(causes, value, schema, path)
    return causes.found


def _has_rules(schema: Any) -> bool:
    if isinstance(schema, dict):
        return RULES in schema or any(_has_rules(value) for value in schema.values())
    return isinstance(schema, list) and any(_has_rules(value) for value in schema)


def type_of(value: Any) -> str:
    """The JSON type of a value, as messages name it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if isinstance(value, int) or value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _value(causes: Causes, value: Any, schema: Object, path: str) -> None:
    if value is None and schema.get("nullable"):
        return
    if not _type(causes, value, schema, path) and isinstance(value, float) and _bounded(schema):
        kind, form = schema.get("type"), schema.get("format")
        label = f"{kind} with format {form}" if form else f"{kind} (default format)"
        text = f'Invalid value: "": Checked value must be of type {label} in {path}'
        causes.found.append(Cause("<nil>", "FieldValueInvalid", text))
    _combined(causes, value, schema, path)
    if isinstance(value, str):
        _string(causes, value, schema, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        _number(causes, value, schema, path)
    elif isinstance(value, list):
        _array(causes, value, schema, path)
    allowed = schema.get("enum")
    if allowed is not None and value not in allowed:
        listed = ", ".join(quote(one if isinstance(one, str) else to_json(one)) for one in allowed)
        shown = quote(value) if isinstance(value, str) else to_json(value)
        text = f"Unsupported value: {shown}: supported values: {listed}"
        causes.found.append(Cause(path, "FieldValueNotSupported", text))
    if isinstance(value, dict):
        _object(causes, value, schema, path)


def _bounded(schema: Object) -> bool:
    return any(name in schema for name in ("minimum", "maximum", "multipleOf"))


def _type(causes: Causes, value: Any, schema: Object, path: str) -> bool:
    """Whether the value is of the schema's type; a whole number is also a 'number'."""
    wanted = ["integer", "string"] if schema.get(INT_OR_STRING) else [schema["type"]] if schema.get("type") else []
    found = type_of(value)
    if not wanted or found in wanted or (found == "integer" and "number" in wanted):
        return True
    _type_invalid(causes, path, found, f"{path} in body must be of type {','.join(wanted)}: {quote(found)}")
    return False


def _type_invalid(causes: Causes, path: str, value: str, detail: str) -> None:
    causes.found.append(Cause(path, "FieldValueTypeInvalid", f"Invalid value: {quote(value)}: {detail}"))


def _string(causes: Causes, value: str, schema: Object, path: str) -> None:
    most, least = schema.get("maxLength"), schema.get("minLength")
    if most is not None and len(value) > most:
        causes.too_long(path, most)
    if least is not None and len(value) < least:
        causes.invalid(path, value, f"{path} in body should be at least {least} chars long")
    pattern = schema.get("pattern")
    if pattern and not goregex.compile(pattern).search(value):
        causes.invalid(path, value, f"{path} in body should match '{pattern}'")
    form = schema.get("format")
    if form and not _has_format(form, value):
        _type_invalid(causes, path, value, f"{path} in body must be of type {form}: {quote(value)}")


def _has_format(form: str, value: str) -> bool:
    if form in _FORMATS:
        return re.fullmatch(_FORMATS[form], value) is not None
    if form in ("ipv4", "ipv6"):
        return names.is_ipv4(value) if form == "ipv4" else names.is_ipv6(value)
    return not names.cidr(value) if form == "cidr" else True


def _number(causes: Causes, value: float, schema: Object, path: str) -> None:
    multiple = schema.get("multipleOf")
    if multiple and abs(value / multiple - round(value / multiple)) > 1e-9:
        causes.invalid(path, value, f"{path} in body should be a multiple of {to_json(multiple)}")
    most, least = schema.get("maximum"), schema.get("minimum")
    if most is not None:
        exclusive = schema.get("exclusiveMaximum")
        if value > most or (exclusive and value == most):
            words = "less than" if exclusive else "less than or equal to"
            causes.invalid(path, value, f"{path} in body should be {words} {to_json(most)}")
    if least is not None:
        exclusive = schema.get("exclusiveMinimum")
        if value < least or (exclusive and value == least):
            words = "greater than" if exclusive else "greater than or equal to"
            causes.invalid(path, value, f"{path} in body should be {words} {to_json(least)}")


def _array(causes: Causes, value: list[Any], schema: Object, path: str) -> None:
    items = schema.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(value):
            _value(causes, item, items, f"{path}[{index}]")
    most, least = schema.get("maxItems"), schema.get("minItems")
    if least is not None and len(value) < least:
        causes.invalid(path, len(value), f"{path} in body should have at least {least} items")
    if most is not None and len(value) > most:
        causes.too_many(path, len(value), most)
    if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
        causes.invalid(path, value, f"{path} in body shouldn't contain duplicates")


def _object(causes: Causes, value: Object, schema: Object, path: str) -> None:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if least is not None and len(value) < least:
        causes.invalid(path, len(value), f"{path} in body should have at least {least} properties")
    if most is not None and len(value) > most:
        causes.too_many(path, len(value), most)
    start = f"{path}." if path else ""
    for name in schema.get("required") or ():
        if name not in value and not (not path and name in _SERVER_FIELDS):
            causes.required(f"{start}{name}")
    properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
    for name, item in value.items():
        if name in properties:
            _value(causes, item, properties[name], f"{start}{name}")
        elif isinstance(others, dict):
            _value(causes, item, others, f"{start}{name}")


def _combined(causes: Causes, value: Any, schema: Object, path: str) -> None:
    """anyOf, oneOf, allOf and not: the value may satisfy one of several schemas, exactly one, all, none."""

    def fits(one: Object) -> bool:
        inner = Causes()
        _value(inner, value, one, path)
        return not len(inner)

    if schema.get("anyOf") and not schema.get(INT_OR_STRING) and not any(map(fits, schema["anyOf"])):
        _composed(causes, f"{quote(path)} must validate at least one schema (anyOf)")
    if schema.get("oneOf"):
        count = sum(map(fits, schema["oneOf"]))
        if count != 1:
            found = "Found none valid" if count == 0 else f"Found {count} valid alternatives"
            _composed(causes, f"{quote(path)} must validate one and only one schema (oneOf). {found}")
    if schema.get("allOf") and not all(map(fits, schema["allOf"])):
        for one in schema["allOf"]:
            _value(causes, value, one, path)
        _composed(causes, f"{quote(path)} must validate all the schemas (allOf)")
    if schema.get("not") and fits(schema["not"]):
        _composed(causes, f"{quote(path)} must not validate the schema (not)")


def _composed(causes: Causes, text: str) -> None:
    """Findings about compositions bear no field."""
    causes.found.append(Cause("<nil>", "FieldValueInvalid", f'Invalid value: "": {text}'))


def _lists(causes: Causes, value: Any, schema: Object, path: str) -> None:
    """Lists that are sets or maps hold no item, or key, twice."""
    start = f"{path}." if path else ""
    if isinstance(value, dict):
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, item in value.items():
            inner = properties.get(name, others)
            if isinstance(inner, dict):
                _lists(causes, item, inner, f"{start}{name}")
    if not isinstance(value, list):
        return
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if kind == "map":
        shown = [
            {key: item.get(key) for key in keys if key in item} if isinstance(item, dict) else item for item in value
        ]
    else:
        shown = value
    for index, item in enumerate(shown):
        if kind in ("set", "map") and item in shown[:index] and item not in shown[index + 1 :]:
            causes.duplicate(f"{path}[{index}]", item)
    if isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            _lists(causes, item, schema["items"], f"{path}[{index}]")
