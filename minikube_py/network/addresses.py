"""Addresses as numbers: CIDR blocks, and the ranges from which the simulated outside world is served."""

from __future__ import annotations

from functools import lru_cache

# Where clients outside the cluster come from (TEST-NET-3, and the block for documentation of IPv6), and what load balancers and Ingress controllers are given.
CLIENT = "203.0.113.10"
CLIENT_IPV6 = "2001:db8::10"
LOAD_BALANCERS = "172.30.0.0/16"
LOAD_BALANCERS_IPV6 = "fd00:172:30::/112"
CLUSTER_DNS = "10.96.0.10"


@lru_cache(maxsize=4096)
def block(cidr: str) -> tuple[int, int, int]:
    """(network, mask, width in bits) of '10.0.0.0/8' or 'fd00::/8'. Raises ValueError."""
    from ipaddress import ip_network

    found = ip_network(cidr, strict=False)
    return int(found.network_address), int(found.netmask), found.max_prefixlen


@lru_cache(maxsize=4096)
def number(address: str) -> tuple[int, int]:
    """(value, width in bits) of an address of either family. Raises ValueError."""
    from ipaddress import ip_address

    found = ip_address(address)
    return int(found), found.max_prefixlen


def inside(address: str, cidr: str) -> bool:
    """Whether an address lies in a block; never across families."""
    network, mask, width = block(cidr)
    value, own_width = number(address)
    return width == own_width and value & mask == network


def is_address(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def text(value: int) -> str:
    """An IPv4 address from its number."""
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
