"""/openapi/v3 (a document for each group and version) and /openapi/v2: the schemas of all kinds, and the operations on them.

The schemas are those that `explain` prints (`api.openapi`); here they refer to each other within one document. The paths
come from discovery: every resource with its verbs, parameters and bodies.

Source: k8s.io/kube-openapi pkg/handler3, pkg/builder3; the marks that clients look for: x-kubernetes-group-version-kind,
x-kubernetes-action.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from minikube_py.api import openapi
from minikube_py.api.kinds import Kind
from minikube_py.http import discovery
from minikube_py.http.answers import JSON, NOT_FOUND, Answer, Refusal, dumped
from minikube_py.http.requests import PATCHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.http.requests import Request

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
SPECIAL: dict[str, Object] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "description": "IntOrString is a type that can hold an int32 or a string.",
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    },
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "description": "Quantity is a fixed-point representation of a number.",
        "oneOf": [{"type": "string"}, {"type": "number"}],
    },
}
QUERY: dict[str, tuple[Object, str]] = {
    "dryRun": ({"type": "string", "enum": ["All"]}, "All: nothing is persisted."),
    "fieldManager": ({"type": "string", "maxLength": 128}, "The name of the one who makes the change."),
    "fieldValidation": ({"type": "string", "enum": ["Ignore", "Strict", "Warn"]}, "What is done about unknown fields."),
    "force": ({"type": "boolean"}, "Take fields from other managers (apply)."),
    "labelSelector": ({"type": "string"}, "Restricts the list by labels."),
    "fieldSelector": ({"type": "string"}, "Restricts the list by fields."),
    "limit": ({"type": "integer"}, "At most so many objects."),
    "continue": ({"type": "string"}, "The page behind the one that gave this token."),
    "resourceVersion": ({"type": "string"}, "The version to read at."),
    "resourceVersionMatch": ({"type": "string", "enum": ["Exact", "NotOlderThan"]}, "How it counts."),
    "gracePeriodSeconds": ({"type": "integer"}, "Seconds before the object is deleted."),
    "propagationPolicy": (
        {"type": "string", "enum": ["Background", "Foreground", "Orphan"]},
        "What becomes of dependents.",
    ),
}
WRITES = ("dryRun", "fieldManager", "fieldValidation")
READS = ("labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch")
DELETES = ("dryRun", "gracePeriodSeconds", "propagationPolicy")
METHODS = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
_documents: dict[tuple[Any, ...], bytes] = {}


def handle(cluster: Cluster, words: list[str], request: Request) -> Answer:
    """GET /openapi/v2, /openapi/v3, /openapi/v3/apis/GROUP/VERSION. Raises Refusal (406) for forms that are not spoken."""
    from minikube_py.http.nonresource import tagged

    wanted = request.headers.get("accept", "*/*")
    if JSON not in wanted and "*/*" not in wanted and "json" not in wanted:
        raise Refusal(406, f"only the following media types are accepted: {JSON}")
    if words == ["v2"]:
        return tagged(_cached(cluster, "v2", lambda: _swagger(cluster)), JSON, request)
    if words == ["v3"]:
        return tagged(_cached(cluster, "v3", lambda: _index(cluster)), JSON, request)
    version = "/".join(words[2:])
    if (
        words[:1] != ["v3"]
        or words[1:2] not in (["api"], ["apis"])
        or not discovery.resources_of(cluster.registry, version)
    ):
        return NOT_FOUND
    return tagged(_document(cluster, version), JSON, request)


def _cached(cluster: Cluster, name: str, build: Callable[[], Object]) -> bytes:
    """A document, as long as the cluster serves the same kinds."""
    key = (name, *(kind.crd and crd_revision(cluster, kind) for kind in cluster.registry.kinds if kind.crd))
    found = _documents.get(key)
    if found is None:
        if len(_documents) > 200:
            _documents.clear()
        found = _documents[key] = dumped(build())
    return found


def crd_revision(cluster: Cluster, kind: Kind) -> str:
    """What changes when the definition of a custom kind does (not with its status: the uid and the generation)."""
    meta = cluster.stored("customresourcedefinitions.apiextensions.k8s.io", kind.crd)["metadata"]
    return f"{meta['uid']}/{meta.get('generation')}"


def _index(cluster: Cluster) -> Object:
    found = {}
    for name, versions in discovery.groups_of(cluster.registry).items():
        for version in versions:
            path = f"apis/{version}" if name else f"api/{version}"
            told = sha256(_document(cluster, version)).hexdigest().upper()
            found[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={told}"}
    return {"paths": found}


def _document(cluster: Cluster, version: str) -> bytes:
    """The OpenAPI v3 document of one apiVersion."""

    def build() -> Object:
        book = Book(cluster, "#/components/schemas/")
        paths = dict(_paths(book, version))
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": cluster.info.kubernetes_version},
            "paths": paths,
            "components": {
                "schemas": dict(sorted(book.schemas.items())),
                "securitySchemes": {"BearerToken": {"type": "apiKey", "in": "header", "name": "authorization"}},
            },
        }

    return _cached(cluster, version, build)


def _swagger(cluster: Cluster) -> Object:
    """The OpenAPI v2 document of everything."""
    book = Book(cluster, "#/definitions/")
    paths: Object = {}
    for versions in discovery.groups_of(cluster.registry).values():
        for version in versions:
            for path, operations in _paths(book, version):
                paths[path] = {method: _as_v2(one) for method, one in operations.items() if method != "parameters"}
                if "parameters" in operations:
                    paths[path]["parameters"] = [_parameter_v2(one) for one in operations["parameters"]]
    info = {"title": "Kubernetes", "version": cluster.info.kubernetes_version}
    return {"swagger": "2.0", "info": info, "paths": paths, "definitions": dict(sorted(book.schemas.items()))}


def _parameter_v2(one: Object) -> Object:
    return {**{key: value for key, value in one.items() if key != "schema"}, **one["schema"]}


def _as_v2(operation: Object) -> Object:
    found = {key: value for key, value in operation.items() if key not in ("requestBody", "responses", "parameters")}
    parameters = [_parameter_v2(one) for one in operation.get("parameters") or ()]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        first = next(iter(content.values()))
        parameters.append(
            {
                "in": "body",
                "name": "body",
                "required": operation["requestBody"].get("required", False),
                "schema": first["schema"],
            }
        )
        found["consumes"] = list(content)
    found["parameters"] = parameters
    found["responses"] = {
        code: {
            "description": one["description"],
            **({"schema": one["content"][JSON]["schema"]} if JSON in one.get("content", {}) else {}),
        }
        for code, one in operation["responses"].items()
    }
    return found


# -- schemas ---------------------------------------------------------------------------------------------------------


class Book:
    """The schemas of one document, each put in when something refers to it."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        self.cluster, self._prefix = cluster, prefix
        self.schemas: dict[str, Object] = {}

    def refer(self, name: str) -> Object:
        """A reference to a definition of Kubernetes' own ('io.k8s.api.core.v1.Pod')."""
        if name not in self.schemas:
            found = SPECIAL.get(name) or openapi.definition(name) or {"type": "object"}
            self.schemas[name] = {}  # a schema may refer to itself
            self.schemas[name] = self._own(found)
        return {"$ref": self._prefix + name}

    def kind(self, kind: Kind, version: str) -> Object:
        """A reference to the schema of a kind in a version."""
        group, _, bare = version.rpartition("/")
        if not (kind.crd or kind.simulated):
            return self.refer(_full_name(version, kind.name))
        name = ".".join([*reversed(group.split(".")), bare, kind.name])
        if name not in self.schemas:
            self.schemas[name] = {}
            mark = {"x-kubernetes-group-version-kind": [{"group": group, "version": bare, "kind": kind.name}]}
            self.schemas[name] = {**self._own(self._custom(kind, version)), **mark}
        return {"$ref": self._prefix + name}

    def _custom(self, kind: Kind, version: str) -> Object:
        if kind.simulated:
            return openapi.of_kind(kind) or {"type": "object"}
        crd = self.cluster.stored("customresourcedefinitions.apiextensions.k8s.io", kind.crd)
        return openapi.of_kind(kind._replace(version=version), crd) or {"type": "object"}

    def list(self, kind: Kind, version: str) -> Object:
        """A reference to the list of a kind."""
        group, _, bare = version.rpartition("/")
        item = self.kind(kind, version)
        name = item["$ref"].removeprefix(self._prefix) + "List"
        if name not in self.schemas:
            self.schemas[name] = {
                "description": f"{kind.list_kind} is a list of {kind.name}",
                "type": "object",
                "required": ["items"],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "items": {"type": "array", "items": item},
                    "kind": {"type": "string"},
                    "metadata": self.refer(META + "ListMeta"),
                },
                "x-kubernetes-group-version-kind": [{"group": group, "version": bare, "kind": kind.list_kind}],
            }
        return {"$ref": self._prefix + name}

    def _own(self, found: Any) -> Any:
        """A schema whose references stay within this document."""
        if isinstance(found, list):
            return [self._own(one) for one in found]
        if not isinstance(found, dict):
            return found
        if "$ref" in found and isinstance(found["$ref"], str):
            return {**found, **self.refer(found["$ref"].rpartition("/")[2])}
        return {key: self._own(value) for key, value in found.items()}


