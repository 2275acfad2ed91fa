"""CustomResourceDefinitions.

Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go. What a custom object has to look
like is in its schema; this is about the definitions themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import names

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes


def definition(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        return
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    group, given = spec.get("group", ""), spec.get("names") or {}
    if name and name != f"{given.get('plural', '')}.{group}":
        causes.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    if not group:
        causes.required("spec.group")
    elif names.dns_subdomain(group):
        causes.each_invalid("spec.group", group, names.dns_subdomain(group))
    elif "." not in group:
        causes.invalid("spec.group", group, "should be a domain with at least one dot")
    causes.one_of("spec.scope", spec.get("scope"), ("Cluster", "Namespaced"))
    _versions(causes, spec)
    _names(causes, given)
    if old is None:
        _stored_versions(causes, spec)
    else:
        before = old.get("spec") or {}
        causes.immutable("spec.group", group, before.get("group"))
        causes.immutable("spec.scope", spec.get("scope"), before.get("scope"))
        for field in ("plural", "kind"):
            causes.immutable(f"spec.names.{field}", given.get(field), (before.get("names") or {}).get(field))


def _versions(causes: Causes, spec: Object) -> None:
    versions = spec.get("versions") or []
    stored = sum(1 for version in versions if version.get("storage"))
    seen: set[str] = set()
    unique = True
    for index, version in enumerate(versions):
        path, name = f"spec.versions[{index}]", version.get("name", "")
        causes.each_invalid(f"{path}.name", name, names.dns_1035_label(name))
        unique = unique and name not in seen
        seen.add(name)
        _schema(causes, (version.get("schema") or {}).get("openAPIV3Schema"), path, single=len(versions) == 1)
    if not unique:
        causes.invalid("spec.versions", _versions_value(spec), "must contain unique version names")
    if stored != 1:
        causes.invalid(
            "spec.versions", _versions_value(spec), "must have exactly one version marked as storage version"
        )


def _versions_value(spec: Object) -> list[Object]:
    """The versions as Go prints them; a schema that all share is kept elsewhere, hence always null here."""
    return [
        {
            "Name": version.get("name", ""),
            "Served": version.get("served", False),
            "Storage": version.get("storage", False),
            "Deprecated": version.get("deprecated", False),
            "DeprecationWarning": version.get("deprecationWarning"),
            "Schema": None,
            "Subresources": None,
            "AdditionalPrinterColumns": None,
            "SelectableFields": None,
        }
        for version in spec.get("versions") or ()
    ]


def _schema(causes: Causes, schema: Any, path: str, single: bool) -> None:
    if not isinstance(schema, dict):
        causes.required(f"{path}.schema.openAPIV3Schema")
        return
    root = "spec.validation.openAPIV3Schema" if single else f"{path}.schema.openAPIV3Schema"
    if not schema.get("type"):
        causes.required(f"{root}.type", "must not be empty at the root")
    elif schema["type"] != "object":
        causes.invalid(f"{root}.type", schema["type"], "must be object at the root")


def _names(causes: Causes, given: Object) -> None:
    for field in ("plural", "singular", "kind", "listKind"):
        value = given.get(field, "")
        path = f"spec.names.{field}"
        if not value:
            if field in ("plural", "kind"):
                causes.required(path)
            continue
        lowered = value if field in ("plural", "singular") else value.lower()
        wrong = names.dns_1035_label(lowered)
        if field in ("kind", "listKind"):
            wrong = [f"may have mixed case, but should otherwise match: {text}" for text in wrong]
        causes.each_invalid(path, value, [",".join(wrong)] if wrong else [])
    for index, word in enumerate(given.get("shortNames") or ()):
        wrong = names.dns_1035_label(word)
        causes.each_invalid(f"spec.names.shortNames[{index}]", word, [",".join(wrong)] if wrong else [])
    if given.get("kind") and given.get("kind") == given.get("listKind"):
        causes.invalid("spec.names.listKind", given["listKind"], "kind and listKind may not be the same")


def _stored_versions(causes: Causes, spec: Object) -> None:
    """At creation the stored versions follow from the spec: the first one that is marked."""
    marked = [version.get("name", "") for version in spec.get("versions") or () if version.get("storage")]
    found = marked[:1]
    if not found:
        causes.invalid("status.storedVersions", None, "must have at least one stored version")
    elif marked and marked[-1] not in found:
        causes.invalid("status.storedVersions", found, f"must have the storage version {marked[-1]}")
