"""Services, Endpoints, EndpointSlices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts
from minikube_py.printers.describe.writer import go_bool

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

ENDPOINTS_SHOWN = 3


def service(obj: Object, w: Writer) -> None:
    spec = obj["spec"]
    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    w.line(0, "Selector", parts.map_text(spec.get("selector")))
    w.line(0, "Type", spec.get("type", ""))
    if spec.get("ipFamilyPolicy") is not None:
        w.line(0, "IP Family Policy", spec["ipFamilyPolicy"])
    w.line(0, "IP Families", ",".join(spec.get("ipFamilies") or ()) or "<none>")
    w.line(0, "IP", spec.get("clusterIP", ""))
    w.line(0, "IPs", ",".join(spec.get("clusterIPs") or ()) or "<none>")
    if spec.get("externalIPs"):
        w.line(0, "External IPs", ",".join(spec["externalIPs"]))
    if spec.get("loadBalancerIP"):
        w.line(0, "Desired LoadBalancer IP", spec["loadBalancerIP"])
    if spec.get("externalName"):
        w.line(0, "External Name", spec["externalName"])
    balancers = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if balancers:
        w.line(0, "LoadBalancer Ingress", ", ".join(map(_balancer, balancers)))
    slices = slices_of(obj["metadata"].get("namespace", ""), parts.name(obj), w)
    for port in spec.get("ports") or ():
        _port(port, slices, w)
    _policies(spec, w)
    parts.events(obj, w)


def _balancer(ingress: Object) -> str:
    if not ingress.get("ip"):
        return str(ingress.get("hostname", ""))
    return str(ingress["ip"]) + (f" ({ingress['ipMode']})" if ingress.get("ipMode") else "")


def _port(port: Object, slices: list[Object], w: Writer) -> None:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "")
    w.row(0, "Port:", name, f"{port['port']}/{protocol}")
    w.line(0, "TargetPort", f"{port.get('targetPort', 0)}/{protocol}")
    if port.get("appProtocol") is not None:
        w.line(0, "AppProtocol", port["appProtocol"])
    if port.get("nodePort"):
        w.row(0, "NodePort:", name, f"{port['nodePort']}/{protocol}")
    w.line(0, "Endpoints", endpoints_text(slices, port.get("name", "")))


def _policies(spec: Object, w: Writer) -> None:
    w.line(0, "Session Affinity", spec.get("sessionAffinity", ""))
    for title, field in (
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
        ("HealthCheck NodePort", "healthCheckNodePort"),
    ):
        if spec.get(field):
            w.line(0, title, spec[field])
    if spec.get("loadBalancerSourceRanges"):
        w.line(0, "LoadBalancer Source Ranges", ",".join(spec["loadBalancerSourceRanges"]))
    if spec.get("trafficDistribution") is not None:
        w.line(0, "Traffic Distribution", spec["trafficDistribution"])


def slices_of(namespace: str, service_name: str, w: Writer) -> list[Object]:
    return w.lookup.list("endpointslices.discovery.k8s.io", namespace, f"kubernetes.io/service-name={service_name}")


def endpoints_text(slices: list[Object], port_name: str) -> str:
    """Up to three ready addresses with the port of that name: '10.0.0.1:80,10.0.0.2:80 + 2 more...' (formatEndpointSlices)."""
    if not slices:
        return "<none>"
    found: list[str] = []
    for one in slices:
        ready = [
            end["addresses"][0]
            for end in one.get("endpoints") or ()
            if (end.get("conditions") or {}).get("ready") is not False
        ]
        if not one.get("ports"):
            found += ready
        for port in one.get("ports") or ():
            if (port.get("name") or "") == port_name:
                found += [f"[{ip}]:{port['port']}" if ":" in ip else f"{ip}:{port['port']}" for ip in ready]
    text = ",".join(found[:ENDPOINTS_SHOWN])
    more = len(found) - ENDPOINTS_SHOWN
    return f"{text} + {more} more..." if more > 0 else text


def endpoints(obj: Object, w: Writer) -> None:
    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    w.put(0, "Subsets:\n")
    for subset in obj.get("subsets") or ():
        for title, field in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            w.line(1, title, ",".join(one["ip"] for one in subset.get(field) or ()) or "<none>")
        if subset.get("ports"):
            w.put(1, "Ports:\n")
            w.row(2, "Name", "Port", "Protocol")
            w.row(2, "----", "----", "--------")
        for port in subset.get("ports") or ():
            w.row(2, port.get("name") or "<unset>", port["port"], port.get("protocol", ""))
        w.put(0, "\n")
    parts.events(obj, w)


def endpoint_slice(obj: Object, w: Writer) -> None:
    parts.head(obj, w)
    parts.labels_and_annotations(obj, w)
    w.line(0, "AddressType", obj.get("addressType", ""))
    if obj.get("ports"):
        w.put(0, "Ports:\n")
        w.row(1, "Name", "Port", "Protocol")
        w.row(1, "----", "----", "--------")
        for port in obj["ports"]:
            w.row(1, port.get("name") or "<unset>", port.get("port", "<unset>"), port.get("protocol", ""))
    else:
        w.put(0, "Ports: <unset>\n")
    w.put(0, "Endpoints:\n" if obj.get("endpoints") else "Endpoints: <none>\n")
    for end in obj.get("endpoints") or ():
        _endpoint(end, w)
    parts.events(obj, w)


def _endpoint(end: Object, w: Writer) -> None:
    w.line(1, "- Addresses", ", ".join(end.get("addresses") or ()) or "<none>")
    w.put(2, "Conditions:\n")
    ready = (end.get("conditions") or {}).get("ready")
    w.line(3, "Ready", "<unset>" if ready is None else go_bool(ready))
    w.line(2, "Hostname", end.get("hostname", "<unset>"))
    if end.get("targetRef"):
        w.line(2, "TargetRef", f"{end['targetRef'].get('kind', '')}/{end['targetRef'].get('name', '')}")
    w.line(2, "NodeName", end.get("nodeName", "<unset>"))
    w.line(2, "Zone", end.get("zone", "<unset>"))
