"""The EndpointSlice mirroring controller: Endpoints that people write for a Service without selector, as slices.

`step` runs on endpoints and is woken by: the Endpoints themselves; the Service of that name; EndpointSlices that it controls.
Each subset becomes a slice, of at most 1000 addresses.
Source: k8s.io/kubernetes/pkg/controller/endpointslicemirroring/{endpointslicemirroring_controller,reconciler,utils}.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.types import Create, Delete, Key, Patch
from minikube_py.controllers import backends, ownership

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
    from minikube_py.base.clock import Clock

RESOURCE = "endpointslices.discovery.k8s.io"
MANAGER = "endpointslicemirroring-controller.k8s.io"
MANAGED_BY, SERVICE_NAME = "endpointslice.kubernetes.io/managed-by", "kubernetes.io/service-name"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
ADDRESSES_MAX = 1000
_OWN_NOTES = (backends.CHANGED_AT, "kubectl.kubernetes.io/last-applied-configuration")


def step(endpoints: Object, view: View, clock: Clock) -> Actions:
    if ownership.is_deleting(endpoints):
        return
    existing = [
        one
        for one in view.owned(endpoints["metadata"]["uid"], RESOURCE)
        if (one["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER
    ]
    wanted = _contents(endpoints) if _is_mirrored(endpoints, view) else []
    labels, notes = _labels(endpoints), _notes(endpoints)
    left = []
    for one in existing:  # what stays as it is keeps its slice
        content = {"endpoints": one.get("endpoints") or [], "ports": one.get("ports") or []}
        if content in wanted and one["metadata"].get("labels") == labels:
            wanted.remove(content)
        else:
            left.append(one)
    for content in wanted:
        if left:
            fields = {**content, "metadata": {"labels": labels, "annotations": notes or None}}
            yield Patch(ownership.key_of(RESOURCE, left.pop(0)), fields)
        else:
            yield Create(_slice(endpoints, content, labels, notes))
    for one in left:
        yield Delete(ownership.key_of(RESOURCE, one))


def _is_mirrored(endpoints: Object, view: View) -> bool:
    """Not those that the endpoints controller writes itself, nor leader election's, nor those that say so."""
    meta = endpoints["metadata"]
    if (meta.get("labels") or {}).get(SKIP) == "true" or LEADER in (meta.get("annotations") or {}):
        return False
    service = view.get(Key("services", meta["namespace"], meta["name"]))
    return service is not None and not service["spec"].get("selector")


def _contents(endpoints: Object) -> Objects:
    """What the slices hold: those of one subset share its ports."""
    found: Objects = []
    for subset in endpoints.get("subsets") or ():
        ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()]
        entries = [_endpoint(one, ready=True) for one in subset.get("addresses") or ()]
        entries += [_endpoint(one, ready=False) for one in subset.get("notReadyAddresses") or ()]
        entries = entries[:ADDRESSES_MAX]
        if entries:
            found.append({"endpoints": entries, "ports": ports})
    return found


def _endpoint(address: Object, *, ready: bool) -> Object:
    entry: Object = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    return {**entry, **{name: address[name] for name in ("hostname", "targetRef", "nodeName") if name in address}}


def _labels(endpoints: Object) -> dict[str, str]:
    meta = endpoints["metadata"]
    return {**(meta.get("labels") or {}), SERVICE_NAME: meta["name"], MANAGED_BY: MANAGER}


def _notes(endpoints: Object) -> dict[str, str]:
    notes = endpoints["metadata"].get("annotations") or {}
    return {name: text for name, text in notes.items() if name not in _OWN_NOTES}


def _slice(endpoints: Object, content: Object, labels: dict[str, str], notes: dict[str, str]) -> Object:
    meta = endpoints["metadata"]
    first = content["endpoints"][0]["addresses"][0]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": labels,
            **({"annotations": notes} if notes else {}),
            "ownerReferences": [ownership.reference_to(endpoints, "v1", "Endpoints")],
        },
        "addressType": "IPv6" if ":" in first else "IPv4",
        **content,
    }
