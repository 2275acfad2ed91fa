"""CustomResourceDefinitions: the kinds that they serve, and what their schemas do to objects (pruning, defaults).

Sources: k8s.io/apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}, pkg/controller/status/naming_controller.go,
pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from minikube_py.api.kinds import CRD_VERBS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.cel.rules import Node
    from minikube_py.api.types import Object

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"  # the finalizer of a definition whose objects are being deleted
TYPE_META = ("apiVersion", "kind", "metadata")
_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


class Schemas:
    """The structural schemas of a CRD, by apiVersion ('example.com/v1'), and which versions are deprecated.

    `deprecations`: apiVersion -> the warning, as the API server sends it. `columns`: apiVersion -> printer columns.
    `scales`: apiVersion -> paths of the scale subresource, see `scale_paths`. `fields`: apiVersion -> selectable fields.
    """

    __slots__ = ("_rules", "by_version", "columns", "deprecations", "fields", "scales")

    def __init__(self, crd: Object, served: list[Object]) -> None:
        group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
        self.by_version: dict[str, Object] = {}
        self.columns: dict[str, tuple[tuple[str, str, bool, str, str], ...]] = {}
        self.scales: dict[str, tuple[str, str, str] | None] = {}
        self.fields: dict[str, tuple[str, ...]] = {}
        for one in served:
            version = f"{group}/{one['name']}"
            self.by_version[version] = (one.get("schema") or {}).get("openAPIV3Schema") or {}
            self.columns[version] = _columns(one.get("additionalPrinterColumns") or ())
            self.scales[version] = scale_paths(crd, one["name"])
            self.fields[version] = tuple(field["jsonPath"].lstrip(".") for field in one.get("selectableFields") or ())
        self.deprecations = _deprecations(group, kind, served)
        self._rules: dict[str, Node | None] = {}

    def rules(self, version: str) -> Node | None:
        """The CEL rules of a version's schema, compiled as they are needed; None if there are none."""
        if version not in self._rules:
            from minikube_py.api.cel import rules

            self._rules[version] = rules.tree(self.by_version[version])
        return self._rules[version]


def kinds_of(crd: Object) -> tuple[Kind, ...]:
    """The row that a CRD adds to the table; () if no version is served. Its version is the preferred one."""
    spec = crd["spec"]
    group, names = spec["group"], spec["names"]
    served = sorted((one for one in spec["versions"] if one.get("served")), key=lambda one: version_rank(one["name"]))
    if not served:
        return ()
    first, *others = served
    subresources = first.get("subresources") or {}
    return (
        Kind(
            names["kind"],
            f"{group}/{first['name']}",
            names["plural"],
            short=tuple(names.get("shortNames") or ()),
            namespaced=spec.get("scope") == "Namespaced",
            subresources=tuple(name for name in ("scale", "status") if subresources.get(name) is not None),
            categories=tuple(names.get("categories") or ()),
            verbs=CRD_VERBS,
            others=tuple(f"{group}/{one['name']}" for one in others),
            crd=crd["metadata"]["name"],
            singular_name=names.get("singular") or names["kind"].lower(),
            list_name=names.get("listKind") or "",
            columns=_columns(first.get("additionalPrinterColumns") or ()),
            schemas=Schemas(crd, served),
        ),
    )


def _deprecations(group: str, kind: str, served: list[Object]) -> dict[str, str]:
    current = next((one["name"] for one in served if not one.get("deprecated")), "")
    found = {}
    for one in served:
        if one.get("deprecated"):
            instead = f"; use {group}/{current} {kind}" if current else ""
            usual = f"{group}/{one['name']} {kind} is deprecated{instead}"
            found[f"{group}/{one['name']}"] = one.get("deprecationWarning") or usual
    return found


def _columns(given: Iterable[Object]) -> tuple[tuple[str, str, bool, str, str], ...]:
    """Printer columns as api.columns.Column; without any, the table has NAME and AGE."""
    columns = tuple(
        (
            one["name"],
            f"crd:{one['type']}:{one['jsonPath']}",
            bool(one.get("priority")),
            one["type"],
            one.get("format", ""),
        )
        for one in given
    )
    return (("Name", "meta.name", False, "string", "name"), *columns) if columns else ()


