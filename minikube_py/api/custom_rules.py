"""What a CustomResourceDefinition's schema demands of an object, in the API server's words. CEL rules are not evaluated.

Sources: k8s.io/kube-openapi pkg/validation/validate (go-openapi), k8s.io/apiextensions-apiserver pkg/apiserver/validation,
pkg/apiserver/schema/listtype, pkg/registry/customresource/strategy.go (hasBlockingErr).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.base.errors import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

INVALID, REQUIRED, UNSUPPORTED, DUPLICATE, TOO_LONG, TOO_MANY, WRONG_TYPE = (
    "FieldValueInvalid",
    "FieldValueRequired",
    "FieldValueNotSupported",
    "FieldValueDuplicate",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
)
BLOCKING = {REQUIRED, UNSUPPORTED, TOO_LONG, TOO_MANY, WRONG_TYPE}
NOT_CHECKED = Cause(
    "<nil>",
    INVALID,
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)
RULES = "x-kubernetes-validations"
INT_OR_STRING = "x-kubernetes-int-or-string"


def causes(kind: Kind, obj: Object) -> list[Cause]:
    """The findings for an object of a custom kind (metadata aside); [] if its version has no schema."""
    if kind.schemas is None:
        return []
    schema = kind.schemas.by_version.get(obj.get("apiVersion", kind.version)) or {}
    body = {field: value for field, value in obj.items() if field not in ("apiVersion", "kind", "metadata")}
    schema = {**schema, "required": [one for one in schema.get("required") or () if one != "metadata"]}
    found = [*check(schema, body, ""), *_duplicates(schema, body, "")]
    if _has_rules(schema) and any(cause.reason in BLOCKING for cause in found):
        found.append(NOT_CHECKED)
    return found


def check(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    """The findings for a value and all that is in it. A null is taken for absent: `custom.default` dropped what may not be."""
    if value is None:
        return
    wanted = "integer,string" if schema.get(INT_OR_STRING) else schema.get("type", "")
    if wanted and not _is_of(value, wanted):
        yield from _wrong_type(value, wanted, path)
        return
    for name, rule in SCALAR_RULES:
        if name in schema:
            yield from rule(schema, value, path)
    if isinstance(value, dict):
        yield from _fields(schema, value, path)
    elif isinstance(value, list):
        items = schema.get("items") or {}
        for index, one in enumerate(value):
            yield from check(items, one, f"{path}[{index}]")
    yield from _compositions(schema, value, path)


def type_name(value: Any) -> str:
    """What OpenAPI calls the type of a JSON value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    for python, name in ((str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, python):
            return name
    return "null"


def _is_of(value: Any, wanted: str) -> bool:
    name = type_name(value)
    return name in wanted.split(",") or (name == "integer" and wanted == "number")


def _wrong_type(value: Any, wanted: str, path: str) -> Iterator[Cause]:
    name = type_name(value)
    text = f'Invalid value: "{name}": {path} in body must be of type {wanted}: "{name}"'
    yield Cause(path or "<nil>", WRONG_TYPE, text)
    if name == "number" and wanted == "integer":
        text = f'Invalid value: "": Checked value must be of type integer (default format) in {path}'
        yield Cause("<nil>", INVALID, text)


def _fields(schema: Object, value: Object, path: str) -> Iterator[Cause]:
    for name in schema.get("required") or ():
        if name not in value:
            yield Cause(_join(path, name), REQUIRED, "Required value")
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    for name in sorted(value):
        inner = properties.get(name) or (more if isinstance(more, dict) and name not in properties else None)
        if inner:
            yield from check(inner, value[name], _join(path, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# ------------------------------------------------------------------------------------------- rules for one value


def _enum(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    if value not in schema["enum"]:
        supported = ", ".join(_json(one) for one in schema["enum"])
        yield Cause(path, UNSUPPORTED, f"Unsupported value: {_json(value)}: supported values: {supported}")


def _minimum(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    limit, exclusive = schema["minimum"], schema.get("exclusiveMinimum")
    if _is_number(value) and (value <= limit if exclusive else value < limit):
        words = "greater than" if exclusive else "greater than or equal to"
        yield _invalid(value, path, f"should be {words} {_json(limit)}")


def _maximum(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    limit, exclusive = schema["maximum"], schema.get("exclusiveMaximum")
    if _is_number(value) and (value >= limit if exclusive else value > limit):
        words = "less than" if exclusive else "less than or equal to"
        yield _invalid(value, path, f"should be {words} {_json(limit)}")


def _multiple_of(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    step = schema["multipleOf"]
    if _is_number(value) and not float(value / step).is_integer():
        yield _invalid(value, path, f"should be a multiple of {_json(step)}")


def _pattern(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    pattern = schema["pattern"]
    if isinstance(value, str) and not _matches(pattern, value):
        yield _invalid(value, path, f"should match '{pattern}'")


def _matches(pattern: str, text: str) -> bool:
    """Go's regular expressions are a subset of Python's, save for \\z and a few class names."""
    try:
        return re.search(pattern.replace("\\z", "\\Z"), text) is not None
    except re.error:
        return True


def _max_length(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, str) and len(value) > schema["maxLength"]:
        yield Cause(path, TOO_LONG, f"Too long: may not be more than {schema['maxLength']} bytes")


def _min_length(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, str) and len(value) < schema["minLength"]:
        yield _invalid(value, path, f"should be at least {schema['minLength']} chars long")


def _max_items(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, list) and len(value) > schema["maxItems"]:
        yield Cause(path, TOO_MANY, f"Too many: {len(value)}: must have at most {schema['maxItems']} items")


def _min_items(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, list) and len(value) < schema["minItems"]:
        yield Cause(path, INVALID, f"Invalid value: {len(value)}: {path} in body should have at least {schema['minItems']} items")  # fmt: skip


def _max_properties(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, dict) and len(value) > schema["maxProperties"]:
        yield Cause(path, TOO_MANY, f"Too many: {len(value)}: must have at most {schema['maxProperties']} items")


def _min_properties(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, dict) and len(value) < schema["minProperties"]:
        yield Cause(path, INVALID, f"Invalid value: {len(value)}: {path} in body should have at least {schema['minProperties']} properties")  # fmt: skip


def _format(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    """The formats that the API server checks and that manifests use; unknown formats are ignored, as there."""
    checker = FORMATS.get(schema["format"])
    if checker and isinstance(value, str) and not checker(value):
        text = f"Invalid value: {_json(value)}: {path} in body must be of type {schema['format']}: {_json(value)}"
        yield Cause(path, WRONG_TYPE, text)


def _is_time(text: str) -> bool:
    from minikube_py.base import clock

    try:
        clock.seconds(text)
    except (ValueError, KeyError, IndexError):
        return False
    return True


def _is_address(version: int) -> Callable[[str], bool]:
    def checker(text: str) -> bool:
        import ipaddress

        try:
            return ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return checker


def _is_network(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _is_time,
    "date": lambda text: re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None,
    "ipv4": _is_address(4),
    "ipv6": _is_address(6),
    "cidr": _is_network,
    "uuid": lambda text: re.fullmatch(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", text) is not None,
}  # fmt: skip
SCALAR_RULES: tuple[tuple[str, Callable[[Object, Any, str], Iterator[Cause]]], ...] = (
    ("enum", _enum),
    ("minimum", _minimum),
    ("maximum", _maximum),
    ("multipleOf", _multiple_of),
    ("maxLength", _max_length),
    ("minLength", _min_length),
    ("pattern", _pattern),
    ("format", _format),
    ("maxItems", _max_items),
    ("minItems", _min_items),
    ("maxProperties", _max_properties),
    ("minProperties", _min_properties),
)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _invalid(value: Any, path: str, words: str) -> Cause:
    return Cause(path, INVALID, f"Invalid value: {_json(value)}: {path} in body {words}")


def _json(value: Any) -> str:
    import json

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# ------------------------------------------------------------------------------- compositions, list types, CEL rules


def _compositions(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    """anyOf, oneOf, allOf and not. Their findings bear no field."""
    if "allOf" in schema:
        inner = [cause for one in schema["allOf"] for cause in check(one, value, path)]
        yield from inner
        if inner:
            yield _composed(path, "must validate all the schemas (allOf)")
    for word, most in (("anyOf", len(schema.get("anyOf") or ())), ("oneOf", 1)):
        if word not in schema:
            continue
        fitting = sum(not any(check(one, value, path)) for one in schema[word])
        if fitting == 0:
            words = (
                "at least one schema (anyOf)"
                if word == "anyOf"
                else "one and only one schema (oneOf). Found none valid"
            )
            yield _composed(path, f"must validate {words}")
        elif fitting > most:
            yield _composed(path, f"must validate one and only one schema (oneOf). Found {fitting} valid alternatives")
    if "not" in schema and not any(check(schema["not"], value, path)):
        yield _composed(path, "must not validate the schema (not)")


def _composed(path: str, words: str) -> Cause:
    return Cause("<nil>", INVALID, f'Invalid value: "": "{path}" {words}')


def _duplicates(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    """Items that come twice in lists of the types set and map."""
    if isinstance(value, dict):
        properties, more = schema.get("properties") or {}, schema.get("additionalProperties")
        for name in sorted(value):
            inner = properties.get(name) or (more if isinstance(more, dict) else {})
            yield from _duplicates(inner, value[name], _join(path, name))
    if not isinstance(value, list):
        return
    keys, seen = schema.get("x-kubernetes-list-map-keys") or (), set()
    for index, one in enumerate(value):
        yield from _duplicates(schema.get("items") or {}, one, f"{path}[{index}]")
        match schema.get("x-kubernetes-list-type"):
            case "set":
                text = _json(one)
            case "map" if isinstance(one, dict):
                text = _json({key: one[key] for key in sorted(keys) if key in one})
            case _:
                continue
        if text in seen:
            yield Cause(f"{path}[{index}]", DUPLICATE, f"Duplicate value: {text}")
        seen.add(text)


def _has_rules(schema: Any) -> bool:
    """Whether CEL rules stand anywhere in a schema."""
    if isinstance(schema, dict):
        return RULES in schema or any(_has_rules(one) for one in schema.values())
    return isinstance(schema, list) and any(_has_rules(one) for one in schema)
