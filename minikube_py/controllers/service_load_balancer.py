"""The cloud's half of a Service of type LoadBalancer: an address, some seconds after it was asked for.

`step` runs on services and is woken by: the Service itself, and a change of the ConfigMap that says whether there is a cloud.
Services with a `loadBalancerClass` are left to whoever serves that class. There is no cloud where the ConfigMap
kube-system/cloud-provider says `loadBalancer: none` (`kpy cluster start --no-load-balancer`): EXTERNAL-IP stays <pending>.
Source: k8s.io/cloud-provider/controllers/service/controller.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.families import IPV4, IPV6, family_of
from minikube_py.api.types import Key, Patch, Record, Remember, Wake
from minikube_py.base import patch
from minikube_py.controllers import ownership
from minikube_py.network import addresses, gateway, ingress

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, View
    from minikube_py.base.clock import Clock

NAME, COMPONENT = "service-load-balancer", "service-controller"
FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
CLOUD = Key("configmaps", "kube-system", "cloud-provider")
DELAY_S = 5  # from the wish to the address


def step(service: Object, view: View, clock: Clock) -> Actions:
    if not is_wanted(service) or ownership.is_deleting(service):
        yield from _removed(service)
        return
    if service["spec"].get("loadBalancerClass") or not has_cloud(view) or _addresses(service):
        return
    key = ownership.key_of("services", service)
    since = view.memory(NAME, key).get("since")
    if since is None:
        since = clock.now_s
        yield Remember({"since": since})
        yield _event(service, "EnsuringLoadBalancer", "Ensuring load balancer")
        names = service["metadata"].get("finalizers") or []
        if FINALIZER not in names:
            yield Patch(key, {"metadata": {"finalizers": [*names, FINALIZER]}})
    if clock.now_s < since + DELAY_S:
        yield Wake(since + DELAY_S)
        return
    given = {"ingress": [{"ip": address, "ipMode": "VIP"} for address in _given(service, view)]}
    yield Patch(key, {"status": {"loadBalancer": given}}, "status")
    yield _event(service, "EnsuredLoadBalancer", "Ensured load balancer")
    yield Remember({})


def is_wanted(service: Object) -> bool:
    return bool(service["spec"].get("type") == "LoadBalancer")


def has_cloud(view: View) -> bool:
    found = view.get(CLOUD)
    return found is None or (found.get("data") or {}).get("loadBalancer") != "none"


def _removed(service: Object) -> Actions:
    """The Service is going, or wants no load balancer any more."""
    names = service["metadata"].get("finalizers") or []
    if FINALIZER not in names:
        return
    key = ownership.key_of("services", service)
    yield Remember({})
    yield _event(service, "DeletingLoadBalancer", "Deleting load balancer")
    if _addresses(service):
        yield Patch(key, {"status": {"loadBalancer": patch.diff(service["status"]["loadBalancer"], {})}}, "status")
    yield _event(service, "DeletedLoadBalancer", "Deleted load balancer")
    yield Patch(key, {"metadata": {"finalizers": [one for one in names if one != FINALIZER] or None}})


def _addresses(service: Object) -> list[Object]:
    found: list[Object] = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return found


def _given(service: Object, view: View) -> list[str]:
    """One for each of the Service's families: the one that `loadBalancerIP` asks for, else the lowest that is free."""
    asked = service["spec"].get("loadBalancerIP") or ""
    taken = taken_addresses(view)
    families = service["spec"].get("ipFamilies") or [IPV4]
    return [
        asked if asked and asked not in taken and family_of(asked) == family else free_address(taken, family)
        for family in families
    ]


def taken_addresses(view: View) -> set[str]:
    """The addresses of all load balancers, Ingress controllers and Gateways."""
    found = {one["ip"] for service in view.list("services") for one in _addresses(service) if one.get("ip")}
    for one in view.list(ingress.RESOURCE):
        found.update(ingress.addresses_of(one))
    for one in view.list(gateway.GATEWAYS):
        found.update(gateway.addresses_of(one))
    return found


def free_address(taken: set[str], family: str = IPV4) -> str:
    """The lowest address of 172.30.0.0/16 or fd00:172:30::/112 that nobody has, from .0.1 or ::1 on."""
    if family == IPV6:
        prefix = addresses.LOAD_BALANCERS_IPV6.partition("/")[0]
        return next(text for value in range(1, 0xFFFF) if (text := f"{prefix}{value:x}") not in taken)
    first = addresses.block(addresses.LOAD_BALANCERS)[0]
    return next(text for value in range(1, 0xFFFF) if (text := addresses.text(first + value)) not in taken)


def _event(service: Object, reason: str, message: str) -> Record:
    return Record(service, "Normal", reason, message, COMPONENT)
