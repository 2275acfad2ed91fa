"""Kinds for which storage does more at a create or update than set a fixed status; see `minikube_py.api.strategy`.

Source: pkg/registry/<group>/<kind>/strategy.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import qos
from minikube_py.api.defaults.apps import TEMPLATE_GENERATION
from minikube_py.api.defaults.shape import put, within, without

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]

_DAEMON_SET_STATUS: Object = {
    "currentNumberScheduled": 0,
    "desiredNumberScheduled": 0,
    "numberMisscheduled": 0,
    "numberReady": 0,
}
_STATEFUL_SET_STATUS: Object = {"availableReplicas": 0, "replicas": 0}


def _pod(obj: Object) -> Object:
    status: Object = {"phase": "Pending", "qosClass": qos.qos_class(obj["spec"])}
    spec = obj["spec"]
    if spec.get("schedulingGates"):
        status["conditions"] = [
            {
                "lastProbeTime": None,
                "lastTransitionTime": obj["metadata"].get("creationTimestamp"),
                "message": "Scheduling is blocked due to non-empty scheduling gates",
                "reason": "SchedulingGated",
                "status": "False",
                "type": "PodScheduled",
            }
        ]
    if "affinity" in spec or "topologySpreadConstraints" in spec:
        from minikube_py.api import label_keys

        spec = label_keys.merged(spec, obj["metadata"].get("labels") or {})
    annotations = obj["metadata"].get("annotations")
    if annotations:
        from minikube_py.api import apparmor

        spec = apparmor.fields_from_annotations(spec, annotations)
    return {**obj, "spec": spec, "status": status}


def _job(obj: Object) -> Object:
    """Unless spec.manualSelector: the labels of the template and the selector that pick just this Job's pods.

    A Job without labels shows those of its template, the generated ones included.
    """
    obj = put(obj, "status", {})
    spec = obj["spec"]
    if not spec.get("manualSelector"):
        name, uid = obj["metadata"].get("name", ""), obj["metadata"]["uid"]
        generated = {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": uid,
            "job-name": name,
        }
        template = spec.get("template") or {}
        metadata = template.get("metadata") or {}
        labels = {**generated, **(metadata.get("labels") or {})}
        selector = spec.get("selector") or {}
        match = {"batch.kubernetes.io/controller-uid": uid, **(selector.get("matchLabels") or {})}
        spec = {
            **spec,
            "selector": {**selector, "matchLabels": match},
            "template": {**template, "metadata": {**metadata, "labels": labels}},
        }
        obj = {**obj, "spec": spec}
    labels = spec["template"].get("metadata", {}).get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj = {**obj, "metadata": {**obj["metadata"], "labels": labels}}
    return obj


def _namespace(obj: Object) -> Object:
    """The finalizer that makes deletion wait for the namespace's content."""
    spec = obj.get("spec") or {}
    finalizers = spec.get("finalizers") or []
    if "kubernetes" not in finalizers:
        spec = {**spec, "finalizers": [*finalizers, "kubernetes"]}
    return {**obj, "spec": spec, "status": {"phase": "Active"}}


def _namespace_update(new: Object, old: Object, subresource: str) -> Object:
    """Only the subresource `finalize` changes spec.finalizers."""
    if subresource == "finalize" or new.get("spec") == old.get("spec"):
        return new
    return put(new, "spec", old.get("spec") or {})


def _certificate_request_update(new: Object, old: Object, subresource: str) -> Object:
    return put(new, "spec", old["spec"])


def _pod_update(new: Object, old: Object, subresource: str) -> Object:
    """`ephemeralcontainers` and `resize` change nothing but what they are named for; the rest goes to validation."""
    if subresource == "ephemeralcontainers":
        added = new["spec"].get("ephemeralContainers")
        spec = old["spec"] if added is None else put(old["spec"], "ephemeralContainers", added)
        return {**old, "metadata": _metadata_of(new, old), "spec": spec}
    if subresource == "resize":
        spec = old["spec"]
        for key in ("containers", "initContainers"):
            if key in spec:
                spec = {**spec, key: _resized(new["spec"].get(key) or [], spec[key])}
        return {**old, "metadata": _metadata_of(new, old), "spec": spec}
    return new


def _metadata_of(new: Object, old: Object) -> Object:
    """The old metadata, at the revision that the caller named."""
    version = new["metadata"].get("resourceVersion")
    return put(old["metadata"], "resourceVersion", version) if version else old["metadata"]


def _resized(new: list[Object], old: list[Object]) -> list[Object]:
    """The old containers with the new resources; what was renamed or reordered is left for validation to refuse."""
    if [container.get("name") for container in new] != [container.get("name") for container in old]:
        return new
    fields = ("resizePolicy", "resources")
    return [
        {**without(before, *fields), **{field: after[field] for field in fields if field in after}}
        for before, after in zip(old, new, strict=True)
    ]