def _full_name(version: str, kind: str) -> str:
    from minikube_py.api import gotypes, schema

    go = gotypes.type_of(version, kind)
    return schema.full_name(go) if go is not None else f"{META}{kind}"


# -- paths -----------------------------------------------------------------------------------------------------------


def _paths(book: Book, version: str) -> Iterator[tuple[str, Object]]:
    """(path, its operations) of every resource of an apiVersion."""
    registry = book.cluster.registry
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    kinds = {kind.plural: kind for kind in registry.kinds if version in (kind.version, *kind.others)}
    for resource in discovery.resources_of(registry, version):
        kind = kinds.get(resource.plural)
        if kind is None:
            continue  # measured, not stored
        home = f"{root}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
        maker = _Maker(book, kind, version)
        yield home, maker.collection(kind.namespaced)
        yield f"{home}/{{name}}", maker.item("", resource.verbs)
        for below in resource.subresources:
            yield f"{home}/{{name}}/{below.name}", maker.item(below.name, below.verbs, below)
        if kind.namespaced and "list" in kind.verbs:
            yield f"{root}/{kind.plural}", {"get": maker.listing()}


class _Maker:
    """The operations on one kind."""

    def __init__(self, book: Book, kind: Kind, version: str) -> None:
        self.book, self.kind, self.version = book, kind, version
        group, _, bare = version.rpartition("/")
        self.mark = {"group": group, "version": bare, "kind": kind.name}
        self.title = f"{kind.name}"

    def collection(self, namespaced: bool) -> Object:
        found: Object = {}
        if "list" in self.kind.verbs:
            found["get"] = self.listing()
        if "create" in self.kind.verbs:
            schema = self.book.kind(self.kind, self.version)
            found["post"] = self._operation("post", "create", WRITES, schema, schema, code="201")
        if "deletecollection" in self.kind.verbs:
            options = self.book.refer(META + "DeleteOptions")
            found["delete"] = self._operation(
                "deletecollection",
                "delete the collection of",
                (*DELETES, *READS),
                options,
                self.book.refer(META + "Status"),
                optional=True,
            )
        if namespaced:
            found["parameters"] = [_in_path("namespace")]
        return found

    def listing(self) -> Object:
        return self._operation("list", "list", READS, None, self.book.list(self.kind, self.version))

    def item(self, subresource: str, verbs: tuple[str, ...], below: discovery.Subresource | None = None) -> Object:
        schema = self.book.kind(self.kind, self.version)
        mark = self.mark
        if below is not None and (below.version, below.kind) != (self.version, self.kind.name):
            group, _, bare = below.version.rpartition("/")
            mark = {"group": group, "version": bare, "kind": below.kind}
            schema = self.book.refer(_full_name(below.version, below.kind))
        found: Object = {}
        for verb, method in METHODS.items():
            if verb in verbs:
                found[method] = self._one(verb, schema, mark)
        if "create" in verbs and subresource:
            found["post"] = self._operation("post", "create", WRITES, schema, schema, code="201", mark=mark)
        found["parameters"] = [_in_path("name"), *([_in_path("namespace")] if self.kind.namespaced else [])]
        return found

    def _one(self, verb: str, schema: Object, mark: Object) -> Object:
        if verb == "get":
            return self._operation("get", "read", ("resourceVersion",), None, schema, mark=mark)
        if verb == "update":
            return self._operation("put", "replace", WRITES, schema, schema, mark=mark)
        if verb == "delete":
            options = self.book.refer(META + "DeleteOptions")
            return self._operation(
                "delete", "delete", DELETES, options, self.book.refer(META + "Status"), mark=mark, optional=True
            )
        patch = self._operation(
            "patch", "change", (*WRITES, "force"), self.book.refer(META + "Patch"), schema, mark=mark
        )
        body = {"schema": self.book.refer(META + "Patch")}
        patch["requestBody"]["content"] = dict.fromkeys(PATCHES, body)
        return patch

    def _operation(
        self, action: str, word: str, query: tuple[str, ...], body: Object | None, result: Object, *, code: str = "200",
        mark: Object | None = None, optional: bool = False,
    ) -> Object:  # fmt: skip
        found: Object = {
            "description": f"{word} {self.title}",
            "parameters": [
                {"name": name, "in": "query", "description": QUERY[name][1], "schema": QUERY[name][0]} for name in query
            ],
            "responses": {
                code: {"description": "OK", "content": {JSON: {"schema": result}}},
                "401": {"description": "Unauthorized"},
            },
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": mark or self.mark,
        }
        if body is not None:
            found["requestBody"] = {"content": {JSON: {"schema": body}}, "required": not optional}
        return found


def _in_path(name: str) -> Object:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
