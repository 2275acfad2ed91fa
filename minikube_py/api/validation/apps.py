"""Deployments, ReplicaSets, StatefulSets, DaemonSets, ControllerRevisions.

Source: pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import internal, metadata, names, pod_spec
from minikube_py.api.validation.causes import NEGATIVE, same, sorted_map
from minikube_py.base import selector

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

_STATEFUL_MAY_CHANGE = (
    "replicas", "ordinals", "template", "updateStrategy", "minReadySeconds", "persistentVolumeClaimRetentionPolicy",
    "revisionHistoryLimit",
)  # fmt: skip


def deployment(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        _status(causes, obj, old, ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"))  # fmt: skip
        return
    spec = obj.get("spec") or {}
    causes.not_negative("spec.replicas", spec.get("replicas"))
    _selector(causes, spec, "empty selector is invalid for deployment")
    _matching_template(causes, spec, "spec.template")
    strategy = spec.get("strategy") or {}
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            detail = "may not be specified when strategy `type` is 'Recreate'"
            causes.forbidden("spec.strategy.rollingUpdate", detail)
    elif kind == "RollingUpdate":
        _rolling_deployment(causes, rolling, "spec.strategy.rollingUpdate")
    else:
        shown = {"Type": kind, "RollingUpdate": _limits_value(rolling)}
        causes.not_supported("spec.strategy", shown, ("Recreate", "RollingUpdate"))
    ready = spec.get("minReadySeconds", 0)
    causes.not_negative("spec.minReadySeconds", ready)
    causes.not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        causes.not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= ready:
            causes.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    if old is not None:
        _immutable_selector(causes, spec, old["spec"])


def _limits_value(rolling: Object | None) -> Object | None:
    """A rolling update's limits as Go prints the struct."""
    if rolling is None:
        return None
    return {"MaxUnavailable": rolling.get("maxUnavailable", 0), "MaxSurge": rolling.get("maxSurge", 0)}


def _rolling_deployment(causes: Causes, rolling: Object | None, path: str) -> None:
    if rolling is None:
        causes.required(path, "this should be defaulted and never be nil")
        return
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    int_or_percent(causes, unavailable, f"{path}.maxUnavailable")
    int_or_percent(causes, surge, f"{path}.maxSurge")
    if _amount(unavailable) == 0 and _amount(surge) == 0:
        causes.invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    at_most_all(causes, unavailable, f"{path}.maxUnavailable")


def int_or_percent(causes: Causes, value: Any, path: str) -> None:
    """A count that is not negative, or a percentage (ValidatePositiveIntOrPercent)."""
    if isinstance(value, str):
        causes.each_invalid(path, value, names.percent(value))
    elif value < 0:
        causes.invalid(path, value, NEGATIVE)


def at_most_all(causes: Causes, value: Any, path: str) -> None:
    """A percentage may not pass 100% (IsNotMoreThan100Percent)."""
    if isinstance(value, str) and not names.percent(value) and int(value[:-1]) > 100:
        causes.invalid(path, value, "must not be greater than 100%")


def _amount(value: Any) -> int:
    if isinstance(value, str):
        return 0 if names.percent(value) else int(value[:-1])
    return int(value)


def _selector(causes: Causes, spec: Object, empty: str) -> None:
    found = spec.get("selector")
    if found is None:
        causes.required("spec.selector")
        return
    metadata.selector(causes, found, "spec.selector")
    if not found.get("matchLabels") and not found.get("matchExpressions"):
        causes.invalid("spec.selector", metadata.selector_value(found), empty)


def _immutable_selector(causes: Causes, spec: Object, before: Object) -> None:
    if not same(spec.get("selector"), before.get("selector")):
        causes.invalid("spec.selector", metadata.selector_value(spec.get("selector")), "field is immutable")


def _labels_match(causes: Causes, spec: Object, path: str) -> None:
    """The selector has to match the template's labels; without a selector nothing matches, an empty one is not asked."""
    found, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if found is not None and not found.get("matchLabels") and not found.get("matchExpressions"):
        return
    try:
        matches = found is not None and selector.from_label_selector(found).matches(labels or {})
    except ValueError:
        return
    if not matches:
        detail = "`selector` does not match template `labels`"
        causes.invalid(f"{path}.metadata.labels", sorted_map(labels), detail)


