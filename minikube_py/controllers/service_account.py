"""The service account controller: every active namespace has a ServiceAccount `default`.

`step` runs on namespaces and is woken by: the namespace itself; the deletion of a ServiceAccount in it.
Source: k8s.io/kubernetes/pkg/controller/serviceaccount/serviceaccounts_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Create, Key
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAME = "default"


def step(namespace: Object, view: View, clock: Clock) -> Actions:
    name = namespace["metadata"]["name"]
    if is_deleting(namespace) or view.get(Key("serviceaccounts", name, NAME)) is not None:
        return
    yield Create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": name}})
