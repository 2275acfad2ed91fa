"""Sets of fields as managedFields keeps them (FieldsV1), and what server-side apply does with them.

A set is the JSON of FieldsV1 itself: {"f:spec": {"f:replicas": {}}}. A key is a path element: 'f:NAME', 'k:{"name":"web"}' (the
item of a list with those keys) or 'v:"x"' (an item of a list that is a set). A node without content, or with a '.' in it, is
a member; other nodes only lead to members. {} at the top is the empty set.

Sources: sigs.k8s.io/structured-merge-diff fieldpath/serialize.go, typed/compare.go, typed/merge.go, typed/remove.go,
typed/tofieldset.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from minikube_py.api import gotypes
from minikube_py.api.typed import DEFAULT_KEYS
from minikube_py.base import gotext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

Fields: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str, ...]
MISSING: Any = object()

# Structs that are owned as one ("x-kubernetes-map-type": "atomic" on the type in the schemas).
ATOMIC = frozenset((
    "admissionregistration.v1.MatchResources", "admissionregistration.v1.NamedRuleWithOperations",
    "admissionregistration.v1.ParamKind", "admissionregistration.v1.ParamRef", "admissionregistration.v1.Variable",
    "autoscaling.v1.CrossVersionObjectReference", "core.v1.ConfigMapKeySelector", "core.v1.EndpointAddress",
    "core.v1.EndpointPort", "core.v1.FileKeySelector", "core.v1.LocalObjectReference", "core.v1.NodeSelector",
    "core.v1.NodeSelectorTerm", "core.v1.ObjectFieldSelector", "core.v1.ObjectReference", "core.v1.ResourceFieldSelector",
    "core.v1.ScopeSelector", "core.v1.SecretKeySelector", "core.v1.SecretReference", "core.v1.TopologySelectorTerm",
    "core.v1.TypedLocalObjectReference", "discovery.v1.EndpointPort", "meta.v1.LabelSelector", "meta.v1.OwnerReference",
    "networking.v1.ServiceBackendPort", "rbac.v1.RoleRef", "rbac.v1.Subject",
))  # fmt: skip
FREE = frozenset(("JSON", "RawExtension", "FieldsV1"))  # Go types that hold any JSON
# What no manager owns (apimachinery managedfields/internal/stripmeta.go), and what a deletion sets.
NOBODYS: Fields = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {}, "f:clusterName": {}, "f:creationTimestamp": {}, "f:deletionGracePeriodSeconds": {},
        "f:deletionTimestamp": {}, "f:generation": {}, "f:managedFields": {}, "f:name": {}, "f:namespace": {},
        "f:resourceVersion": {}, "f:selfLink": {}, "f:uid": {},
    },
}  # fmt: skip


class Shape(NamedTuple):
    """How a value is owned: 'struct', 'map' (by its entries), 'list' (by its items), 'free' (as it comes) or 'leaf' (whole).

    `keys`: the keys of a list's items, () for a set. `source`: Go text ('[]core.v1.Container'), or a CRD's schema.
    """

    sort: str
    keys: tuple[str, ...] = ()
    source: Any = ""


def shape_of(kind: Kind) -> Shape:
    """The shape of a kind's objects: of the Go type, or of the CRD's schema."""
    go = gotypes.type_of(kind.version, kind.name)
    if go is not None:
        return _of_go(go, "", ())
    schema = kind.schemas.by_version.get(kind.version, {}) if kind.schemas is not None else {}
    properties = {**(schema.get("properties") or {}), "metadata": "meta.v1.ObjectMeta"}
    return _of_schema({**schema, "type": "object", "properties": properties})


def _of_go(go: str, mark: str, keys: tuple[str, ...]) -> Shape:
    under = go.lstrip("!*")
    while (alias := gotypes.alias_of(under)) is not None:
        under = alias
    if under in FREE:
        return Shape("free")
    if gotypes.fields_of(under) is not None:
        return Shape("leaf" if under in ATOMIC or mark == "atomic" else "struct", (), under)
    if under.startswith("map["):
        return Shape("leaf" if mark == "atomic" else "map", (), under.partition("]")[2])
    if under.startswith("[]") and mark in ("map", "set"):
        return Shape("list", keys, under[2:])
    return Shape("leaf")


def _of_schema(schema: Any) -> Shape:
    if isinstance(schema, str):
        return _of_go(schema, "", ())
    if schema.get("x-kubernetes-map-type") == "atomic":
        return Shape("leaf")
    type = schema.get("type")
    if type == "array":
        list_type = schema.get("x-kubernetes-list-type")
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        return Shape("list", keys, schema.get("items") or {}) if list_type in ("map", "set") else Shape("leaf")
    if schema.get("properties"):
        return Shape("struct", (), schema)
    if schema.get("additionalProperties"):
        return Shape("map", (), schema["additionalProperties"])
    return Shape("free" if type in (None, "object") else "leaf")


def _field(shape: Shape, name: str) -> Shape:
    """The shape of a field of a struct, of an entry of a map, of an item of a list."""
    source = shape.source
    if shape.sort == "free":
        return Shape("free")
    if shape.sort == "struct" and isinstance(source, str):
        go = (gotypes.fields_of(source) or {}).get(name)
        mark = gotypes.table()["lists"].get(source, {}).get(name) or ("", "", "", ())
        return _of_go(go, mark[2], tuple(mark[3])) if go is not None else Shape("leaf")
    if shape.sort == "struct":
        return _of_schema(source["properties"].get(name, {}))
    return _of_go(source, "", ()) if isinstance(source, str) else _of_schema(source)


def _entries(shape: Shape, value: Any) -> dict[str, tuple[str, Any]]:
    """The parts of a value by path element: element -> (field name, value). {} for what has no parts."""
    if isinstance(value, dict) and shape.sort in ("struct", "map", "free"):
        return {f"f:{name}": (name, part) for name, part in value.items()}
    if isinstance(value, list) and shape.sort == "list":
        return {_element(shape, item): ("", item) for item in value}
    return {}


def _element(shape: Shape, item: Any) -> str:
    if not shape.keys:
        return "v:" + gotext.json_text(item)
    keys = sorted(shape.keys)
    values = {key: item.get(key, DEFAULT_KEYS.get(key)) for key in keys} if isinstance(item, dict) else {}
    return "k:" + gotext.json_text({key: value for key, value in values.items() if value is not None})


def _absent(shape: Shape, whole: Any, element: str) -> Any:
    """What a value is that is not in `whole`: Go always has the structs and lists that are no pointers and not omitted."""
    if shape.sort != "struct" or not isinstance(shape.source, str) or not isinstance(whole, dict):
        return MISSING
    go = (gotypes.fields_of(shape.source) or {}).get(element[2:], "")
    if not go.startswith("!"):
        return MISSING
    return {} if gotypes.fields_of(go[1:]) is not None else None


# -- the fields of an object, and of a change --------------------------------------------------------------------


def of(kind: Kind, obj: Object) -> Fields:
    """All fields that an applied configuration names."""
    paths: list[Path] = []
    _walk(shape_of(kind), obj, (), paths)
    return difference(build(paths), NOBODYS)


def _walk(shape: Shape, value: Any, path: Path, found: list[Path]) -> None:
    parts = _entries(shape, value)
    if not parts and (shape.sort in ("leaf", "free") or not isinstance(value, dict | list)):
        found.append(path)
        return
    for element, (name, part) in parts.items():
        here = (*path, element)
        _walk(_field(shape, name), part, here, found)
        if shape.sort != "struct" or part is None or part == {}:
            found.append(here)


def compare(kind: Kind, old: Object, new: Object) -> tuple[Fields, Fields]:
    """(what was added or changed, what was removed) between two versions; `old` {} at a creation."""
    changed: list[Path] = []
    removed: list[Path] = []
    _compare(shape_of(kind), old, new, (), changed, removed)
    return difference(build(changed), NOBODYS), difference(build(removed), NOBODYS)


def _compare(shape: Shape, old: Any, new: Any, path: Path, changed: list[Path], removed: list[Path]) -> None:
    if old is new:
        return
    before, after = _entries(shape, old), _entries(shape, new)
    for element in dict.fromkeys((*before, *after)):
        name = (before.get(element) or after[element])[0]
        left = before[element][1] if element in before else _absent(shape, old, element)
        right = after[element][1] if element in after else _absent(shape, new, element)
        _compare(_field(shape, name), left, right, (*path, element), changed, removed)
    if old is MISSING:
        changed.append(path)
    elif new is MISSING:
        removed.append(path)
    elif not before and not after and old != new and path:
        changed.append(path)


# -- applying ----------------------------------------------------------------------------------------------------


def merge(kind: Kind, live: Object, config: Object) -> Object:
    """The live object with all that a configuration says."""
    merged: Object = _merge(shape_of(kind), live, config)
    return merged


def _merge(shape: Shape, live: Any, config: Any) -> Any:
    mine, yours = _entries(shape, live), _entries(shape, config)
    if isinstance(config, dict) and isinstance(live, dict) and shape.sort in ("struct", "map", "free"):
        merged = {
            name: _merge(_field(shape, name), part, yours[element][1]) if element in yours else part
            for element, (name, part) in mine.items()
        }
        return {**merged, **{name: part for element, (name, part) in yours.items() if element not in mine}}
    if isinstance(config, list) and isinstance(live, list) and shape.sort == "list":
        inner = _field(shape, "")
        return [
            _merge(inner, mine[element][1], yours[element][1])
            if element in mine and element in yours
            else (yours.get(element) or mine[element])[1]
            for element in _in_order(list(mine), list(yours))
        ]
    return config


def atomics(kind: Kind, config: Object) -> list[str]:
    """The lists, maps and structs of a configuration that could only be replaced as a whole: '.spec.selector'."""
    found: list[str] = []
    _atomics(shape_of(kind), config, "", found)
    return found


def _atomics(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    if shape.sort == "leaf" and isinstance(value, dict | list):
        found.append(path)
    for element, (name, part) in _entries(shape, value).items():
        _atomics(_field(shape, name), part, path + _text(element), found)


def _in_order(mine: list[str], yours: list[str]) -> list[str]:
    """Items of two lists: those of the configuration in its order, the others before what they stood before."""
    known, found = dict.fromkeys(yours), []
    rest = iter(yours)
    for element in mine:
        if element not in known:
            found.append(element)
            continue
        for other in rest:
            found.append(other)
            if other == element or other in mine:
                break
    return list(dict.fromkeys((*found, *rest)))


def remove(kind: Kind, obj: Object, gone: Fields) -> Object:
    """The object without the members of a set and what is in them."""
    left: Object = _remove(shape_of(kind), obj, gone)
    return left


def _remove(shape: Shape, value: Any, gone: Fields) -> Any:
    if not gone:
        return value
    kept = [
        (name, _remove(_field(shape, name), part, gone[element]) if element in gone else part)
        for element, (name, part) in _entries(shape, value).items()
        if element not in gone or not is_member(gone[element])
    ]
    return [part for _, part in kept] if isinstance(value, list) else dict(kept)


# -- sets --------------------------------------------------------------------------------------------------------


def is_member(node: Fields) -> bool:
    return not node or "." in node


def build(paths: list[Path]) -> Fields:
    """The set of some paths; the path () is left out."""
    whole: Fields = {}
    members: list[Fields] = []
    for path in paths:
        node = whole
        for element in path:
            node = node.setdefault(element, {})
        if path:
            members.append(node)
    for node in members:
        if node:
            node["."] = {}
    return _sorted(whole)


def _sorted(node: Fields) -> Fields:
    return {key: _sorted(node[key]) for key in sorted(node)}


def union(left: Fields, right: Fields) -> Fields:
    return _combine(left, right, lambda a, b: a or b)


def difference(left: Fields, right: Fields) -> Fields:
    return _combine(left, right, lambda a, b: a and not b)


def intersection(left: Fields, right: Fields) -> Fields:
    return _combine(left, right, lambda a, b: a and b)


def _combine(left: Fields, right: Fields, keep: Callable[[bool, bool], bool]) -> Fields:
    """The members that `keep` picks, given whether they are in the left and in the right set."""
    found: Fields = {}
    for element in sorted({**left, **right}):
        if element == ".":
            continue
        mine, yours = left.get(element), right.get(element)
        if mine is None or yours is None:  # what only one of them has is picked whole, or not at all
            part = yours if mine is None else mine
            if part is not None and keep(mine is not None, yours is not None):
                found[element] = part
            continue
        below = _combine(mine, yours, keep)
        member = keep(is_member(mine), is_member(yours))
        if member and below:
            below = {".": {}, **below}
        if member or below:
            found[element] = below
    return found


def without(left: Fields, right: Fields) -> Fields:
    """The members of `left` that neither are in `right` nor lie below a member of it (RecursiveDifference)."""
    found: Fields = {}
    for element, node in left.items():
        other = right.get(element)
        if other is None:
            found[element] = node
        elif not is_member(other) and (below := without(node, other)):
            found[element] = below
    return found


def with_parents(fields: Fields) -> Fields:
    """The set with every node that leads to a member as a member too."""
    return {
        element: {".": {}, **with_parents(node)} if node else {} for element, node in fields.items() if element != "."
    }


def texts(fields: Fields, above: str = "") -> Iterator[str]:
    """The members as paths: '.spec.template.spec.containers[name="web"].image'."""
    for element, node in fields.items():
        if element == ".":
            continue
        here = above + _text(element)
        if is_member(node):
            yield here
        yield from texts(node, here)


def _text(element: str) -> str:
    if element.startswith("f:"):
        return "." + element[2:]
    if element.startswith("v:"):
        return f"[={element[2:]}]"
    import json

    return "[" + ",".join(f"{key}={gotext.json_text(value)}" for key, value in json.loads(element[2:]).items()) + "]"