def _matching_template(causes: Causes, spec: Object, path: str, controller: str = "ReplicaSet") -> None:
    """A template whose pods run for ever and that the selector matches (ValidatePodTemplateSpecForReplicaSet)."""
    _labels_match(causes, spec, path)
    template = spec.get("template") or {}
    pod_spec.template(causes, template, path)
    only_always(causes, template, path)
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        detail = f"activeDeadlineSeconds in {controller} is not Supported"
        causes.forbidden(f"{path}.spec.activeDeadlineSeconds", detail)


def only_always(causes: Causes, template: Object, path: str) -> None:
    policy = (template.get("spec") or {}).get("restartPolicy", "")
    if policy != "Always":
        causes.not_supported(f"{path}.spec.restartPolicy", policy, ("Always",))


def replica_set(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        _status(causes, obj, old, ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"))
        return
    spec = obj.get("spec") or {}
    causes.not_negative("spec.replicas", spec.get("replicas"))
    causes.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    _selector(causes, spec, "empty selector is invalid for deployment")
    _matching_template(causes, spec, "spec.template")
    if old is not None:
        _immutable_selector(causes, spec, old["spec"])


def stateful_set(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        _status(causes, obj, old, ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"))  # fmt: skip
        return
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy", "")
    if not policy:
        causes.required("spec.podManagementPolicy")
    elif policy not in ("OrderedReady", "Parallel"):
        causes.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    _stateful_strategy(causes, spec.get("updateStrategy") or {}, "spec.updateStrategy")
    _retention(causes, spec, "spec.persistentVolumeClaimRetentionPolicy")
    causes.not_negative("spec.replicas", spec.get("replicas"))
    causes.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    causes.not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    if "ordinals" in spec:
        causes.not_negative("spec.ordinals.start", (spec["ordinals"] or {}).get("start", 0))
    name = spec.get("serviceName")
    if name and old is None:
        causes.each_invalid("spec.serviceName", name, names.dns_label(name))
    _selector(causes, spec, "empty selector is invalid for statefulset")
    _stateful_template(causes, spec)
    if old is not None:
        fixed, before = _without(spec), _without(old["spec"])
        if any(not same(fixed.get(field), before.get(field)) for field in {**fixed, **before}):
            causes.forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
            )


def _without(spec: Object) -> Object:
    return {field: value for field, value in spec.items() if field not in _STATEFUL_MAY_CHANGE}


def _stateful_strategy(causes: Causes, strategy: Object, path: str) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if not kind:
        causes.required(path)
    elif kind == "OnDelete":
        if rolling is not None:
            shown = {"Partition": rolling.get("partition", 0), "MaxUnavailable": rolling.get("maxUnavailable")}
            causes.invalid(f"{path}.rollingUpdate", shown, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind == "RollingUpdate":
        causes.not_negative(f"{path}.rollingUpdate.partition", (rolling or {}).get("partition"))
    else:
        shown = {"Type": kind, "RollingUpdate": rolling and {"Partition": rolling.get("partition", 0), "MaxUnavailable": rolling.get("maxUnavailable")}}  # fmt: skip
        causes.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'")


def _retention(causes: Causes, spec: Object, path: str) -> None:
    for field in ("whenDeleted", "whenScaled"):
        value = (spec.get("persistentVolumeClaimRetentionPolicy") or {}).get(field)
        if value not in (None, "Retain", "Delete"):
            causes.not_supported(f"{path}.{field}", value, ("Retain", "Delete"))


def _stateful_template(causes: Causes, spec: Object) -> None:
    """As for ReplicaSets; the claim templates count as volumes, so that containers may mount them."""
    _labels_match(causes, spec, "spec.template")
    template = spec.get("template") or {}
    pod = template.get("spec") or {}
    claimed = [
        {"name": (claim.get("metadata") or {}).get("name", ""), "persistentVolumeClaim": {"claimName": "claim"}}
        for claim in spec.get("volumeClaimTemplates") or ()
    ]
    if claimed:
        own = [
            volume for volume in pod.get("volumes") or () if volume.get("name") not in {one["name"] for one in claimed}
        ]
        template = {**template, "spec": {**pod, "volumes": [*own, *claimed]}}
    pod_spec.template(causes, template, "spec.template")
    only_always(causes, template, "spec.template")
    deadline = pod.get("activeDeadlineSeconds")
    if deadline is not None:
        detail = "activeDeadlineSeconds in StatefulSet is not Supported"
        causes.forbidden("spec.template.spec.activeDeadlineSeconds", detail)


def daemon_set(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        fields = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
        _status(causes, obj, old, fields)
        return
    spec = obj.get("spec") or {}
    found = spec.get("selector")
    metadata.selector(causes, found, "spec.selector")
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if found is None or _mismatch(found, labels):
        detail = "`selector` does not match template `labels`"
        causes.invalid("spec.template.metadata.labels", sorted_map(labels), detail)
    if found is not None and not found.get("matchLabels") and not found.get("matchExpressions"):
        causes.invalid("spec.selector", metadata.selector_value(found), "empty selector is invalid for daemonset")
    pod_spec.template(causes, template, "spec.template")
    only_always(causes, template, "spec.template")
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        detail = "activeDeadlineSeconds in DaemonSet is not Supported"
        causes.forbidden("spec.template.spec.activeDeadlineSeconds", detail)
    causes.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    _daemon_strategy(causes, spec.get("updateStrategy") or {}, "spec.updateStrategy")
    causes.not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    if old is not None:
        _immutable_selector(causes, spec, old["spec"])


def _mismatch(found: Object, labels: Object | None) -> bool:
    try:
        return not selector.from_label_selector(found).matches(labels or {})
    except ValueError:
        return False


def _daemon_strategy(causes: Causes, strategy: Object, path: str) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        causes.not_supported(
            path, {"Type": kind, "RollingUpdate": _limits_value(rolling)}, ("RollingUpdate", "OnDelete")
        )
        return
    here = f"{path}.rollingUpdate"
    if rolling is None:
        causes.required(here)
        return
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    int_or_percent(causes, unavailable, f"{here}.maxUnavailable")
    int_or_percent(causes, surge, f"{here}.maxSurge")
    at_most_all(causes, unavailable, f"{here}.maxUnavailable")
    at_most_all(causes, surge, f"{here}.maxSurge")
    if _amount(unavailable) and _amount(surge):
        causes.invalid(f"{here}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    elif not _amount(unavailable) and not _amount(surge):
        causes.required(f"{here}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def _status(causes: Causes, obj: Object, old: Object | None, fields: tuple[str, ...]) -> None:
    status = obj.get("status") or {}
    for field in (*fields, "observedGeneration", "collisionCount"):
        causes.not_negative(f"status.{field}", status.get(field))
    if "replicas" in fields:
        for field in fields[1:]:
            if field != "unavailableReplicas" and status.get(field, 0) > status.get("replicas", 0):
                causes.invalid(f"status.{field}", status[field], "cannot be greater than status.replicas")
    if status.get("availableReplicas", 0) > status.get("readyReplicas", 0) and "availableReplicas" in fields:
        causes.invalid("status.availableReplicas", status["availableReplicas"], "cannot be greater than readyReplicas")
    count, before = status.get("collisionCount") or 0, ((old or {}).get("status") or {}).get("collisionCount") or 0
    if count < before:
        causes.invalid("status.collisionCount", count, "cannot be decremented")


def controller_revision(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if obj.get("data") is None:
        causes.required("data", "data is mandatory")
    causes.not_negative("revision", obj.get("revision"))
    if old is not None:
        causes.immutable("data", obj.get("data"), old.get("data"))


def replication_controller(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """The core group's ReplicationController, whose selector is a map (ValidateReplicationControllerSpec)."""
    if subresource == "status":
        _status(causes, obj, old, ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"))
        return
    spec = obj.get("spec") or {}
    causes.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    wanted = spec.get("selector")
    if not wanted:
        causes.required("spec.selector")
    causes.not_negative("spec.replicas", spec.get("replicas"))
    template = spec.get("template")
    if template is None:
        causes.required("spec.template")
        return
    labels = (template.get("metadata") or {}).get("labels")
    if wanted and not wanted.items() <= (labels or {}).items():
        detail = "`selector` does not match template `labels`"
        causes.invalid("spec.template.metadata.labels", sorted_map(labels), detail)
    pod_spec.template(causes, template, "spec.template")
    only_always(causes, template, "spec.template")
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        detail = "activeDeadlineSeconds in ReplicationController is not Supported"
        causes.forbidden("spec.template.spec.activeDeadlineSeconds", detail)


def pod_template(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    pod_spec.template(causes, obj.get("template") or {}, "template")


def template_value(template: Object | None) -> Any:
    """A pod template as Go prints the internal type: labels and annotations inlined, then Spec."""
    return internal.struct("PodTemplateSpec", template)
