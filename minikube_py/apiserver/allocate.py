"""Addresses and node ports of Services.

`allocate(service, old, view, clock)` runs after admission and before validation, as BeginCreate and BeginUpdate do in
pkg/registry/core/service/storage/{alloc,storage}.go; what cannot be given out is refused as Invalid in their words.
Free ones are drawn with a dice keyed by the Service's uid and then probed upwards, so that a cluster's seed gives the
same addresses again. Nothing is kept outside the Services: what a Service no longer has is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import names
from minikube_py.api.validation.causes import Causes
from minikube_py.api.validation.service import cluster_ips, is_headless, needs_health_check
from minikube_py.base.errors import Invalid

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object, View
    from minikube_py.base.clock import Clock

# 10.96.0.0/12 and --service-node-port-range: the defaults of kubeadm. The first and last address are not used; those
# up to _LOW are left for people who ask for a fixed one (the "static" sub-range of KEP-3070), as are the lowest ports.
_FIRST, _LAST, _LOW = (10 << 24) + (96 << 16) + 1, (10 << 24) + (111 << 16) + 0xFFFE, 256
PORTS = range(30000, 32768)
_LOW_PORTS = 86


class InUse:
    """The addresses and node ports of all Services, kept up to date by the store (a `types.Derived`).

    A port number is held by (namespace, name): the ports of one Service may share a number under two protocols.
    """

    resources = frozenset(("services",))

    def __init__(self, view: View) -> None:
        self.addresses: dict[str, tuple[str, str]] = {}
        self.ports: dict[int, tuple[str, str]] = {}
        for service in view.list("services"):
            self._take(service)

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource == "services":
            if old is not None:
                self._free(old)
            if new is not None:
                self._take(new)

    def _take(self, service: Object) -> None:
        owner = _owner(service)
        for address in _addresses(service):
            self.addresses[address] = owner
        for port in _node_ports(service["spec"]):
            self.ports[port] = owner

    def _free(self, service: Object) -> None:
        owner = _owner(service)
        for address in _addresses(service):
            if self.addresses.get(address) == owner:
                del self.addresses[address]
        for port in _node_ports(service["spec"]):
            if self.ports.get(port) == owner:
                del self.ports[port]


def _owner(service: Object) -> tuple[str, str]:
    return service["metadata"].get("namespace", ""), service["metadata"]["name"]


def _addresses(service: Object) -> list[str]:
    return [address for address in service["spec"].get("clusterIPs") or () if address != "None"]


def _node_ports(spec: Object) -> list[int]:
    found = [port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")]
    health = spec.get("healthCheckNodePort")
    return [*found, health] if health else found


def allocate(service: Object, old: Object | None, view: View, clock: Clock) -> Object:
    """The Service with the addresses, families and ports that its type needs. Raises Invalid."""
    spec = service.get("spec") or {}
    before = (old or {}).get("spec") or {}
    in_use: InUse = view.derived("services-in-use", InUse)
    causes = Causes()
    if spec.get("type") != "ExternalName":
        spec = _with_families(causes, spec, before)
        _refuse(service, causes)
        spec = _with_address(causes, service, spec, before, in_use, clock)
        _refuse(service, causes)
    spec = _with_ports(causes, service, spec, in_use, clock)
    _refuse(service, causes)
    return service if spec is service.get("spec") else {**service, "spec": spec}


def _refuse(service: Object, causes: Causes) -> None:
    if len(causes):
        meta = service["metadata"]
        raise Invalid("Service", "", meta.get("name") or meta.get("generateName") or "", causes.found)


def _with_families(causes: Causes, spec: Object, before: Object) -> Object:
    """ipFamilies and ipFamilyPolicy of a cluster that has only IPv4 (initIPFamilyFields)."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec = {**spec, "clusterIPs": [spec["clusterIP"]]}
    cluster_ips(causes, spec)
    if len(causes):
        return spec
    policy, families = spec.get("ipFamilyPolicy"), spec.get("ipFamilies") or []
    headless, selectorless = is_headless(spec), not spec.get("selector")
    if policy == "RequireDualStack" and not (headless and selectorless):
        detail = "this cluster is not configured for dual-stack services"
        causes.invalid("spec.ipFamilyPolicy", policy, detail)
        return spec
    for index, family in enumerate(families):
        if family == "IPv6" and not (headless and selectorless):
            causes.invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")
    addresses = [address for address in spec.get("clusterIPs") or () if address != "None"]
    for index, address in enumerate(addresses):
        if names.is_ipv6(address):
            causes.invalid(f"spec.clusterIPs[{index}]", addresses, "IPv6 is not configured on this cluster")
    if len(causes):
        return spec
    added: Object = {}
    if policy is None:
        added["ipFamilyPolicy"] = "RequireDualStack" if headless and selectorless and not before else "SingleStack"
    if not families:
        both = (policy or added.get("ipFamilyPolicy")) == "RequireDualStack"
        added["ipFamilies"] = ["IPv4", "IPv6"] if both else ["IPv4"]
    return {**spec, **added} if added else spec


