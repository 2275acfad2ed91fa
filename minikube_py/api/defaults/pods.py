"""Defaults of pod specs, shared by pods and everything that holds a pod template.

A pod that a ReplicaSet makes comes from a template that has all of this already: each function returns the object it was
given when nothing is missing. Source: pkg/apis/core/v1/defaults.go, zz_generated.defaults.go.
"""

from __future__ import annotations

import re
from typing import Any

from minikube_py.api.defaults.shape import always, each, fill, put, settle, within

Object = dict[str, Any]

POD_SPEC: Object = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
CONTAINER: Object = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
PROBE: Object = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
HTTP_GET: Object = {"path": "/", "scheme": "HTTP"}
PORT: Object = {"protocol": "TCP"}
MODE: Object = {"defaultMode": 0o644}
VOLUME_MODE: Object = {"volumeMode": "Filesystem"}

# Volume sources whose defaults are constants: source -> the missing fields.
_VOLUME_SOURCES: dict[str, Object] = {
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": False},
    "configMap": MODE,
    "downwardAPI": MODE,
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "projected": MODE,
    "rbd": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "scaleIO": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
    "secret": MODE,
}


def template(holder: Object) -> Object:
    """The spec of a workload with its pod template (metadata and spec always there) defaulted."""
    return always(holder, "template", pod_template)


def pod_template(obj: Object) -> Object:
    return always(fill(obj, {"metadata": {}}), "spec", pod_spec)


def pod_spec(spec: Object) -> Object:
    """A pod's or pod template's spec with its defaults; the same object if nothing was missing."""
    spec = fill(spec, POD_SPEC)
    if "containers" not in spec:
        spec = put(spec, "containers", None)
    if "serviceAccount" in spec or "serviceAccountName" in spec:
        spec = _service_account(spec)
    spec = each(spec, "containers", container)
    if "initContainers" in spec:
        spec = each(spec, "initContainers", container)
    if "ephemeralContainers" in spec:
        spec = each(spec, "ephemeralContainers", container)
    return each(spec, "volumes", volume)


def _service_account(spec: Object) -> Object:
    """serviceAccount is the deprecated twin of serviceAccountName, which wins (conversion.go)."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if spec.get("serviceAccount") == name and spec.get("serviceAccountName") == name:
        return spec
    return {**spec, "serviceAccount": name, "serviceAccountName": name}


def container(obj: Object) -> Object:
    obj = fill(obj, CONTAINER)
    if "imagePullPolicy" not in obj:
        obj = put(obj, "imagePullPolicy", pull_policy(obj.get("image", "")))
    if "ports" in obj:
        obj = each(obj, "ports", _port)
    if "env" in obj:
        obj = each(obj, "env", _environment)
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        if key in obj:
            obj = within(obj, key, probe)
    return within(obj, "lifecycle", _lifecycle)


def _port(obj: Object) -> Object:
    return fill(obj, PORT)


def _environment(variable: Object) -> Object:
    source = variable.get("valueFrom")
    if not source:
        return variable
    if "fieldRef" in source:
        return within(variable, "valueFrom", _field_reference)
    if "fileKeyRef" in source:
        return within(variable, "valueFrom", lambda inner: within(inner, "fileKeyRef", _optional))
    if "resourceFieldRef" in source:
        return within(variable, "valueFrom", resource_reference)
    return variable


def _field_reference(source: Object) -> Object:
    return within(source, "fieldRef", lambda reference: fill(reference, {"apiVersion": "v1"}))


def resource_reference(source: Object) -> Object:
    """resourceFieldRef.divisor is a quantity and no pointer: unset, it prints "0"."""
    return within(source, "resourceFieldRef", lambda reference: fill(reference, {"divisor": "0"}))


def _optional(reference: Object) -> Object:
    return fill(reference, {"optional": False})


def probe(obj: Object) -> Object:
    obj = fill(obj, PROBE)
    if "httpGet" in obj:
        return within(obj, "httpGet", _http_get)
    return within(obj, "grpc", lambda action: settle(action, {"service": ""}))


def _http_get(action: Object) -> Object:
    return fill(action, HTTP_GET)


def _lifecycle(obj: Object) -> Object:
    for hook in ("postStart", "preStop"):
        obj = within(obj, hook, lambda handler: within(handler, "httpGet", _http_get))
    return obj


def volume(obj: Object) -> Object:
    """A pod's volume; one without any source is an emptyDir."""
    for key in obj:
        if key != "name":
            break
    else:
        return {**obj, "emptyDir": {}}
    obj = volume_source(obj)
    if "projected" in obj:
        return within(obj, "projected", lambda source: each(source, "sources", _projection))
    if "downwardAPI" in obj:
        return within(obj, "downwardAPI", _downward_items)
    if "image" in obj:
        return within(obj, "image", _image_source)
    return within(obj, "ephemeral", _ephemeral) if "ephemeral" in obj else obj


def volume_source(obj: Object) -> Object:
    """The constant defaults of a volume source, for pods' volumes and persistent volumes alike."""
    for key in obj:
        if key in _VOLUME_SOURCES and isinstance(obj[key], dict):
            return put(obj, key, fill(obj[key], _VOLUME_SOURCES[key]))
    return obj


def _projection(source: Object) -> Object:
    if "serviceAccountToken" in source:
        return within(source, "serviceAccountToken", lambda token: fill(token, {"expirationSeconds": 3600}))
    return within(source, "downwardAPI", _downward_items)


def _downward_items(source: Object) -> Object:
    return each(source, "items", lambda item: resource_reference(_field_reference(item)))


def _image_source(source: Object) -> Object:
    return fill(source, {"pullPolicy": pull_policy(source.get("reference", ""))})


def _ephemeral(source: Object) -> Object:
    return within(source, "volumeClaimTemplate", claim_template)


def claim_template(obj: Object) -> Object:
    return always(fill(obj, {"metadata": {}}), "spec", claim_spec)


def claim_spec(spec: Object) -> Object:
    """The spec of a PersistentVolumeClaim, or of a template for one."""
    return fill(fill(spec, VOLUME_MODE), {"resources": {}})


# An image reference (github.com/distribution/reference): [host/]path[:tag][@digest], the path in lower case.
_REFERENCE = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?P<digest>@[A-Za-z][\w.+-]*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)
_POLICIES: dict[str, str] = {}


def pull_policy(image: str) -> str:
    """Always for the tag latest, given or implied; IfNotPresent for others, digests and what is no image reference."""
    policy = _POLICIES.get(image)
    if policy is None:
        if len(_POLICIES) > 4096:
            _POLICIES.clear()
        found = _REFERENCE.fullmatch(image)
        latest = found and (found["tag"] == "latest" or not (found["tag"] or found["digest"]))
        policy = _POLICIES[image] = "Always" if latest else "IfNotPresent"
    return policy
