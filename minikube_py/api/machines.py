"""Machines as nodes: the Node that kubeadm and the kubelet register for one, its address and its range of pods.

Sources: pkg/kubelet/kubelet_node_status.go, cmd/kubeadm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import families
from minikube_py.base.clock import Clock

if TYPE_CHECKING:
    from minikube_py.api.types import Object

VERSION = "v1.36.2"
SYSTEM_MEMORY = 256 << 20  # bytes that a machine takes for itself
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def template(
    name: str,
    *,
    cpu: str = "2",
    memory: str = "4Gi",
    pods: int = 110,
    labels: dict[str, str] | None = None,
    taints: list[Object] | None = None,
    zone: str = "",
    control_plane: bool = False,
    index: int = 0,
    version: str = VERSION,
    dual: bool = False,
) -> Object:
    """A Node without status conditions (the step adds them); `index` gives its pod range and address. `dual`: IPv6 beside IPv4.

    Index 1: pods in 10.244.1.0/24, the machine at 192.168.10.2; index 300: 10.245.44.0/24 and 192.168.11.45.
    """
    resources = {"cpu": cpu, "ephemeral-storage": "100Gi", "memory": memory, "pods": str(pods)}
    found = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    if control_plane:
        found |= {CONTROL_PLANE: "", "node.kubernetes.io/exclude-from-external-load-balancers": ""}
    if zone:
        region = zone.rpartition("-")[0] or zone
        found |= {"topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone}
    all_taints = [{"effect": "NoSchedule", "key": CONTROL_PLANE}] if control_plane else []
    all_taints += taints or []
    blocks, addresses = [pod_range(index)], [machine_address(index)]
    if dual:
        blocks, addresses = [*blocks, families.pod_block(index)], [*addresses, families.machine_address(index)]
    spec: Object = {"podCIDR": blocks[0], "podCIDRs": blocks}
    if all_taints:
        spec["taints"] = all_taints
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "labels": dict(sorted({**found, **(labels or {})}.items())),
            "name": name,
        },
        "spec": spec,
        "status": {
            "addresses": [
                *({"address": address, "type": "InternalIP"} for address in addresses),
                {"address": name, "type": "Hostname"},
            ],
            "allocatable": resources,
            "capacity": resources,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {**info(name), "kubeletVersion": version},
        },
    }


def pod_range(index: int) -> str:
    """The /24 of a node: 10.244.0.0/24 for 0, 10.244.255.0/24 for 255, 10.245.0.0/24 for 256."""
    return (
        f"10.{244 + index // 256}.{index % 256}.0/24" if index < 12 * 256 else f"11.{index // 256}.{index % 256}.0/24"
    )


def machine_address(index: int) -> str:
    """192.168.10.1 for node 0, 192.168.10.254 for 253, 192.168.11.1 for 254."""
    return (
        f"192.168.{10 + index // 254}.{1 + index % 254}"
        if index < 254 * 240
        else f"172.{16 + index // 65536}.{index // 256 % 256}.{index % 256}"
    )


def info(name: str) -> Object:
    """Identity of the machine: a pure function of its name."""
    ids = Clock(0)
    return {
        "architecture": "amd64",
        "bootID": ids.uid("boot", name),
        "containerRuntimeVersion": "containerd://2.1.0",
        "kernelVersion": "6.1.0-30-amd64",
        "kubeProxyVersion": "",
        "kubeletVersion": VERSION,
        "machineID": ids.uid("machine", name).replace("-", ""),
        "operatingSystem": "linux",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "systemUUID": ids.uid("system", name),
    }
