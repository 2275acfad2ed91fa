"""The EndpointSlice controller: the addresses behind each Service, in slices of at most 100.

`step` runs on services and is woken by: the Service itself; EndpointSlices that it controls; pods that its selector matches
or matched (created, changed, deleted); with topology-mode Auto, nodes that come, go, or change in readiness or zone.

Slices are changed as little as possible: endpoints keep their place, new ones fill up slices before a new slice is made, and
a slice that would be deleted lends its name to one that would be created. A Service without any endpoint has one empty slice.
The annotation last-change-trigger-time is the earliest change of readiness among the pods that the write is about.
Source: k8s.io/endpointslice/reconciler.go, utils.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api import pods
from minikube_py.api.types import Create, Delete, Key, Patch, Record, Remember
from minikube_py.base import patch
from minikube_py.controllers import backends, ownership, topology_hints

if TYPE_CHECKING:
    from minikube_py.api.types import Actions, Object, Objects, View
    from minikube_py.base.clock import Clock

STEP, COMPONENT = "endpointslice", "endpoint-slice-controller"
RESOURCE = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
ENDPOINTS_MAX = 100  # --max-endpoints-per-slice
_ZONE = "topology.kubernetes.io/zone"
_RESERVED = (backends.HEADLESS, SERVICE_NAME, MANAGED_BY)


def step(service: Object, view: View, clock: Clock) -> Actions:
    if not backends.is_ours(service) or ownership.is_deleting(service):
        return
    uid = service["metadata"]["uid"]
    existing = [
        one for one in view.owned(uid, RESOURCE) if (one["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER
    ]
    families = backends.families(service)
    for family in families:
        mine = [one for one in existing if one["addressType"] == family]
        yield from _reconcile(service, family, mine, view, first=not existing)
    for one in existing:
        if one["addressType"] not in families:
            yield Delete(ownership.key_of(RESOURCE, one))


def _reconcile(service: Object, family: str, existing: Objects, view: View, *, first: bool) -> Actions:
    """The slices of one family."""
    wanted = _wanted(service, family, view)
    kept: dict[str, Object] = {}  # name of a slice -> what it shall be
    fresh: Objects = []  # contents without a slice

    for numbers in sorted(wanted, key=str):
        ports = backends.ports(service, numbers, blank_names=True)
        same_ports = [one for one in existing if (one.get("ports") or []) == ports and one.get("endpoints")]
        filled, rest = _refill(same_ports, wanted[numbers])
        for one in same_ports:
            endpoints = filled[one["metadata"]["name"]]
            if endpoints:
                kept[one["metadata"]["name"]] = {"endpoints": endpoints, "ports": ports}
        fresh += [{"endpoints": part, "ports": ports} for part in _parts(rest)]
    spare = [one for one in existing if one["metadata"]["name"] not in kept]
    yield from _hint(service, [*(kept[name] for name in sorted(kept)), *fresh], view)
    if not kept and not fresh:
        fresh = [{"endpoints": [], "ports": []}]

    for one in existing:
        if one["metadata"]["name"] in kept:
            yield from _write(service, one, kept[one["metadata"]["name"]], view)
    for content in fresh:
        if spare:
            yield from _write(service, spare.pop(0), content, view)
        else:
            yield Create(_described(service, family, content, view, first=first))
    for one in spare:
        yield Delete(ownership.key_of(RESOURCE, one))


def _wanted(service: Object, family: str, view: View) -> dict[tuple[int | None, ...], dict[str, Object]]:
    """Port numbers -> uid of a pod -> its endpoint. Pods whose named ports have other numbers need slices of their own."""
    groups: dict[tuple[int | None, ...], dict[str, Object]] = {}
    for pod in backends.behind(service, view, terminating=True):
        address = backends.address_of(pod, family)
        if address:
            group = groups.setdefault(backends.port_numbers(service, pod), {})
            group[pod["metadata"]["uid"]] = _endpoint(service, pod, address, view)
    return groups


def _endpoint(service: Object, pod: Object, address: str, view: View) -> Object:
    """Serving: the pod is ready. Ready: also not going, or the Service publishes pods that are not ready."""
    serving, terminating = pods.is_ready(pod), pods.is_terminating(pod)
    always = service["spec"].get("publishNotReadyAddresses", False)
    conditions = {"ready": always or (serving and not terminating), "serving": serving, "terminating": terminating}
    endpoint: Object = {"addresses": [address], "conditions": conditions}
    name = backends.hostname(service, pod)
    if name:
        endpoint["hostname"] = name
    endpoint["targetRef"] = backends.reference(pod)
    node = pods.node_of(pod)
    if node:
        endpoint["nodeName"] = node
        found = view.get(Key("nodes", "", node))
        zone = (found["metadata"].get("labels") or {}).get(_ZONE) if found is not None else None
        if zone:
            endpoint["zone"] = zone
        hints = _hints(service, node, zone) if conditions["ready"] and not topology_hints.is_wanted(service) else {}
        if hints:
            endpoint["hints"] = hints
    return endpoint


def _hint(service: Object, contents: Objects, view: View) -> Actions:
    """With topology-mode Auto all endpoints are distributed over the zones, or none; an event tells of a change of that."""
    key = ownership.key_of("services", service)
    told, before = "", view.memory(STEP, key).get("hints", "")
    if topology_hints.is_wanted(service):
        everyone = [endpoint for content in contents for endpoint in content["endpoints"]]
        zones, told = topology_hints.hints(everyone, view)
        place = 0
        for content in contents:
            part = content["endpoints"]
            content["endpoints"] = [_for(one, zones.get(place + offset)) for offset, one in enumerate(part)]
            place += len(part)
    if told == before:
        return
    is_on = told == topology_hints.ON
    text = f"{told or topology_hints.OFF}, addressType: IPv4"
    if told or before == topology_hints.ON:
        kind, reason = ("Normal", "TopologyAwareHintsEnabled") if is_on else ("Warning", "TopologyAwareHintsDisabled")
        yield Record(service, kind, reason, text, COMPONENT)
    yield Remember({"hints": told} if told else {})


def _for(endpoint: Object, zone: str | None) -> Object:
    return {**endpoint, "hints": {"forZones": [{"name": zone}]}} if zone else endpoint


def _hints(service: Object, node: str, zone: str | None) -> Object:
    """Who should use an endpoint, by spec.trafficDistribution: clients of its zone, of its node before those
    (trafficdist/trafficdist.go)."""
    distribution = service["spec"].get("trafficDistribution")
    if distribution not in ("PreferClose", "PreferSameZone", "PreferSameNode"):
        return {}
    hints: Object = {"forZones": [{"name": zone}]} if zone else {}
    return {**hints, "forNodes": [{"name": node}]} if distribution == "PreferSameNode" else hints


def _refill(slices: Objects, wanted: dict[str, Object]) -> tuple[dict[str, Objects], Objects]:
    """Endpoints by slice name, in their old places, with new ones behind; and those for which no slice has room.

    Slices of 99 and 40, two new endpoints: the fullest with room takes one (100), the other the second (41).
    """
    left = dict(wanted)
    filled: dict[str, Objects] = {}
    for one in slices:
        stays = [left.pop(uid) for old in one["endpoints"] if (uid := backends.pod_of(old)) in left]
        filled[one["metadata"]["name"]] = stays
    rest = list(left.values())
    for endpoints in sorted(filled.values(), key=len, reverse=True):
        room = ENDPOINTS_MAX - len(endpoints)
        if endpoints and room > 0:
            endpoints += rest[:room]
            rest = rest[room:]
    return filled, rest


def _parts(endpoints: Objects) -> list[Objects]:
    """Cut into slices of at most 100: 250 endpoints are 100, 100 and 50."""
    return [endpoints[start : start + ENDPOINTS_MAX] for start in range(0, len(endpoints), ENDPOINTS_MAX)]


def _labels(service: Object) -> dict[str, str]:
    own = service["metadata"].get("labels") or {}
    labels = {name: text for name, text in own.items() if name not in _RESERVED}
    if backends.is_headless(service):
        labels[backends.HEADLESS] = ""
    return {**labels, SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: MANAGER}


def _write(service: Object, one: Object, content: Object, view: View) -> Actions:
    """Bring a slice to its content, if it differs from it."""
    old = {"endpoints": one.get("endpoints") or [], "ports": one.get("ports") or []}
    labels = _labels(service)
    if old == content and (one["metadata"].get("labels") or {}) == labels:
        return
    told = (one["metadata"].get("annotations") or {}).get(backends.CHANGED_AT, "")
    changed_at = _changed_at(old["endpoints"], content["endpoints"], view, told)
    fields = patch.diff(old, content)
    fields["metadata"] = {
        "labels": patch.diff(one["metadata"].get("labels") or {}, labels),
        "annotations": {backends.CHANGED_AT: changed_at or None},
    }
    yield Patch(ownership.key_of(RESOURCE, one), fields)


def _described(service: Object, family: str, content: Object, view: View, *, first: bool) -> Object:
    """A new slice; the first one of a Service also answers to the Service's own creation."""
    meta = service["metadata"]
    times = [_changed_at([], content["endpoints"], view), meta["creationTimestamp"] if first else ""]
    changed_at = min(filter(None, times), default="")
    annotations = {"annotations": {backends.CHANGED_AT: changed_at}} if changed_at else {}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": _labels(service),
            **annotations,
            "ownerReferences": [ownership.reference_to(service, "v1", "Service")],
        },
        "addressType": family,
        **content,
    }


def _changed_at(old: Objects, new: Objects, view: View, told: str = "") -> str:
    """The earliest change of readiness among pods that are new or changed in the slice; '' if pods only left it."""
    before = {backends.pod_of(one): one for one in old}
    times = []
    for endpoint in new:
        target = endpoint["targetRef"]
        if before.get(target["uid"]) != endpoint:
            pod = view.get(Key("pods", target["namespace"], target["name"]))
            times.append(backends.news_of(pod, told) if pod is not None else "")
    return min(filter(None, times), default="")
