"""NamespaceLifecycle: objects need a namespace that exists and is not going away; some namespaces are for ever.

Source: k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key
from minikube_py.base import errors

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})


def check_delete(request: Request) -> None:
    if request.key.name in IMMORTAL:
        raise request.forbidden("this namespace may not be deleted")


def admit(request: Request) -> Object | None:
    key = request.key
    if request.kind.crd and request.verb == "CREATE":
        _check_definition(request)
    if not key.namespace or not request.kind.namespaced:
        return request.object
    namespace = request.view.get(Key("namespaces", "", key.namespace))
    if namespace is None:
        raise errors.not_found("namespaces", key.namespace)
    if request.verb == "CREATE" and _is_terminating(namespace):
        why = f"unable to create new content in namespace {key.namespace} because it is being terminated"
        refused = request.forbidden(why)
        text = f"namespace {key.namespace} is being terminated"
        refused.details["causes"] = [errors.Cause("metadata.namespace", "NamespaceTerminating", text)]
        raise refused
    return request.object


def _check_definition(request: Request) -> None:
    """No new custom objects while their definition is on its way out (which waits for the old ones to go)."""
    found = request.view.get(Key("customresourcedefinitions.apiextensions.k8s.io", "", request.kind.crd))
    if found is not None and "deletionTimestamp" in found["metadata"]:
        raise request.forbidden("create not allowed while custom resource definition is terminating")


def _is_terminating(namespace: Object) -> bool:
    phase = (namespace.get("status") or {}).get("phase")
    return phase == "Terminating" or "deletionTimestamp" in namespace["metadata"]
