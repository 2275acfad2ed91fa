"""Defaults of the core group. Source: pkg/apis/core/v1/defaults.go."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from minikube_py.api.defaults import pods
from minikube_py.api.defaults.pods import pod_spec
from minikube_py.api.defaults.shape import always, each, fill, put, within, without

Object = dict[str, Any]

_NODE_INFO: Object = dict.fromkeys(
    (
        "architecture",
        "bootID",
        "containerRuntimeVersion",
        "kernelVersion",
        "kubeProxyVersion",
        "kubeletVersion",
        "machineID",
        "operatingSystem",
        "osImage",
        "systemUUID",
    ),
    "",
)
_EVENT: Object = {
    "eventTime": None,
    "firstTimestamp": None,
    "involvedObject": {},
    "lastTimestamp": None,
    "reportingComponent": "",
    "reportingInstance": "",
    "source": {},
}
_EXPOSED = ("NodePort", "LoadBalancer")


def pod(obj: Object) -> Object:
    """A pod: its spec's defaults, and what only a pod (not a template) gets: requests from limits, service links."""
    obj = always(fill(obj, {"status": {}}), "spec", pod_spec)
    spec = obj["spec"]
    changed = fill(spec, {"enableServiceLinks": True})
    changed = each(changed, "containers", _requests_from_limits)
    if "initContainers" in changed:
        changed = each(changed, "initContainers", _requests_from_limits)
    if "resources" in changed:
        from minikube_py.api.defaults.pod_level import pod_level_resources

        changed = pod_level_resources(changed)
    if changed.get("hostNetwork"):
        for key in ("containers", "initContainers"):
            changed = each(changed, key, lambda container: each(container, "ports", _host_port))
    return obj if changed is spec else {**obj, "spec": changed}


def _requests_from_limits(container: Object) -> Object:
    resources = container["resources"]
    limits = resources.get("limits")
    if not limits:
        return container
    requests = resources.get("requests") or {}
    filled = fill(requests, limits)
    return container if filled is requests else {**container, "resources": {**resources, "requests": filled}}


def _host_port(port: Object) -> Object:
    return fill(port, {"hostPort": port["containerPort"]}) if port.get("containerPort") else port


def pod_template_object(obj: Object) -> Object:
    return pods.template(obj)


def replication_controller(obj: Object) -> Object:
    """Selector and labels of a ReplicationController come from its template when it has none."""
    obj = always(obj, "spec", lambda spec: within(fill(spec, {"replicas": 1}), "template", pods.pod_template))
    labels = obj["spec"].get("template", {}).get("metadata", {}).get("labels")
    if labels:
        if not obj["spec"].get("selector"):
            obj = {**obj, "spec": {**obj["spec"], "selector": labels}}
        if not obj["metadata"].get("labels"):
            obj = {**obj, "metadata": {**obj["metadata"], "labels": labels}}
    return fill(obj, {"status": {"replicas": 0}})


def service(obj: Object) -> Object:
    return always(fill(obj, {"status": {"loadBalancer": {}}}), "spec", service_spec)


def service_spec(spec: Object) -> Object:
    """A Service's spec without what allocation sets (addresses, families, node ports: `minikube_py.apiserver.allocate`)."""
    spec = fill(spec, {"sessionAffinity": "None", "type": "ClusterIP"})
    if spec["sessionAffinity"] == "None":
        spec = without(spec, "sessionAffinityConfig")
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
            spec = {**spec, "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}}
    spec = each(spec, "ports", _service_port)
    kind = spec["type"]
    if kind in _EXPOSED or (kind == "ClusterIP" and spec.get("externalIPs")):
        spec = fill(spec, {"externalTrafficPolicy": "Cluster"})
    if kind in ("ClusterIP", *_EXPOSED):
        spec = fill(spec, {"internalTrafficPolicy": "Cluster"})
    return fill(spec, {"allocateLoadBalancerNodePorts": True}) if kind == "LoadBalancer" else spec


def _service_port(port: Object) -> Object:
    if port.get("targetPort") in (None, 0, ""):
        port = put(port, "targetPort", port.get("port", 0))
    return fill(port, pods.PORT)


def secret(obj: Object) -> Object:
    """Type Opaque; stringData is written over data, base64 encoded, and goes away (conversion.go)."""
    obj = fill(obj, {"type": "Opaque"})
    texts = obj.get("stringData")
    if texts:
        encoded = {key: b64encode(str(text).encode()).decode() for key, text in texts.items()}
        obj = {**obj, "data": {**(obj.get("data") or {}), **encoded}}
    return without(obj, "stringData")


def namespace(obj: Object) -> Object:
    name = obj["metadata"].get("name")
    if name:
        label = {"kubernetes.io/metadata.name": name}
        metadata = obj["metadata"]
        labels = metadata.get("labels") or {}
        if labels.get("kubernetes.io/metadata.name") != name:
            obj = {**obj, "metadata": {**metadata, "labels": {**labels, **label}}}
    obj = fill(obj, {"spec": {}})
    return always(obj, "status", lambda status: fill(status, {"phase": "Active"}))


def node(obj: Object) -> Object:
    return always(fill(obj, {"spec": {}}), "status", _node_status)


def _node_status(status: Object) -> Object:
    if status.get("capacity") and not status.get("allocatable"):
        status = {**status, "allocatable": status["capacity"]}
    status = always(status, "nodeInfo", lambda info: fill(info, _NODE_INFO))
    return always(
        status,
        "daemonEndpoints",
        lambda endpoints: always(endpoints, "kubeletEndpoint", lambda endpoint: fill(endpoint, {"Port": 0})),
    )


def persistent_volume(obj: Object) -> Object:
    obj = always(obj, "status", lambda status: fill(status, {"phase": "Pending"}))
    return always(obj, "spec", _volume_spec)


def _volume_spec(spec: Object) -> Object:
    spec = fill(spec, {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    return pods.volume_source(spec)


def persistent_volume_claim(obj: Object) -> Object:
    obj = always(obj, "status", lambda status: fill(status, {"phase": "Pending"}))
    return always(obj, "spec", pods.claim_spec)


def resource_quota(obj: Object) -> Object:
    return fill(obj, {"spec": {}, "status": {}})


def limit_range(obj: Object) -> Object:
    """The limits of type Container: default falls back to max, defaultRequest to default, then to min."""
    return always(obj, "spec", lambda spec: each(fill(spec, {"limits": None}), "limits", _limit))


def _limit(item: Object) -> Object:
    if item.get("type") != "Container":
        return item
    default = fill(item.get("default") or {}, item.get("max") or {})
    request = fill(fill(item.get("defaultRequest") or {}, default), item.get("min") or {})
    for key, value in (("default", default), ("defaultRequest", request)):
        if value:
            item = put(item, key, value)
    return item


def endpoints(obj: Object) -> Object:
    return each(obj, "subsets", lambda subset: each(subset, "ports", lambda port: fill(port, pods.PORT)))


def event(obj: Object) -> Object:
    return fill(obj, _EVENT)
