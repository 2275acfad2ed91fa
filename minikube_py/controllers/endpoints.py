"""The Endpoints controller: one Endpoints object for each Service with a selector, addresses ready and not ready.

`step` runs on services and is woken by: the Service itself; the Endpoints object of its name; pods that its selector matches
or matched. `clean_up` runs on endpoints and is woken by: the Endpoints object itself; the deletion of the Service of its
name. (Endpoints have no owner, so the garbage collector does not see to it.)

Pods that are being deleted are not listed, unless the Service publishes pods that are not ready.
Source: k8s.io/kubernetes/pkg/controller/endpoint/endpoints_controller.go, pkg/api/v1/endpoints/util.go (RepackSubsets).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Create, Delete, Key, Patch
from minikube_py.base import patch
from minikube_py.controllers import backends, ownership

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
    from minikube_py.base.clock import Clock

RESOURCE = "endpoints"
MANAGED_BY, MANAGER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
ADDRESSES_MAX = 1000


def step(service: Object, view: View, clock: Clock) -> Actions:
    if not backends.is_ours(service) or ownership.is_deleting(service):
        return
    meta = service["metadata"]
    always = service["spec"].get("publishNotReadyAddresses", False)
    found = backends.behind(service, view, terminating=always)
    subsets, truncated = _limited(_subsets(service, found, always=always))
    key = Key(RESOURCE, meta["namespace"], meta["name"])
    current = view.get(key)

    labels = {**(meta.get("labels") or {}), MANAGED_BY: MANAGER}
    labels.pop(backends.HEADLESS, None)
    if backends.is_headless(service):
        labels[backends.HEADLESS] = ""
    changed_at = _changed_at(service, found, current)
    if current is None:
        annotations = {backends.CHANGED_AT: changed_at} if changed_at else {}
        annotations |= {OVER_CAPACITY: "truncated"} if truncated else {}
        yield Create(_described(meta, labels, annotations, subsets))
        return

    old_labels = current["metadata"].get("labels") or {}
    was_truncated = OVER_CAPACITY in (current["metadata"].get("annotations") or {})
    if (current.get("subsets") or []) == subsets and old_labels == labels and was_truncated == truncated:
        return
    annotations_change = {backends.CHANGED_AT: changed_at or None, OVER_CAPACITY: "truncated" if truncated else None}
    metadata = {"labels": patch.diff(old_labels, labels), "annotations": annotations_change}
    yield Patch(key, {"metadata": metadata, "subsets": subsets or None})


def clean_up(endpoints: Object, view: View, clock: Clock) -> Actions:
    """Endpoints that this controller made go with their Service."""
    meta = endpoints["metadata"]
    if (meta.get("labels") or {}).get(MANAGED_BY) != MANAGER:
        return
    if view.get(Key("services", meta["namespace"], meta["name"])) is None:
        yield Delete(ownership.key_of(RESOURCE, endpoints))


def _described(meta: Object, labels: dict[str, str], annotations: dict[str, str], subsets: Objects) -> Object:
    own: Object = {"name": meta["name"], "namespace": meta["namespace"], "labels": labels}
    if annotations:
        own["annotations"] = annotations
    described: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": own}
    if subsets:
        described["subsets"] = subsets
    return described


def _subsets(service: Object, found: Objects, *, always: bool) -> Objects:
    """Pods with the same port numbers share a subset; pods that have none of the ports are in none, unless headless. Their
    addresses are of the Service's first family."""
    family = backends.families(service)[0]
    groups: dict[tuple[int | None, ...], tuple[Objects, Objects]] = {}
    for pod in found:
        address = backends.address_of(pod, family)
        if address:
            ready, waiting = groups.setdefault(backends.port_numbers(service, pod), ([], []))
            (ready if always or pods.is_ready(pod) else waiting).append(_address(service, pod, address))
    subsets = []
    for numbers in sorted(groups, key=str):
        ports = backends.ports(service, numbers, blank_names=False)
        if not ports and service["spec"].get("ports"):
            continue
        subset: Object = {}
        for name, addresses in zip(("addresses", "notReadyAddresses"), groups[numbers], strict=True):
            if addresses:
                subset[name] = sorted(addresses, key=lambda one: (one["ip"], one["targetRef"]["uid"]))
        if ports:
            subset["ports"] = ports
        subsets.append(subset)
    return subsets


def _address(service: Object, pod: Object, ip: str) -> Object:
    address: Object = {"ip": ip}
    name = backends.hostname(service, pod)
    if name:
        address["hostname"] = name
    if pods.node_of(pod):
        address["nodeName"] = pods.node_of(pod)
    address["targetRef"] = backends.reference(pod)
    return address


def _limited(subsets: Objects) -> tuple[Objects, bool]:
    """At most 1000 addresses, ready ones first; whether any were left out."""
    room, truncated, limited = ADDRESSES_MAX, False, []
    for subset in subsets:
        kept = {**subset}
        for name in ("addresses", "notReadyAddresses"):
            addresses = subset.get(name) or []
            if len(addresses) > room:
                truncated = True
                kept[name] = addresses[:room]
            room -= min(room, len(addresses))
            if not kept.get(name):
                kept.pop(name, None)
        limited.append(kept)
    return (limited if truncated else subsets), truncated


def _changed_at(service: Object, found: Objects, current: Object | None) -> str:
    """The earliest change that this write answers to: a pod's readiness, or the Service's creation; '' if pods only left."""
    before: dict[str, bool] = {}
    for subset in (current or {}).get("subsets") or ():
        before.update((backends.pod_of(one), True) for one in subset.get("addresses") or ())
        before.update((backends.pod_of(one), False) for one in subset.get("notReadyAddresses") or ())
    told = ((current or {}).get("metadata", {}).get("annotations") or {}).get(backends.CHANGED_AT, "")
    changed = [pod for pod in found if before.get(pod["metadata"]["uid"]) is not pods.is_ready(pod)]
    times = [backends.news_of(pod, told) for pod in changed]
    if current is None:
        times.append(service["metadata"]["creationTimestamp"])
    return min(filter(None, times), default="")
