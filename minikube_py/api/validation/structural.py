"""The schema of a CustomResourceDefinition: structural, with defaults that it admits, and rules that compile.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/{validation,complete}.go, schema/defaulting/validation.go,
pkg/apis/apiextensions/validation/validation.go (ValidateCustomResourceDefinitionOpenAPISchema).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import custom as pruning
from minikube_py.api.validation import custom
from minikube_py.api.validation.causes import Causes, render
from minikube_py.base import goregex
from minikube_py.base.errors import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.types import Object

PRESERVE, EMBEDDED, INT_OR_STRING = (
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
)
LIST_TYPE, LIST_KEYS, MAP_TYPE, RULES = (
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-validations",
)
META = ("metadata", "kind", "apiVersion")
TYPES = ("array", "boolean", "integer", "number", "object", "string")
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_EMPTY_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
# what a schema inside of anyOf, allOf, oneOf and not may not have, and how that is told
_NOT_NESTED = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    PRESERVE: "must be false to be structural",
    EMBEDDED: "must be false to be structural",
    INT_OR_STRING: "must be false to be structural",
    LIST_KEYS: "must be empty to be structural",
    LIST_TYPE: "must be undefined to be structural",
    MAP_TYPE: "must be undefined to be structural",
    RULES: "must be empty to be structural",
}


def check(causes: Causes, schema: Object, path: str, known: bool) -> None:
    """Adds what is wrong with a version's schema. `known`: it is stored already, its rules' costs are not looked at."""
    if schema.get("nullable"):
        causes.forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    found = sorted({*_invariants(schema, "root", path), *_complete(schema, schema, path, path)}, key=str)
    found = found or list(_defaults(schema, path, root=True))
    causes.found += found
    general = list(_general(schema, path, root=True))
    causes.found += general
    if not found and not general:
        from minikube_py.api.cel import rules

        if rules.has_rules(schema):
            causes.found += rules.definition_findings(schema, path, known)


def _required(path: str, detail: str) -> Cause:
    return Cause(path, "FieldValueRequired", f"Required value: {detail}")


def _forbidden(path: str, detail: str) -> Cause:
    return Cause(path, "FieldValueForbidden", f"Forbidden: {detail}")


def _invalid(path: str, value: Any, detail: str) -> Cause:
    return Cause(path, "FieldValueInvalid", f"Invalid value: {render(value)}: {detail}")


# ------------------------------------------------------------------------------------------------------- structural


def _invariants(schema: Object, level: str, path: str) -> Iterator[Cause]:
    """`level`: root, item or field."""
    type, properties, more = schema.get("type"), schema.get("properties") or {}, schema.get("additionalProperties")
    if type == "array" and schema.get("items") is None:
        yield _required(f"{path}.items", "must be specified")
    if isinstance(schema.get("items"), dict):
        yield from _invariants(schema["items"], "item", f"{path}.items")
    for name, inner in properties.items():
        if not (level == "root" and name == "metadata"):
            yield from _invariants(inner, "field", f"{path}.properties[{name}]")
    if more is not None:
        if level == "root":
            yield _forbidden(f"{path}.additionalProperties", "must not be used at the root")
        if isinstance(more, dict):
            yield from _invariants(more, "field", f"{path}.additionalProperties")
    for extension in (PRESERVE, EMBEDDED):
        if schema.get(INT_OR_STRING) and schema.get(extension):
            yield _invalid(f"{path}.{extension}", True, f"must be false if {INT_OR_STRING} is true")
    yield from _value_validation(schema, path)
    yield from _type(schema, level, path)
    if level == "root" or schema.get(EMBEDDED):
        yield from _meta(properties, level, path)


def _type(schema: Object, level: str, path: str) -> Iterator[Cause]:
    type, embedded = schema.get("type"), schema.get(EMBEDDED)
    if embedded and type != "object":
        detail = f"must be object if {EMBEDDED} is true"
        yield _invalid(f"{path}.type", type, detail) if type else _required(f"{path}.type", detail)
    elif not type and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        yield _required(f"{path}.type", _EMPTY_TYPE[level])
    if embedded and schema.get("additionalProperties") is not None:
        yield _forbidden(f"{path}.additionalProperties", f"must not be used if {EMBEDDED} is set")
    if level == "root" and type and type != "object":
        yield _invalid(f"{path}.type", type, "must be object at the root")
    if embedded and not schema.get(PRESERVE) and not schema.get("properties"):
        yield _required(f"{path}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}")


def _meta(properties: Object, level: str, path: str) -> Iterator[Cause]:
    """What may be said of kind, apiVersion and metadata."""
    for name in ("kind", "apiVersion"):
        if name in properties and properties[name].get("type") != "string":
            yield _invalid(f"{path}.properties[{name}].type", properties[name].get("type", ""), "must be string")
    if "metadata" not in properties:
        return
    metadata, where = properties["metadata"], f"{path}.properties[metadata]"
    if metadata.get("type") != "object":
        yield _invalid(f"{where}.type", metadata.get("type", ""), "must be object")
    if level == "root":
        said = {name: value for name, value in metadata.items() if name not in ("type", "description", "default")}
        if set(said.get("properties") or {}) <= {"name", "generateName"}:
            said.pop("properties", None)
        if said:
            detail = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            yield _forbidden(where, detail)


def _value_validation(schema: Object, path: str, skip_any_of: bool = False) -> Iterator[Cause]:
    """The compositions of a schema. That of x-kubernetes-int-or-string may name types."""
    if not (skip_any_of or schema.get("anyOf") == _INT_OR_STRING):
        yield from _nested_each(schema, "anyOf", path)
    for index, one in enumerate(schema.get("allOf") or ()):
        yield from _nested(one, f"{path}.allOf[{index}]", one.get("anyOf") == _INT_OR_STRING)
    yield from _nested_each(schema, "oneOf", path)
    if isinstance(schema.get("not"), dict):
        yield from _nested(schema["not"], f"{path}.not")
    pattern = schema.get("pattern")
    if pattern:
        try:
            goregex.compile(pattern)
        except ValueError as error:
            yield _invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")


def _nested_each(schema: Object, word: str, path: str) -> Iterator[Cause]:
    for index, one in enumerate(schema.get(word) or ()):
        yield from _nested(one, f"{path}.{word}[{index}]")


def _nested(schema: Object, path: str, skip_any_of: bool = False) -> Iterator[Cause]:
    yield from _value_validation(schema, path, skip_any_of)
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], f"{path}.items")
    for name, inner in (schema.get("properties") or {}).items():
        yield from _nested(inner, f"{path}.properties[{name}]")
    for word, detail in _NOT_NESTED.items():
        if schema.get(word) or (word in ("default", "additionalProperties") and schema.get(word) is not None):
            yield _forbidden(f"{path}.{word}", detail)
    if "metadata" in (schema.get("properties") or {}):
        yield _forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _complete(schema: Object, structure: Object | None, path: str, where: str) -> Iterator[Cause]:
    """Whatever a composition (at `where`) says something of must be defined outside of it (at `path`)."""
    words = [("not", [schema["not"]])] if isinstance(schema.get("not"), dict) else []
    words += [(word, schema.get(word) or []) for word in ("allOf", "anyOf", "oneOf")]
    for word, nested in words:
        for index, one in enumerate(nested):
            place = f"{where}.not" if word == "not" else f"{where}.{word}[{index}]"
            yield from _complete_nested(one, structure, path, place)


def _complete_nested(schema: Object, structure: Object | None, path: str, where: str) -> Iterator[Cause]:
    if structure is None:
        yield _required(path, f"because it is defined in {where}")
        return
    yield from _complete(schema, structure, path, where)
    if isinstance(schema.get("items"), dict):
        yield from _complete_nested(schema["items"], structure.get("items"), f"{path}.items", f"{where}.items")
    known = structure.get("properties") or {}
    for name, inner in (schema.get("properties") or {}).items():
        place, own = f"{path}.properties[{name}]", f"{where}.properties[{name}]"
        if name in known:
            yield from _complete_nested(inner, known[name], place, own)
        else:
            yield _required(place, f"because it is defined in {own}")


# --------------------------------------------------------------------------------------------------------- defaults


def _defaults(schema: Object, path: str, root: bool = False) -> Iterator[Cause]:
    """Each default must be what its own schema admits."""
    value = schema.get("default")
    if value is not None and not root:
        yield from _default(schema, value, f"{path}.default")
    if isinstance(schema.get("items"), dict):
        yield from _defaults(schema["items"], f"{path}.items")
    for name, inner in (schema.get("properties") or {}).items():
        if not (root and name in META):
            yield from _defaults(inner, f"{path}.properties[{name}]")


def _default(schema: Object, value: Any, path: str) -> Iterator[Cause]:
    unknown: list[str] = []
    pruning.prune(schema, value, "", unknown, bool(schema.get(EMBEDDED)))
    if unknown:
        yield _invalid(path, value, "must not have unknown fields")
    for cause in custom.findings(value, schema):
        where = f"{path}{'' if cause.field.startswith('[') or not cause.field else '.'}{cause.field}"
        yield cause._replace(field=cause.field if cause.field == "<nil>" else where)
    from minikube_py.api.cel import rules, schemas

    declared = schemas.declared(schema, rules.TYPE_NAME) if rules.has_rules(schema) else None
    node = rules.place(schema, declared) if declared else None
    if node is not None:
        yield from rules.check(node, value, None, path).causes


# ---------------------------------------------------------------------------------------------------------- general


def _general(schema: Object, path: str, root: bool = False) -> Iterator[Cause]:
    """What holds for every schema, also inside of compositions."""
    yield from _standard(schema, path)
    more, properties = schema.get("additionalProperties"), schema.get("properties") or {}
    if more is not None and properties and more is not True:
        yield _forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
    if isinstance(more, dict):
        yield from _general(more, f"{path}.additionalProperties")
    for name, inner in properties.items():
        where = f"{path}.properties[{name}]"
        if root and name in META and "default" in inner:
            yield _forbidden(f"{where}.default", f"must not be set in top-level {name}")
        yield from _general(inner, where)
    if isinstance(schema.get("not"), dict):
        yield from _general(schema["not"], f"{path}.not")
    for word in ("allOf", "oneOf", "anyOf"):
        for index, one in enumerate(schema.get(word) or ()):
            yield from _general(one, f"{path}.{word}[{index}]")
    if isinstance(schema.get("items"), dict):
        yield from _general(schema["items"], f"{path}.items")
    yield from _extensions(schema, path)
    yield from _rules(schema, path)


def _standard(schema: Object, path: str) -> Iterator[Cause]:
    type = schema.get("type")
    if type and type not in TYPES:
        listed = ", ".join(f'"{one}"' for one in TYPES)
        yield Cause(f"{path}.type", "FieldValueNotSupported", f"Unsupported value: {render(type)}: supported values: {listed}")  # fmt: skip
    for word in _UNSUPPORTED:
        if schema.get(word):
            yield _forbidden(f"{path}.{word}", f"{word} is not supported")
    if type == "null":
        yield _forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield _forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield _forbidden(f"{path}.uniqueItems", detail)


def _extensions(schema: Object, path: str) -> Iterator[Cause]:
    if schema.get(PRESERVE) is False:
        yield _invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    for word, type, allowed in (
        (MAP_TYPE, "object", ("atomic", "granular")),
        (LIST_TYPE, "array", ("atomic", "set", "map")),
    ):
        value = schema.get(word)
        if value is None:
            continue
        if schema.get("type") != type:
            detail = f"must be {type} if {word} is specified"
            given = schema.get("type")
            yield _invalid(f"{path}.type", given, detail) if given else _required(f"{path}.type", detail)
        if value not in allowed:
            listed = ", ".join(f'"{one}"' for one in sorted(allowed))
            text = f"Unsupported value: {render(value)}: supported values: {listed}"
            yield Cause(f"{path}.{word}", "FieldValueNotSupported", text)
    yield from _list_keys(schema, path)


def _list_keys(schema: Object, path: str) -> Iterator[Cause]:
    keys, kind, items = schema.get(LIST_KEYS) or [], schema.get(LIST_TYPE), schema.get("items")
    if keys and kind != "map":
        detail = f"must be map if {LIST_KEYS} is non-empty"
        yield _invalid(f"{path}.{LIST_TYPE}", kind, detail) if kind else _required(f"{path}.{LIST_TYPE}", detail)
    if kind in ("set", "map") and isinstance(items, dict) and items.get("nullable"):
        yield _forbidden(f"{path}.items.nullable", f"cannot be nullable when {LIST_TYPE} is {kind}")
    if kind == "set" and isinstance(items, dict) and items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        detail = f"must be atomic as item of a list with {LIST_TYPE}=set"
        yield _invalid(f"{path}.items.{MAP_TYPE}", items.get(MAP_TYPE), detail)
    if kind != "map":
        return
    if not keys:
        yield _required(f"{path}.{LIST_KEYS}", f"must not be empty if {LIST_TYPE} is map")
    if not isinstance(items, dict):
        yield _required(f"{path}.items", f"must have a schema if {LIST_TYPE} is map")
        return
    if items.get("type") != "object":
        yield _invalid(
            f"{path}.items.type", items.get("type", ""), f"must be object if parent array's {LIST_TYPE} is map"
        )
        return
    for index, key in enumerate(keys):
        yield from _list_key(items, keys, index, key, path)


def _list_key(items: Object, keys: list[str], index: int, key: str, path: str) -> Iterator[Cause]:
    inner = (items.get("properties") or {}).get(key)
    if inner is None:
        yield _invalid(f"{path}.{LIST_KEYS}", keys, "entries must all be names of item properties")
    elif inner.get("type") in ("array", "object"):
        detail = f"must be a scalar type if parent array's {LIST_TYPE} is map"
        yield _invalid(f"{path}.items.properties[{key}].type", items["type"], detail)
    elif key not in (items.get("required") or ()) and inner.get("default") is None:
        detail = f"this property is in {LIST_KEYS}, so it must have a default or be a required property"
        yield _required(f"{path}.items.properties[{key}].default", detail)
    if inner is not None and inner.get("nullable"):
        detail = f"this property is in {LIST_KEYS}, so it cannot be nullable"
        yield _forbidden(f"{path}.items.properties[{key}].nullable", detail)
    if key in keys[:index]:
        yield _invalid(f"{path}.{LIST_KEYS}", keys, "must not contain duplicate entries")


def _rules(schema: Object, path: str) -> Iterator[Cause]:
    """The form of rules; whether they compile is looked at when all else is well."""
    for index, rule in enumerate(schema.get(RULES) or ()):
        where = f"{path}.{RULES}[{index}]"
        text, message = str(rule.get("rule", "")).strip(), str(rule.get("message", ""))
        if not text:
            yield _required(f"{where}.rule", "rule is not specified")
        elif message and not message.strip():
            yield _invalid(f"{where}.message", message, "must be non-empty if specified")
        elif _has_lines(message.strip()):
            yield _invalid(f"{where}.message", message, "must not contain line breaks")
        elif _has_lines(text) and not message.strip():
            yield _required(f"{where}.message", "message must be specified if rule contains line breaks")
        expression = str(rule.get("messageExpression", ""))
        if expression and not expression.strip():
            yield _required(f"{where}.messageExpression", "messageExpression must be non-empty if specified")
        reason = rule.get("reason")
        if reason is not None and reason not in REASONS:
            listed = ", ".join(f'"{one}"' for one in REASONS)
            text = f"Unsupported value: {render(reason)}: supported values: {listed}"
            yield Cause(f"{where}.reason", "FieldValueNotSupported", text)
        field = str(rule.get("fieldPath", ""))
        if field and not field.strip():
            yield _invalid(f"{where}.fieldPath", field, "must be non-empty if specified")
        if _has_lines(field):
            yield _invalid(f"{where}.fieldPath", field, "must not contain line breaks")
        if field and isinstance(place_of(schema, field), str):
            yield _invalid(f"{where}.fieldPath", field, "must be a valid path")


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


def place_of(schema: Object, path: str, brackets: bool = True) -> Object | str:
    """The schema that a path ('.spec.ports', ".spec['a-b']") leads to, or what is wrong with the path."""
    import re

    current: Object = schema
    rest = path
    while rest:
        match = re.match(r"\.([^.\[\]]+)|\['((?:[^'\\]|\\.)*)'\]", rest)
        if match is None:
            return _path_problem(rest)
        if match[1] is None and not brackets:
            return "array notation is not allowed"
        name = match[1] if match[1] is not None else re.sub(r"\\(.)", r"\1", match[2])
        properties, more = current.get("properties"), current.get("additionalProperties")
        if properties is not None and name in properties:
            current = properties[name]
        elif properties is None and isinstance(more, dict):
            current = more
        else:
            return "does not refer to a valid field"
        rest = rest[match.end() :]
    return current


def _path_problem(rest: str) -> str:
    if rest in (".", "["):
        return "unexpected end of JSON path"
    if rest.startswith("["):
        import re

        found = re.match(r"\[([^.\[\]]*)", rest)
        return f"expected single quoted string but got {found[1] if found else ''}"
    return f"expected [ or . but got: {rest.partition('.')[0].partition('[')[0]}"
