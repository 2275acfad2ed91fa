"""ObjectMeta and LabelSelectors: what holds for every kind.

Source: apimachinery pkg/api/validation/objectmeta.go and pkg/apis/meta/v1/validation/validation.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import names
from minikube_py.api.validation.causes import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

    NameRule = Callable[[str], Sequence[str]]

ANNOTATIONS_MAX = 256 * 1024
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def create(causes: Causes, meta: Object, namespaced: bool, name_rule: NameRule, core: bool = False) -> None:
    """Metadata of a new object, its name already generated. `core`: the stricter finalizer names of built-in kinds."""
    prefix, name = meta.get("generateName"), meta.get("name")
    if prefix:
        causes.each_invalid("metadata.generateName", prefix, name_rule(names.mask_trailing_dash(prefix)))
    if not name:
        causes.required("metadata.name", "name or generateName is required")
    else:
        for detail in name_rule(name):
            causes.invalid("metadata.name", name, detail)
    _place(causes, meta.get("namespace"), namespaced)
    causes.not_negative("metadata.generation", meta.get("generation"))
    _common(causes, meta)
    finalizers = meta.get("finalizers")
    if finalizers:
        _finalizers(causes, finalizers)
        if core:
            _core_finalizers(causes, finalizers)


def update(causes: Causes, meta: Object, old: Object, core: bool = False) -> None:
    """Metadata of an object that replaces `old`: the identity is fixed, labels and annotations may change."""
    if meta is old and meta.get("resourceVersion"):
        return
    if "deletionTimestamp" in old:
        extra = sorted(set(meta.get("finalizers", ())) - set(old.get("finalizers", ())))
        if extra:
            listed = "[]string{" + ", ".join(quote(one) for one in extra) + "}"
            detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
            causes.forbidden("metadata.finalizers", detail)
    if not meta.get("resourceVersion"):
        causes.invalid("metadata.resourceVersion", "", "must be specified for an update")
    generation = meta.get("generation") or 0
    causes.not_negative("metadata.generation", generation)
    if generation < (old.get("generation") or 0):
        causes.invalid("metadata.generation", generation, "must not be decremented")
    for field in ("name", "namespace", "uid"):
        causes.immutable(f"metadata.{field}", meta.get(field) or "", old.get(field) or "")
    for field in ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        causes.immutable(f"metadata.{field}", meta.get(field), old.get(field))
    _common(causes, meta)
    finalizers = meta.get("finalizers")
    if finalizers and core:
        _core_finalizers(causes, finalizers)


def _place(causes: Causes, namespace: str | None, namespaced: bool) -> None:
    if namespaced:
        if not namespace:
            causes.required("metadata.namespace")
        else:
            causes.each_invalid("metadata.namespace", namespace, names.dns_label(namespace))
    elif namespace:
        causes.forbidden("metadata.namespace", "not allowed on this type")


def _common(causes: Causes, meta: Object) -> None:
    if "labels" in meta:
        labels(causes, meta["labels"], "metadata.labels")
    if "annotations" in meta:
        annotation_map(causes, meta["annotations"], "metadata.annotations")
    if "ownerReferences" in meta:
        _owners(causes, meta["ownerReferences"])


def labels(causes: Causes, found: Object | None, path: str) -> None:
    """A map of labels, or a selector in the form of one."""
    for key, value in (found or {}).items():
        label_key(causes, key, path)
        for detail in names.label_value(value):
            causes.invalid(path, value, detail)


def label_key(causes: Causes, key: str, path: str) -> None:
    for detail in names.qualified_name(key):
        causes.invalid(path, key, detail)


def annotation_map(causes: Causes, found: Object | None, path: str) -> None:
    size = 0
    for key, value in (found or {}).items():
        for detail in names.qualified_name(key.lower()):
            causes.invalid(path, key, detail)
        size += len(key) + len(value)
    if size > ANNOTATIONS_MAX // 4:  # only then do the bytes of UTF-8 need to be counted
        size = sum(len(key.encode()) + len(value.encode()) for key, value in (found or {}).items())
        if size > ANNOTATIONS_MAX:
            causes.too_long(path, ANNOTATIONS_MAX)


def _owners(causes: Causes, owners: list[Object]) -> None:
    controller = ""
    for index, owner in enumerate(owners):
        path = f"metadata.ownerReferences[{index}]"
        version = owner.get("apiVersion")
        if not version:
            causes.required(f"{path}.apiVersion", "must not be empty")
        elif version.count("/") > 1 or version.endswith("/"):
            causes.invalid(f"{path}.apiVersion", version, "must be <group>/<version> or <version>")
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                causes.required(f"{path}.{field}", "must not be empty")
        if version == "v1" and owner.get("kind") == "Event":
            causes.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")
        if owner.get("controller"):
            this = f"{owner.get('kind')}/{owner.get('name')}"
            if controller:
                causes.invalid(
                    "metadata.ownerReferences",
                    owners,
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {this}',
                )
            else:
                controller = this


def _finalizers(causes: Causes, finalizers: list[str]) -> None:
    for one in finalizers:
        label_key(causes, one, "metadata.finalizers")
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        causes.invalid("metadata.finalizers", finalizers, detail)


def _core_finalizers(causes: Causes, finalizers: list[str]) -> None:
    for index, one in enumerate(finalizers):
        if "/" not in one and one not in _STANDARD_FINALIZERS:
            path = f"metadata.finalizers[{index}]"
            causes.invalid(path, one, "name is neither a standard finalizer name nor is it fully qualified")


def selector(causes: Causes, found: Object | None, path: str, values: bool = True) -> None:
    """A LabelSelector; `values`: also check the values of expressions."""
    if not found:
        return
    labels(causes, found.get("matchLabels"), f"{path}.matchLabels")
    for index, one in enumerate(found.get("matchExpressions") or ()):
        _requirement(causes, one, f"{path}.matchExpressions[{index}]", values)


def _requirement(causes: Causes, one: Object, path: str, values: bool) -> None:
    operator, given = one.get("operator", ""), one.get("values") or ()
    if operator in ("In", "NotIn"):
        if not given:
            causes.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if given:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            causes.forbidden(f"{path}.values", detail)
    else:
        causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    label_key(causes, one.get("key", ""), f"{path}.key")
    if values:
        for index, value in enumerate(given):
            causes.each_invalid(f"{path}.values[{index}]", value, names.label_value(value))


def selector_value(found: Object | None) -> Any:
    """A LabelSelector as Go prints it: its fields in the order of the struct, maps sorted; null if there is none."""
    if found is None:
        return None
    shown: Object = {}
    if found.get("matchLabels"):
        shown["matchLabels"] = dict(sorted(found["matchLabels"].items()))
    if found.get("matchExpressions"):
        shown["matchExpressions"] = [
            {field: one[field] for field in ("key", "operator", "values") if field in one}
            for one in found["matchExpressions"]
        ]
    return shown


def domain_prefixed_path(causes: Causes, value: str, path: str) -> None:
    """'acme.io/foo' (IsDomainPrefixedPath)."""
    if not value:
        causes.required(path)
        return
    host, _, rest = value.partition("/")
    if not host or not rest:
        causes.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
        return
    causes.each_invalid(path, host, names.dns_subdomain(host))
    if not re.fullmatch(names.HTTP_PATH, rest):
        causes.invalid(path, rest, names.regex_text("Invalid path", names.HTTP_PATH))
