"""The pods behind a Service, as both endpoint controllers see them: which count, on which ports, and since when.

Source: k8s.io/endpointslice/util/controller_utils.go, k8s.io/kubernetes/pkg/controller/endpoint/endpoints_controller.go,
k8s.io/kubernetes/pkg/api/v1/pod/util.go (FindPort).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.families import IPV4, IPV6, family_of, pod_addresses

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View

CHANGED_AT = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS = "service.kubernetes.io/headless"


def is_ours(service: Object) -> bool:
    """Services without a selector are served by hand, ExternalName ones by DNS."""
    spec = service["spec"]
    return bool(spec.get("selector")) and spec.get("type") != "ExternalName"


def is_headless(service: Object) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def behind(service: Object, view: View, *, terminating: bool) -> Objects:
    """Selected pods that have an address and are not finished; those being deleted only if `terminating`."""
    meta = service["metadata"]
    return [
        pod
        for pod in view.selected(meta["namespace"], service["spec"]["selector"])
        if pod.get("status", {}).get("podIP")
        and not pods.is_finished(pod)
        and (terminating or not pods.is_terminating(pod))
    ]


def address_of(pod: Object, family: str) -> str:
    """The pod's address of a family; '' if it has none."""
    first: str = pod["status"]["podIP"]
    if (":" in first) == (family == IPV6):
        return first
    return next((one for one in pod_addresses(pod) if family_of(one) == family), "")


def families(service: Object) -> list[str]:
    """The families that a Service's endpoints have, the first one first."""
    return service["spec"].get("ipFamilies") or [IPV4]


def target_port(pod: Object, port: Object) -> int | None:
    """The number of a Service's port on this pod: a named one is looked up in its containers, and may be missing."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    protocol = port.get("protocol", "TCP")
    sidecars = [one for one in pod["spec"].get("initContainers") or () if one.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for offered in container.get("ports") or ():
            if offered.get("name") == target and offered.get("protocol", "TCP") == protocol:
                return int(offered["containerPort"])
    return None


def port_numbers(service: Object, pod: Object) -> tuple[int | None, ...]:
    """One number for each port of the Service, None where the pod does not have it."""
    return tuple(target_port(pod, port) for port in service["spec"].get("ports") or ())


def ports(service: Object, numbers: tuple[int | None, ...], *, blank_names: bool) -> Objects:
    """The ports of a group of pods; EndpointSlices name an unnamed port '', Endpoints leave the name out."""
    found = []
    for port, number in zip(service["spec"].get("ports") or (), numbers, strict=True):
        if number is None:
            continue
        one: Object = {"name": port.get("name", "")} if blank_names or port.get("name") else {}
        one |= {"port": number, "protocol": port.get("protocol", "TCP")}
        if "appProtocol" in port:
            one["appProtocol"] = port["appProtocol"]
        found.append(one)
    return found


def reference(pod: Object) -> Object:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def pod_of(entry: Object) -> str:
    """The uid of the pod behind an endpoint or address; '' if a person wrote it without one."""
    return (entry.get("targetRef") or {}).get("uid") or ""


def hostname(service: Object, pod: Object) -> str:
    """The pod's own DNS name under the Service, for pods that ask for it by hostname and subdomain."""
    spec = pod["spec"]
    return spec.get("hostname", "") if spec.get("subdomain") == service["metadata"]["name"] else ""


def ready_since(pod: Object) -> str:
    """When the pod's readiness last changed; '' if it is not told."""
    found = pods.condition(pod, "Ready")
    return found.get("lastTransitionTime", "") if found is not None else ""


def news_of(pod: Object, told: str) -> str:
    """`ready_since`, unless it is no news: a pod that was not ready when the last write, with the trigger time `told`, was
    made, and is not ready now, was looked at then.
    """
    since = ready_since(pod)
    return "" if since <= told and not pods.is_ready(pod) else since
