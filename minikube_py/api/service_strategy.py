"""What storage does to a Service before allocation: one address in two fields, values kept or dropped at an update.

An update that leaves an allocated value out keeps it (`_kept`); a change of type drops the values that the new type cannot
have, if they are just what the old Service had (`_dropped`). Addresses and ports themselves are the allocator's.
Sources: pkg/registry/core/service/strategy.go (dropTypeDependentFields, NormalizeClusterIPs), storage/storage.go
(patchAllocatedValues).
"""

from __future__ import annotations

from typing import Any

from minikube_py.api.defaults.shape import each, put, within, without

Object = dict[str, Any]

_STATUS: Object = {"loadBalancer": {}}


def create(obj: Object) -> Object:
    """A new Service: clusterIPs from clusterIP, the status empty."""
    obj = within(obj, "spec", _addresses)
    return obj if obj.get("status") == _STATUS else put(obj, "status", _STATUS)


def update(new: Object, old: Object) -> Object:
    """`new` with what it left out of the allocated values of `old`, without what its type cannot have."""
    before = old["spec"]
    return within(new, "spec", lambda spec: _dropped(_kept(_normalized(spec, before), before), before))


def _addresses(spec: Object) -> Object:
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        return {**spec, "clusterIPs": [spec["clusterIP"]]}
    return spec


def _normalized(spec: Object, old: Object) -> Object:
    """clusterIP and clusterIPs[0] are the same thing; whichever was changed wins over the one left as it was."""
    one, many = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if one == (many[0] if many else ""):
        return spec
    if many == (old.get("clusterIPs") or []):  # only clusterIP was touched
        return {**spec, "clusterIPs": [one]} if one else without(spec, "clusterIPs")
    if one == (old.get("clusterIP") or "") and many:
        return {**spec, "clusterIP": many[0]}
    return _addresses(spec)


def _kept(spec: Object, old: Object) -> Object:
    if _has_address(spec) and _has_address(old) and not spec.get("clusterIP") and old.get("clusterIP"):
        spec = {**spec, "clusterIP": old["clusterIP"], "clusterIPs": old.get("clusterIPs") or [old["clusterIP"]]}
    if _has_node_ports(spec) and _has_node_ports(old):
        given = {port.get("nodePort") for port in spec.get("ports") or ()}
        ports = {_slot(port): port["nodePort"] for port in old.get("ports") or () if port.get("nodePort")}

        def with_node_port(port: Object) -> Object:
            number = ports.get(_slot(port))
            if port.get("nodePort") or number is None or number in given:
                return port
            return {**port, "nodePort": number}

        spec = each(spec, "ports", with_node_port)
    if _has_health_port(spec) and _has_health_port(old) and not spec.get("healthCheckNodePort"):
        number = old.get("healthCheckNodePort")
        spec = {**spec, "healthCheckNodePort": number} if number else spec
    return spec


def _slot(port: Object) -> tuple[str, int | None]:
    return port.get("protocol", "TCP"), port.get("port")


def _dropped(spec: Object, old: Object) -> Object:
    gone: list[str] = []
    if _has_address(old) and not _has_address(spec):
        gone += ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]
    if _has_node_ports(old) and not _has_node_ports(spec):
        ports = [port.get("nodePort") for port in spec.get("ports") or ()]
        if ports == [port.get("nodePort") for port in old.get("ports") or ()]:
            spec = each(spec, "ports", lambda port: without(port, "nodePort"))
    if _has_health_port(old) and not _has_health_port(spec):
        gone.append("healthCheckNodePort")
    if old.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        gone += ["allocateLoadBalancerNodePorts", "loadBalancerClass"]
    if not _exposed(spec):
        gone.append("externalTrafficPolicy")
    if spec.get("type") == "ExternalName":
        gone.append("internalTrafficPolicy")
    return without(spec, *(key for key in gone if key in old and spec.get(key) == old[key]))


def _has_address(spec: Object) -> bool:
    return spec.get("type") != "ExternalName"


def _has_node_ports(spec: Object) -> bool:
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def _has_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _exposed(spec: Object) -> bool:
    kind = spec.get("type")
    return kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
