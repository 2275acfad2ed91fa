"""Write minikube_py/api/data/types.json: what the Go types of the Kubernetes API know and its OpenAPI schemas do not say.

    python scripts/go_types.py API APIMACHINERY APIEXTENSIONS AGGREGATOR

The four arguments are checkouts of k8s.io/{api,apimachinery,apiextensions-apiserver,kube-aggregator}. Taken from their
struct declarations: the Go type of each field and whether it is printed when empty. Only types and fields that the JSON
schemas of the package kubernetes-validate know in the version below are kept, so a checkout may be newer. From the
schemas: the merge keys of strategic merge and the list types of server-side apply.

The file: {"version", "types": {type: {field: "!*T"}}, "alias": {type: T}, "lists": {type: {field: [strategy, merge key,
list type, list map keys]}}, "kinds": {"apps/v1/Deployment": type}}. "!" marks a field that is printed even when empty.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

VERSION = "1.36.0"
OUT = Path(__file__).parent.parent / "minikube_py" / "api" / "data" / "types.json"
LEAVES = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "Quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "IntOrString",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "RawExtension",
}
PREFIXES = {
    "io.k8s.api.": "",
    "io.k8s.apimachinery.pkg.apis.": "",
    "io.k8s.apiextensions-apiserver.pkg.apis.": "",
    "io.k8s.kube-aggregator.pkg.apis.": "",
}
BUILT_IN = {"string", "bool", "int", "int32", "int64", "uint32", "uint64", "float64", "byte", "error"}
FIELD = re.compile(r"^\t(?:(?P<name>\w+) +)?(?P<type>[\w.*\[\]]+)\s+`(?P<tag>[^`]*)`")
IMPORT = re.compile(r'^(?:import)?\s*(?:(\w+) )?"(k8s\.io/[^"]+)"')
OPAQUE = {"Quantity", "IntOrString", "RawExtension", "Time", "MicroTime", "Duration", "FieldsV1", "JSON", "UID"}
# Types with a JSON encoding of their own, which a struct declaration does not tell.
UNIONS = {"JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"}


def short(definition: str) -> str:
    if definition in LEAVES:
        return LEAVES[definition]
    for prefix, new in PREFIXES.items():
        if definition.startswith(prefix):
            return new + definition.removeprefix(prefix)
    return definition


def package_of(path: str) -> str:
    """'k8s.io/api/core/v1' -> 'core.v1'; '.../apis/meta/v1' -> 'meta.v1'; '.../api/resource' -> '' (leaf types)."""
    parts = path.split("/")
    return ".".join(parts[-2:]) if re.match(r"v\d", parts[-1]) else ""


def blank_comments(text: str) -> list[str]:
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return [line if "`" in line else line.split("//")[0].rstrip() for line in text.splitlines()]


class Sources:
    """The struct declarations and type aliases of all packages."""

    def __init__(self) -> None:
        self.structs: dict[str, list[tuple[str, str, str]]] = {}  # type -> (field or '', Go type, tag)
        self.alias: dict[str, str] = {}

    def read(self, path: Path, package: str) -> None:
        imports: dict[str, str] = {}
        current = ""
        for line in blank_comments(path.read_text()):
            if found := IMPORT.match(line):
                imports[found[1] or found[2].rsplit("/", 1)[1]] = package_of(found[2])
            elif found := re.match(r"^(?:type |\t)(\w+) struct \{$", line):
                current = f"{package}.{found[1]}"
                self.structs[current] = []
            elif found := re.match(r"^type (\w+) struct ?\{\}$", line):
                self.structs[f"{package}.{found[1]}"] = []
            elif found := re.match(r"^type (\w+) ([\w.*\[\]]+)$", line):
                self.alias[f"{package}.{found[1]}"] = qualify(found[2], package, imports)
            elif line == "}":
                current = ""
            elif current and (found := FIELD.match(line)):
                kind = qualify(found["type"], package, imports)
                self.structs[current].append((found["name"] or "", kind, found["tag"]))


def qualify(go: str, package: str, imports: dict[str, str]) -> str:
    """'[]Container' in package core.v1 -> '[]core.v1.Container'; leaf types lose their package."""

    def one(match: re.Match[str]) -> str:
        word = match[0]
        head, _, tail = word.rpartition(".")
        name = tail if head else word
        if not head and word in BUILT_IN | {"map"}:
            return word
        if name in OPAQUE:
            return name
        if head:
            return f"{imports.get(head) or head}.{name}"
        return f"{package}.{name}"

    return re.sub(r"[A-Za-z_][\w.]*", one, go)


def fields_of(sources: Sources, name: str) -> dict[str, tuple[str, bool]]:
    """JSON name -> (Go type, printed even when empty), embedded structs flattened."""
    found: dict[str, tuple[str, bool]] = {}
    for _, kind, tag in sources.structs[name]:
        match = re.search(r'json:"([^"]*)"', tag)
        if not match or match[1] == "-":
            continue
        json_name, *options = match[1].split(",")
        if "inline" in options or not json_name:
            found.update(fields_of(sources, kind.lstrip("*")))
            continue
        is_struct = kind in sources.structs or kind in (
            "Time",
            "MicroTime",
            "Quantity",
            "IntOrString",
            "Duration",
            "RawExtension",
        )
        always = "omitzero" not in options and ("omitempty" not in options or is_struct)
        found[json_name] = (kind, always)
    return found


def read_sources(api: Path, machinery: Path, extensions: Path, aggregator: Path) -> Sources:
    sources = Sources()
    for path in sorted(api.glob("*/v*/*types*.go")):
        sources.read(path, f"{path.parent.parent.name}.{path.parent.name}")
    sources.read(machinery / "pkg/apis/meta/v1/types.go", "meta.v1")
    for path in sorted((extensions / "pkg/apis/apiextensions/v1").glob("types*.go")):
        sources.read(path, "apiextensions.v1")
    sources.read(aggregator / "pkg/apis/apiregistration/v1/types.go", "apiregistration.v1")
    return sources


def names_in(go: str) -> list[str]:
    return [word for word in re.findall(r"[A-Za-z_][\w.]*", go) if word not in BUILT_IN | {"map"} | OPAQUE]


def go_of(schema: dict) -> str:
    """The Go type of a field that the checkout no longer has, as far as its schema tells it."""
    if "$ref" in schema:
        return "*" + short(schema["$ref"].rpartition("$defs/")[2])
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "array":
        return "[]" + go_of(schema["items"]).lstrip("*")
    if kind == "object":
        return "map[string]" + go_of(schema["additionalProperties"]).lstrip("*")
    return {"integer": schema.get("format", "int64"), "boolean": "bool"}.get(kind, "string")


def reach(sources: Sources, schemas: dict[str, dict], roots: list[str]) -> tuple[dict, dict]:
    """The types and aliases that `roots` need, fields limited to those of the schemas."""
    types: dict[str, dict[str, str]] = {}
    alias: dict[str, str] = {}
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in types or name in alias or name.rpartition(".")[2] in UNIONS:
            continue
        if name not in sources.structs and name not in schemas:
            alias[name] = sources.alias[name]
            todo += names_in(alias[name])
            continue
        known = schemas[name].get("properties", {}) if name in schemas else None
        types[name] = {}
        declared = fields_of(sources, name) if name in sources.structs else {}
        for field, (go, always) in declared.items():
            if known is None or field in known:
                types[name][field] = ("!" if always else "") + go
                todo += names_in(go)
        for field in sorted((known or {}).keys() - types[name].keys()):
            types[name][field] = go_of(known[field])
            todo += names_in(types[name][field])
    return types, alias


def lists_of(schemas: dict[str, dict], types: dict[str, dict[str, str]]) -> dict[str, dict[str, list]]:
    found: dict[str, dict[str, list]] = {}
    for name in sorted(types):
        for field, schema in schemas.get(name, {}).get("properties", {}).items():
            marks = [
                schema.get("x-kubernetes-patch-strategy", ""),
                schema.get("x-kubernetes-patch-merge-key", ""),
                schema.get("x-kubernetes-list-type") or schema.get("x-kubernetes-map-type") or "",
                schema.get("x-kubernetes-list-map-keys", []),
            ]
            if any(marks):
                found.setdefault(name, {})[field] = marks
    return found


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from minikube_py.api.kinds import KINDS

    spec = importlib.util.find_spec("kubernetes_validate")
    assert spec
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "kubernetes-json-schema" / f"v{VERSION}-local"
    schemas = {
        short(name): schema for name, schema in json.loads((folder / "_definitions.json").read_text())["$defs"].items()
    }
    sources = read_sources(*map(Path, sys.argv[1:5]))
    rooms = {"admissionregistration.k8s.io": "admissionregistration", "rbac.authorization.k8s.io": "rbac"}
    kinds = {}
    wanted = [(version, kind.name) for kind in KINDS for version in (kind.version, *kind.others)]
    wanted += [
        ("autoscaling/v1", "Scale"),
        ("policy/v1", "Eviction"),
        ("authentication.k8s.io/v1", "TokenRequest"),
        ("v1", "DeleteOptions"),
    ]
    for version, kind in wanted:
        group, _, bare = version.rpartition("/")
        room = rooms.get(group, group.split(".")[0]) or ("meta" if kind == "DeleteOptions" else "core")
        if f"{room}.{bare}.{kind}" in sources.structs:
            kinds[f"{version}/{kind}"] = f"{room}.{bare}.{kind}"
    types, alias = reach(sources, schemas, list(kinds.values()))
    document = {
        "version": VERSION,
        "kinds": kinds,
        "types": dict(sorted(types.items())),
        "alias": dict(sorted(alias.items())),
        "lists": lists_of(schemas, types),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(document, separators=(",", ":")).replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main()
