"""What the server serves, told in the two forms of discovery: legacy (/api, /apis, /apis/GROUP/VERSION) and aggregated.

Sources: k8s.io/api/apidiscovery/v2, k8s.io/apiserver/pkg/endpoints/discovery, kube-aggregator/pkg/apiserver (priorities).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import custom
from minikube_py.api.kinds import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from minikube_py.api.kinds import Kind, Registry
    from minikube_py.api.types import Object

AGGREGATED = "APIGroupDiscoveryList"
AGGREGATED_VERSIONS = ("v2", "v2beta1")
# The order of the groups: group priorities of the aggregator. Groups of CustomResourceDefinitions come behind, by name.
GROUPS = (
    "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling",
    "batch", "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io",
    "discovery.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io",
)  # fmt: skip


class Subresource(NamedTuple):
    """`version` and `kind` of what it answers, '' for the resource's own."""

    name: str
    verbs: tuple[str, ...]
    version: str = ""
    kind: str = ""


_READ_WRITE = ("get", "patch", "update")
_ANY = ("create", "delete", "get", "patch", "update")
SUBRESOURCES = {
    found.name: found
    for found in (
        Subresource("approval", _READ_WRITE),
        Subresource("attach", ("create", "get"), "v1", "PodAttachOptions"),
        Subresource("binding", ("create",), "v1", "Binding"),
        Subresource("ephemeralcontainers", _READ_WRITE),
        Subresource("eviction", ("create",), "policy/v1", "Eviction"),
        Subresource("exec", ("create", "get"), "v1", "PodExecOptions"),
        Subresource("finalize", ("update",)),
        Subresource("log", ("get",)),
        Subresource("portforward", ("create", "get"), "v1", "PodPortForwardOptions"),
        Subresource("proxy", _ANY),
        Subresource("resize", _READ_WRITE),
        Subresource("scale", _READ_WRITE, "autoscaling/v1", "Scale"),
        Subresource("status", _READ_WRITE),
        Subresource("token", ("create",), "authentication.k8s.io/v1", "TokenRequest"),
    )
}
PROXIES = {"nodes": "NodeProxyOptions", "pods": "PodProxyOptions", "services": "ServiceProxyOptions"}


class Resource(NamedTuple):
    """One resource in one version, as discovery tells it."""

    plural: str
    singular: str
    kind: str
    version: str
    namespaced: bool
    verbs: tuple[str, ...]
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()


MEASURED = (
    Resource("nodes", "", "NodeMetrics", METRICS, False, ("get", "list")),
    Resource("pods", "", "PodMetrics", METRICS, True, ("get", "list")),
)


def groups_of(registry: Registry) -> dict[str, list[str]]:
    """{group: its versions, the preferred first}, in the order of their priorities."""
    versions: dict[str, list[str]] = {}
    for kind in registry.kinds:
        for version in (kind.version, *kind.others):
            found = versions.setdefault(kind.group, [])
            if version not in found:
                found.append(version)
    rank = {group: place for place, group in enumerate(GROUPS)}
    order = sorted(versions, key=lambda group: (rank.get(group, len(rank)), group))
    return {
        group: sorted(versions[group], key=lambda one: custom.version_rank(one.rpartition("/")[2])) for group in order
    }


def resources_of(registry: Registry, version: str) -> list[Resource]:
    """The resources of one apiVersion, by name."""
    if version == METRICS:
        return list(MEASURED)
    found = [_resource(kind, version) for kind in registry.kinds if version in (kind.version, *kind.others)]
    return sorted(found, key=lambda one: one.plural)


def _resource(kind: Kind, version: str) -> Resource:
    below = []
    for name in sorted(kind.subresources):
        known = SUBRESOURCES[name]
        if name == "proxy":
            known = known._replace(version="v1", kind=PROXIES[kind.plural])
        below.append(known if known.kind else known._replace(version=version, kind=kind.name))
    return Resource(
        kind.plural, kind.singular, kind.name, version, kind.namespaced, kind.verbs, kind.short, kind.categories, tuple(below)
    )  # fmt: skip


# -- legacy ----------------------------------------------------------------------------------------------------------


def core_versions(address: str) -> Object:
    """GET /api"""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def group_list(registry: Registry) -> Object:
    """GET /apis"""
    groups = [_group(name, versions) for name, versions in groups_of(registry).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> Object | None:
    """GET /apis/GROUP; None if there is none."""
    versions = groups_of(registry).get(name) if name else None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def _group(name: str, versions: list[str]) -> Object:
    told = [{"groupVersion": version, "version": version.rpartition("/")[2]} for version in versions]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def resource_list(registry: Registry, version: str) -> Object | None:
    """GET /api/v1 or /apis/GROUP/VERSION; None if it is not served."""
    found = resources_of(registry, version)
    if not found:
        return None
    rows = [row for resource in found for row in _rows(resource)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": rows}


def _rows(resource: Resource) -> Iterable[Object]:
    row: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    for field, words in (("shortNames", resource.short), ("categories", resource.categories)):
        if words:
            row[field] = list(words)
    yield row
    for below in resource.subresources:
        foreign: Object = {}
        if below.version != resource.version:
            name, _, version = below.version.rpartition("/")
            foreign = {"group": name, "version": version}
        yield {
            "name": f"{resource.plural}/{below.name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **foreign,
            "kind": below.kind,
            "verbs": list(below.verbs),
        }


# -- aggregated ------------------------------------------------------------------------------------------------------


def aggregated(registry: Registry, *, core: bool, version: str) -> Object:
    """GET /api (`core`) or /apis in the aggregated form."""
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None},
            "versions": [_version(registry, one) for one in versions],
        }
        for name, versions in groups_of(registry).items()
        if bool(name) != core
    ]
    return {"kind": AGGREGATED, "apiVersion": f"apidiscovery.k8s.io/{version}", "metadata": {}, "items": items}


def _version(registry: Registry, version: str) -> Object:
    resources = [_discovered(resource) for resource in resources_of(registry, version)]
    return {"version": version.rpartition("/")[2], "resources": resources, "freshness": "Current"}


def _discovered(resource: Resource) -> Object:
    found: Object = {
        "resource": resource.plural,
        "responseKind": _kind(resource.version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    for field, words in (("shortNames", resource.short), ("categories", resource.categories)):
        if words:
            found[field] = list(words)
    if resource.subresources:
        found["subresources"] = [
            {"subresource": below.name, "responseKind": _kind(below.version, below.kind), "verbs": list(below.verbs)}
            for below in resource.subresources
        ]
    return found


def _kind(version: str, kind: str) -> Object:
    name, _, bare = version.rpartition("/")
    return {"group": name, "version": bare, "kind": kind}
