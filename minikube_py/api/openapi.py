"""The schemas of the API as its OpenAPI v3 documents give them, for `explain`.

They come from the schemas of kubernetes-validate, in which three things are otherwise: types are lists with "null", a
field that refers to a type has "$ref" and its description side by side (OpenAPI v3: "allOf"), and enums are not told. Which
enum a field has is known from its Go type (`gotypes`), the values from data/enums.json, which scripts/go_enums.py writes.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, Any

from minikube_py.api import gotypes, schema

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object


class Definitions:
    """Schemas by their "$ref"."""

    def resolve(self, reference: str) -> Object | None:
        return definition(reference.rpartition("/")[2])


@cache
def definition(name: str) -> Object | None:
    """'io.k8s.api.core.v1.PodSpec'; None if there is none of that name."""
    found = schema.definitions().get(name)
    if found is None:
        return None
    plain = _plain(found)
    types = gotypes.fields_of(_go_name(name)) or {}
    fields = found.get("properties") or {}
    if fields:
        plain["properties"] = {field: _with_enum(_plain(one), types.get(field, "")) for field, one in fields.items()}
    return plain


COMMON = ("apiVersion", "kind", "metadata")  # the fields of every kind


def of_kind(kind: Kind, crd: Object | None = None) -> Object | None:
    """The schema of a kind; of a custom one from its definition. None for kinds that have none."""
    if kind.simulated:
        from minikube_py.api import simulator

        own: Object = simulator.schema(kind.name) or {"type": "object"}
    elif crd is None:
        go = gotypes.type_of(kind.version, kind.name)
        return definition(schema.full_name(go)) if go is not None else None
    else:
        bare = kind.version.rpartition("/")[2]
        version = next(one for one in crd["spec"]["versions"] if one["name"] == bare)
        own = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    like: Object = (definition("io.k8s.api.core.v1.ConfigMap") or {})["properties"]
    common = {name: {key: value for key, value in like[name].items() if key != "enum"} for name in COMMON}
    return {**own, "properties": {**(own.get("properties") or {}), **common}}


def _go_name(name: str) -> str:
    """'io.k8s.api.core.v1.PodSpec' -> 'core.v1.PodSpec', as `gotypes` calls it."""
    return ".".join(name.split(".")[-3:])


def _plain(found: Object) -> Object:
    """A schema without what is special to kubernetes-validate."""
    result = {key: value for key, value in found.items() if key not in ("$ref", "properties")}
    kinds = found.get("type")
    if isinstance(kinds, list):
        result["type"] = next(kind for kind in kinds if kind != "null")
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            result[key] = _plain(found[key])
    if "$ref" in found and "description" in found:
        result["allOf"] = [{"$ref": found["$ref"]}]
    elif "$ref" in found:
        result["$ref"] = found["$ref"]
    return result


def _with_enum(field: Object, go: str) -> Object:
    """A field whose Go type is an enum: its values, and in the description what each means."""
    values = enums().get(go.lstrip("!*"))
    if not values:
        return field
    told = "\n".join(f' - `"{value}"` {about}'.rstrip() for value, about in values.items())
    description = f"{field.get('description', '')}\n\nPossible enum values:\n{told}"
    return {**field, "description": description, "enum": list(values)}


@cache
def enums() -> dict[str, dict[str, str]]:
    """{Go type: {value: what it means}}."""
    with open(os.path.join(os.path.dirname(__file__), "data", "enums.json"), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found
