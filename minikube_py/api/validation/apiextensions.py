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


COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
SELECTABLE_MAX = 8
WARNING_MAX = 256


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
    _versions(causes, spec, (old or {}).get("spec") or {})
    _names(causes, given)
    _conversion(causes, spec.get("conversion") or {})
    if old is None:
        _stored_versions(causes, spec)
    else:
        _unchanged(causes, spec, old)
        _still_stored(causes, spec, (obj.get("status") or {}).get("storedVersions") or [])


def _unchanged(causes: Causes, spec: Object, old: Object) -> None:
    before = old.get("spec") or {}
    given, names_before = spec.get("names") or {}, before.get("names") or {}
    conditions = (old.get("status") or {}).get("conditions") or ()
    if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
        causes.immutable("spec.scope", spec.get("scope"), before.get("scope"))
        causes.immutable("spec.names.kind", given.get("kind"), names_before.get("kind"))
    causes.immutable("spec.group", spec.get("group"), before.get("group"))
    causes.immutable("spec.names.plural", given.get("plural"), names_before.get("plural"))


def _versions(causes: Causes, spec: Object, before: Object) -> None:
    versions = spec.get("versions") or []
    known = {version["name"]: version.get("schema") for version in before.get("versions") or ()}
    stored = sum(1 for version in versions if version.get("storage"))
    seen: set[str] = set()
    unique = True
    shared = {part: _is_shared(versions, part) for part in ("schema", "subresources", "additionalPrinterColumns")}
    for index, version in enumerate(versions):
        path, name = f"spec.versions[{index}]", version.get("name", "")
        unique = unique and name not in seen
        seen.add(name)
        causes.each_invalid(f"{path}.name", name, names.dns_1035_label(name))
        _version(causes, version, path, index == 0, shared, name in known and known[name] == version.get("schema"))
    if not unique:
        causes.invalid("spec.versions", _versions_value(spec), "must contain unique version names")
    if stored != 1:
        causes.invalid(
            "spec.versions", _versions_value(spec), "must have exactly one version marked as storage version"
        )


def _is_shared(versions: list[Object], part: str) -> bool:
    """What all versions have in common stands at the top in the API server's inner form, and findings say so."""
    return (
        bool(versions)
        and bool(versions[0].get(part))
        and all(one.get(part) == versions[0].get(part) for one in versions)
    )


def _version(causes: Causes, version: Object, path: str, first: bool, shared: dict[str, bool], known: bool) -> None:
    """One version; what it shares with the others is looked at once."""
    if version.get("deprecationWarning") is not None:
        _deprecation(causes, version, f"{path}.deprecationWarning")
    if first or not shared["schema"]:
        where = "spec.validation.openAPIV3Schema" if shared["schema"] else f"{path}.schema.openAPIV3Schema"
        _schema(causes, (version.get("schema") or {}).get("openAPIV3Schema"), where, known)
    if first or not shared["subresources"]:
        where = "spec.subresources" if shared["subresources"] else f"{path}.subresources"
        _scale(causes, (version.get("subresources") or {}).get("scale"), f"{where}.scale")
    if first or not shared["additionalPrinterColumns"]:
        where = "spec" if shared["additionalPrinterColumns"] else path
        for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
            _column(causes, column, f"{where}.additionalPrinterColumns[{index}]")
    _selectable(causes, version, f"{path}.selectableFields")


def _deprecation(causes: Causes, version: Object, path: str) -> None:
    text = version["deprecationWarning"]
    if not version.get("deprecated"):
        causes.invalid(path, text, "can only be set for deprecated versions")
        return
    if len(text) > WARNING_MAX:
        causes.invalid(path, text, f"must be <= {WARNING_MAX} characters long")
    if not text:
        causes.invalid(path, text, "must not be an empty string")
    for position, letter in enumerate(text):
        if not letter.isprintable():
            detail = f"must only contain printable UTF-8 characters; non-printable character found at index {position}"
            causes.invalid(path, text, detail)
            break


def _scale(causes: Causes, scale: Object | None, path: str) -> None:
    """Where replicas are wished for, counted and selected."""
    if scale is None:
        return
    for field, part in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
        value, where = scale.get(field, ""), f"{path}.{field}"
        if not value:
            causes.required(where)
        elif value[0] != ".":
            causes.invalid(where, value, "must be a simple json path starting with .")
        elif not value.startswith(part):
            causes.invalid(where, value, f"should be a json path under {part[:-1]}")
    selector = scale.get("labelSelectorPath") or ""
    if selector and selector[0] != ".":
        causes.invalid(f"{path}.labelSelectorPath", selector, "must be a simple json path starting with .")
    elif selector and not selector.startswith((".spec.", ".status.")):
        causes.invalid(f"{path}.labelSelectorPath", selector, "should be a json path under either .spec or .status")


