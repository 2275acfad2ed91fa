"""The root CA publisher: every active namespace has a ConfigMap `kube-root-ca.crt` with the cluster's CA certificate.

`step` runs on namespaces and is woken by: the namespace itself; a change or deletion of that ConfigMap (it is put right).
Source: k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher/publisher.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import authority
from minikube_py.api.types import Create, Key, Patch
from minikube_py.base import patch
from minikube_py.controllers.ownership import is_deleting

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAME = "kube-root-ca.crt"
DESCRIBED_BY = "kubernetes.io/description"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal "
    "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)


def step(namespace: Object, view: View, clock: Clock) -> Actions:
    name = namespace["metadata"]["name"]
    if is_deleting(namespace):
        return
    key = Key("configmaps", name, NAME)
    data, annotations = {"ca.crt": authority.certificate(clock.seed)}, {DESCRIBED_BY: DESCRIPTION}
    found = view.get(key)
    if found is None:
        meta = {"name": NAME, "namespace": name, "annotations": annotations}
        yield Create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        return
    fields: Object = {}
    if found.get("data") != data:
        fields["data"] = patch.diff(found.get("data") or {}, data)
    if (found["metadata"].get("annotations") or {}).get(DESCRIBED_BY) != DESCRIPTION:
        fields["metadata"] = {"annotations": annotations}
    if fields:
        yield Patch(key, fields)
