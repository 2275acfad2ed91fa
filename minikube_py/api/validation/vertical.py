"""VerticalPodAutoscalers: what their webhook refuses, then what breaks the schema; and their checkpoints.

The feature gates CPUStartupBoost, PerVPAConfig and InPlace are off, as they are by default.
Source: vertical-pod-autoscaler/pkg/admission-controller/resource/vpa/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import vertical
from minikube_py.api.validation import custom
from minikube_py.api.validation.causes import Causes
from minikube_py.api.vertical import schema
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object

PER_VPA = ("oomBumpUpRatio", "oomMinBumpUp", "memoryAggregationIntervalSeconds", "memoryAggregationIntervalCount")
PER_VPA_OFF = "not supported when feature flag PerVPAConfig is disabled"
BOOST_OFF = (
    "in order to use startupBoost, you must enable feature gate CPUStartupBoost in the admission-controller args"
)
IN_PLACE_OFF = (
    "in order to use UpdateMode InPlace, you must enable feature gate InPlace in the admission-controller args"
)
_RESOLUTION = {
    "cpu": (10**6, "must be a whole number of milli CPUs"),
    "memory": (10**9, "must be a whole number of bytes"),
}


def checkpoint(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    custom.against(causes, obj, schema.of("VerticalPodAutoscalerCheckpoint"))


def autoscaler(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    broken = Causes()
    custom.against(broken, obj, schema.of("VerticalPodAutoscaler"))
    readable = not any(cause.reason == "FieldValueTypeInvalid" for cause in broken.found)
    before = len(causes)
    if readable and not subresource and isinstance(obj.get("spec"), dict):
        _webhook(causes, obj["spec"])
    if len(causes) == before:  # the API server looks at the schema after the webhook has let the object pass
        causes.found += broken.found


def _webhook(causes: Causes, spec: Object) -> None:
    if spec.get("updatePolicy") is not None:
        _update_policy(causes, spec["updatePolicy"])
    for index, one in enumerate((spec.get("resourcePolicy") or {}).get("containerPolicies") or ()):
        _container_policy(causes, one, f"spec.resourcePolicy.containerPolicies[{index}]")
    if spec.get("startupBoost") is not None:
        causes.forbidden("spec.startupBoost", BOOST_OFF)
    recommenders = spec.get("recommenders") or []
    if len(recommenders) > 1:
        causes.too_many("spec.recommenders", len(recommenders), 1)


def _update_policy(causes: Causes, policy: Object) -> None:
    mode, path = policy.get("updateMode"), "spec.updatePolicy"
    if mode is None:
        causes.required(f"{path}.updateMode", "updateMode is required if UpdatePolicy is used")
    elif mode not in (*vertical.MODES, "Auto"):
        causes.not_supported(f"{path}.updateMode", mode, vertical.MODES)
    elif mode == "InPlace":
        causes.forbidden(f"{path}.updateMode", IN_PLACE_OFF)
    if policy.get("minReplicas", 1) <= 0:
        causes.invalid(f"{path}.minReplicas", policy["minReplicas"], "minReplicas has to be positive")
    if policy.get("evictAfterOOMSeconds") is not None:
        causes.forbidden(f"{path}.evictAfterOOMSeconds", PER_VPA_OFF)


def _container_policy(causes: Causes, policy: Object, path: str) -> None:
    if not policy.get("containerName"):
        causes.required(f"{path}.containerName")
    if policy.get("mode") not in (None, "Auto", "Off"):
        causes.not_supported(f"{path}.mode", policy["mode"], ("Auto", "Off"))
    _bounds(causes, policy, path)
    if policy.get("mode") == "Off" and policy.get("controlledValues") == "RequestsAndLimits":
        problem = "controlledValues shouldn't be specified if container scaling mode is off"
        causes.forbidden(f"{path}.controlledValues", problem)
    for index, resource in enumerate(policy.get("controlledResources") or ()):
        if resource not in ("cpu", "memory"):
            causes.not_supported(f"{path}.controlledResources[{index}]", resource, ("cpu", "memory"))
    for field in PER_VPA:
        if policy.get(field) is not None:
            causes.forbidden(f"{path}.{field}", PER_VPA_OFF)
    if policy.get("startupBoost") is not None:
        causes.forbidden(f"{path}.startupBoost", BOOST_OFF)


def _bounds(causes: Causes, policy: Object, path: str) -> None:
    least, most = policy.get("minAllowed") or {}, policy.get("maxAllowed") or {}
    for name, amount in sorted(least.items()):
        _resolution(causes, f"{path}.minAllowed[{name}]", name, amount)
        if name in most and _is_less(most[name], amount):
            problem = f'max resource for {name} is lower than min of "{quantity.canonical(amount)}"'
            causes.invalid(f"{path}.maxAllowed[{name}]", quantity.canonical(most[name]), problem)
    for name, amount in sorted(most.items()):
        _resolution(causes, f"{path}.maxAllowed[{name}]", name, amount)


def _is_less(one: Any, other: Any) -> bool:
    try:
        return quantity.compare(one, other) < 0
    except quantity.QuantityError:
        return False  # the schema's pattern tells


def _resolution(causes: Causes, path: str, name: str, amount: Any) -> None:
    unit, problem = _RESOLUTION.get(name, (1, ""))
    try:
        if quantity.parse(amount).nano % unit:
            causes.invalid(path, quantity.canonical(amount), problem)
    except quantity.QuantityError:
        return
