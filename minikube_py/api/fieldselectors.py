"""Field selectors: which fields each kind supports, and matching on them.

Every kind knows metadata.name and metadata.namespace; a few know more. Sources: pkg/apis/core/v1/conversion.go,
pkg/registry/*/strategy.go (ToSelectableFields), apiextensions selectableFields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

FIELDS: dict[str, tuple[str, ...]] = {
    "pods": ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
             "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
    "replicationcontrollers": ("status.replicas",),
    "replicasets.apps": ("status.replicas",),
    "jobs.batch": ("status.successful",),
    "certificatesigningrequests.certificates.k8s.io": ("spec.signerName",),
    "events": ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
               "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
               "reportingComponent", "source", "type"),
}  # fmt: skip


def parse(kind: Kind, text: str) -> Callable[[Object], bool]:
    """A predicate for 'status.phase=Running,spec.nodeName!=n1'. Raises BadRequest in the API server's words."""
    wanted = [_requirement(kind, part) for part in text.split(",") if part]

    def matches(obj: Object) -> bool:
        return all((value_of(kind, obj, path) == value) is equal for path, value, equal in wanted)

    return matches


def fields_of(kind: Kind) -> tuple[str, ...]:
    """The fields besides name and namespace that may be selected by; a custom kind's definition tells its own."""
    if kind.schemas is not None:
        return kind.schemas.fields.get(kind.version, ())
    return FIELDS.get(kind.storage, ())


def _requirement(kind: Kind, part: str) -> tuple[str, str, bool]:
    for operator, equal in (("!=", False), ("==", True), ("=", True)):
        if operator in part:
            path, _, value = part.partition(operator)
            if path not in ("metadata.name", "metadata.namespace") and path not in fields_of(kind):
                raise BadRequest(
                    f'Unable to find "{kind.resource_path}" that match label selector "", field selector '
                    f'"{path}={value}": field label not supported: {path}'
                )
            return path, value, equal
    raise BadRequest(f'invalid selector: "{part}"; can\'t understand "{part}"')


def value_of(kind: Kind, obj: Object, path: str) -> str:
    """A selectable field as text; '' where it is missing."""
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    if path == "status.successful":
        path = "status.succeeded"
    value: object = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(value)
