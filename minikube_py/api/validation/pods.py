"""Pods: creation, the few changes that are allowed, and the subresources status, ephemeralcontainers and resize.

Source: pkg/apis/core/validation/validation.go (ValidatePodCreate, ValidatePodUpdate, ValidatePodResize, ...).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import containers, internal, metadata, names, placement
from minikube_py.api.validation.causes import quote, same
from minikube_py.api.validation.pod_spec import MIRROR, pod_annotations, pod_spec
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

_UPDATABLE = ",".join((
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
))  # fmt: skip


def pod(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """All of a pod's checks, metadata included: they are interleaved in the source."""
    if old is None:
        _create(causes, obj)
        return
    metadata.update(causes, obj["metadata"], old["metadata"], core=True)
    if subresource == "status":
        _status(causes, obj, old)
    elif subresource == "ephemeralcontainers":
        _ephemeral(causes, obj, old)
    elif subresource == "resize":
        _resize(causes, obj, old)
    elif subresource != "binding":
        _update(causes, obj, old)


def _whole(causes: Causes, obj: Object) -> None:
    """Metadata and spec, as at creation and again at every update."""
    meta, spec = obj["metadata"], obj.get("spec") or {}
    metadata.create(causes, meta, True, names.dns_subdomain, core=True)
    if meta.get("annotations"):
        pod_annotations(causes, meta["annotations"], spec, "metadata.annotations")
    pod_spec(causes, spec, "spec", pod_name=meta.get("name", ""), is_pod=True)
    if not spec.get("serviceAccountName"):
        for index, volume in enumerate(spec.get("volumes") or ()):
            for at, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
                if source.get("serviceAccountToken") is not None:
                    path = f"spec.volumes[{index}].projected.sources[{at}].serviceAccountToken"
                    causes.forbidden(path, "must not be specified when serviceAccountName is not set")
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            containers.only_for_pods(causes, container, f"spec.{field}[{index}]")


def _create(causes: Causes, obj: Object) -> None:
    _whole(causes, obj)
    spec = obj.get("spec") or {}
    if spec.get("ephemeralContainers"):
        causes.forbidden("spec.ephemeralContainers", "cannot be set on create")
    if spec.get("nodeName") and spec.get("schedulingGates"):
        causes.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")


def _update(causes: Causes, obj: Object, old: Object) -> None:
    spec, before = obj["spec"], old["spec"]
    _whole(causes, obj)
    _mirror(causes, obj, old)
    if spec is before:
        return
    for field in ("containers", "initContainers"):
        mine, theirs = spec.get(field) or [], before.get(field) or []
        if len(mine) != len(theirs):
            causes.forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    deadline, earlier = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if deadline is not None:
        if not 0 <= deadline <= 2**31 - 1:
            causes.invalid("spec.activeDeadlineSeconds", deadline, names.between(0, 2**31 - 1))
            return
        if earlier is not None and earlier < deadline:
            causes.invalid("spec.activeDeadlineSeconds", deadline, "must be less than or equal to previous value")
            return
    elif earlier is not None:
        detail = "must not update from a positive integer to nil value"
        causes.invalid("spec.activeDeadlineSeconds", None, detail)
    _only_more_tolerations(causes, spec.get("tolerations") or [], before.get("tolerations") or [])
    _only_fewer_gates(causes, spec.get("schedulingGates") or [], before.get("schedulingGates") or [])
    munged = _munged(causes, spec, before)
    difference = internal.difference("PodSpec", before, munged)
    if difference:
        causes.forbidden("spec", f"pod updates may not change fields other than {_UPDATABLE}\n{difference}")


def _munged(causes: Causes, spec: Object, before: Object) -> Object:
    """The new spec with the fields that may change set back, so that any difference that is left is forbidden."""
    munged = dict(spec)
    for field in ("containers", "initContainers"):
        if field in spec:
            munged[field] = [
                {**mine, "image": theirs.get("image")} for mine, theirs in zip(spec[field], before[field], strict=True)
            ]
    for field in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _put_back(munged, before, field)
    grace = before.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = grace
    if before.get("schedulingGates"):
        _gated(causes, munged, spec, before)
    return munged


