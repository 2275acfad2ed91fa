"""The verbs of every resource over HTTP: get, list, create, update, patch, delete, deletecollection.

They read the request, call the same Cluster that the command line calls, and shape the answer.

Sources: k8s.io/apiserver/pkg/endpoints/handlers (create.go, update.go, patch.go, delete.go, get.go), installer.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import convert
from minikube_py.apiserver import conversion
from minikube_py.base import errors
from minikube_py.http import pages, tables
from minikube_py.http.answers import Answer, Refusal, answer, success

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object
    from minikube_py.cluster import Cluster
    from minikube_py.http.paths import Place
    from minikube_py.http.requests import Request

NOT_ALLOWED = "the server does not allow this method on the requested resource"
NAMED = ("get", "update", "patch", "delete")
# Kinds whose deletion is answered with the object, also where it is gone at once (registry's ReturnDeletedObject).
RETURNED = (
    "persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourcequotas", "serviceaccounts", "services",
)  # fmt: skip


def kind_of(cluster: Cluster, place: Place) -> Kind | None:
    """The kind that a place is about; None if the server has none."""
    for kind in cluster.registry.kinds:
        if kind.plural == place.resource and place.version in (kind.version, *kind.others):
            return kind
    return None


def handle(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    """Carry out a request on a resource itself. Raises KpyError."""
    place = request.place
    _check_place(kind, place)
    return HANDLERS[place.verb](cluster, kind, request)


def _check_place(kind: Kind, place: Place) -> None:
    """Whether the verb is served there: what lives in namespaces is not created or named outside of one."""
    homeless = (
        kind.namespaced and place.namespace is None and (place.name or place.verb in ("create", "deletecollection"))
    )
    foreign = not kind.namespaced and place.namespace is not None
    if foreign:
        raise Refusal(404, "the server could not find the requested resource")
    wrong = (place.verb == "create" and place.name) or (place.verb in ("update", "patch") and not place.name)
    if place.verb not in kind.verbs or place.verb not in HANDLERS or homeless or wrong:
        raise errors.MethodNotAllowed(NOT_ALLOWED)


# -- reading ---------------------------------------------------------------------------------------------------------


def get(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place = request.place
    found = cluster.get(kind.resource, place.name, place.namespace or "")
    pages.check_version(cluster, request)
    return shaped(cluster, kind, request, found)


def list_(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    page = pages.page(cluster, kind, request)
    version, accept = request.place.version, request.accept
    served = (
        conversion.to_version(cluster.view, cluster.clock, kind, version, page.objects)
        if kind.others or kind.stored_as
        else page.objects
    )
    if accept.as_kind == "Table":
        table = tables.table(kind, served, page.metadata, now_s=cluster.clock.now_s, include=include_of(request))
        return answer(table, accept)
    if accept.as_kind:
        return answer(tables.partial_list(served, page.metadata), accept)
    items = served if kind.crd else [_bare(obj) for obj in served]
    return answer({"kind": kind.list_kind, "apiVersion": version, "metadata": page.metadata, "items": items}, accept)


def _bare(obj: Object) -> Object:
    """Within a list of a built-in kind, objects do not tell what they are."""
    return {field: value for field, value in obj.items() if field not in ("apiVersion", "kind")}


def include_of(request: Request) -> str:
    found = request.query.get("includeObject") or "Metadata"
    if found not in ("None", "Metadata", "Object"):
        raise errors.BadRequest(f'unrecognized includeObject value: "{found}"')
    return found


def shaped(
    cluster: Cluster, kind: Kind, request: Request, obj: Object, *, code: int = 200, dry: bool = False
) -> Answer:
    """One object as the client wants it; whole ones have their managedFields."""
    accept = request.accept
    version = request.place.version if request.place.version in (kind.version, *kind.others) else kind.version
    served = conversion.to_version(cluster.view, cluster.clock, kind, version, [obj])[0]
    if accept.as_kind == "Table":
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        table = tables.table(kind, [served], metadata, now_s=cluster.clock.now_s, include=include_of(request))
        return answer(table, accept, code=code)
    if accept.as_kind:
        return answer(tables.partial(served), accept, code=code)
    return answer(served if dry else with_managers(cluster, kind, obj, served), accept, code=code)


def with_managers(cluster: Cluster, kind: Kind, obj: Object, served: Object) -> Object:
    """An object, as it is served, with its managedFields."""
    stored = convert.to_stored(kind, obj) if obj["apiVersion"] != kind.version else obj
    found = cluster.with_managed_fields(kind.resource, stored)["metadata"]["managedFields"]
    return {**served, "metadata": {**served["metadata"], "managedFields": found}} if found else served


# -- writing ---------------------------------------------------------------------------------------------------------


def create(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place = request.place
    obj = own_kind(kind, request)
    made = cluster.create(
        obj,
        namespace=place.namespace or "",
        dry_run=request.dry_run,
        validation=request.validation,
        manager=request.manager,
    )
    return shaped(cluster, kind, request, made, code=201, dry=request.dry_run)


def own_kind(kind: Kind, request: Request) -> Object:
    """The object of the body, which is of the kind (and has the name and namespace) that the path is about."""
    obj, place = request.object, request.place
    version, name = obj.get("apiVersion") or place.version, obj.get("kind") or kind.name
    if name != kind.name or version not in (kind.version, *kind.others):
        raise errors.BadRequest(
            f"{_versioned(version, name)} in the request does not match the expected {_versioned(place.version, kind.name)}"
            if kind.crd
            else f"the object provided is unrecognized (must be of type {kind.name}): couldn't get version/kind; "
            f"got {version}, Kind={name}"
        )
    meta = obj.get("metadata")
    if place.name and isinstance(meta, dict):
        own = meta.get("name")
        if own and own != place.name:
            raise errors.BadRequest(f"the name of the object ({own}) does not match the name on the URL ({place.name})")
        meta = {**meta, "name": place.name}
    if isinstance(meta, dict) and kind.namespaced and meta.get("namespace") not in (None, "", place.namespace):
        raise errors.BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    if place.name and not meta:
        meta = {"name": place.name}
    return {**obj, "apiVersion": version, "kind": name, **({"metadata": meta} if meta is not None else {})}


def _versioned(version: str, name: str) -> str:
    return f"{version}, Kind={name}"


def update(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place = request.place
    updated = cluster.update(
        own_kind(kind, request), subresource=place.subresource, namespace=place.namespace or "", dry_run=request.dry_run,
        validation=request.validation, manager=request.manager,
    )  # fmt: skip
    return shaped(cluster, kind, request, updated, dry=request.dry_run)


def patch(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place, (form, fields) = request.place, request.patch
    if request.is_on("force") and form != "apply":
        cause = errors.Cause("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")
        raise errors.Invalid("PatchOptions", "meta.k8s.io", "", [cause])
    if form == "apply" and not place.subresource:
        return _apply(cluster, kind, request, fields)
    if form == "apply":  # who manages a status is not told apart by configurations
        form, fields = "merge", {place.subresource: fields.get(place.subresource)}
    if form == "json" and isinstance(fields, list) and any(map(_is_about_managers, fields)):
        return _hand_over(cluster, kind, request, fields)
    changed = cluster.patch(
        kind.resource, place.name, place.namespace or "", fields, type=form, subresource=place.subresource,
        dry_run=request.dry_run, validation=request.validation, manager=request.manager,
    )  # fmt: skip
    return shaped(cluster, kind, request, changed, dry=request.dry_run)


def _apply(cluster: Cluster, kind: Kind, request: Request, config: Object) -> Answer:
    """Server-side apply: creates what is not there."""
    place = request.place
    if not request.query.get("fieldManager"):
        cause = errors.Cause("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        raise errors.Invalid("PatchOptions", "meta.k8s.io", "", [cause])
    own = (config.get("metadata") or {}).get("name") if isinstance(config.get("metadata"), dict) else None
    if own not in (None, place.name):
        raise errors.BadRequest(f"the name of the object ({own}) does not match the name on the URL ({place.name})")
    version, name = config.get("apiVersion"), config.get("kind")
    if not version or name != kind.name or version not in (kind.version, *kind.others):
        raise errors.BadRequest(
            f"error decoding patch: {version}, Kind={name} is not {_versioned(place.version, kind.name)}"
        )
    config = {**config, "metadata": {**(config.get("metadata") or {}), "name": place.name}}
    existed = _exists(cluster, kind, place)
    applied = cluster.apply_server_side(
        config,
        namespace=place.namespace or "",
        manager=request.manager,
        force=request.is_on("force"),
        dry_run=request.dry_run,
    )
    return shaped(cluster, kind, request, applied, code=200 if existed else 201, dry=request.dry_run)


def _is_about_managers(operation: Any) -> bool:
    return isinstance(operation, dict) and operation.get("path") == "/metadata/managedFields"


def _hand_over(cluster: Cluster, kind: Kind, request: Request, operations: list[Any]) -> Answer:
    """A JSON patch that writes managedFields: what kubectl sends to hand a client-side configuration to server-side apply."""
    place, key = request.place, ("/metadata/managedFields", "/metadata/resourceVersion")
    if not all(isinstance(one, dict) for one in operations):
        raise errors.BadRequest("json: cannot unmarshal into Go value of type jsonpatch.Operation")
    others = [one for one in operations if one.get("path") not in key]
    wanted = next(
        (one.get("value") for one in operations if one.get("path") == key[1] and one.get("op") != "remove"), ""
    )
    found = cluster.get(kind.resource, place.name, place.namespace or "")
    if wanted and wanted != found["metadata"]["resourceVersion"]:
        raise errors.conflict(kind.resource, place.name)
    entries = next((one.get("value") for one in operations if one.get("path") == key[0]), None) or []
    changed = cluster.set_managed_fields(
        kind.resource, place.name, place.namespace or "", entries, dry_run=request.dry_run
    )
    if others:
        changed = cluster.patch(
            kind.resource,
            place.name,
            place.namespace or "",
            others,
            type="json",
            dry_run=request.dry_run,
            manager=request.manager,
        )
    return shaped(cluster, kind, request, changed, dry=request.dry_run)


def _exists(cluster: Cluster, kind: Kind, place: Place) -> bool:
    try:
        cluster.get(kind.resource, place.name, place.namespace or "")
    except (errors.NotFound, errors.Forbidden):
        return False
    return True


def delete(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    place = request.place
    gone, there = _delete(cluster, kind, request, place.name, "delete")
    if there or request.dry_run or kind.resource in RETURNED:
        return shaped(cluster, kind, request, gone, code=200, dry=True)
    details = {"name": place.name, "group": kind.group, "kind": kind.plural, "uid": gone["metadata"]["uid"]}
    return answer(success(200, {name: value for name, value in details.items() if value}), request.accept)


def _delete(
    cluster: Cluster, kind: Kind, request: Request, name: str, verb: str, namespace: str = ""
) -> tuple[Object, bool]:
    """(the object that was deleted or marked, whether it is still there)."""
    options, query = request.options, request.query
    wanted = _preconditions(options)
    propagation = options.get("propagationPolicy") or query.get("propagationPolicy") or ""
    if not isinstance(propagation, str):
        raise errors.BadRequest(_unmarshal(propagation, "propagationPolicy", "v1.DeletionPropagation"))
    if propagation not in ("", "Background", "Foreground", "Orphan"):
        cause = errors.Cause(
            "propagationPolicy", "FieldValueNotSupported",
            f'Unsupported value: "{propagation}": supported values: "Foreground", "Background", "Orphan", "nil"',
        )  # fmt: skip
        raise errors.Invalid("DeleteOptions", "meta.k8s.io", "", [cause])
    grace_s = options.get("gracePeriodSeconds", request.number("gracePeriodSeconds"))
    if grace_s is not None and (type(grace_s) is not int or grace_s < 0):
        grace_s = 1 if type(grace_s) is int else None  # a negative grace period is read as one second
    if options.get("orphanDependents") or request.is_on("orphanDependents"):
        propagation = "Orphan"
    place = namespace or request.place.namespace or ""
    gone = cluster.delete(
        kind.resource, name, place, grace_s=grace_s, propagation=propagation, uid=wanted.get("uid") or "",
        revision=wanted.get("resourceVersion") or "", verb=verb, dry_run=request.dry_run,
    )  # fmt: skip
    return gone, cluster.exists(kind.resource, name, place)


def _preconditions(options: Object) -> Object:
    """The uid and resourceVersion that the object must have. Raises BadRequest in the words of Go's decoder."""
    found = options.get("preconditions")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise errors.BadRequest(_unmarshal(found, "preconditions", "v1.Preconditions"))
    for name, type in (("uid", "types.UID"), ("resourceVersion", "string")):
        if found.get(name) is not None and not isinstance(found[name], str):
            raise errors.BadRequest(_unmarshal(found[name], f"preconditions.{name}", type))
    return found


