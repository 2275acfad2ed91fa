"""What the API server's storage does to an object between admission and validation: status, generation, generated fields.

Create is: decode, defaults (`api.defaults.apply`), admission, `prepare_create`, validation, put.
Update is: decode, defaults, admission, `prepare_update`, validation, put.
Both are pure and share structure. Source: pkg/registry/<group>/<kind>/strategy.go (PrepareForCreate, PrepareForUpdate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.defaults.shape import put, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.kinds import Kind

Object = dict[str, Any]

# Status at creation, whatever the user wrote. Kinds that are not here keep theirs (nodes) or have none.
_LOAD_BALANCER: Object = {"loadBalancer": {}}
_STATUS: dict[str, Object] = {
    "namespaces": {"phase": "Active"},
    "persistentvolumeclaims": {"phase": "Pending"},
    "replicationcontrollers": {"replicas": 0},
    "resourcequotas": {},
    "services": _LOAD_BALANCER,
    "validatingadmissionpolicies.admissionregistration.k8s.io": {},
    "apiservices.apiregistration.k8s.io": {},
    "daemonsets.apps": {
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
        "numberReady": 0,
    },
    "deployments.apps": {},
    "replicasets.apps": {"replicas": 0},
    "statefulsets.apps": {"availableReplicas": 0, "replicas": 0},
    "horizontalpodautoscalers.autoscaling": {"currentMetrics": None, "desiredReplicas": 0},
    "cronjobs.batch": {},
    "jobs.batch": {},
    "certificatesigningrequests.certificates.k8s.io": {},
    "flowschemas.flowcontrol.apiserver.k8s.io": {},
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": {},
    "ingresses.networking.k8s.io": _LOAD_BALANCER,
    "servicecidrs.networking.k8s.io": {},
    "poddisruptionbudgets.policy": {
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "disruptionsAllowed": 0,
        "expectedPods": 0,
    },
    "resourceclaims.resource.k8s.io": {},
    "volumeattachments.storage.k8s.io": {"attached": False},
}

# Kinds whose metadata.generation starts at 1, and the fields whose change raises it. A field of metadata has a dot.
_SPEC = ("spec",)
_WEBHOOKS = ("webhooks",)
_GENERATION: dict[str, tuple[str, ...]] = {
    "pods": _SPEC,
    "podtemplates": ("template",),
    "replicationcontrollers": _SPEC,
    "mutatingadmissionpolicies.admissionregistration.k8s.io": _SPEC,
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": _SPEC,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _WEBHOOKS,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _SPEC,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _SPEC,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _WEBHOOKS,
    "customresourcedefinitions.apiextensions.k8s.io": _SPEC,
    "daemonsets.apps": _SPEC,
    "deployments.apps": ("spec", "metadata.annotations"),
    "replicasets.apps": _SPEC,
    "statefulsets.apps": _SPEC,
    "cronjobs.batch": _SPEC,
    "jobs.batch": _SPEC,
    "endpointslices.discovery.k8s.io": (
        "addressType",
        "endpoints",
        "ports",
        "metadata.annotations",
        "metadata.labels",
        "metadata.ownerReferences",
    ),
    "flowschemas.flowcontrol.apiserver.k8s.io": _SPEC,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _SPEC,
    "ingressclasses.networking.k8s.io": _SPEC,
    "ingresses.networking.k8s.io": _SPEC,
    "networkpolicies.networking.k8s.io": _SPEC,
    "poddisruptionbudgets.policy": _SPEC,
    "deviceclasses.resource.k8s.io": _SPEC,
    "resourceslices.resource.k8s.io": _SPEC,
    "priorityclasses.scheduling.k8s.io": (),
    "csidrivers.storage.k8s.io": _SPEC,
}

# Set by the server once; an update that leaves them out or tries others does not change them.
_SYSTEM = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "uid")
# What a status update may not touch for kinds that call metav1.ResetObjectMetaForStatus; the others let labels pass.
_RESET_FOR_STATUS = ("annotations", "finalizers", "labels", "ownerReferences")


def prepare_create(kind: Kind, obj: Object) -> Object:
    """The object as it will be stored: status of a new object, generation 1, generated selectors and labels.

    metadata.uid and creationTimestamp must be there (a Job's selector is made of the first).
    """
    resource = kind.resource
    prepare = _CREATE.get(resource)
    if prepare is not None:
        obj = prepare(obj)
    elif resource in _STATUS:
        if obj.get("status") != _STATUS[resource]:
            obj = put(obj, "status", _STATUS[resource])
    elif kind.crd and "status" in kind.subresources:
        obj = without(obj, "status")
    return _with_generation(obj, 1 if resource in _GENERATION or kind.crd else 0)


def prepare_update(kind: Kind, new: Object, old: Object, subresource: str = "") -> Object:
    """`new` as it may be stored over `old`.

    An update of the object keeps the old status (for kinds with that subresource), an update of the status keeps all but
    the status; metadata set by the server stays; generation rises with the fields that count for the kind.
    """
    new = put(new, "metadata", _kept_metadata(new["metadata"], old["metadata"]))
    if subresource == "status":
        return _status_update(kind, new, old)
    if "status" in kind.subresources and kind.resource not in _STATUS_WITH_OBJECT:
        new = put(new, "status", old["status"]) if "status" in old else without(new, "status")
    if kind.resource == "secrets" and old.get("immutable") and not new.get("data") and old.get("data"):
        new = put(new, "data", old["data"])
    if kind.resource == "daemonsets.apps":
        new = _daemon_set_update(new, old)
    generation = old["metadata"].get("generation", 0)
    return _with_generation(new, generation + 1 if _counts(kind, new, old) else generation)


# Kinds whose main endpoint writes the status, too.
_STATUS_WITH_OBJECT = ("certificatesigningrequests.certificates.k8s.io",)


def _kept_metadata(new: Object, old: Object) -> Object:
    kept = {key: old[key] for key in _SYSTEM if key in old}
    if all(new.get(key) == value for key, value in kept.items()) and not any(
        key in new and key not in kept for key in _SYSTEM
    ):
        return new
    return {**{key: value for key, value in new.items() if key not in _SYSTEM}, **kept}


def _counts(kind: Kind, new: Object, old: Object) -> bool:
    """Has anything changed that raises the generation?"""
    if kind.crd:
        ignored = ("metadata", "status") if "status" in kind.subresources else ("metadata",)
        return without(new, *ignored) != without(old, *ignored)
    for field in _GENERATION.get(kind.resource, ()):
        head, _, tail = field.partition(".")
        before, after = old.get(head), new.get(head)
        if tail:
            before, after = (before or {}).get(tail), (after or {}).get(tail)
        if before is not after and before != after:
            return True
    return False


def _status_update(kind: Kind, new: Object, old: Object) -> Object:
    kept = {key: value for key, value in old.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    shown: Object = {key: new[key] for key in ("apiVersion", "kind", "metadata", "status") if key in new}
    metadata = shown["metadata"]
    reset = _status_reset(kind)
    if any(metadata.get(key) != old["metadata"].get(key) for key in reset):
        restored = {key: old["metadata"][key] for key in reset if key in old["metadata"]}
        shown["metadata"] = {**without(metadata, *reset), **restored}
    if kind.resource == "pods":
        shown["status"] = _kept_pod_status(shown.get("status") or {}, old.get("status") or {})
    return {**kept, **shown}


def _status_reset(kind: Kind) -> tuple[str, ...]:
    if kind.crd or kind.resource in _RESETTING:
        return _RESET_FOR_STATUS
    if kind.resource == "pods":
        return ("ownerReferences",)
    return ("labels",) if kind.resource in ("deployments.apps",) else ()


_RESETTING = (
    "certificatesigningrequests.certificates.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "flowschemas.flowcontrol.apiserver.k8s.io",
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    "resourceclaims.resource.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "volumeattachments.storage.k8s.io",
)


def _kept_pod_status(new: Object, old: Object) -> Object:
    """qosClass and observedGeneration cannot be taken away by an update that leaves them out."""
    for key in ("observedGeneration", "qosClass"):
        if key in old and not new.get(key):
            new = {**new, key: old[key]}
    return new


def _with_generation(obj: Object, generation: int) -> Object:
    metadata = obj["metadata"]
    if metadata.get("generation", 0) == generation:
        return obj if generation else put(obj, "metadata", without(metadata, "generation"))
    if not generation:
        return {**obj, "metadata": without(metadata, "generation")}
    return {**obj, "metadata": {**metadata, "generation": generation}}


# ---- kinds with more than a fixed status ----


def _pod(obj: Object) -> Object:
    status: Object = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
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


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort from a pod's spec (pkg/apis/core/helper/qos/qos.go).

    Only cpu and memory count, and zero quantities count as unset. Guaranteed: every container (or the pod as a whole, if
    it has pod-level resources) limits both and asks for just that much.
    """
    level = spec.get("resources")
    if level:
        holders = [level]
    else:
        containers = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
        holders = [container.get("resources") or {} for container in containers]
    guaranteed, asked = True, False
    for resources in holders:
        requests, limits = resources.get("requests"), resources.get("limits")
        if not requests and not limits:
            guaranteed = False
            continue
        for name in ("cpu", "memory"):
            request, limit = _positive(requests, name), _positive(limits, name)
            asked = asked or bool(request or limit)
            if not limit or (request != limit and not _equal(request, limit)):
                guaranteed = False
    if not asked:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _positive(quantities: Object | None, name: str) -> str | int | None:
    """A quantity as written; None if it is missing or zero."""
    found: str | int | None = (quantities or {}).get(name)
    if found is None or found in ("0", 0):
        return None
    text = str(found)
    return found if any("1" <= digit <= "9" for digit in text.lower().partition("e")[0]) else None


def _equal(request: str | int | None, limit: str | int) -> bool:
    if request is None:
        return False
    from minikube_py.base import quantity

    return quantity.compare(request, limit) == 0


def _job(obj: Object) -> Object:
    """Unless spec.manualSelector: the labels of the template and the selector that pick just this Job's pods.

    A Job without labels shows those of its template, the generated ones included.
    """
    obj = put(obj, "status", {})
    spec = obj["spec"]
    if not spec.get("manualSelector"):
        name, uid = obj["metadata"]["name"], obj["metadata"]["uid"]
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


def _persistent_volume(obj: Object) -> Object:
    status: Object = {"phase": "Pending"}
    created = obj["metadata"].get("creationTimestamp")
    if created:
        status = {"lastPhaseTransitionTime": created, **status}
    return {**obj, "status": status}


def _daemon_set(obj: Object) -> Object:
    return {**_with_template_generation(obj, 1), "status": _STATUS["daemonsets.apps"]}


def _daemon_set_update(new: Object, old: Object) -> Object:
    """The template's generation (an annotation) rises with the template; users cannot set it."""
    from minikube_py.api.defaults.apps import TEMPLATE_GENERATION

    kept = int((old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "0"))
    changed = new["spec"].get("template") != old["spec"].get("template")
    return _with_template_generation(new, kept + 1 if changed else kept)


def _with_template_generation(obj: Object, generation: int) -> Object:
    from minikube_py.api.defaults.apps import TEMPLATE_GENERATION

    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    if annotations.get(TEMPLATE_GENERATION) == str(generation):
        return obj
    return {**obj, "metadata": {**metadata, "annotations": {**annotations, TEMPLATE_GENERATION: str(generation)}}}


def _custom_resource_definition(obj: Object) -> Object:
    stored = [version["name"] for version in obj["spec"].get("versions") or () if version.get("storage")]
    status = {"acceptedNames": {"kind": "", "plural": ""}, "conditions": None, "storedVersions": stored}
    return {**obj, "status": status}


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


def _horizontal_pod_autoscaler(obj: Object) -> Object:
    if obj.get("apiVersion") == "autoscaling/v1":
        return put(obj, "status", {"currentReplicas": 0, "desiredReplicas": 0})
    return put(obj, "status", _STATUS["horizontalpodautoscalers.autoscaling"])


_CREATE: dict[str, Callable[[Object], Object]] = {
    "namespaces": _namespace,
    "persistentvolumes": _persistent_volume,
    "pods": _pod,
    "customresourcedefinitions.apiextensions.k8s.io": _custom_resource_definition,
    "apiservices.apiregistration.k8s.io": _api_service,
    "daemonsets.apps": _daemon_set,
    "horizontalpodautoscalers.autoscaling": _horizontal_pod_autoscaler,
    "jobs.batch": _job,
}