def is_established(crd: Object) -> bool:
    """Whether its objects are served."""
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def version_rank(version: str) -> tuple[int, int, int, str]:
    """A sort key: v2 < v1 < v1beta2 < v1beta1 < v1alpha1 < everything else by name (apimachinery's version.CompareKube...)."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (3, 0, 0, version)
    return ({None: 0, "beta": 1, "alpha": 2}[match[2]], -int(match[1]), -int(match[3] or 0), "")


def stored_version(crd: Object) -> str:
    """The apiVersion in which objects are kept."""
    spec = crd["spec"]
    return next(f"{spec['group']}/{one['name']}" for one in spec["versions"] if one.get("storage"))


def scale_paths(crd: Object, version: str) -> tuple[str, str, str] | None:
    """(spec replicas, status replicas, label selector) paths of the scale subresource; None if there is none."""
    for one in crd["spec"]["versions"]:
        scale = (one.get("subresources") or {}).get("scale")
        if one["name"] == version and scale is not None:
            return scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", "")
    return None


# ------------------------------------------------------------------------------------------- the status of a CRD


def established(crd: Object, now: str, kinds: Iterable[Kind] = ()) -> Object:
    """The status after the naming and establishing controllers have looked at the CRD.

    `now`: a timestamp; `kinds`: the registry's, whose names in the same group count as taken.
    """
    names, old = crd["spec"]["names"], crd.get("status") or {}
    reason, message, bad = "", "", _conflicts(crd, kinds)
    accepted = {**(old.get("acceptedNames") or {"kind": "", "plural": ""})}
    if bad:
        reason, message = bad
    else:
        accepted = names
    given = [
        ("NamesAccepted", "False" if bad else "True", reason or "NoConflicts", message or "no conflicts found"),
        ("Established", "False", "NotAccepted", "not all names are accepted")
        if bad
        else ("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    stored = list(old.get("storedVersions") or ())
    current = stored_version(crd).rpartition("/")[2]
    return {
        **old,
        "acceptedNames": accepted,
        "conditions": _conditions(old.get("conditions") or [], given, now),
        "storedVersions": stored if current in stored else [*stored, current],
    }


_TERMINATING = {
    "InstanceDeletionPending": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    "InstanceDeletionInProgress": "CustomResource deletion is in progress",
}


def terminating(crd: Object, now: str, reason: str) -> Object:
    """The status of a CRD that is being deleted."""
    status: Object = crd.get("status") or {}
    given = [("Terminating", "True", reason, _TERMINATING[reason])]
    return {**status, "conditions": _conditions(status.get("conditions") or [], given, now)}


def _conditions(old: list[Object], given: list[tuple[str, str, str, str]], now: str) -> list[Object]:
    """Old conditions with those of `given` put in; a transition time stays while the status stays."""
    found = {one["type"]: one for one in old}
    for type, status, reason, message in given:
        before = found.get(type)
        since = before["lastTransitionTime"] if before and before["status"] == status else now
        found[type] = {
            "type": type,
            "status": status,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }
    return list(found.values())


def _conflicts(crd: Object, kinds: Iterable[Kind]) -> tuple[str, str] | None:
    """(reason, message) if a name is taken in the CRD's group by another kind."""
    spec = crd["spec"]
    names = spec["names"]
    own = crd["metadata"]["name"]
    others = [kind for kind in kinds if kind.group == spec["group"] and kind.crd != own and not kind.simulated]
    resources = {word for kind in others for word in (kind.plural, kind.singular, *kind.short)}
    taken_kinds = {word for kind in others for word in (kind.name, kind.list_kind)}
    checks = [
        ("PluralConflict", [names["plural"]], resources),
        ("SingularConflict", [names.get("singular") or names["kind"].lower()], resources),
        ("ShortNamesConflict", list(names.get("shortNames") or ()), resources),
        ("KindConflict", [names["kind"]], taken_kinds),
        ("ListKindConflict", [names.get("listKind") or f"{names['kind']}List"], taken_kinds),
    ]
    found: tuple[str, str] | None = None
    for reason, wanted, taken in checks:  # the last one is told
        texts = [f'"{name}" is already in use' for name in wanted if name in taken]
        if texts:
            found = (reason, texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return found


# ----------------------------------------------------------------------------------------- what a schema does


def prune(schema: Object, value: Any, path: str, unknown: list[str], root: bool = True) -> Any:
    """A value without the fields that its schema does not know; their paths are added to `unknown`.

    `root`: an object as a whole (or an embedded one), whose apiVersion, kind and metadata stay.
    """
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [prune(items, one, f"{path}[{index}]", unknown, _is_embedded(items)) for index, one in enumerate(value)]
    if not isinstance(value, dict) or schema.get("x-kubernetes-int-or-string"):
        return value
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    out: Object = {}
    for field in sorted(value):
        one, here = value[field], f"{path}.{field}" if path else field
        if root and field in TYPE_META:
            out[field] = one
        elif field in properties:
            out[field] = prune(properties[field], one, here, unknown, _is_embedded(properties[field]))
        elif isinstance(more, dict):
            out[field] = prune(more, one, here, unknown, _is_embedded(more))
        elif more or schema.get(PRESERVE):
            out[field] = one
        else:
            unknown.append(here)
    return out


def _is_embedded(schema: Object) -> bool:
    return bool(schema.get(EMBEDDED))


def default(schema: Object, value: Any) -> Any:
    """A value with the schema's defaults; a null that may not be is dropped, or replaced by its default."""
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [default(items, one) for one in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    out: Object = {}
    for field, one in value.items():
        inner = properties.get(field) or (more if isinstance(more, dict) else {})
        if one is None and inner and not inner.get("nullable") and not inner.get(PRESERVE):
            continue
        out[field] = default(inner, one)
    for field, inner in properties.items():
        if field not in out and inner.get("default") is not None:
            out[field] = default(inner, inner["default"])
    return out


def shape(kind: Kind, obj: Object, unknown: list[str]) -> Object:
    """An object of a custom kind, pruned and with its defaults; metadata is left alone."""
    assert kind.schemas is not None, kind.name
    schema = kind.schemas.by_version.get(obj.get("apiVersion", kind.version)) or {}
    metadata = obj.get("metadata")
    shaped = default(schema, prune(schema, obj, "", unknown))
    return {**shaped, "metadata": metadata} if metadata is not None else shaped