def _unmarshal(value: Any, field: str, type: str) -> str:
    names = {bool: "bool", str: "string", list: "array", dict: "object"}
    said = names.get(value.__class__, "number")
    return f"json: cannot unmarshal {said} into Go struct field DeleteOptions.{field} of type {type}"


def deletecollection(cluster: Cluster, kind: Kind, request: Request) -> Answer:
    """Delete what a list would show; answered with the list of it."""
    page = pages.page(cluster, kind, request, verb="deletecollection")
    gone = []
    with cluster.transaction():
        for obj in page.objects:
            meta = obj["metadata"]
            try:
                deleted, _ = _delete(
                    cluster, kind, request, meta["name"], "deletecollection", meta.get("namespace", "")
                )
            except errors.NotFound:
                continue
            gone += conversion.to_version(cluster.view, cluster.clock, kind, request.place.version, [deleted])
    items = gone if kind.crd else [_bare(obj) for obj in gone]
    metadata = {"resourceVersion": str(cluster.store.revision)}
    return answer(
        {"kind": kind.list_kind, "apiVersion": request.place.version, "metadata": metadata, "items": items},
        request.accept,
    )


HANDLERS: dict[str, Callable[[Cluster, Kind, Request], Answer]] = {
    "get": get,
    "list": list_,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "deletecollection": deletecollection,
}
