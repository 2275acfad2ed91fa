"""TaintNodesByCondition: a new node takes no pods until its first report says that it is ready.

Source: plugin/pkg/admission/nodetaint/admission.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.admission import Request

NOT_READY: Object = {"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"}


def mutate(request: Request) -> Object:
    node = request.object
    assert node is not None
    spec = node.get("spec") or {}
    taints = spec.get("taints") or []
    if any(one.get("key") == NOT_READY["key"] and one.get("effect") == "NoSchedule" for one in taints):
        return node
    return {**node, "spec": {**spec, "taints": [*taints, NOT_READY]}}
