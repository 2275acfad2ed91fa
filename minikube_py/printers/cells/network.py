"""Cells of Services, Ingresses, Endpoints and their kin. Source: pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.printers.cells.meta import at, some
from minikube_py.printers.cells.workloads import selector_text

if TYPE_CHECKING:
    from minikube_py.api.types import Object


def cluster_ip(service: Object, now_s: int) -> str:
    found = at(service, "spec", "clusterIPs")
    return str(found[0]) if found else "<none>"


def external_ip(service: Object, now_s: int) -> str:
    spec = service.get("spec") or {}
    external = spec.get("externalIPs") or []
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(external) or "<none>"
        case "LoadBalancer":
            given = load_balancer(service, now_s)
            return ",".join([*([given] if given else []), *external]) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
    return "<unknown>"


def load_balancer(obj: Object, now_s: int) -> str:
    """The addresses of status.loadBalancer, sorted. The server never shortens them: it always computes wide cells."""
    ingress = at(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(sorted({one.get("ip") or one.get("hostname") or "" for one in ingress} - {""}))


def service_ports(service: Object, now_s: int) -> str:
    """'80/TCP', '80:30080/TCP,443:30443/TCP'"""
    pieces = []
    for port in at(service, "spec", "ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        pieces.append(f"{port.get('port', 0)}{node}/{port.get('protocol', '')}")
    return ",".join(pieces) or "<none>"


def hosts(ingress: Object, now_s: int) -> str:
    rules = at(ingress, "spec", "rules") or ()
    named: list[str] = []
    more = False
    for rule in rules:
        more = more or len(named) == 3
        if not more and rule.get("host"):
            named.append(rule["host"])
    joined = ",".join(named) or "*"
    return f"{joined} + {len(rules) - 3} more..." if more else joined


def ingress_ports(ingress: Object, now_s: int) -> str:
    return "80, 443" if at(ingress, "spec", "tls") else "80"


def parameters(ingress_class: Object, now_s: int) -> str:
    found = at(ingress_class, "spec", "parameters")
    if not found:
        return "<none>"
    group = f".{found['apiGroup']}" if found.get("apiGroup") is not None else ""
    return f"{found.get('kind', '')}{group}/{found.get('name', '')}"


def endpoints(obj: Object, now_s: int) -> str:
    """'10.244.0.3:80,10.244.0.4:80'; at most three. Without ports the addresses alone."""
    subsets = obj.get("subsets") or ()
    if not subsets:
        return "<none>"
    shown: list[str] = []
    for subset in subsets:
        addresses = [one.get("ip", "") for one in subset.get("addresses") or ()]
        if not subset.get("ports"):
            shown += addresses
        for port in subset.get("ports") or ():
            shown += [f"{f'[{ip}]' if ':' in ip else ip}:{port.get('port', 0)}" for ip in addresses]
    return some(shown, len(shown))


def slice_ports(endpoint_slice: Object, now_s: int) -> str:
    shown = []
    for port in endpoint_slice.get("ports") or ():
        shown.append(str(port["port"]) if port.get("port") is not None else port.get("name") or "*")
    return some(shown, len(shown)) or "<unset>"


def slice_endpoints(endpoint_slice: Object, now_s: int) -> str:
    shown = [address for one in endpoint_slice.get("endpoints") or () for address in one.get("addresses") or ()]
    return some(shown, len(shown)) or "<unset>"


def pod_selector(policy: Object, now_s: int) -> str:
    return selector_text(at(policy, "spec", "podSelector")) or "<none>"


def cidrs(service_cidr: Object, now_s: int) -> str:
    return ",".join(at(service_cidr, "spec", "cidrs") or ())


def parent_ref(address: Object, now_s: int) -> str:
    """'services/default/kubernetes'"""
    found = at(address, "spec", "parentRef")
    if not found:
        return "<none>"
    group = f".{found['group']}" if found.get("group") else ""
    parts = [f"{found.get('resource', '')}{group}".lower(), found.get("namespace") or "", found.get("name", "")]
    return "/".join(part for part in parts if part)
