"""Warnings about services, ingresses and network policies.

Sources: pkg/api/service/warnings.go, pkg/registry/networking/{ingress,networkpolicy}/strategy.go.
"""

from __future__ import annotations

from typing import Any

from minikube_py.api.warnings import addresses

Object = dict[str, Any]

HINTS, MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
INGRESS_CLASS = "kubernetes.io/ingress.class"


def endpoints(obj: Object, old: Object | None) -> list[str]:
    """The whole kind is deprecated: the server says so to every request."""
    return ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]


def service(obj: Object, old: Object | None) -> list[str]:
    spec, found = obj.get("spec") or {}, []
    kind, external = spec.get("type", "ClusterIP"), bool(spec.get("externalIPs"))
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if HINTS in (obj["metadata"].get("annotations") or {}):
        found.append(f"annotation {HINTS} is deprecated, please use {MODE} instead")
    if spec.get("clusterIP") not in (None, "", "None"):
        for index, ip in enumerate(spec.get("clusterIPs") or ()):
            found += addresses.address(f"spec.clusterIPs[{index}]", ip)
    if headless:
        if spec.get("loadBalancerIP"):
            found.append("spec.loadBalancerIP is ignored for headless services")
        if external:
            found.append("spec.externalIPs is ignored for headless services")
        if spec.get("sessionAffinity", "None") != "None":
            found.append("spec.SessionAffinity is ignored for headless services")
    for index, ip in enumerate(spec.get("externalIPs") or ()):
        found += addresses.address(f"spec.externalIPs[{index}]", ip)
    if external and not headless and kind != "ExternalName":
        found.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
    if spec.get("loadBalancerIP"):
        found += addresses.address("spec.loadBalancerIP", spec["loadBalancerIP"])
    for index, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        found += addresses.network(f"spec.loadBalancerSourceRanges[{index}]", cidr)
    if kind == "ExternalName" and external:
        found.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
    if kind != "ExternalName" and spec.get("externalName"):
        found.append('spec.externalName is ignored when spec.type is not "ExternalName"')
    if spec.get("trafficDistribution") == "PreferClose":
        found.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
    return found


def ingress(obj: Object, old: Object | None) -> list[str]:
    annotations = obj["metadata"].get("annotations") or {}
    if old is not None or INGRESS_CLASS not in annotations:
        return []
    return [f"annotation \"{INGRESS_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"]


def network_policy(obj: Object, old: Object | None) -> list[str]:
    spec, found = obj.get("spec") or {}, []
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            for number, peer in enumerate(rule.get(side) or ()):
                found += _block(f"spec.{direction}[{index}].{side}[{number}].ipBlock", peer.get("ipBlock") or {})
    return found


def _block(path: str, block: Object) -> list[str]:
    found = addresses.network(f"{path}.cidr", block.get("cidr") or "")
    for index, cidr in enumerate(block.get("except") or ()):
        found += addresses.network(f"{path}.except[{index}]", cidr)
    return found
