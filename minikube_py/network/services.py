"""Services as kube-proxy sees them: the endpoints that a connection may be sent to, and which rule chose them.

Source: pkg/proxy/topology.go (CategorizeEndpoints), pkg/proxy/iptables/proxier.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.families import IPV4
from minikube_py.api.types import Key

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View

SERVICES = "services"
SLICES = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
AFFINITY_S = 10800


class Endpoint(NamedTuple):
    """One address and port behind a Service port; `pod` is a name in `namespace`, '' for addresses written by hand."""

    ip: str
    port: int
    namespace: str = ""
    pod: str = ""
    node: str = ""
    hostname: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    for_nodes: tuple[str, ...] = ()  # who should use it (hints)
    for_zones: tuple[str, ...] = ()


class Choice(NamedTuple):
    """What a connection may be sent to. Without endpoints `dropped` tells whether the client waits (True) or is refused."""

    endpoints: tuple[Endpoint, ...]
    why: str
    dropped: bool = False


def slices_of(service: Object, view: View) -> Objects:
    """The EndpointSlices of a Service, those written by hand included."""
    meta = service["metadata"]
    return [
        one
        for one in view.list(SLICES, meta["namespace"])
        if (one["metadata"].get("labels") or {}).get(SERVICE_NAME) == meta["name"]
    ]


def endpoints(service: Object, port: Object | None, view: View, family: str = "") -> list[Endpoint]:
    """All endpoints of one of the Service's ports, ready or not, by address. `port` None: whatever the port (number 0).
    `family` '': of both."""
    namespace = service["metadata"]["namespace"]
    found: list[Endpoint] = []
    for one in slices_of(service, view):
        if family and one.get("addressType", IPV4) != family:
            continue
        number = 0 if port is None else _number(one.get("ports") or [], port)
        if number is None:
            continue
        for entry in one.get("endpoints") or ():
            found += [_endpoint(entry, address, number, namespace) for address in entry["addresses"]]
    return sorted(dict.fromkeys(found))


def _number(ports: Objects, port: Object) -> int | None:
    """The number of a Service's port in a slice: ports are matched by name."""
    for one in ports:
        if (one.get("name") or "") == (port.get("name") or "") and one.get("protocol", "TCP") == port.get(
            "protocol", "TCP"
        ):
            return int(one["port"])
    return None


def _endpoint(entry: Object, address: str, number: int, namespace: str) -> Endpoint:
    conditions, target = entry.get("conditions") or {}, entry.get("targetRef") or {}
    ready = conditions.get("ready") is not False
    return Endpoint(
        address,
        number,
        namespace,
        target.get("name", "") if target.get("kind") == "Pod" else "",
        entry.get("nodeName") or "",
        entry.get("hostname") or "",
        ready,
        conditions.get("serving", ready) is not False,
        bool(conditions.get("terminating")),
        *_hints(entry.get("hints") or {}),
    )


