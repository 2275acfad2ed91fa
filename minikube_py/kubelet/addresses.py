"""The address of a pod: the next free one of its node's range (as the host-local CNI plugin gives them out)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from minikube_py.api import pods

if TYPE_CHECKING:
    from minikube_py.api.types import Object, View

DEFAULT_RANGE = "10.244.0.0/24"


@lru_cache(maxsize=4096)
def _range(cidr: str) -> tuple[int, int]:
    """First and last address for pods, as numbers: .0 is the network, .1 the bridge, the last one broadcast."""
    address, _, bits = cidr.partition("/")
    base = number(address)
    return base + 2, base + (1 << (32 - int(bits))) - 2


@lru_cache(maxsize=65536)
def number(address: str) -> int:
    first, second, third, fourth = address.split(".")
    return int(first) << 24 | int(second) << 16 | int(third) << 8 | int(fourth)


def text(value: int) -> str:
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def of_node(node: Object) -> str:
    """The node's internal address."""
    for address in node.get("status", {}).get("addresses") or ():
        if address["type"] == "InternalIP":
            return str(address["address"])
    return ""


def next_free(node: Object, view: View) -> str:
    """The address behind the highest one in use, or the lowest free one when the range has been walked through.

    10.244.1.0/24 with pods at .2 and .5 gives .6; with a pod at .254 it gives .3. '' if none is free.
    """
    first, last = _range(node["spec"].get("podCIDR") or DEFAULT_RANGE)
    used = set()
    for pod in view.on_node(node["metadata"]["name"]):
        address = pod.get("status", {}).get("podIP")
        if address and ":" not in address and not pods.is_finished(pod):
            used.add(number(address))
    highest = max((value for value in used if first <= value <= last), default=first - 1)
    if highest < last:
        return text(highest + 1)
    return next((text(value) for value in range(first, last + 1) if value not in used), "")