def _put_back(munged: Object, before: Object, field: str) -> None:
    if field in before:
        munged[field] = before[field]
    else:
        munged.pop(field, None)


def _gated(causes: Causes, munged: Object, spec: Object, before: Object) -> None:
    """While gates hold a pod back its node selector may grow and its node affinity may be set."""
    selector, earlier = spec.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    for key, value in earlier.items():
        if selector.get(key) != value:
            causes.invalid("spec.nodeSelector", selector, "only additions to spec.nodeSelector are allowed (no mutations or deletions)")  # fmt: skip
            break
    _put_back(munged, before, "nodeSelector")
    node = (before.get("affinity") or {}).get("nodeAffinity")
    rest = {field: value for field, value in (spec.get("affinity") or {}).items() if field != "nodeAffinity"}
    if node is not None:
        rest["nodeAffinity"] = node
    if rest or "affinity" in before:
        munged["affinity"] = rest
    else:
        munged.pop("affinity", None)


def _mirror(causes: Causes, obj: Object, old: Object) -> None:
    new, before = obj["metadata"].get("annotations") or {}, old["metadata"].get("annotations") or {}
    if MIRROR in before and new.get(MIRROR) != before[MIRROR]:
        causes.forbidden(f"metadata.annotations[{MIRROR}]", "may not remove or update mirror pod annotation")
    elif MIRROR in new and MIRROR not in before:
        causes.forbidden(f"metadata.annotations[{MIRROR}]", "may not add mirror pod annotation")


def _only_more_tolerations(causes: Causes, found: list[Object], before: list[Object]) -> None:
    def bare(one: Object) -> Object:
        return {field: value for field, value in one.items() if field != "tolerationSeconds"}

    kept = [bare(one) for one in found]
    if any(bare(one) not in kept for one in before):
        detail = "existing toleration can not be modified except its tolerationSeconds"
        causes.forbidden("spec.tolerations", detail)
        return
    placement.tolerations(causes, found, "spec.tolerations")


def _only_fewer_gates(causes: Causes, found: list[Object], before: list[Object]) -> None:
    known = {gate.get("name") for gate in before}
    for index, gate in enumerate(found):
        if gate.get("name") not in known:
            detail = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            causes.forbidden(f"spec.schedulingGates[{index}].name", detail)


