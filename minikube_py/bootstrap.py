"""What a new cluster holds before anybody has written to it: what kubeadm and the API server's start hooks make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import families, machines
from minikube_py.api.types import Key
from minikube_py.apiserver import default_roles
from minikube_py.apiserver.origin import Origin
from minikube_py.controllers import api_service
from minikube_py.kubelet import static

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.apiserver.verbs import ApiServer
    from minikube_py.base.clock import Clock

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
ORIGIN = Origin("kube-apiserver", trusted=True, user="system:apiserver", groups=("system:masters",))


def fill(
    server: ApiServer,
    *,
    nodes: int,
    cpu: str,
    memory: str,
    version: str,
    static_pods: bool = False,
    dual_stack: bool = False,
) -> None:
    """Namespaces, priority classes, the Service of the API server, and the nodes: the first one is the control plane.

    `static_pods`: with the control plane's own pods in kube-system. `dual_stack`: with IPv6 beside IPv4.
    """
    if dual_stack:
        _add_service_cidr(server)
    for name in NAMESPACES:
        _create(server, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for name, value, text in PRIORITY_CLASSES:
        _create(server, {**_PRIORITY_CLASS, "metadata": {"name": name}, "value": value, "description": text})
    for index in range(nodes):
        add_node(
            server, node_name(index), index=index, cpu=cpu, memory=memory, version=version, control_plane=index == 0
        )
    for obj in (
        *api_service.OBJECTS.values(),
        _identity(server.clock),
        *default_roles.objects(),
    ):
        _create(server, obj)
    if static_pods and nodes:
        _add_static_pods(server, version)


def _add_static_pods(server: ApiServer, version: str) -> None:
    key = Key("nodes", "", node_name(0))
    control_plane = server.store.get(key)
    assert control_plane is not None, key
    for obj in static.pods(control_plane, version, server.clock):
        made = _create(server, obj)
        status = static.running(made, control_plane, server.clock)
        server.change(Key("pods", "kube-system", made["metadata"]["name"]), {"status": status}, "status", ORIGIN)


def _add_service_cidr(server: ApiServer) -> None:
    """What the API server keeps of --service-cluster-ip-range, ready at once (pkg/controller/servicecidrs)."""
    _create(server, families.service_cidr())
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes Service CIDR is ready",
        "lastTransitionTime": server.clock.timestamp,
    }
    server.change(families.SERVICE_CIDR, {"status": {"conditions": [ready]}}, "status", ORIGIN)


def node_name(index: int) -> str:
    return "control-plane" if index == 0 else f"worker-{index}"


def add_node(server: ApiServer, name: str, *, version: str, **shape: Any) -> Object:
    """A node as its kubelet of that version registers it. See `api.machines.template` for the shape."""
    obj = machines.template(name, dual=families.is_dual(server.view), **shape)
    info = {**obj["status"]["nodeInfo"], "kubeletVersion": version}
    return _create(server, {**obj, "status": {**obj["status"], "nodeInfo": info}})


def _create(server: ApiServer, obj: Object) -> Object:
    kind = server.registry.find(obj["apiVersion"], obj["kind"])
    assert kind is not None, obj
    return server.create(kind, obj, origin=ORIGIN)


def _identity(clock: Clock) -> Object:
    """The lease by which an API server is known; its name is a digest of its machine's (pkg/controlplane/apiserver)."""
    from base64 import b32encode
    from hashlib import sha256

    machine = node_name(0)
    name = "apiserver-" + b32encode(sha256(machine.encode()).digest()[:16]).decode().rstrip("=").lower()
    labels = {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": machine}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {
            "holderIdentity": f"{name}_{clock.uid('apiserver', machine)}",
            "leaseDurationSeconds": 3600,
            "renewTime": clock.micro_timestamp,
        },
    }


PRIORITY_CLASSES = (
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
)
_PRIORITY_CLASS: Object = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
