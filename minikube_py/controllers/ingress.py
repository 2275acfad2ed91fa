"""What the controllers of Ingress classes and Gateway classes write: addresses, and whether routes are accepted.

`step` runs on ingresses and is woken by: the Ingress itself, and its IngressClasses coming and going. An Ingress whose class
exists gets the address of that class's controller, some seconds after it came; the Ingresses of one class share it.
`gateway_step` runs on gateways (`manifests/gateway-api.yaml`) likewise, each with an address of its own, and `route_step` on
httproutes. Sources: ingress-nginx's status syncer; sigs.k8s.io/gateway-api apis/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Key, Patch, Record, Wake
from minikube_py.base import clock as time
from minikube_py.base import patch
from minikube_py.controllers import ownership
from minikube_py.controllers.service_load_balancer import free_address, taken_addresses
from minikube_py.network import gateway, ingress

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

COMPONENT = "nginx-ingress-controller"
DELAY_S = 5  # from the object to its address


def step(one: Object, view: View, clock: Clock) -> Actions:
    if ownership.is_deleting(one):
        return
    served_by, has = ingress.class_of(one, view), ingress.addresses_of(one)
    key = ownership.key_of(ingress.RESOURCE, one)
    if served_by is None:
        if has:  # its class is gone, or it has named another one
            yield Patch(key, {"status": {"loadBalancer": {"ingress": None}}}, "status")
        return
    address = _address_of_class(served_by, one, view)
    if has and (not address or has == [address]):
        return
    due = time.seconds(one["metadata"]["creationTimestamp"]) + DELAY_S
    if not has and clock.now_s < due:
        yield Wake(due)
        return
    address = address or free_address(taken_addresses(view))
    yield Patch(key, {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}, "status")
    yield Record(one, "Normal", "Sync", "Scheduled for sync", COMPONENT)


def _address_of_class(served_by: Object, one: Object, view: View) -> str:
    """The address that the other Ingresses of the class have; '' if there is none."""
    name = served_by["metadata"]["name"]
    for other in view.list(ingress.RESOURCE):
        if other["metadata"].get("uid") != one["metadata"].get("uid") and ingress.addresses_of(other):
            found = ingress.class_of(other, view)
            if found is not None and found["metadata"]["name"] == name:
                return ingress.addresses_of(other)[0]
    return ""


def gateway_step(one: Object, view: View, clock: Clock) -> Actions:
    """Accepted and programmed, with an address and the number of routes at each listener, if the class exists."""
    if ownership.is_deleting(one):
        return
    if view.get(Key(gateway.CLASSES, "", one["spec"].get("gatewayClassName", ""))) is None:
        return
    due = time.seconds(one["metadata"]["creationTimestamp"]) + DELAY_S
    if clock.now_s < due:
        yield Wake(due)
        return
    has = gateway.addresses_of(one)
    old = one.get("status") or {}
    address = has[0] if has else free_address(taken_addresses(view))
    generation = one["metadata"].get("generation", 1)
    routes = [parent for route in view.list(gateway.ROUTES) for parent in gateway.parents(route, view)]
    new = {
        **old,
        "addresses": [{"type": "IPAddress", "value": address}],
        "conditions": [
            _condition("Accepted", "True", "Accepted", generation, old, clock),
            _condition("Programmed", "True", "Programmed", generation, old, clock),
        ],
        "listeners": [
            {
                "name": listener["name"],
                "attachedRoutes": sum(
                    found["metadata"]["uid"] == one["metadata"]["uid"] and at["name"] == listener["name"]
                    for found, at in routes
                ),
            }
            for listener in one["spec"].get("listeners") or ()
        ],
    }
    fields = patch.diff(old, new)
    if fields:
        yield Patch(ownership.key_of(gateway.GATEWAYS, one), {"status": fields}, "status")


def route_step(one: Object, view: View, clock: Clock) -> Actions:
    """For each Gateway that a route names: whether it takes the route, and whether the route's Services are there."""
    if ownership.is_deleting(one):
        return
    meta, old = one["metadata"], one.get("status") or {}
    attached = {(found["metadata"]["namespace"], found["metadata"]["name"]) for found, _ in gateway.parents(one, view)}
    before = {_ref_name(entry["parentRef"], meta["namespace"]): entry for entry in old.get("parents") or ()}
    entries = []
    for ref in one["spec"].get("parentRefs") or ():
        name = _ref_name(ref, meta["namespace"])
        accepted = name in attached
        missing = [title for title, found in _services(one, view) if not found]
        generation = meta.get("generation", 1)
        was = before.get(name) or {}
        entries.append(
            {
                "parentRef": ref,
                "controllerName": "sim.kpy.dev/gateway-controller",
                "conditions": [
                    _condition(
                        "Accepted",
                        str(accepted),
                        "Accepted" if accepted else "NoMatchingParent",
                        generation,
                        was,
                        clock,
                    ),
                    _condition(
                        "ResolvedRefs",
                        str(not missing),
                        "BackendNotFound" if missing else "ResolvedRefs",
                        generation,
                        was,
                        clock,
                    ),
                ],
            }
        )
    fields = patch.diff(old, {**old, "parents": entries})
    if fields:
        yield Patch(ownership.key_of(gateway.ROUTES, one), {"status": fields}, "status")


def _ref_name(ref: Object, namespace: str) -> tuple[str, str]:
    return ref.get("namespace") or namespace, ref["name"]


def _services(route: Object, view: View) -> list[tuple[str, bool]]:
    """(title, whether it exists) of the Services behind a route."""
    namespace = route["metadata"]["namespace"]
    found = []
    for rule in route["spec"].get("rules") or ():
        for ref in rule.get("backendRefs") or ():
            key = Key("services", ref.get("namespace") or namespace, ref["name"])
            found.append((f"{key.namespace}/{key.name}", view.get(key) is not None))
    return found


def _condition(sort: str, status: str, reason: str, generation: int, old: Object, clock: Clock) -> Object:
    """A condition; its transition time stays while the status does."""
    was: Object = next((one for one in old.get("conditions") or () if one["type"] == sort), {})
    since = was.get("lastTransitionTime") if was.get("status") == status else None
    return {
        "type": sort,
        "status": status,
        "reason": reason,
        "message": "",
        "observedGeneration": generation,
        "lastTransitionTime": since or clock.timestamp,
    }
