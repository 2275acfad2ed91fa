"""Ingresses, IngressClasses, NetworkPolicies and EndpointSlices.

Source: pkg/apis/networking/validation/validation.go, pkg/apis/discovery/validation/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import metadata, names
from minikube_py.api.validation.causes import same
from minikube_py.api.validation.containers import PROTOCOLS
from minikube_py.api.validation.service import special_address

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
POLICY_PROTOCOLS = ("TCP", "UDP", "SCTP")
CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_BAD_PATHS = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS = ("/..", "/.")


def ingress(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        return
    spec = obj.get("spec") or {}
    note, name = (obj["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION), spec.get("ingressClassName")
    rules, backend = spec.get("rules") or (), spec.get("defaultBackend")
    if not rules and backend is None:
        causes.invalid("spec", spec.get("rules"), "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        _backend(causes, backend, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        _rule(causes, rule, f"spec.rules[{index}]")
    for index, one in enumerate(spec.get("tls") or ()):
        for at, host in enumerate(one.get("hosts") or ()):
            rule_for = names.wildcard_subdomain if "*" in host else names.dns_subdomain
            causes.each_invalid(f"spec.tls[{index}].hosts[{at}]", host, rule_for(host))
        secret = one.get("secretName")
        if secret:
            causes.each_invalid(f"spec.tls[{index}].secretName", secret, names.dns_subdomain(secret))
    if name is not None:
        causes.each_invalid("spec.ingressClassName", name, names.dns_subdomain(name))
    if old is None and note is not None and name is not None and note != name:
        detail = "must match `ingressClassName` when both are specified"
        causes.invalid(f"annotations.{CLASS_ANNOTATION}", note, detail)


def _rule(causes: Causes, rule: Object, path: str) -> None:
    host, http = rule.get("host", ""), rule.get("http")
    if host:
        if names.is_ip(host):
            causes.invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        rule_for = names.wildcard_subdomain if "*" in host else names.dns_subdomain
        causes.each_invalid(f"{path}.host", host, rule_for(host))
    if http is None:
        return
    paths = http.get("paths") or ()
    if not paths:
        causes.required(f"{path}.http.paths")
    for index, one in enumerate(paths):
        _path(causes, one, f"{path}.http.paths[{index}]")


def _path(causes: Causes, one: Object, path: str) -> None:
    where, kind = one.get("path", ""), one.get("pathType")
    if kind is None:
        causes.required(f"{path}.pathType", "pathType must be specified")
        return
    if kind in ("Exact", "Prefix"):
        if not where.startswith("/"):
            causes.invalid(f"{path}.path", where, "must be an absolute path")
        for bad in _BAD_PATHS:
            if bad in where:
                causes.invalid(f"{path}.path", where, f"must not contain '{bad}'")
        for bad in _BAD_ENDS:
            if where.endswith(bad):
                causes.invalid(f"{path}.path", where, f"cannot end with '{bad}'")
    elif kind == "ImplementationSpecific":
        if where and not where.startswith("/"):
            causes.invalid(f"{path}.path", where, "must be an absolute path")
    else:
        causes.not_supported(f"{path}.pathType", kind, PATH_TYPES)
    _backend(causes, one.get("backend") or {}, f"{path}.backend")


def _backend(causes: Causes, backend: Object, path: str) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        causes.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        for field in ("kind", "name"):
            if not resource.get(field):
                causes.required(f"{path}.resource.{field}")
    else:
        if service is None:
            causes.invalid(path, "", "resource or service backend is required")
            return
        name = service.get("name", "")
        if not name:
            causes.required(f"{path}.service.name")
        else:
            causes.each_invalid(f"{path}.service.name", name, names.dns_label(name))
        port = service.get("port") or {}
        label, number = port.get("name", ""), port.get("number", 0)
        if label and number:
            causes.invalid(path, "", "cannot set both port name & port number")
        elif label:
            causes.each_invalid(f"{path}.service.port.name", label, names.port_name(label))
        elif number:
            causes.each_invalid(f"{path}.service.port.number", number, names.port_number(number))
        else:
            causes.required(path, "port name or number is required")


def ingress_class(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec = obj.get("spec") or {}
    controller, parameters = spec.get("controller", ""), spec.get("parameters")
    if old is not None:
        before = (old.get("spec") or {}).get("controller", "")
        causes.immutable("spec.controller", controller, before)
        if controller == before and parameters is None:
            return
    if not controller:
        causes.required("spec.controller")
    else:
        metadata.domain_prefixed_path(causes, controller, "spec.controller")
        if len(controller) > 250:
            causes.too_long("spec.controller", 250)
    if parameters is not None:
        scope = parameters.get("scope")
        for field in ("kind", "name"):
            if not parameters.get(field):
                causes.required(f"spec.parameters.{field}", f"{field} is required")
        if scope is None:
            causes.required("spec.parameters.scope")
        elif scope not in ("Cluster", "Namespace"):
            causes.not_supported("spec.parameters.scope", scope, ("Cluster", "Namespace"))
        elif scope == "Namespace" and not parameters.get("namespace"):
            causes.required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'")
        elif scope == "Cluster" and parameters.get("namespace") is not None:
            causes.forbidden("spec.parameters.namespace", "`parameters.scope` is set to 'Cluster'")


def network_policy(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec = obj.get("spec") or {}
    metadata.selector(causes, spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            path = f"spec.{direction}[{index}]"
            for at, port in enumerate(rule.get("ports") or ()):
                _policy_port(causes, port, f"{path}.ports[{at}]")
            for at, peer in enumerate(rule.get(peers) or ()):
                _peer(causes, peer, f"{path}.{peers}[{at}]")
    kinds = spec.get("policyTypes") or ()
    if len(kinds) > 2:
        causes.invalid("spec.policyTypes", list(kinds), "may not specify more than two policyTypes")
        return
    for index, kind in enumerate(kinds):
        if kind not in ("Ingress", "Egress"):
            causes.not_supported(f"spec.policyTypes[{index}]", kind, ("Ingress", "Egress"))


def _policy_port(causes: Causes, port: Object, path: str) -> None:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in POLICY_PROTOCOLS:
        causes.not_supported(f"{path}.protocol", protocol, POLICY_PROTOCOLS)
    if number is None:
        if end is not None:
            causes.invalid(f"{path}.endPort", end, "may not be specified when `port` is not specified")
        return
    if isinstance(number, str):
        if end is not None:
            causes.invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
        causes.each_invalid(f"{path}.port", number, names.port_name(number))
        return
    causes.each_invalid(f"{path}.port", number, names.port_number(number))
    if end is None:
        return
    if end < number:
        # The server names the port here, under the path of the end.
        causes.invalid(f"{path}.endPort", number, "must be greater than or equal to `port`")
    causes.each_invalid(f"{path}.endPort", end, names.port_number(end))


def _peer(causes: Causes, peer: Object, path: str) -> None:
    count = len(peer)
    for field in ("podSelector", "namespaceSelector"):
        metadata.selector(causes, peer.get(field), f"{path}.{field}")
    block = peer.get("ipBlock")
    if block is not None:
        whole = block.get("cidr", "")
        if not whole:
            causes.required(f"{path}.ipBlock.cidr")
            return
        causes.each_invalid(f"{path}.ipBlock.cidr", whole, names.cidr(whole))
        for index, one in enumerate(block.get("except") or ()):
            wrong = names.cidr(one)
            causes.each_invalid(f"{path}.ipBlock.except[{index}]", one, wrong)
            if not wrong and not names.cidr(whole) and not _inside(one, whole):
                detail = "must be a strict subset of `cidr`"
                causes.invalid(f"{path}.ipBlock.except[{index}]", one, detail)
    if count == 0:
        causes.required(path, "must specify a peer")
    elif count > 1 and block is not None:
        causes.forbidden(path, "may not specify both ipBlock and another peer")


def _inside(part: str, whole: str) -> bool:
    from ipaddress import ip_network

    inner, outer = ip_network(part, strict=False), ip_network(whole, strict=False)
    return inner.version == outer.version and inner != outer and _covers(outer, inner)


def _covers(outer: Any, inner: Any) -> bool:
    return bool(inner.subnet_of(outer))


def endpoint_slice(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    kind, found = obj.get("addressType", ""), obj.get("endpoints") or []
    causes.one_of("addressType", kind, ("FQDN", "IPv4", "IPv6"))
    if len(found) > 1000:
        causes.too_many("endpoints", len(found), 1000)
    for index, one in enumerate(found):
        path = f"endpoints[{index}].addresses"
        addresses = one.get("addresses") or []
        if not addresses:
            causes.required(path, "must contain at least 1 address")
        for at, address in enumerate(addresses):
            if kind == "IPv4" and not names.is_ipv4(address):
                causes.invalid(f"{path}[{at}]", address, "must be a valid IPv4 address")
            elif kind == "IPv6" and not names.is_ipv6(address):
                causes.invalid(f"{path}[{at}]", address, "must be a valid IPv6 address")
            elif kind in ("IPv4", "IPv6"):
                causes.each_invalid(f"{path}[{at}]", address, special_address(address))
    seen: set[str] = set()
    for index, port in enumerate(obj.get("ports") or ()):
        path, name = f"ports[{index}]", port.get("name") or ""
        if name:
            causes.each_invalid(f"{path}.name", name, names.dns_label(name))
        if name in seen:
            causes.duplicate(f"{path}.name", name)
        seen.add(name)
        causes.one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
        number = port.get("port")
        if number is not None:
            causes.each_invalid(f"{path}.port", number, names.port_number(number))
    if old is not None and not same(kind, old.get("addressType", "")):
        causes.invalid("addressType", kind, "field is immutable")
