"""The address of a pod: the next free one of its node's range (as the host-local CNI plugin gives them out)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from minikube_py.api import facets, pods

if TYPE_CHECKING:
    from minikube_py.api.types import Key, Object, View

DEFAULT_RANGE = "10.244.0.0/24"
CACHE = "kubelet-addresses"


@lru_cache(maxsize=4096)
def _range(cidr: str) -> tuple[int, int]:
    """First and last address for pods, as numbers: .0 is the network, .1 the bridge, the last one broadcast."""
    address, _, bits = cidr.partition("/")
    base = _number(address)
    return base + 2, base + (1 << (32 - int(bits))) - 2


def _number(address: str) -> int:
    first, second, third, fourth = address.split(".")
    return int(first) << 24 | int(second) << 16 | int(third) << 8 | int(fourth)


def _text(value: int) -> str:
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
    cache: Addresses = view.derived(CACHE, Addresses)
    used = cache.used(node["metadata"]["name"], view)
    first, last = _range(node["spec"].get("podCIDR") or DEFAULT_RANGE)
    highest = max(used, default=first - 1)
    if first - 1 <= highest < last:
        return _text(highest + 1)
    return next((_text(value) for value in range(first, last + 1) if value not in used), "")


class Addresses:
    """The addresses in use on each node that was asked about, kept up to date change by change."""

    resources = frozenset(("pods",))
    facets = facets.CAME | facets.WENT | facets.ADDRESS | facets.ENDED

    def __init__(self, view: View) -> None:
        self._nodes: dict[str, dict[int, int]] = {}

    def used(self, node: str, view: View) -> dict[int, int]:
        """{address: number of pods that have it} of the node's pods that are not finished."""
        found = self._nodes.get(node)
        if found is None:
            found = self._nodes[node] = {}
            for pod in view.on_node(node):
                _count(found, pod, 1)
        return found

    def changed(self, key: Key, old: Object | None, new: Object | None) -> None:
        if key.resource != "pods":
            return
        for pod, step in ((old, -1), (new, 1)):
            if pod is not None:
                found = self._nodes.get(pods.node_of(pod))
                if found is not None:
                    _count(found, pod, step)


def _count(found: dict[int, int], pod: Object, step: int) -> None:
    address = pod.get("status", {}).get("podIP")
    if not address or ":" in address or pod["spec"].get("hostNetwork") or pods.is_finished(pod):
        return
    value = _number(address)
    left = found.get(value, 0) + step
    if left > 0:
        found[value] = left
    else:
        found.pop(value, None)
