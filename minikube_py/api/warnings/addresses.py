"""Addresses and networks that are valid but odd. Source: k8s.io/apimachinery/pkg/util/validation/ip.go."""

from __future__ import annotations


def address(path: str, value: str) -> list[str]:
    """An IPv6 address that is not in its shortest form."""
    if ":" not in value:
        return []
    from ipaddress import IPv6Address

    try:
        canonical = str(IPv6Address(value))
    except ValueError:
        return []
    if canonical == value:
        return []
    return [f'{path}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{canonical}")']


def network(path: str, value: str) -> list[str]:
    """A network with bits set behind its prefix: is 10.1.2.3/24 the network 10.1.2.0/24, or the address 10.1.2.3/32?"""
    from ipaddress import ip_interface

    try:
        found = ip_interface(value)
    except ValueError:
        return []
    if found.ip != found.network.network_address:
        single = f"{found.ip}/{found.network.max_prefixlen}"
        return [
            f'{path}: CIDR value "{value}" is ambiguous in this context (should be "{found.network}" or "{single}"?)'
        ]
    if found.version == 6 and str(found) != value:
        return [f'{path}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{found}")']
    return []
