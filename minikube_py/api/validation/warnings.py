"""Warnings: what the API server accepts but thinks worth a word. kubectl prints them as 'Warning: ...'.

Sources: pkg/api/pod/warnings.go, pkg/api/persistentvolume{,claim}/util.go, the WarningsOnCreate of the strategies, and
kinds that are deprecated as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation.causes import quote
from minikube_py.base import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from minikube_py.api.kinds import Kind
    from minikube_py.api.types import Object

# Where a kind's pod template is; () is a pod itself.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "pods": (),
    "podtemplates": ("template",),
    "replicationcontrollers": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_BETA_MOUNT = "volume.beta.kubernetes.io/mount-options"
_ENDPOINTS = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"


def warnings(kind: Kind, obj: Object, old: Object | None = None) -> list[str]:
    """What to tell the user about an object that was accepted, without 'Warning: ' in front."""
    resource = kind.resource
    where = TEMPLATES.get(resource)
    if where is not None:
        template, before = _at(obj, where), _at(old, where)
        if template is None or (before is not None and template.get("spec") == before.get("spec")):
            return []
        return list(_pod(template, "".join(f"{field}." for field in where)))
    if resource == "persistentvolumeclaims":
        return list(_claim(obj))
    if resource == "persistentvolumes":
        return list(_volume(obj))
    return [_ENDPOINTS] if resource == "endpoints" else []


def _at(obj: Object | None, where: tuple[str, ...]) -> Object | None:
    found: Any = obj
    for field in where:
        found = (found or {}).get(field)
    return found if isinstance(found, dict) else None


def _pod(holder: Object, path: str) -> Iterator[str]:
    spec, meta = holder.get("spec") or {}, holder.get("metadata") or {}
    yield from _labels(spec, path)
    annotations = meta.get("annotations") or {}
    for key, text in _ANNOTATIONS.items():
        if key in annotations:
            yield f"{path}metadata.annotations[{key}]: {text}"
    for index, volume in enumerate(spec.get("volumes") or ()):
        for source in volume:
            if source in _VOLUMES:
                shown = "storageOS" if source == "storageos" else source
                yield f"{path}spec.volumes[{index}].{shown}: {_VOLUMES[source]}"
    yield from _repeated(spec.get("hostAliases") or (), "ip", f"{path}spec.hostAliases")
    yield from _repeated(spec.get("imagePullSecrets") or (), "name", f"{path}spec.imagePullSecrets")
    for index, one in enumerate(spec.get("imagePullSecrets") or ()):
        if not one.get("name"):
            yield f'{path}spec.imagePullSecrets[{index}].name: invalid empty name ""'
    yield from _containers(spec, annotations, path)
    yield from _ports(spec, path)
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        yield f"{path}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"


def _labels(spec: Object, path: str) -> Iterator[str]:
    """Selectors that name a label of nodes that has a new name."""
    for key in spec.get("nodeSelector") or ():
        if key in _NODE_LABELS:
            yield f"{path}spec.nodeSelector[{key}]: {_NODE_LABELS[key]}"
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    here = f"{path}spec.affinity.nodeAffinity."
    for index, term in enumerate((node.get(required) or {}).get("nodeSelectorTerms") or ()):
        yield from _term(term, f"{here}{required}.nodeSelectorTerms[{index}]")
    for index, term in enumerate(node.get(preferred) or ()):
        yield from _term(term.get("preference") or {}, f"{here}{preferred}[{index}].preference")
    for index, one in enumerate(spec.get("topologySpreadConstraints") or ()):
        at, key = f"{path}spec.topologySpreadConstraints[{index}]", one.get("topologyKey", "")
        if key in _NODE_LABELS:
            yield f"{at}.topologyKey: {key} is {_NODE_LABELS[key]}"
        if one.get("labelSelector") is None:
            yield f"{at}.labelSelector: a null labelSelector results in matching no pod"


def _term(term: Object, path: str) -> Iterator[str]:
    for index, one in enumerate(term.get("matchExpressions") or ()):
        key = one.get("key", "")
        if key in _NODE_LABELS:
            yield f"{path}.matchExpressions[{index}].key: {key} is {_NODE_LABELS[key]}"


def _repeated(items: Any, field: str, path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, one in enumerate(items):
        value = one.get(field, "")
        if value in seen:
            yield f"{path}[{index}].{field}: duplicate {field} {quote(value)}"
        seen.add(value)


def _each_container(spec: Object, path: str) -> Iterator[tuple[str, Object]]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield f"{path}spec.{field}[{index}]", container


def _containers(spec: Object, annotations: Object, path: str) -> Iterator[str]:
    profile = (spec.get("securityContext") or {}).get("appArmorProfile")
    for here, container in _each_container(spec, path):
        own = (container.get("securityContext") or {}).get("appArmorProfile")
        key = _APP_ARMOR + container.get("name", "")
        if key in annotations and profile is None and (own is None or not path):
            yield f'{path}metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'
        needs = container.get("resources") or {}
        for name in ("memory", "ephemeral-storage"):
            for side in ("limits", "requests"):
                value = (needs.get(side) or {}).get(name)
                if value is not None and quantity.milli(value) % 1000:
                    shown = quote(quantity.canonical(value))
                    yield f"{here}.resources.{side}[{name}]: fractional byte value {shown} is invalid, must be an integer"
        yield from _environment(container.get("env") or (), here)


def _environment(variables: Any, path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, one in enumerate(variables):
        name, value = one.get("name", ""), one.get("value", "")
        reference = f"$({name})"
        if name in seen and (one.get("valueFrom") is not None or value == reference or reference not in value):
            hidden = f"hides previous definition of {quote(name)}, which may be dropped when using apply"
            yield f"{path}.env[{index}]: {hidden}"
        seen.add(name)


def _ports(spec: Object, path: str) -> Iterator[str]:
    """Ports that more than one container, or one container twice, declares."""
    seen: dict[tuple[int, str], list[tuple[str, Object]]] = {}
    for here, container in _each_container(spec, path):
        for index, port in enumerate(container.get("ports") or ()):
            at = f"{here}.ports[{index}]"
            others = seen.setdefault((port.get("containerPort", 0), port.get("protocol", "")), [])
            for where, other in others:
                same_ip = port.get("hostIP", "") == other.get("hostIP", "")
                mine, theirs = port.get("hostPort", 0), other.get("hostPort", 0)
                if same_ip and mine == theirs:
                    yield f"{at}: duplicate port definition with {where}"
                elif not mine or not theirs:
                    yield f"{at}: overlapping port definition with {where}"
                elif mine == theirs and "" in (port.get("hostIP", ""), other.get("hostIP", "")):
                    yield f"{at}: dangerously ambiguous port definition with {where}"
            others.append((at, port))


def _claim(obj: Object) -> Iterator[str]:
    if _BETA_CLASS in (obj["metadata"].get("annotations") or ()):
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        yield f"metadata.annotations[{_BETA_CLASS}]: {text}"
    requests = ((obj.get("spec") or {}).get("resources") or {}).get("requests") or {}
    value = requests.get("storage")
    if value is not None and quantity.milli(value) % 1000:
        shown = quote(quantity.canonical(value))
        yield f"spec.resources.requests[storage]: fractional byte value {shown} is invalid, must be an integer"


def _volume(obj: Object) -> Iterator[str]:
    annotations, spec = obj["metadata"].get("annotations") or {}, obj.get("spec") or {}
    if _BETA_CLASS in annotations:
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        yield f"metadata.annotations[{_BETA_CLASS}]: {text}"
    if _BETA_MOUNT in annotations:
        yield f'metadata.annotations[{_BETA_MOUNT}]: deprecated since v1.31; use "mountOptions" attribute instead'
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        advice = "Instead, the recommended approach is to use dynamic provisioning."
        yield f"spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. {advice}"
    value = (spec.get("capacity") or {}).get("storage")
    if value is not None and quantity.milli(value) % 1000:
        shown = quote(quantity.canonical(value))
        yield f"spec.capacity[storage]: fractional byte value {shown} is invalid, must be an integer"
    for source in spec:
        if source in _VOLUMES:
            yield f"spec.{source}: {_VOLUMES[source]}"
