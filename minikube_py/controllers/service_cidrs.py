"""The ServiceCIDR controller: every block has a finalizer and the condition Ready, and goes when no address needs it.

`step` runs on servicecidrs.networking.k8s.io and is woken by: the block itself; another block that goes or comes; a Service
that goes, while a block is being deleted. Its wake: the end of the grace period of a deletion.
    deleted at 20, none of its addresses in use: the finalizer is removed at 30, when all allocators know
There are no IPAddress objects here, so the Services' own addresses are looked at.
Source: k8s.io/kubernetes/pkg/controller/servicecidrs/servicecidrs_controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import families
from minikube_py.api.types import Key, Patch, Wake
from minikube_py.base.clock import seconds
from minikube_py.controllers import conditions, ownership

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

RESOURCE = "servicecidrs.networking.k8s.io"
FINALIZER = families.SERVICE_CIDR_FINALIZER
GRACE_S = 10
READY = "Kubernetes Service CIDR is ready"
IN_USE = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"


def step(block: Object, view: View, clock: Clock) -> Actions:
    key = Key(RESOURCE, "", block["metadata"]["name"])
    finalizers = block["metadata"].get("finalizers") or []
    if not ownership.is_deleting(block):
        if FINALIZER not in finalizers:
            yield Patch(key, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        yield from _tell(key, block, ("True", "", READY), clock)
    elif not _may_go(block, view):
        yield from _tell(key, block, ("False", "Terminating", IN_USE), clock)
    elif FINALIZER in finalizers:
        due_s = seconds(block["metadata"]["deletionTimestamp"]) + GRACE_S
        if clock.now_s < due_s:
            yield Wake(due_s)
        else:
            yield Patch(key, {"metadata": {"finalizers": [one for one in finalizers if one != FINALIZER] or None}})


def _tell(key: Key, block: Object, wanted: tuple[str, str, str], clock: Clock) -> Actions:
    """Set the condition Ready to (status, reason, message)."""
    status = block.get("status") or {}
    old = conditions.get(status, "Ready")
    if old is not None and (old["status"], old.get("reason", ""), old.get("message", "")) == wanted:
        return
    condition = {
        "type": "Ready",
        "status": wanted[0],
        "reason": wanted[1],
        "message": wanted[2],
        "lastTransitionTime": clock.timestamp,
    }
    others = [one for one in status.get("conditions") or () if one["type"] != "Ready"]
    yield Patch(key, {"status": {"conditions": [*others, condition]}}, "status")


def _may_go(block: Object, view: View) -> bool:
    """Whether other blocks hold all of it, or at least every address of it that a Service has.

    Of 10.96.0.0/24 and 10.96.0.0/16 the first may go at once; the second once no Service has an address outside the first.
    """
    from ipaddress import ip_address, ip_network

    name = block["metadata"]["name"]
    others = [
        network
        for one in view.list(RESOURCE)
        if one["metadata"]["name"] != name and not ownership.is_deleting(one)
        for network in _networks(one)
    ]
    if view.get(families.SERVICE_CIDR) is None:  # a cluster of IPv4 alone has its own block without an object
        others.append(ip_network(families.SERVICES))
    mine = _networks(block)
    if all(any(_holds(other, network) for other in others) for network in mine):
        return True
    for service in view.list("services"):
        for text in service["spec"].get("clusterIPs") or ():
            address = None if text == "None" else ip_address(text)
            if address and any(address in one for one in mine) and not any(address in one for one in others):
                return False
    return True


def _networks(block: Object) -> list[IPv4Network | IPv6Network]:
    from ipaddress import ip_network

    return [ip_network(text) for text in block["spec"].get("cidrs") or ()]


def _holds(large: IPv4Network | IPv6Network, small: IPv4Network | IPv6Network) -> bool:
    return large.version == small.version and large.supernet_of(small)  # type: ignore[arg-type]