def _hints(found: Object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    nodes, zones = ([one["name"] for one in found.get(field) or ()] for field in ("forNodes", "forZones"))
    return tuple(nodes), tuple(zones)


def port_of(service: Object, number: int, protocol: str = "TCP") -> Object | None:
    """The Service's port of that number."""
    for port in service["spec"].get("ports") or ():
        if port["port"] == number and port.get("protocol", "TCP") == protocol:
            return port  # type: ignore[no-any-return]
    return None


def choose(service: Object, found: list[Endpoint], *, node: str, external: bool, zone: str = "") -> Choice:
    """The endpoints for a connection that enters the Service on `node`, which is in `zone`.

    Ready endpoints count; where there is none, those that still serve while they terminate. With the traffic policy Local
    only those on the node do: without one the connection is dropped. No endpoint at all: it is refused.
    """
    field = "externalTrafficPolicy" if external else "internalTrafficPolicy"
    usable, why = _usable(found)
    if service["spec"].get(field) != "Local":
        near, hint = _hinted(usable, node, zone)
        if near:
            return Choice(near, f"{why}, {len(near)} of them {hint}")
        return Choice(usable, why or "no endpoint is ready: kube-proxy refuses the connection")
    if not usable:
        return Choice((), "no endpoint is ready: kube-proxy refuses the connection")
    local, why = _usable([one for one in found if one.node == node])
    if local:
        return Choice(local, f"{why} on {node} ({field}: Local)")
    return Choice((), f"{field}: Local, and no endpoint is ready on {node or 'this node'}: kube-proxy drops it", True)


def _hinted(usable: tuple[Endpoint, ...], node: str, zone: str) -> tuple[tuple[Endpoint, ...], str]:
    """Those whose hints name the node, else those that are for its zone; none if an endpoint has no such hint
    (topologyModeFromHints)."""
    for name, told, hints in (
        (node, f"for node {node}", [one.for_nodes for one in usable]),
        (zone, f"for zone {zone}", [one.for_zones for one in usable]),
    ):
        if name and all(hints):
            near = tuple(one for one, names in zip(usable, hints, strict=True) if name in names)
            if near:
                return near, told
    return (), ""


def _usable(found: list[Endpoint]) -> tuple[tuple[Endpoint, ...], str]:
    ready = tuple(one for one in found if one.ready)
    if ready:
        return ready, f"{len(ready)} of {len(found)} endpoints ready"
    last = tuple(one for one in found if one.serving and one.terminating)
    if last:
        return last, f"no endpoint is ready, but {len(last)} still serve while they terminate"
    return (), ""


class Owned(NamedTuple):
    """Which Service an address and port lead to. `how`: 'ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalIP'."""

    service: Object
    how: str
    port: Object | None


def owner_of(address: str, number: int, view: View) -> Owned | None:
    """The Service that has an address as its own; its `port` is None if it does not have that port."""
    index: Index = view.derived("network-services", Index)
    found = index.owners.get(address)
    if not found:
        return None
    for how, key in found:
        service = view.get(key)
        if service is not None and (port := port_of(service, number)) is not None:
            return Owned(service, how, port)
    service = view.get(found[0][1])
    return None if service is None else Owned(service, found[0][0], None)


def node_port(number: int, view: View) -> Owned | None:
    """The Service behind a node port."""
    index: Index = view.derived("network-services", Index)
    key = index.node_ports.get(number)
    service = view.get(key) if key is not None else None
    if service is None:
        return None
    for port in service["spec"].get("ports") or ():
        if port.get("nodePort") == number and port.get("protocol", "TCP") == "TCP":
            return Owned(service, "NodePort", port)
    return None


class Health(NamedTuple):
    """What kube-proxy tells load balancers of a Service with externalTrafficPolicy Local on a node: 200 if it has a ready
    endpoint there, else 503 (pkg/proxy/healthcheck/service_health.go)."""

    status: int
    body: str


def health(number: int, node: str, view: View) -> Health | None:
    """The answer on a health check node port; None if it is none."""
    index: Index = view.derived("network-services", Index)
    key = index.health_ports.get(number)
    service = view.get(key) if key is not None else None
    if key is None or service is None:
        return None
    family = (service["spec"].get("ipFamilies") or [IPV4])[0]
    local = {one.ip for one in endpoints(service, None, view, family) if one.ready and one.node == node}
    lines = (
        "{",
        '\t"service": {',
        f'\t\t"namespace": "{key.namespace}",',
        f'\t\t"name": "{key.name}"',
        "\t},",
        f'\t"localEndpoints": {len(local)},',
        '\t"serviceProxyHealthy": true',
        "}",
    )
    return Health(200 if local else 503, "\n".join(lines))


class Index:
    """Which Services have which addresses and node ports, kept up to date by the store (a `types.Derived`)."""

    resources = frozenset((SERVICES,))

    def __init__(self, view: View) -> None:
        self.owners: dict[str, list[tuple[str, Key]]] = {}
        self.node_ports: dict[int, Key] = {}
        self.health_ports: dict[int, Key] = {}
        for service in view.list(SERVICES):
            meta = service["metadata"]
            self._add(Key(SERVICES, meta["namespace"], meta["name"]), service)

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource != SERVICES:
            return
        if old is not None:
            for how, address in _addresses(old):
                self.owners[address] = [one for one in self.owners.get(address, ()) if one != (how, key)]
            for number in _node_ports(old):
                if self.node_ports.get(number) == key:
                    del self.node_ports[number]
            if self.health_ports.get(_health_port(old)) == key:
                del self.health_ports[_health_port(old)]
        if new is not None:
            self._add(key, new)

    def _add(self, key: Key, service: Object) -> None:
        for how, address in _addresses(service):
            self.owners[address] = sorted({*self.owners.get(address, ()), (how, key)})
        for number in _node_ports(service):
            self.node_ports[number] = key
        if _health_port(service):
            self.health_ports[_health_port(service)] = key


def _health_port(service: Object) -> int:
    return service["spec"].get("healthCheckNodePort") or 0


def _addresses(service: Object) -> list[tuple[str, str]]:
    spec, status = service["spec"], service.get("status") or {}
    if spec.get("type") == "ExternalName":
        return []
    found = [("ClusterIP", one) for one in spec.get("clusterIPs") or () if one != "None"]
    found += [("ExternalIP", one) for one in spec.get("externalIPs") or ()]
    entries = (status.get("loadBalancer") or {}).get("ingress") or ()
    return found + [("LoadBalancer", one["ip"]) for one in entries if one.get("ip")]


def _node_ports(service: Object) -> list[int]:
    if service["spec"].get("type") not in ("NodePort", "LoadBalancer"):
        return []
    return [port["nodePort"] for port in service["spec"].get("ports") or () if port.get("nodePort")]
