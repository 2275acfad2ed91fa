"""Services.

Source: pkg/apis/core/validation/validation.go (ValidateService, ValidateServiceUpdate).
What depends on the cluster's address ranges is refused where addresses are given out: apiserver/admission/services.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.validation import metadata, names
from minikube_py.api.validation.containers import PROTOCOLS, port_or_name

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"


def service(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        _status(causes, obj)
        return
    spec = obj.get("spec") or {}
    if old is not None:
        _changes(causes, spec, old.get("spec") or {})
    kind, headless = spec.get("type", ""), is_headless(spec)
    if not spec.get("ports") and not headless and kind != "ExternalName":
        causes.required("spec.ports")
    if kind in ("LoadBalancer", "NodePort") and headless:
        causes.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        _external_name(causes, spec)
    _ports(causes, spec)
    metadata.labels(causes, spec.get("selector"), "spec.selector")
    _affinity(causes, spec)
    if kind != "ExternalName":
        cluster_ips(causes, spec)
    for index, address in enumerate(spec.get("externalIPs") or ()):
        wrong = names.ip(address)
        causes.each_invalid(f"spec.externalIPs[{index}]", address, wrong or _special(address))
    causes.one_of("spec.type", kind, TYPES)
    _duplicate_ports(causes, spec)
    _source_ranges(causes, obj, spec)
    if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
        detail = "may only be used when `type` is 'LoadBalancer'"
        causes.forbidden("spec.allocateLoadBalancerNodePorts", detail)
    _class(causes, spec)
    _traffic(causes, spec)


def is_headless(spec: Object) -> bool:
    return spec.get("clusterIPs") == ["None"] or ("clusterIPs" not in spec and spec.get("clusterIP") == "None")


def is_external(spec: Object) -> bool:
    """Reachable from outside (ExternallyAccessible)."""
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def needs_health_check(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _external_name(causes: Causes, spec: Object) -> None:
    if spec.get("clusterIPs"):
        causes.forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    if spec.get("ipFamilies"):
        causes.forbidden("spec.ipFamilies", "may not be set for ExternalName services")
    if spec.get("ipFamilyPolicy") is not None:
        causes.forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services")
    name = spec.get("externalName", "").removesuffix(".")
    if name:
        causes.each_invalid("spec.externalName", name, names.dns_subdomain(name))
    else:
        causes.required("spec.externalName")


def _ports(causes: Causes, spec: Object) -> None:
    ports = spec.get("ports") or []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"spec.ports[{index}]", port.get("name", "")
        if name:
            causes.each_invalid(f"{path}.name", name, names.dns_label(name))
            if name in seen:
                causes.duplicate(f"{path}.name", name)
            seen.add(name)
        elif len(ports) > 1:
            causes.required(f"{path}.name")
        number = port.get("port", 0)
        causes.each_invalid(f"{path}.port", number, names.port_number(number))
        causes.one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
        port_or_name(causes, port.get("targetPort", 0), f"{path}.targetPort")
        protocol = port.get("appProtocol")
        if protocol is not None:
            causes.each_invalid(f"{path}.appProtocol", protocol, names.qualified_name(protocol))


def _affinity(causes: Causes, spec: Object) -> None:
    affinity, config = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig")
    causes.one_of("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    if affinity == "ClientIP":
        path = "spec.sessionAffinityConfig"
        when = "when session affinity type is ClientIP"
        if config is None:
            causes.required(path, when)
        elif config.get("clientIP") is None:
            causes.required(f"{path}.clientIP", when)
        elif config["clientIP"].get("timeoutSeconds") is None:
            causes.required(f"{path}.clientIP.timeoutSeconds", when)
        elif not 0 < config["clientIP"]["timeoutSeconds"] <= 86400:
            seconds = config["clientIP"]["timeoutSeconds"]
            causes.invalid(f"{path}.clientIP.timeoutSeconds", seconds, "must be greater than 0 and less than 86400")
    elif affinity == "None" and config is not None:
        causes.forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None")


def cluster_ips(causes: Causes, spec: Object) -> None:
    """clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy among themselves (ValidateServiceClusterIPsRelatedFields)."""
    first, addresses, families = spec.get("clusterIP", ""), spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    if first and not addresses:
        causes.required("spec.clusterIPs")
    elif first and addresses[0] != first:
        causes.invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    elif not first and addresses:
        causes.invalid("spec.clusterIPs", addresses, "must be empty when `clusterIP` is not specified")
    for index, family in enumerate(families):
        if family not in ("IPv4", "IPv6"):
            causes.not_supported(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6"))
        if family in families[:index]:
            causes.duplicate(f"spec.ipFamilies[{index}]", family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in POLICIES:
        causes.not_supported("spec.ipFamilyPolicy", policy, POLICIES)
    before = len(causes)
    for index, address in enumerate(addresses):
        if index == 0 and address == "None":
            if len(addresses) > 1:
                causes.invalid("spec.clusterIPs", addresses, "'None' must be the first and only value")
            continue
        causes.each_invalid(f"spec.clusterIPs[{index}]", address, names.ip(address))
    if len(addresses) > 2:
        causes.invalid("spec.clusterIPs", addresses, "may only hold up to 2 values")
    if len(causes) > before:
        return
    if len(addresses) == 2 and names.is_ipv6(addresses[0]) == names.is_ipv6(addresses[1]):
        causes.invalid("spec.clusterIPs", addresses, "may specify no more than one IP for each IP family")
    if addresses == ["None"]:
        return
    for index, (address, family) in enumerate(zip(addresses, families, strict=False)):
        if (family == "IPv6") != names.is_ipv6(address):
            detail = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            causes.invalid(f"spec.clusterIPs[{index}]", address, detail)


def _special(address: str) -> list[str]:
    """Addresses that are no use as an endpoint or external address (ValidateNonSpecialIP)."""
    if address in ("0.0.0.0", "::"):
        return [f"may not be unspecified ({address})"]
    if address.startswith("127.") or address == "::1":
        return ["may not be in the loopback range (127.0.0.0/8, ::1/128)"]
    if address.startswith("169.254.") or address.lower().startswith(("fe8", "fe9", "fea", "feb")):
        return ["may not be in the link-local range (169.254.0.0/16, fe80::/10)"]
    if address.startswith("224.0.0.") or address.lower().startswith("ff02:"):
        return ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"]
    return []


special_address = _special


def _duplicate_ports(causes: Causes, spec: Object) -> None:
    ports = spec.get("ports") or []
    if spec.get("type") == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                detail = "may not be used when `type` is 'ClusterIP'"
                causes.forbidden(f"spec.ports[{index}].nodePort", detail)
    node_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        if port.get("nodePort"):
            key = (port.get("protocol", ""), port["nodePort"])
            if key in node_ports:
                causes.duplicate(f"spec.ports[{index}].nodePort", port["nodePort"])
            node_ports.add(key)
    numbers: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in numbers:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            causes.duplicate(f"spec.ports[{index}]", shown)
        numbers.add(key)


def _source_ranges(causes: Causes, obj: Object, spec: Object) -> None:
    ranges, is_balancer = spec.get("loadBalancerSourceRanges") or [], spec.get("type") == "LoadBalancer"
    note = (obj["metadata"].get("annotations") or {}).get(SOURCE_RANGES)
    detail = "may only be used when `type` is 'LoadBalancer'"
    if ranges:
        if not is_balancer:
            causes.forbidden("spec.LoadBalancerSourceRanges", detail)
        for index, one in enumerate(ranges):
            causes.each_invalid(f"spec.LoadBalancerSourceRanges[{index}]", one.strip(), names.cidr(one.strip()))
    elif note is not None:
        path = f"metadata.annotations[{SOURCE_RANGES}]"
        if not is_balancer:
            causes.forbidden(path, detail)
        for one in note.split(",") if note.strip() else ():
            causes.each_invalid(path, one.strip(), names.cidr(one.strip()))


def _class(causes: Causes, spec: Object) -> None:
    found = spec.get("loadBalancerClass")
    if found is None:
        return
    if spec.get("type") == "LoadBalancer":
        causes.each_invalid("spec.loadBalancerClass", found, names.qualified_name(found))
    else:
        causes.forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")


def _traffic(causes: Causes, spec: Object) -> None:
    kind, external = spec.get("type", ""), spec.get("externalTrafficPolicy", "")
    if not is_external(spec):
        if external:
            detail = "may only be set for externally-accessible services"
            causes.invalid("spec.externalTrafficPolicy", external, detail)
    else:
        causes.one_of("spec.externalTrafficPolicy", external, ("Cluster", "Local"))
    port = spec.get("healthCheckNodePort", 0)
    if not needs_health_check(spec):
        if port:
            detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
            causes.invalid("spec.healthCheckNodePort", port, detail)
    elif port:
        causes.each_invalid("spec.healthCheckNodePort", port, names.port_number(port))
    internal = spec.get("internalTrafficPolicy")
    if internal is None and kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        causes.required("spec.internalTrafficPolicy")
    elif internal is not None and internal not in ("Cluster", "Local"):
        causes.not_supported("spec.internalTrafficPolicy", internal, ("Cluster", "Local"))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in DISTRIBUTIONS:
        causes.not_supported("spec.trafficDistribution", distribution, DISTRIBUTIONS)


def _changes(causes: Causes, spec: Object, old: Object) -> None:
    """What may not change: the first cluster address and family, unless from or to ExternalName."""
    if "ExternalName" not in (spec.get("type"), old.get("type")):
        mine, theirs = spec.get("clusterIPs") or [], old.get("clusterIPs") or []
        if not (is_headless(spec) and is_headless(old)):
            _fixed_first(causes, "clusterIPs", mine, theirs, mine, spec)
        if not is_headless(spec) and not is_headless(old):
            _fixed_first(causes, "ipFamilies", spec.get("ipFamilies") or [], old.get("ipFamilies") or [], mine, spec)
    mine_class, old_class = spec.get("loadBalancerClass"), old.get("loadBalancerClass")
    if spec.get("type") == old.get("type") == "LoadBalancer" and mine_class != old_class:
        causes.invalid("spec.loadBalancerClass", spec.get("loadBalancerClass"), "may not change once set")
    moved = spec.get("healthCheckNodePort") != old.get("healthCheckNodePort")
    if needs_health_check(spec) and needs_health_check(old) and moved:
        causes.forbidden("spec.healthCheckNodePort", "field is immutable")


def _fixed_first(
    causes: Causes, field: str, mine: list[str], theirs: list[str], addresses: list[str], spec: Object
) -> None:
    word = {"clusterIPs": "clusterIP", "ipFamilies": "ipFamily"}[field]
    path = f"spec.{field}[0]"
    if len(mine) == len(theirs):
        for index, (new, old) in enumerate(zip(mine, theirs, strict=True)):
            if new != old:
                at = index if field == "clusterIPs" else 0
                causes.invalid(f"spec.{field}[{at}]", mine, "may not change once set")
        return
    if theirs and not mine:
        causes.invalid(path, mine or None, f"primary {word} can not be unset")
    elif theirs and mine[0] != theirs[0]:
        causes.invalid(path, addresses, "may not change once set")
    if len(theirs) > len(mine) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        detail = f"must be set to 'SingleStack' when releasing the secondary {word}"
        causes.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail)


def _status(causes: Causes, obj: Object) -> None:
    entries = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    if entries and (obj.get("spec") or {}).get("type") != "LoadBalancer":
        causes.forbidden("status.loadBalancer.ingress", "may only be used when `spec.type` is LoadBalancer")
    for index, entry in enumerate(entries):
        path = f"status.loadBalancer.ingress[{index}]"
        address, host = entry.get("ip"), entry.get("hostname")
        if address:
            causes.each_invalid(f"{path}.ip", address, names.ip(address))
        if host:
            causes.each_invalid(f"{path}.hostname", host, names.dns_subdomain(host))
