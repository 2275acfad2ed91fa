"""DefaultIngressClass: an Ingress without a class gets the cluster's default one.

Source: plugin/pkg/admission/network/defaultingressclass/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

DEFAULT = "ingressclass.kubernetes.io/is-default-class"
LEGACY = "kubernetes.io/ingress.class"


def mutate(request: Request) -> Object:
    """Of several default classes the newest one counts, of equally new ones the first by name."""
    ingress = request.object
    assert ingress is not None
    spec = ingress.get("spec") or {}
    if spec.get("ingressClassName") is not None or LEGACY in (ingress["metadata"].get("annotations") or ()):
        return ingress
    classes = request.view.list("ingressclasses.networking.k8s.io")
    marked = [one for one in classes if (one["metadata"].get("annotations") or {}).get(DEFAULT) == "true"]
    if not marked:
        return ingress
    newest = max(one["metadata"].get("creationTimestamp") or "" for one in marked)
    chosen = next(one for one in marked if (one["metadata"].get("creationTimestamp") or "") == newest)
    return {**ingress, "spec": {**spec, "ingressClassName": chosen["metadata"]["name"]}}
