"""Hints of endpoints for Services with the annotation topology-mode: Auto: which zone's clients should use which endpoint.

Zones get endpoints in proportion to the CPU of their ready nodes; no endpoint may be asked for more than 20 % above its share.
    6 endpoints, zones with 4 and 2 CPU: 4 and 2 endpoints; if they stand 3 and 3, one of the second zone serves the first
Without a fair distribution there are no hints at all, and an event tells why.
Source: k8s.io/endpointslice/topologycache/topologycache.go, utils.go, event.go.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import pods
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View

DEPRECATED, MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
ZONE = "topology.kubernetes.io/zone"
OVERLOAD = 0.2  # overloadThreshold
ON, OFF = "Topology Aware Hints has been enabled", "Topology Aware Hints has been disabled"
NO_NODES = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
NO_ZONE = "One or more endpoints do not have a zone specified"
TOO_FEW = "Insufficient number of endpoints ({} endpoints, {} zones)"
TOO_UNEVEN = "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ({} endpoints, {} zones)"
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


class Hinted(NamedTuple):
    """`zones`: of each endpoint that is ready, by its place, whose clients it is for; {} if there are no hints. `told`: the
    text of the event."""

    zones: dict[int, str]
    told: str


def is_wanted(service: Object) -> bool:
    notes = service["metadata"].get("annotations") or {}
    return notes.get(DEPRECATED, notes.get(MODE)) in ("Auto", "auto")


def hints(endpoints: Objects, view: View) -> Hinted:
    """For the endpoints of all slices of a Service, in their order."""
    ready = [place for place, endpoint in enumerate(endpoints) if endpoint["conditions"]["ready"]]
    shares = _shares(view.list("nodes"))
    if not shares:
        return Hinted({}, NO_NODES)
    if len(shares) > len(ready):
        return Hinted({}, TOO_FEW.format(len(ready), len(shares)))
    least = {zone: ceil(share * len(ready) / (1 + OVERLOAD)) for zone, share in shares.items()}
    if sum(least.values()) > len(ready):
        return Hinted({}, TOO_UNEVEN.format(len(ready), len(shares)))
    if not all(endpoints[place].get("zone") for place in ready):
        return Hinted({}, NO_ZONE)
    zones = {place: str(endpoints[place]["zone"]) for place in ready}
    wanted = {zone: max(share * len(ready), least[zone]) for zone, share in shares.items()}
    giving, receiving = _moves(wanted, list(zones.values()))
    for place, zone in zones.items():
        taker = next((name for name in sorted(receiving) if receiving[name]), None)
        if taker is not None and giving.get(zone):
            zones[place] = taker
            giving[zone] -= 1
            receiving[taker] -= 1
    return Hinted(zones, ON)


def _shares(nodes: Objects) -> dict[str, float]:
    """Zone -> its part of the CPU of all ready workers; {} unless all tell their zone and CPU and there are two zones.

    Nodes of 4 CPU in a, of 2 and 2 in b: 0.5 and 0.5.
    """
    cpu: dict[str, int] = {}
    for node in nodes:
        labels = node["metadata"].get("labels") or {}
        if any(label in labels for label in _CONTROL_PLANE) or not pods.is_ready(node):
            continue
        zone = labels.get(ZONE)
        amount = quantity.milli((node["status"].get("allocatable") or {}).get("cpu", "0"))
        if not zone or not amount:
            return {}
        cpu[zone] = cpu.get(zone, 0) + amount
    total = sum(cpu.values())
    return {zone: cpu[zone] / total for zone in sorted(cpu)} if len(cpu) > 1 else {}


def _moves(wanted: dict[str, float], there: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """How many endpoints each zone gives and receives: one at a time from who has most too many to who lacks most, while
    either is off by one or both by a half.

    wanted a 4, b 2, there 3 of each: b gives 1, a receives 1.
    """
    surplus = {zone: there.count(zone) - amount for zone, amount in wanted.items()}
    giving, receiving = dict.fromkeys(wanted, 0), dict.fromkeys(wanted, 0)
    while True:
        giver, taker = max(surplus, key=lambda zone: surplus[zone]), min(surplus, key=lambda zone: surplus[zone])
        most, least = surplus[giver], -surplus[taker]
        if (most < 1 and least < 1) or most < 0.5 or least < 0.5:
            return giving, receiving
        giving[giver] += 1
        receiving[taker] += 1
        surplus[giver] -= 1
        surplus[taker] += 1
