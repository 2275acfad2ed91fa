"""What the API server's storage does to an object between admission and validation: status, generation, generated fields.

Create is: decode, defaults (`api.defaults.apply`), admission, `prepare_create`, validation, put.
Update is: decode, defaults, admission, `prepare_update`, validation, put.
Both are pure and share structure. Source: pkg/registry/<group>/<kind>/strategy.go (PrepareForCreate, PrepareForUpdate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import prepare
from minikube_py.api.defaults.shape import put, without

if TYPE_CHECKING:
    from minikube_py.api.kinds import Kind

Object = dict[str, Any]

# Status at creation, whatever the user wrote. Kinds that are neither here nor in prepare.CREATE keep theirs (nodes).
_LOAD_BALANCER: Object = {"loadBalancer": {}}
_STATUS: dict[str, Object] = {
    "replicationcontrollers": {"replicas": 0},
    "resourcequotas": {},
    "validatingadmissionpolicies.admissionregistration.k8s.io": {},
    "deployments.apps": {},
    "replicasets.apps": {"replicas": 0},
    "horizontalpodautoscalers.autoscaling": {"currentMetrics": None, "desiredReplicas": 0},
    "cronjobs.batch": {},
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


def prepare_create(kind: Kind, obj: Object, *, user: str = "", groups: tuple[str, ...] = ()) -> Object:
    """The object as it will be stored: status of a new object, generation 1, generated selectors and labels.

    metadata.uid and creationTimestamp must be there (a Job's selector is made of the first). `user` and `groups`: who
    asks; only a CertificateSigningRequest keeps them.
    """
    resource = kind.resource
    own = prepare.CREATE.get(resource)
    if own is not None:
        obj = own(obj)
    elif resource in _STATUS:
        if obj.get("status") != _STATUS[resource]:
            obj = put(obj, "status", _STATUS[resource])
    elif _custom(kind) and "status" in kind.subresources:
        obj = without(obj, "status")
    if user and resource == "certificatesigningrequests.certificates.k8s.io":
        obj = {**obj, "spec": {**obj["spec"], "username": user, "groups": list(groups)}}
    return _with_generation(obj, 1 if resource in _GENERATION or _custom(kind) else 0)


def prepare_update(kind: Kind, new: Object, old: Object, subresource: str = "", *, now: str = "") -> Object:
    """`new` as it may be stored over `old`.

    An update of the object keeps the old status (for kinds with that subresource), an update of the status keeps all but
    the status; metadata set by the server stays; generation rises with the fields that count for the kind. `now` is the
    time (metav1.Time) that a PersistentVolume's status tells when its phase changes.
    """
    new = put(new, "metadata", _kept_metadata(new["metadata"], old["metadata"]))
    if subresource in ("approval", "status"):
        return _status_update(kind, new, old, now)
    if "status" in kind.subresources:
        new = put(new, "status", old["status"]) if "status" in old else without(new, "status")
    own = prepare.UPDATE.get(kind.resource)
    if own is not None:
        new = own(new, old, subresource)
    generation = old["metadata"].get("generation", 0)
    return _with_generation(new, generation + 1 if _counts(kind, new, old) else generation)


def _custom(kind: Kind) -> bool:
    """Kinds from CustomResourceDefinitions, and the simulator's own, which behave as if they were."""
    return bool(kind.crd) or kind.simulated


def _kept_metadata(new: Object, old: Object) -> Object:
    kept = {key: old[key] for key in _SYSTEM if key in old}
    if all(new.get(key) == value for key, value in kept.items()) and not any(
        key in new and key not in kept for key in _SYSTEM
    ):
        return new
    return {**{key: value for key, value in new.items() if key not in _SYSTEM}, **kept}


def _counts(kind: Kind, new: Object, old: Object) -> bool:
    """Has anything changed that raises the generation?"""
    if _custom(kind):
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


def _status_update(kind: Kind, new: Object, old: Object, now: str) -> Object:
    kept = {key: value for key, value in old.items() if key not in ("metadata", "status", "apiVersion", "kind")}
    shown: Object = {key: new[key] for key in ("apiVersion", "kind", "metadata", "status") if key in new}
    metadata = shown["metadata"]
    reset = _status_reset(kind)
    if any(metadata.get(key) != old["metadata"].get(key) for key in reset):
        restored = {key: old["metadata"][key] for key in reset if key in old["metadata"]}
        shown["metadata"] = {**without(metadata, *reset), **restored}
    if kind.resource == "pods":
        shown["status"] = _kept_pod_status(shown.get("status") or {}, old.get("status") or {})
    elif kind.resource == "persistentvolumes" and now:
        shown["status"] = _with_phase_time(shown.get("status") or {}, old.get("status") or {}, now)
    return {**kept, **shown}


def _status_reset(kind: Kind) -> tuple[str, ...]:
    if _custom(kind) or kind.resource in _RESETTING:
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


def _with_phase_time(new: Object, old: Object, now: str) -> Object:
    changed = new.get("phase") != old.get("phase")
    if changed and new.get("lastPhaseTransitionTime") == old.get("lastPhaseTransitionTime"):
        return {**new, "lastPhaseTransitionTime": now}
    return new


def _with_generation(obj: Object, generation: int) -> Object:
    metadata = obj["metadata"]
    if metadata.get("generation", 0) == generation:
        return obj if generation else put(obj, "metadata", without(metadata, "generation"))
    if not generation:
        return {**obj, "metadata": without(metadata, "generation")}
    return {**obj, "metadata": {**metadata, "generation": generation}}
