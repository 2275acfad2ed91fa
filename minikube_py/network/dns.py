"""Names: what CoreDNS answers with kubeadm's Corefile (`kubernetes cluster.local`, `pods insecure`, TTL 30), and which
names a client's resolver asks it for.

Source: github.com/coredns/coredns plugin/kubernetes/kubernetes.go (findServices, findPods);
pkg/kubelet/network/dns/dns.go (search domains, ndots).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Key
from minikube_py.network import addresses, places, policy, services

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View
    from minikube_py.network.places import Place

ZONE = "cluster.local"
TTL_S = 30
NDOTS = 5
SUCCESS, NO_NAME, NO_DATA, TIMEOUT = "NOERROR", "NXDOMAIN", "NODATA", "TIMEOUT"


class Record(NamedTuple):
    """'web.shop.svc.cluster.local. 30 IN A 10.96.0.7'; an SRV's value is 'priority weight port target'."""

    name: str
    type: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}.\t{TTL_S}\tIN\t{self.type}\t{self.value}"


class Answer(NamedTuple):
    """What a look-up came to. `tried`: (name asked, result) of each question, in order; the last one decided."""

    name: str
    code: str
    records: tuple[Record, ...] = ()
    tried: tuple[tuple[str, str], ...] = ()
    why: str = ""

    @property
    def addresses(self) -> list[str]:
        return [record.value for record in self.records if record.type in ("A", "AAAA")]


class Resolver(NamedTuple):
    """A client's resolv.conf. `server` '': its own network's, which does not know the cluster's names."""

    server: str
    search: tuple[str, ...]
    ndots: int


OUTER = Resolver("", (), 1)


def resolver(place: Place) -> Resolver:
    """What the kubelet writes for a pod by its dnsPolicy and dnsConfig; nodes and the outside have their own."""
    if place.pod is None:
        return OUTER
    spec, namespace = place.pod["spec"], place.pod["metadata"]["namespace"]
    chosen = spec.get("dnsPolicy", "ClusterFirst")
    if chosen == "ClusterFirst" and spec.get("hostNetwork"):
        chosen = "Default"
    if chosen in ("Default", "None"):
        base = OUTER
    else:
        base = Resolver(addresses.CLUSTER_DNS, (f"{namespace}.svc.{ZONE}", f"svc.{ZONE}", ZONE), NDOTS)
    config = spec.get("dnsConfig") or {}
    servers = config.get("nameservers") or ()
    ndots = next((int(one["value"]) for one in config.get("options") or () if one["name"] == "ndots" and "value" in one), base.ndots)  # fmt: skip
    server = base.server or (addresses.CLUSTER_DNS if addresses.CLUSTER_DNS in servers else "")
    return Resolver(server, (*base.search, *(one.rstrip(".") for one in config.get("searches") or ())), ndots)


def names_tried(name: str, client: Resolver) -> list[str]:
    """The full names a resolver asks for: with the search domains first, unless the name has at least `ndots` dots.

    'web' in shop: web.shop.svc.cluster.local, web.svc.cluster.local, web.cluster.local, web. A dot at the end: only that.
    """
    if name.endswith("."):
        return [name[:-1]]
    searched = [f"{name}.{domain}" for domain in client.search]
    return [name, *searched] if name.count(".") >= client.ndots else [*searched, name]


def lookup(name: str, place: Place, view: View, types: tuple[str, ...] = ("A", "AAAA")) -> Answer:
    """Look a name up as a program at `place` does: the first of the names with records of these types counts."""
    client = resolver(place)
    name = name.lower()
    if client.server:
        allowed = policy.verdict(view, place, places.DNS, 53, "UDP")
        if not allowed.allowed:
            return Answer(name, TIMEOUT, (), ((name, TIMEOUT),), f"CoreDNS cannot be reached: {allowed.why}")
    tried: list[tuple[str, str]] = []
    exists = ""
    for full in names_tried(name, client):
        code, records = query(full, view, types) if client.server or not _in_zone(full) else (NO_NAME, ())
        tried.append((full, code))
        if records:
            return Answer(full, code, records, tuple(tried))
        exists = exists or (full if code == NO_DATA else "")
    return Answer(exists or name, NO_DATA if exists else NO_NAME, (), tuple(tried), _hint(name, client))


def _hint(name: str, client: Resolver) -> str:
    if not client.server and (_in_zone(name) or name.endswith(".svc")):
        return "the cluster's DNS answers only inside the cluster"
    return "no such name"


def _in_zone(name: str) -> bool:
    return name == ZONE or name.endswith("." + ZONE)