def _column(causes: Causes, column: Object, path: str) -> None:
    kind, form, where = column.get("type", ""), column.get("format", ""), column.get("jsonPath", "")
    if not column.get("name"):
        causes.required(f"{path}.name")
    if not kind:
        causes.required(f"{path}.type", f"must be one of {','.join(COLUMN_TYPES)}")
    elif kind not in COLUMN_TYPES:
        causes.invalid(f"{path}.type", kind, f"must be one of {','.join(COLUMN_TYPES)}")
    if form and form not in COLUMN_FORMATS:
        causes.invalid(f"{path}.format", form, f"must be one of {','.join(COLUMN_FORMATS)}")
    if not where:
        causes.required(f"{path}.JSONPath")
    elif where[0] != ".":
        causes.invalid(f"{path}.JSONPath", where, "must be a simple json path starting with .")


def _selectable(causes: Causes, version: Object, path: str) -> None:
    """The fields that may stand in a field selector: scalars outside of metadata."""
    from minikube_py.api.validation import structural

    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    seen: set[str] = set()
    for index, one in enumerate(version.get("selectableFields") or ()):
        field, where = one.get("jsonPath", ""), f"{path}[{index}].jsonPath"
        if not field:
            causes.required(where)
            continue
        found = structural.place_of(schema, field, brackets=False)
        if isinstance(found, str):
            causes.invalid(where, field, f"is an invalid path: {found}")
            continue
        if field.startswith(".metadata"):
            causes.invalid(where, field, "must not point to fields in metadata")
        if found.get("type") not in ("string", "boolean", "integer"):
            detail = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            causes.invalid(where, field, detail)
        if field in seen:
            causes.duplicate(where, field)
        seen.add(field)
    if len(seen) > SELECTABLE_MAX:
        causes.too_many(path, len(seen), SELECTABLE_MAX)


def _conversion(causes: Causes, conversion: Object) -> None:
    path, webhook = "spec.conversion", conversion.get("webhook")
    strategy = conversion.get("strategy")
    causes.one_of(f"{path}.strategy", strategy, ("None", "Webhook"))
    if strategy == "None" and webhook:
        if webhook.get("clientConfig"):
            detail = "should not be set when strategy is not set to Webhook"
            causes.forbidden(f"{path}.webhookClientConfig", detail)
        if webhook.get("conversionReviewVersions"):
            causes.forbidden(
                f"{path}.conversionReviewVersions", "should not be set when strategy is not set to Webhook"
            )
    if strategy == "Webhook":
        client = (webhook or {}).get("clientConfig")
        if not client:
            causes.required(f"{path}.webhookClientConfig", "required when strategy is set to Webhook")
        elif bool(client.get("url")) == bool(client.get("service")):
            causes.required(f"{path}.webhookClientConfig", "exactly one of url or service is required")
        reviews = (webhook or {}).get("conversionReviewVersions") or []
        if not reviews:
            causes.required(f"{path}.conversionReviewVersions")
        elif not {"v1", "v1beta1"} & set(reviews):
            causes.invalid(f"{path}.conversionReviewVersions", reviews, "must include at least one of v1, v1beta1")


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


def _schema(causes: Causes, schema: Any, path: str, known: bool) -> None:
    if not isinstance(schema, dict):
        causes.required(path)
        return
    from minikube_py.api.validation import structural

    structural.check(causes, schema, path, known)


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
    for index, word in enumerate(given.get("categories") or ()):
        wrong = names.dns_1035_label(word)
        causes.each_invalid(f"spec.names.categories[{index}]", word, [",".join(wrong)] if wrong else [])


def _stored_versions(causes: Causes, spec: Object) -> None:
    """At creation the stored versions follow from the spec: the first one that is marked."""
    marked = [version.get("name", "") for version in spec.get("versions") or () if version.get("storage")]
    found = marked[:1]
    if not found:
        causes.invalid("status.storedVersions", None, "must have at least one stored version")
    elif marked and marked[-1] not in found:
        causes.invalid("status.storedVersions", found, f"must have the storage version {marked[-1]}")


def _still_stored(causes: Causes, spec: Object, stored: list[str]) -> None:
    """A version in which objects may be kept cannot be dropped."""
    there = {version.get("name") for version in spec.get("versions") or ()}
    for index, name in enumerate(stored):
        if name not in there:
            detail = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions "
                f"until a storage migration ensures no data remains persisted in {name} and removes {name} from "
                "status.storedVersions"
            )
            causes.invalid(f"status.storedVersions[{index}]", name, detail)