def _with_address(causes: Causes, service: Object, spec: Object, before: Object, in_use: InUse, clock: Clock) -> Object:
    if is_headless(spec):
        return spec if "clusterIP" in spec else {**spec, "clusterIP": "None"}
    given, had = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if given and given == had and before.get("type") != "ExternalName":
        return spec
    if given:
        if not had or before.get("type") == "ExternalName":
            _ask_for(causes, service, given, in_use)
        return spec  # a change of an allocated address is refused by validation
    address = _free_address(service, in_use, clock)
    return {**spec, "clusterIP": address, "clusterIPs": [address]}


def _ask_for(causes: Causes, service: Object, given: list[str], in_use: InUse) -> None:
    address = given[0]
    number = _number(address)
    if not _FIRST <= number <= _LAST:
        why = "the provided network does not match the current range"
    elif in_use.addresses.get(address, _owner(service)) != _owner(service):
        why = "provided IP is already allocated"
    else:
        return
    causes.invalid("spec.clusterIPs", given, f"failed to allocate IP {address}: {why}")


def _number(address: str) -> int:
    one, two, three, four = (int(part) for part in address.split("."))
    return (one << 24) + (two << 16) + (three << 8) + four


def _text(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _free_address(service: Object, in_use: InUse, clock: Clock) -> str:
    start = clock.token("clusterIP", _words(service)) % (_LAST - _FIRST - _LOW + 1)
    for step in range(_LAST - _FIRST - _LOW + 1):
        address = _text(_FIRST + _LOW + (start + step) % (_LAST - _FIRST - _LOW + 1))
        if address not in in_use.addresses:
            return address
    raise Invalid("Service", "", service["metadata"].get("name", ""), _full("spec.clusterIPs", None, "failed to allocate a serviceIP: range is full"))  # fmt: skip


def _full(path: str, value: Any, detail: str) -> list[Any]:
    causes = Causes()
    causes.invalid(path, value, detail)
    return causes.found


def _words(service: Object) -> str:
    meta = service["metadata"]
    return str(meta.get("uid") or f"{meta.get('namespace')}/{meta.get('name') or meta.get('generateName')}")


def _with_ports(causes: Causes, service: Object, spec: Object, in_use: InUse, clock: Clock) -> Object:
    kind = spec.get("type")
    needs = kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)
    if kind == "LoadBalancer" and not needs:
        needs = any(port.get("nodePort") for port in spec.get("ports") or ())
        if needs:
            for index, port in enumerate(spec["ports"]):
                if port.get("nodePort"):
                    _ask_for_port(causes, service, port["nodePort"], f"spec.ports[{index}].nodePort", in_use)
            needs = False
    if needs and spec.get("ports"):
        spec = _with_node_ports(causes, service, spec, in_use, clock)
    if needs_health_check(spec):
        health = spec.get("healthCheckNodePort")
        if health:
            _ask_for_port(causes, service, health, "spec.healthCheckNodePort", in_use)
        else:
            taken = set(_node_ports(spec))
            spec = {**spec, "healthCheckNodePort": _free_port(service, "health", taken, in_use, clock)}
    return spec


def _with_node_ports(causes: Causes, service: Object, spec: Object, in_use: InUse, clock: Clock) -> Object:
    """Ports with a number ask for it, the others get one; the same number may serve two protocols of one port."""
    taken: dict[int, set[str]] = {}
    for index, port in enumerate(spec["ports"]):
        number, protocol = port.get("nodePort"), port.get("protocol", "TCP")
        if number:
            path = f"spec.ports[{index}].nodePort"
            if protocol in taken.get(number, ()):
                causes.invalid(path, number, "provided port is already allocated")
            elif number not in taken:
                _ask_for_port(causes, service, number, path, in_use)
            taken.setdefault(number, set()).add(protocol)
    if all(port.get("nodePort") for port in spec["ports"]):
        return spec
    ports = []
    given: dict[int, int] = {}  # port -> node port, shared by TCP and UDP of the same port (DNS)
    for index, port in enumerate(spec["ports"]):
        if not port.get("nodePort"):
            number = given.get(port.get("port", 0))
            if number is None or port.get("protocol", "TCP") in taken.get(number, ()):
                number = _free_port(service, index, set(taken), in_use, clock)
            taken.setdefault(number, set()).add(port.get("protocol", "TCP"))
            port = {**port, "nodePort": number}
        given.setdefault(port.get("port", 0), port["nodePort"])
        ports.append(port)
    return {**spec, "ports": ports}


def _ask_for_port(causes: Causes, service: Object, number: int, path: str, in_use: InUse) -> None:
    if number not in PORTS:
        detail = "provided port is not in the valid range. The range of valid ports is 30000-32767"
        causes.invalid(path, number, detail)
    elif in_use.ports.get(number, _owner(service)) != _owner(service):
        causes.invalid(path, number, "provided port is already allocated")


def _free_port(service: Object, which: int | str, taken: set[int], in_use: InUse, clock: Clock) -> int:
    count = len(PORTS) - _LOW_PORTS
    start = clock.token("nodePort", _words(service), which) % count
    for step in range(count):
        number = PORTS[_LOW_PORTS + (start + step) % count]
        if number not in in_use.ports and number not in taken:
            return number
    raise Invalid("Service", "", service["metadata"].get("name", ""), _full("spec.ports", None, "failed to allocate a nodePort: range is full"))  # fmt: skip
