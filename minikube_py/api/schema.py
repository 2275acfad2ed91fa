"""The API's JSON schemas, from the package kubernetes-validate, and how lists in them are merged.

The schema files are found without importing that package, since its import pulls in jsonschema (130 ms). What applying
needs, merge keys and list types, is in the small table of `gotypes`; the schema files themselves are read only for
descriptions (`explain`) and versions other than the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api import gotypes

if TYPE_CHECKING:
    from pathlib import Path

    from minikube_py.api.types import Object

VERSION = "1.36.0"
_PREFIXES = {
    "meta.": "io.k8s.apimachinery.pkg.apis.meta.",
    "apiextensions.": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.",
    "apiregistration.": "io.k8s.kube-aggregator.pkg.apis.apiregistration.",
}
_definitions: dict[str, dict[str, Any]] = {}


def folder(version: str = VERSION) -> Path:
    """Where the schema files of a Kubernetes version lie. FileNotFoundError if the package is missing or lacks it."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package kubernetes-validate is not installed")
    found = Path(spec.submodule_search_locations[0]) / "kubernetes-json-schema" / f"v{version}-local"
    if not found.is_dir():
        raise FileNotFoundError(f"kubernetes-validate has no schemas of Kubernetes {version}")
    return found


def definitions(version: str = VERSION) -> dict[str, Any]:
    """All definitions of a version by their full names ('io.k8s.api.apps.v1.DeploymentSpec'); 1.6 MB, 20 ms, cached."""
    found = _definitions.get(version)
    if found is None:
        import orjson

        document = orjson.loads((folder(version) / "_definitions.json").read_bytes())
        found = _definitions[version] = document["$defs"]
    return found


def schema_of(api_version: str, kind: str, version: str = VERSION) -> Object | None:
    """The schema of a kind: {"description", "properties": {name: {"type", "$ref", "items", ...}}, "required"}; None if unknown.

    A "$ref" in it is resolved by `resolve`.
    """
    group, _, bare = api_version.rpartition("/")
    wanted = {"group": group, "version": bare, "kind": kind}
    go = gotypes.type_of(api_version, kind)
    if go is not None:
        found: Object | None = definitions(version).get(full_name(go))
        return found
    for definition in definitions(version).values():
        if wanted in definition.get("x-kubernetes-group-version-kind", ()):
            return dict(definition)
    return None


def resolve(schema: Object, version: str = VERSION) -> Object:
    """A schema with its "$ref" followed: the description beside the reference wins."""
    pointer = schema.get("$ref", "")
    if not pointer:
        return schema
    name = pointer.rpartition("$defs/")[2]
    return {**definitions(version)[name], **{key: value for key, value in schema.items() if key != "$ref"}}


def full_name(go: str) -> str:
    """'apps.v1.DeploymentSpec' -> 'io.k8s.api.apps.v1.DeploymentSpec'"""
    for prefix, full in _PREFIXES.items():
        if go.startswith(prefix):
            return full + go.removeprefix(prefix)
    return f"io.k8s.api.{go}"


class ListMark(NamedTuple):
    """How a list or map field is merged, from the x-kubernetes-* marks of its schema."""

    strategy: str  # of strategic merge: 'merge', 'retainKeys', 'merge,retainKeys' or ''
    merge_key: str  # of strategic merge: 'name', 'containerPort', ... or ''
    type: str  # of server-side apply: 'map', 'set', 'atomic', 'granular' or ''
    map_keys: tuple[str, ...]  # the keys of a list of type 'map'


class ListKeys:
    """The merge marks of one kind's fields. A path is field names without indexes: ('spec', 'containers', 'ports')."""

    __slots__ = ("_cache", "_root")

    def __init__(self, go: str) -> None:
        self._root = go
        self._cache: dict[tuple[str, ...], ListMark | None] = {}

    def mark(self, path: tuple[str, ...]) -> ListMark | None:
        """All marks of a field; None if it has none or is unknown."""
        if path not in self._cache:
            self._cache[path] = self._find(path)
        return self._cache[path]

    def merge_key(self, path: tuple[str, ...]) -> tuple[str, str] | None:
        """(strategy, key) of strategic merge: ('merge', 'name') for a pod's containers; None replaces the field."""
        mark = self.mark(path)
        return (mark.strategy, mark.merge_key) if mark and mark.strategy else None

    def _find(self, path: tuple[str, ...]) -> ListMark | None:
        owner = self._root
        for at, field in enumerate(path):
            fields = gotypes.fields_of(owner)
            if fields is None or field not in fields:
                return None
            if at == len(path) - 1:
                break
            owner = gotypes.element(fields[field])
        found = gotypes.table()["lists"].get(owner, {}).get(path[-1]) if path else None
        return ListMark(found[0], found[1], found[2], tuple(found[3])) if found else None


_list_keys: dict[tuple[str, str], ListKeys | None] = {}


def merge_keys(api_version: str, kind: str) -> ListKeys | None:
    """How the lists of a kind merge; None for custom resources, which know no strategic merge."""
    name = (api_version, kind)
    if name not in _list_keys:
        go = gotypes.type_of(api_version, kind)
        _list_keys[name] = ListKeys(go) if go is not None else None
    return _list_keys[name]
