"""IPv4 and IPv6: which families a cluster has, and the second address of its nodes and pods.

A cluster with both (`kpy cluster start --ip-family dual`) says so in its ServiceCIDR `kubernetes`, whose absence means IPv4 alone.
The IPv6 address of a pod follows from the IPv4 one: the same number in the node's own range.
Source: k8s.io/utils/net; kubeadm's --service-cidr and --pod-network-cidr with a value for each family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

IPV4, IPV6 = "IPv4", "IPv6"
SERVICE_CIDR = Key("servicecidrs.networking.k8s.io", "", "kubernetes")
SERVICE_CIDR_FINALIZER = "networking.k8s.io/service-cidr-finalizer"
SERVICES = "10.96.0.0/12"  # kubeadm's default
SERVICES_IPV6 = "fd00:10:96::/112"


def family_of(address: str) -> str:
    """The family of an address or of a block of them."""
    return IPV6 if ":" in address else IPV4


def service_blocks(view: View) -> dict[str, str]:
    """From which block the Services of each family that the cluster has get their addresses; the default family first."""
    found = view.get(SERVICE_CIDR)
    blocks = (found["spec"].get("cidrs") if found is not None else None) or [SERVICES]
    return {family_of(block): block for block in blocks}


def is_dual(view: View) -> bool:
    return len(service_blocks(view)) > 1


def service_cidr() -> Object:
    """The ServiceCIDR of a cluster with both families."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": SERVICE_CIDR.name, "finalizers": [SERVICE_CIDR_FINALIZER]},
        "spec": {"cidrs": [SERVICES, SERVICES_IPV6]},
    }


def pod_block(index: int) -> str:
    """The IPv6 block of a node's pods: fd00:10:244::/64 for node 0, fd00:10:244:1f::/64 for 31."""
    return f"fd00:10:244:{index:x}::/64" if index else "fd00:10:244::/64"


def machine_address(index: int) -> str:
    """The IPv6 address of a machine: fd00:192:168::1 for node 0."""
    return f"fd00:192:168::{index + 1:x}"


def pod_addresses(pod: Object) -> list[str]:
    """The addresses that a pod has so far, IPv4 first."""
    status = pod.get("status") or {}
    listed = status.get("podIPs") or ([{"ip": status["podIP"]}] if status.get("podIP") else [])
    return [str(one["ip"]) for one in listed]


def node_addresses(node: Object) -> list[str]:
    """The internal addresses of a node, at most one for each family."""
    found = (node.get("status") or {}).get("addresses") or ()
    return [str(one["address"]) for one in found if one["type"] == "InternalIP"]


def pod_address(node: Object, address: str) -> str:
    """The IPv6 address of the pod with this IPv4 one: 10.244.1.7 on a node with fd00:10:244:1::/64 is also
    fd00:10:244:1::7. '' if the node has no IPv6 block."""
    blocks = [one for one in node["spec"].get("podCIDRs") or () if ":" in one]
    return f"{blocks[0].partition('/')[0]}{int(address.rpartition('.')[2]):x}" if blocks else ""
