"""Addresses and node ports of Services.

`allocate(service, old, view, clock)` runs after admission and before validation, as BeginCreate and BeginUpdate do in
pkg/registry/core/service/storage/{alloc,storage}.go; what cannot be given out is refused as Invalid in their words.
Free ones are drawn with a dice keyed by the Service's uid and then probed upwards, so that a cluster's seed gives the
same addresses again. Nothing is kept outside the Services: what a Service no longer has is free.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from minikube_py.api.families import IPV4, family_of, service_blocks
from minikube_py.api.validation.causes import Causes
from minikube_py.api.validation.service import is_headless, needs_health_check
from minikube_py.apiserver import families
from minikube_py.base.errors import Invalid

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object, View
    from minikube_py.base.clock import Clock

# --service-node-port-range, the default of kubeadm; the lowest are left for people who ask for a fixed one.
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
        blocks = service_blocks(view)
        spec = families.completed(causes, spec, before, blocks)
        _refuse(service, causes)
        spec = _with_addresses(causes, service, spec, before, in_use, blocks, clock)
        _refuse(service, causes)
    spec = _with_ports(causes, service, spec, in_use, clock)
    _refuse(service, causes)
    return service if spec is service.get("spec") else {**service, "spec": spec}


def _refuse(service: Object, causes: Causes) -> None:
    if len(causes):
        meta = service["metadata"]
        raise Invalid("Service", "", meta.get("name") or meta.get("generateName") or "", causes.found)


def _with_addresses(
    causes: Causes, service: Object, spec: Object, before: Object, in_use: InUse, blocks: dict[str, str], clock: Clock
) -> Object:
    """An address for each family: those that the Service has stay, those that it names are asked for."""
    if is_headless(spec):
        return spec if "clusterIP" in spec else {**spec, "clusterIP": "None"}
    given = spec.get("clusterIPs") or []
    had = (before.get("clusterIPs") or []) if before.get("type") != "ExternalName" else []
    if given and had and given[0] != had[0]:
        return spec  # a change of an allocated address is refused by validation
    found: list[str] = []
    for index, family in enumerate(spec["ipFamilies"]):
        if index >= len(given):
            found.append(_free_address(service, index, in_use, blocks[family], clock))
            continue
        if index >= len(had) or given[index] != had[index]:
            _ask_for(causes, service, given, index, in_use, blocks[family])
        found.append(given[index])
    return spec if found == given else {**spec, "clusterIP": found[0], "clusterIPs": found}


class Block(NamedTuple):
    """The addresses of a block that are given out, as numbers: not the first and, for IPv4, not the last one."""

    first: int
    last: int

    @property
    def drawn_from(self) -> int:
        """The lowest to be drawn by chance. Below it are those for people who ask for a fixed one (the static sub-range of
        KEP-3070): a sixteenth of the block, at least 16, at most 256."""
        size = self.last - self.first + 1
        return self.first + min(max(16, size // 16), 256)


@cache
def _block(cidr: str) -> Block:
    from ipaddress import ip_network

    network = ip_network(cidr)
    return Block(int(network[0]) + 1, int(network[-1]) - (network.version == 4))


def _number(address: str) -> int:
    from ipaddress import ip_address

    return int(ip_address(address))


def _text(number: int, family: str) -> str:
    if family == IPV4:
        return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    from ipaddress import IPv6Address

    return str(IPv6Address(number))


def _ask_for(causes: Causes, service: Object, given: list[str], index: int, in_use: InUse, cidr: str) -> None:
    address, block = given[index], _block(cidr)
    if not block.first <= _number(address) <= block.last:
        why = "the provided network does not match the current range"
    elif in_use.addresses.get(address, _owner(service)) != _owner(service):
        why = "provided IP is already allocated"
    else:
        return
    causes.invalid("spec.clusterIPs", given, f"failed to allocate IP {address}: {why}")


def _free_address(service: Object, index: int, in_use: InUse, cidr: str, clock: Clock) -> str:
    block, family = _block(cidr), family_of(cidr)
    count = block.last - block.drawn_from + 1
    words = (_words(service),) if not index else (_words(service), index)
    start = clock.token("clusterIP", *words) % count
    for step in range(count):
        address = _text(block.drawn_from + (start + step) % count, family)
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