def _status(causes: Causes, obj: Object, old: Object) -> None:
    status, before, spec = obj.get("status") or {}, old.get("status") or {}, old["spec"]
    for index, condition in enumerate(status.get("conditions") or ()):
        kind = condition.get("type", "")
        if kind not in ("PodScheduled", "Ready", "Initialized"):
            causes.each_invalid(f"metadata.conditions[{index}].Type", kind, names.qualified_name(kind))
    if obj["spec"].get("nodeName") != spec.get("nodeName"):
        causes.forbidden("status.nodeName", "may not be changed directly")
    nominated = status.get("nominatedNodeName")
    if nominated and nominated != before.get("nominatedNodeName"):
        causes.each_invalid("status.nominatedNodeName", nominated, names.dns_subdomain(nominated))
    if before.get("qosClass"):
        causes.immutable("status.qosClass", status.get("qosClass"), before["qosClass"])
    policy = spec.get("restartPolicy")
    _transitions(causes, status, before, "containerStatuses", policy)
    sidecars = {one["name"] for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"}
    _transitions(causes, status, before, "initContainerStatuses", policy, sidecars)
    _transitions(causes, status, before, "ephemeralContainerStatuses", "Never")
    for index, one in enumerate(status.get("podIPs") or ()):
        causes.each_invalid(f"status.podIPs[{index}]", one.get("ip", ""), names.ip(one.get("ip", "")))


def _transitions(
    causes: Causes, status: Object, before: Object, field: str, policy: Any, skip: set[str] | None = None
) -> None:
    """A container that has ended for good may not run again."""
    if policy == "Always":
        return
    for index, one in enumerate(before.get(field) or ()):
        ended = (one.get("state") or {}).get("terminated")
        if ended is None or one["name"] in (skip or ()) or (policy == "OnFailure" and ended.get("exitCode")):
            continue
        for new in status.get(field) or ():
            if new["name"] == one["name"] and "terminated" not in (new.get("state") or {}):
                path = f"status.{field}[{index}].state"
                causes.forbidden(path, "may not be transitioned to non-terminated state")


def _ephemeral(causes: Causes, obj: Object, old: Object) -> None:
    _whole(causes, obj)
    mine = {one["name"]: one for one in obj["spec"].get("ephemeralContainers") or ()}
    for one in old["spec"].get("ephemeralContainers") or ():
        label = f"existing ephemeral containers {quote(one['name'])}"
        new = mine.get(one["name"])
        if new is None:
            causes.forbidden("spec.ephemeralContainers", f"{label} may not be removed\n")
        elif new != one:
            difference = internal.difference("EphemeralContainer", one, new)
            causes.forbidden("spec.ephemeralContainers", f"{label} may not be changed\n{difference}")


def _resize(causes: Causes, obj: Object, old: Object) -> None:
    """Only cpu and memory of containers and sidecars may change, and not so that the pod changes its QoS class."""
    _whole(causes, obj)
    spec, before = obj["spec"], old["spec"]
    status = old.get("status") or {}
    if status.get("qosClass") and status["qosClass"] != qos_class(spec):
        detail = "Pod QOS Class may not change as a result of resizing"
        causes.invalid("spec", (obj.get("status") or {}).get("qosClass", ""), detail)
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or ()) != len(before.get(field) or ()):
            causes.forbidden(f"spec.{field}", "containers may not be added or removed on resize")
            return
    for field in ("initContainers", "containers"):
        for index, (mine, theirs) in enumerate(zip(spec.get(field) or (), before.get(field) or (), strict=True)):
            if field == "containers" or mine.get("restartPolicy") == "Always":
                _resized(causes, mine, theirs, f"spec.{field}[{index}].resources")
    if not len(causes) and not same(_without_sizes(spec), _without_sizes(before)):
        causes.forbidden("spec", "only cpu and memory resources are mutable")


def _resized(causes: Causes, mine: Object, theirs: Object, path: str) -> None:
    new, before = mine.get("resources") or {}, theirs.get("resources") or {}
    for field in ("requests", "limits"):
        if (before.get(field) or {}).keys() - (new.get(field) or {}).keys():
            causes.forbidden(f"{path}.{field}", f"resource {field} cannot be removed")
    policies = {one.get("resourceName"): one.get("restartPolicy") for one in mine.get("resizePolicy") or ()}
    if policies.get("memory") == "RestartContainer":
        return
    most, earlier = (new.get("limits") or {}).get("memory"), (before.get("limits") or {}).get("memory")
    if most is not None and earlier is None:
        detail = "memory limits cannot be added unless resizePolicy is RestartContainer"
        causes.forbidden(f"{path}.limits[memory]", detail)


def _without_sizes(spec: Object) -> Object:
    """The spec with cpu and memory of its containers left out."""

    def bare(container: Object) -> Object:
        sizes = {
            field: {name: value for name, value in (amounts or {}).items() if name not in ("cpu", "memory")}
            for field, amounts in (container.get("resources") or {}).items()
        }
        return {**container, "resources": {field: left for field, left in sizes.items() if left}, "resizePolicy": None}

    return {field: [bare(one) for one in value] if field in ("containers", "initContainers") else value
            for field, value in spec.items()}  # fmt: skip


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort (pkg/apis/core/helper/qos/qos.go)."""
    found = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    guaranteed, anything = True, False
    for container in found:
        needs = container.get("resources") or {}
        requests, limits = needs.get("requests") or {}, needs.get("limits") or {}
        for name in ("cpu", "memory"):
            asked, most = requests.get(name), limits.get(name)
            asked = None if asked is None or quantity.compare(asked, "0") == 0 else asked
            most = None if most is None or quantity.compare(most, "0") == 0 else most
            anything = anything or asked is not None or most is not None
            if most is None or (asked is not None and quantity.compare(asked, most) != 0):
                guaranteed = False
    if not anything:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"
