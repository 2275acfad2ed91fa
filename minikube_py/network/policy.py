"""NetworkPolicy verdicts: may this connection be made?

A connection is made if the policies of its source allow the way out and those of its target the way in. A pod that no
policy selects for a direction is open in it; once one does, only what some rule of some such policy allows gets through.
What is refused is dropped, so that the client waits and times out. Not asked: pods on their node's network, and what goes
between a node and the pods on it. An `ipBlock` counts for every address, those of pods too (the API leaves that to the
network plugin; Calico and kindnet do the same). Replies belong to the connection and are never asked about.
Source: staging/src/k8s.io/api/networking/v1/types.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api.types import Key
from minikube_py.base import selector
from minikube_py.network import addresses

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View
    from minikube_py.network.places import Place

RESOURCE = "networkpolicies.networking.k8s.io"
PEERS = {"Ingress": "from", "Egress": "to"}
RULES = {"Ingress": "ingress", "Egress": "egress"}


class Verdict(NamedTuple):
    """`why` names the rule that decided."""

    allowed: bool
    why: str


def verdict(view: View, source: Place, target: Place, port: int, protocol: str = "TCP") -> Verdict:
    """Whether `source` may open a connection to `target`'s `port`: first the way out, then the way in."""
    if source.node and source.node == target.node and source.is_pod != target.is_pod:
        return Verdict(True, "a node and its own pods always reach each other")
    way_out = _direction(view, "Egress", source, target, target, port, protocol)
    if not way_out.allowed:
        return way_out
    way_in = _direction(view, "Ingress", target, source, target, port, protocol)
    if not way_in.allowed:
        return way_in
    told = [one.why for one in (way_out, way_in) if one.why]
    return Verdict(True, "; ".join(told) or "no policy selects either end")


def _direction(
    view: View, direction: str, subject: Place, peer: Place, target: Place, port: int, protocol: str
) -> Verdict:
    """One direction of `subject`, whose policies are asked about `peer`; ports are always those of `target`."""
    if not subject.is_pod:
        return Verdict(True, "")
    concerned = _concerned(view, direction, subject)
    if not concerned:
        return Verdict(True, "")
    for policy in concerned:
        rules = policy["spec"].get(RULES[direction]) or ()
        for index, rule in enumerate(rules):
            namespace = policy["metadata"]["namespace"]
            if _allows_port(rule.get("ports"), target, port, protocol) and _allows_peer(
                view, rule.get(PEERS[direction]), peer, namespace
            ):
                title = f"{namespace}/{policy['metadata']['name']}"
                return Verdict(True, f"NetworkPolicy {title} allows it (spec.{RULES[direction]}[{index}])")
    names = ", ".join(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in concerned)
    return Verdict(False, f"no {direction.lower()} rule of NetworkPolicy {names} allows it")


def _concerned(view: View, direction: str, subject: Place) -> Objects:
    """The policies that select a pod for a direction."""
    found = view.list(RESOURCE, subject.namespace)
    if not found:
        return []
    labels = dict(subject.labels)
    return [
        policy
        for policy in found
        if direction in policy_types(policy)
        and selector.from_label_selector(policy["spec"].get("podSelector") or {}).matches(labels)
    ]


def policy_types(policy: Object) -> list[str]:
    """The directions a policy is about: unless it says so, ingress, and egress if it has rules for it."""
    given = policy["spec"].get("policyTypes")
    if given:
        return list(given)
    return ["Ingress", "Egress"] if policy["spec"].get("egress") else ["Ingress"]


def _allows_port(ports: Objects | None, target: Place, number: int, protocol: str) -> bool:
    """No list: every port. `port` is a number, the first of a range up to `endPort`, or a name among the target's ports."""
    return not ports or any(_is_port(one, target, number, protocol) for one in ports)


def _is_port(one: Object, target: Place, number: int, protocol: str) -> bool:
    if one.get("protocol", "TCP") != protocol:
        return False
    wanted = one.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return _named(target, wanted, protocol) == number
    last: int = one.get("endPort") or wanted
    return int(wanted) <= number <= last


def _named(target: Place, name: str, protocol: str) -> int | None:
    """The number behind a port's name in the target pod; a target that is no pod has no names."""
    if target.pod is None:
        return None
    for container in target.pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None


def _allows_peer(view: View, peers: Objects | None, place: Place, namespace: str) -> bool:
    """No list: everybody. A peer's podSelector alone is about the policy's own namespace."""
    return not peers or any(_is_peer(view, one, place, namespace) for one in peers)


def _is_peer(view: View, one: Object, place: Place, namespace: str) -> bool:
    block = one.get("ipBlock")
    if block is not None:
        if not place.ip or not addresses.inside(place.ip, block["cidr"]):
            return False
        return not any(addresses.inside(place.ip, hole) for hole in block.get("except") or ())
    if not place.is_pod:
        return False
    spaces, chosen = one.get("namespaceSelector"), one.get("podSelector")
    if spaces is None:
        if place.namespace != namespace:
            return False
    elif not selector.from_label_selector(spaces).matches(_labels_of(view, place.namespace)):
        return False
    return chosen is None or selector.from_label_selector(chosen).matches(dict(place.labels))


def _labels_of(view: View, namespace: str) -> dict[str, str]:
    found = view.get(Key("namespaces", "", namespace))
    labels: dict[str, str] = dict((found["metadata"].get("labels") or {}) if found is not None else {})
    return labels
