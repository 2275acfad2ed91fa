"""The Service `kubernetes`, which the API server keeps for itself, with its endpoints: who deletes them finds them anew.

`step` runs on namespaces and is woken by: the deletion of one of the three.
Source: pkg/controlplane/controller/kubernetesservice/controller.go, pkg/controlplane/reconcilers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import machines
from minikube_py.api.types import Create, Key

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAMESPACE, NAME = "default", "kubernetes"
META: Object = {"name": NAME, "namespace": NAMESPACE}
PORTS = [{"name": "https", "port": 6443, "protocol": "TCP"}]

SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {**META, "labels": {"component": "apiserver", "provider": "kubernetes"}},
    "spec": {
        "clusterIP": "10.96.0.1",
        "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        "type": "ClusterIP",
    },
}
ENDPOINTS: Object = {
    "apiVersion": "v1",
    "kind": "Endpoints",
    "metadata": {**META, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
    "subsets": [{"addresses": [{"ip": machines.machine_address(0)}], "ports": PORTS}],
}
SLICE: Object = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {**META, "labels": {"kubernetes.io/service-name": NAME}},
    "addressType": "IPv4",
    "endpoints": [{"addresses": [machines.machine_address(0)], "conditions": {"ready": True}}],
    "ports": PORTS,
}
OBJECTS = {"services": SERVICE, "endpoints": ENDPOINTS, "endpointslices.discovery.k8s.io": SLICE}


def step(namespace: Object, view: View, clock: Clock) -> Actions:
    if namespace["metadata"]["name"] != NAMESPACE:
        return
    for resource, obj in OBJECTS.items():
        if view.get(Key(resource, NAMESPACE, NAME)) is None:
            yield Create(obj)