def query(name: str, view: View, types: tuple[str, ...]) -> tuple[str, tuple[Record, ...]]:
    """(code, records) for one full name, as CoreDNS answers it."""
    name = name.lower().rstrip(".")
    if not _in_zone(name):
        return _public(name, view, types)
    labels = name[: -len(ZONE)].rstrip(".").split(".") if name != ZONE else []
    if not labels:
        return NO_DATA, ()
    found = _in_cluster(name, labels, view, types)
    if found is None:
        return NO_NAME, ()
    kept = tuple(record for record in found if record.type in types or record.type == "CNAME")
    return (SUCCESS, kept) if kept else (NO_DATA, ())


def _in_cluster(name: str, labels: list[str], view: View, types: tuple[str, ...]) -> list[Record] | None:
    """All records of a name below cluster.local; None if there is no such name."""
    kind, rest = labels[-1], labels[:-1]
    if kind not in ("svc", "pod"):
        return None
    if not rest:
        return []
    namespace = rest[-1]
    if view.get(Key("namespaces", "", namespace)) is None:
        return None
    if len(rest) == 1:
        return []
    if kind == "pod":
        return _pod(name, rest[0]) if len(rest) == 2 else None
    service = view.get(Key("services", namespace, rest[-2]))
    return None if service is None else _service(name, rest[:-2], service, view, types)


def _pod(name: str, dashed: str) -> list[Record] | None:
    """'10-244-1-5.shop.pod.cluster.local' is 10.244.1.5, whether there is such a pod or not (`pods insecure`)."""
    for address in (dashed.replace("-", "."), dashed.replace("-", ":")):
        if addresses.is_address(address):
            return [Record(name, "AAAA" if ":" in address else "A", address)]
    return None


def _service(name: str, prefix: list[str], service: Object, view: View, types: tuple[str, ...]) -> list[Record] | None:
    """The records of a Service, of one of its endpoints, or of one of its ports (`_http._tcp`)."""
    spec = service["spec"]
    if len(prefix) == 2 and all(label.startswith("_") for label in prefix):
        return _ports(name, prefix[0][1:], prefix[1][1:].upper(), service, view)
    if len(prefix) > 1:
        return None
    if spec.get("type") == "ExternalName":
        return None if prefix else _external(name, spec["externalName"], view, types)
    if not prefix and spec.get("clusterIP") != "None":
        return [*_of_addresses(name, spec.get("clusterIPs") or []), *(_ports(name, "", "", service, view) or ())]
    found = [one for one in services.endpoints(service, None, view) if one.ready]
    if prefix:
        found = [one for one in found if endpoint_name(one) == prefix[0]]
    if not found:
        return None
    records = _of_addresses(name, [one.ip for one in found])
    return records if prefix else [*records, *(_ports(name, "", "", service, view) or ())]


def _of_addresses(name: str, found: list[str]) -> list[Record]:
    return [Record(name, "AAAA" if ":" in one else "A", one) for one in found]


def _external(name: str, target: str, view: View, types: tuple[str, ...]) -> list[Record]:
    """A CNAME, followed by what the name's own server says."""
    target = target.rstrip(".")
    further = query(target, view, types)[1] if target != name else ()
    return [Record(name, "CNAME", target + "."), *further]


def _ports(name: str, port: str, protocol: str, service: Object, view: View) -> list[Record] | None:
    """SRV records: the Service itself behind each port, or each ready endpoint of a headless one. None: no such port."""
    meta, spec = service["metadata"], service["spec"]
    base = f"{meta['name']}.{meta['namespace']}.svc.{ZONE}"
    ports = [
        one
        for one in spec.get("ports") or ()
        if port in ("", one.get("name", "")) and protocol in ("", one.get("protocol", "TCP"))
    ]
    if not ports:
        return None
    if spec.get("clusterIP") != "None":
        weight = 100 // len(ports)
        return [Record(name, "SRV", f"0 {weight} {one['port']} {base}.") for one in ports]
    targets = [
        (one.port, f"{endpoint_name(one)}.{base}.")
        for entry in ports
        for one in services.endpoints(service, entry, view)
        if one.ready
    ]
    if not targets:
        return None
    return [Record(name, "SRV", f"0 {100 // len(targets)} {number} {target}") for number, target in targets]


def endpoint_name(endpoint: services.Endpoint) -> str:
    """The label of an endpoint below its headless Service: its hostname, else its address with dashes."""
    return endpoint.hostname or endpoint.ip.replace(".", "-").replace(":", "-")


def _public(name: str, view: View, types: tuple[str, ...]) -> tuple[str, tuple[Record, ...]]:
    """Names outside the cluster. As if their owner had set up DNS, the hosts of Ingresses and HTTPRoutes lead to the
    addresses of these; there is no other world."""
    from minikube_py.network import ingress

    found = ingress.public_addresses(name, view)
    if not found:
        return NO_NAME, ()
    kept = tuple(record for record in _of_addresses(name, found) if record.type in types)
    return (SUCCESS, kept) if kept else (NO_DATA, ())
