"""What lies below an object: its status, scale, log, token; bindings and evictions.

Sources: k8s.io/kubernetes/pkg/registry/core/pod/storage, pkg/registry/apps/*/storage, pkg/registry/core/pod/rest/log.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.apiserver import verbs
from minikube_py.base import errors
from minikube_py.http import discovery, resources
from minikube_py.http.answers import Answer, Refusal, answer, success

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.http.requests import Request

SCALE = "autoscaling/v1"
PLAIN = ("approval", "ephemeralcontainers", "finalize", "resize", "status")  # the object itself, seen from one side


def handle(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    """Carry out a request on a subresource. Raises KpyError."""
    place = request.place
    if place.subresource not in kind.subresources or kind.namespaced == (place.namespace is None):
        raise Refusal(404, "the server could not find the requested resource")
    if place.verb not in discovery.SUBRESOURCES[place.subresource].verbs:
        raise errors.MethodNotAllowed(resources.NOT_ALLOWED)
    if place.subresource in PLAIN:
        if place.verb == "get":
            cluster.authorize("get", kind, place.namespace, place.name, place.subresource)
            found = cluster.stored(kind.resource, place.name, place.namespace or "")
            return resources.shaped(cluster, kind, request, found)
        return resources.HANDLERS[place.verb](cluster, kind, request)
    return OWN[place.subresource](cluster, kind, request)


# -- scale -----------------------------------------------------------------------------------------------------------


def scale(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place, accept = request.place, request.accept
    namespace = place.namespace or ""
    manager = "kubectl-scale" if request.manager == "kubectl" else request.manager
    if place.verb == "get":
        cluster.authorize("get", kind, namespace, place.name, "scale")
        obj = cluster.stored(kind.resource, place.name, namespace)
    elif place.verb == "update":
        obj = cluster.scale(
            kind.resource, place.name, namespace, _scale(request), dry_run=request.dry_run, manager=manager
        )
    else:
        form, fields = request.patch
        form = "merge" if form == "apply" else form
        obj = cluster.patch(
            kind.resource, place.name, namespace, fields, type=form, subresource="scale", dry_run=request.dry_run,
            manager=manager,
        )  # fmt: skip
    found = verbs.scale_of(kind, obj)
    if accept.as_kind == "Table":
        return _scale_table(cluster, request, found)
    return answer(found, accept)


def _scale_table(cluster: Cluster, request: Request, found: Object) -> Answer:
    from minikube_py.api.kinds import Kind
    from minikube_py.http import tables

    meta = {"resourceVersion": found["metadata"]["resourceVersion"]}
    table = tables.table(Kind("Scale", SCALE, "scales"), [found], meta, now_s=cluster.clock.now_s)
    return answer(table, request.accept)


def _scale(request: Request) -> Object:
    """The Scale in the body. Raises BadRequest."""
    found, place = request.object, request.place
    meta, spec = found.get("metadata") or {}, found.get("spec") or {}
    if found.get("kind") not in (None, "Scale") or not isinstance(meta, dict) or not isinstance(spec, dict):
        raise errors.BadRequest("expected kind Scale in the body")
    if meta.get("name") not in (None, "", place.name):
        raise errors.BadRequest(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({place.name})"
        )
    if type(spec.get("replicas") or 0) is not int:
        told = "json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32"
        raise errors.BadRequest(f'Scale in version "v1" cannot be handled as a Scale: {told}')
    return {**found, "metadata": meta, "spec": {**spec, "replicas": spec.get("replicas") or 0}}


# -- pods ------------------------------------------------------------------------------------------------------------


def eviction(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place, found = request.place, request.object
    if found.get("kind") not in (None, "Eviction"):
        raise errors.BadRequest("expected kind Eviction in the body")
    options, meta = found.get("deleteOptions") or {}, found.get("metadata") or {}
    if meta.get("name") not in (None, "", place.name):
        raise errors.BadRequest("name in URL does not match name in Eviction object")
    grace_s = options.get("gracePeriodSeconds")
    dry = request.dry_run or bool(options.get("dryRun"))
    cluster.evict(place.name, place.namespace or "", grace_s=grace_s if type(grace_s) is int else None, dry_run=dry)
    return answer(success(201, {}), request.accept, code=201)


def binding(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place, found = request.place, request.object
    if found.get("kind") not in (None, "Binding"):
        raise errors.BadRequest("expected kind Binding in the body")
    cluster.bind(place.name, place.namespace or "", found, dry_run=request.dry_run)
    return answer(success(201, {}), request.accept, code=201)


def token(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place, found = request.place, request.object
    spec = found.get("spec") or {}
    if found.get("kind") not in (None, "TokenRequest") or not isinstance(spec, dict):
        raise errors.BadRequest("expected kind TokenRequest in the body")
    if type(spec.get("expirationSeconds") or 0) is not int:
        raise errors.BadRequest(
            'TokenRequest in version "v1" cannot be handled as a TokenRequest: expirationSeconds is no number'
        )
    made = cluster.create_token(place.name, place.namespace or "", spec)
    return answer(made, request.accept, code=201)


OWN: dict[str, Callable[[Cluster, Kind, Request], Answer]] = {
    "binding": binding,
    "eviction": eviction,
    "scale": scale,
    "token": token,
}