def _claim(obj: Object) -> Object:
    return {**within(obj, "spec", _data_sources), "status": {"phase": "Pending"}}


def _data_sources(spec: Object) -> Object:
    """dataSource may name a claim or a snapshot only, and is mirrored in dataSourceRef, which may name anything.

    A dataSourceRef into another namespace is dropped: the feature CrossNamespaceVolumeDataSource is off by default.
    Source: pkg/api/persistentvolumeclaim/util.go.
    """
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if reference and reference.get("namespace"):
        spec, reference = without(spec, "dataSourceRef"), None
    if source and not reference and (source.get("kind"), source.get("apiGroup") or "") not in _CLAIM_SOURCES:
        return without(spec, "dataSource")
    if source and not reference:
        return {**spec, "dataSourceRef": source}
    return {**spec, "dataSource": reference} if reference and not source else spec


_CLAIM_SOURCES = (("PersistentVolumeClaim", ""), ("VolumeSnapshot", "snapshot.storage.k8s.io"))


def _persistent_volume(obj: Object) -> Object:
    status: Object = {"phase": "Pending"}
    created = obj["metadata"].get("creationTimestamp")
    if created:
        status = {"lastPhaseTransitionTime": created, **status}
    return {**obj, "status": status}


def _service(obj: Object) -> Object:
    from minikube_py.api import service_strategy

    return service_strategy.create(obj)


def _service_update(new: Object, old: Object, subresource: str) -> Object:
    from minikube_py.api import service_strategy

    return service_strategy.update(new, old)


def _stateful_set(obj: Object) -> Object:
    return put(_without_max_unavailable(obj), "status", _STATEFUL_SET_STATUS)


def _stateful_set_update(new: Object, old: Object, subresource: str) -> Object:
    return _without_max_unavailable(new)


def _without_max_unavailable(obj: Object) -> Object:
    """updateStrategy.rollingUpdate.maxUnavailable is dropped: the feature MaxUnavailableStatefulSet is off by default."""
    return within(
        obj,
        "spec",
        lambda spec: within(
            spec,
            "updateStrategy",
            lambda strategy: within(strategy, "rollingUpdate", lambda rolling: without(rolling, "maxUnavailable")),
        ),
    )


def _daemon_set(obj: Object) -> Object:
    return {**_with_template_generation(obj, 1), "status": _DAEMON_SET_STATUS}


def _daemon_set_update(new: Object, old: Object, subresource: str) -> Object:
    """The template's generation (an annotation) rises with the template; users cannot set it."""
    kept = int((old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "0"))
    changed = new["spec"].get("template") != old["spec"].get("template")
    return _with_template_generation(new, kept + 1 if changed else kept)


def _with_template_generation(obj: Object, generation: int) -> Object:
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    if annotations.get(TEMPLATE_GENERATION) == str(generation):
        return obj
    return {**obj, "metadata": {**metadata, "annotations": {**annotations, TEMPLATE_GENERATION: str(generation)}}}


def _custom_resource_definition(obj: Object) -> Object:
    stored = [version["name"] for version in obj["spec"].get("versions") or () if version.get("storage")]
    status = {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": stored}
    return {**obj, "status": status}


def _custom_resource_definition_update(new: Object, old: Object, subresource: str) -> Object:
    """A new storage version joins status.storedVersions; none leaves it by itself."""
    status = new.get("status") or {}
    stored = status.get("storedVersions") or []
    added = [version["name"] for version in new["spec"].get("versions") or () if version.get("storage")]
    missing = [name for name in added if name not in stored]
    return {**new, "status": {**status, "storedVersions": [*stored, *missing]}} if missing else new


def _api_service(obj: Object) -> Object:
    """Local APIServices (those without a service) are available from the start."""
    if obj["spec"].get("service"):
        return put(obj, "status", {})
    available = {
        "lastTransitionTime": obj["metadata"].get("creationTimestamp"),
        "message": "Local APIServices are always available",
        "reason": "Local",
        "status": "True",
        "type": "Available",
    }
    return put(obj, "status", {"conditions": [available]})


CREATE: dict[str, Callable[[Object], Object]] = {
    "namespaces": _namespace,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _persistent_volume,
    "pods": _pod,
    "services": _service,
    "customresourcedefinitions.apiextensions.k8s.io": _custom_resource_definition,
    "apiservices.apiregistration.k8s.io": _api_service,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "statefulsets.apps": _stateful_set,
}

UPDATE: dict[str, Callable[[Object, Object, str], Object]] = {
    "namespaces": _namespace_update,
    "pods": _pod_update,
    "services": _service_update,
    "customresourcedefinitions.apiextensions.k8s.io": _custom_resource_definition_update,
    "daemonsets.apps": _daemon_set_update,
    "statefulsets.apps": _stateful_set_update,
    "certificatesigningrequests.certificates.k8s.io": _certificate_request_update,
}
