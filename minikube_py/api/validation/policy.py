"""PodDisruptionBudgets, HorizontalPodAutoscalers and RBAC.

Source: pkg/apis/policy/validation, pkg/apis/autoscaling/validation, pkg/apis/rbac/validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import apps, metadata, names
from minikube_py.api.validation.causes import same
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

METRICS = ("ContainerResource", "External", "Object", "Pods", "Resource")
_METRIC_FIELDS = {"ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods", "Resource": "resource"}  # fmt: skip


def pod_disruption_budget(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        status = obj.get("status") or {}
        for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
            causes.not_negative(f"status.{field}", status.get(field))
        return
    spec = obj.get("spec") or {}
    least, most, policy = spec.get("minAvailable"), spec.get("maxUnavailable"), spec.get("unhealthyPodEvictionPolicy")
    if least is not None and most is not None:
        shown = {
            "MinAvailable": least,
            "Selector": metadata.selector_value(spec.get("selector")),
            "MaxUnavailable": most,
            "UnhealthyPodEvictionPolicy": policy,
        }
        causes.invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            apps.int_or_percent(causes, value, f"spec.{field}")
            apps.at_most_all(causes, value, f"spec.{field}")
    metadata.selector(causes, spec.get("selector"), "spec.selector")
    if policy is not None and policy not in ("AlwaysAllow", "IfHealthyBudget"):
        causes.not_supported("spec.unhealthyPodEvictionPolicy", policy, ("AlwaysAllow", "IfHealthyBudget"))


def horizontal_pod_autoscaler(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource == "status":
        status = obj.get("status") or {}
        for field in ("currentReplicas", "desiredReplicas"):
            causes.not_negative(f"status.{field}", status.get(field))
        return
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        causes.invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        causes.required("spec.maxReplicas", "must be set and greater than 0")
    if least is not None and most < least:
        causes.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    _scale_target(causes, spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    metrics = spec.get("metrics") or []
    for index, metric in enumerate(metrics):
        _metric(causes, metric, f"spec.metrics[{index}]")
    if least == 0 and not any(metric.get("type") in ("External", "Object") for metric in metrics):
        causes.forbidden("spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas")  # fmt: skip
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction)
        if rules is not None:
            _scaling_rules(causes, rules, f"spec.behavior.{direction}")


def _scale_target(causes: Causes, target: Object, path: str) -> None:
    for field in ("kind", "name"):
        value = target.get(field, "")
        if not value:
            causes.required(f"{path}.{field}")
        else:
            causes.each_invalid(f"{path}.{field}", value, _path_segment(value))
    version = target.get("apiVersion", "")
    if not version and target.get("kind") != "ReplicationController":
        causes.invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")
    elif version.count("/") > 1:
        causes.invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif "/" not in version and target.get("kind") != "ReplicationController":
        causes.invalid(f"{path}.apiVersion", version, "apiVersion must specify API group")


def _path_segment(value: str) -> list[str]:
    """A name that may stand in a URL's path (path.ValidatePathSegmentName)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{letter}'" for letter in ("/", "%") if letter in value]


def _metric(causes: Causes, metric: Object, path: str) -> None:
    kind = metric.get("type", "")
    if not kind:
        causes.required(f"{path}.type", "must specify a metric source type")
    elif kind not in METRICS:
        causes.not_supported(f"{path}.type", kind, METRICS)
    given = [field for field in ("object", "pods", "resource", "containerResource", "external") if metric.get(field) is not None]  # fmt: skip
    expected = _METRIC_FIELDS.get(kind)
    if expected and expected not in given:
        causes.required(f"{path}.{expected}", "must populate information for the given metric source")
    for other in given:
        if expected and other != expected:
            detail = "must populate the given metric source only"
            causes.forbidden(f"{path}.{other}", detail)
    for field in given:
        _metric_source(causes, metric[field], field, f"{path}.{field}")


def _metric_source(causes: Causes, source: Object, field: str, path: str) -> None:
    target = source.get("target") or {}
    if field in ("resource", "containerResource"):
        if not source.get("name"):
            causes.required(f"{path}.name", "must specify a resource name")
        if field == "containerResource" and not source.get("container"):
            causes.required(f"{path}.container", "must specify a container")
    else:
        if field == "object":
            _scale_target(causes, source.get("describedObject") or {}, f"{path}.describedObject")
        name = (source.get("metric") or {}).get("name", "")
        if not name:
            causes.required(f"{path}.metric.name", "must specify a metric name")
        else:
            causes.each_invalid(f"{path}.metric.name", name, _path_segment(name))
    _metric_target(causes, target, field, f"{path}.target")


def _metric_target(causes: Causes, target: Object, field: str, path: str) -> None:
    kind = target.get("type", "")
    if not kind:
        causes.required(f"{path}.type", "must specify a metric target type")
    elif kind not in ("Utilization", "Value", "AverageValue"):
        causes.invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        if target.get(name) is not None and quantity.compare(target[name], "0") <= 0:
            causes.invalid(f"{path}.{name}", quantity.canonical(target[name]), "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        causes.invalid(f"{path}.averageUtilization", share, "must be greater than 0")
    average = target.get("averageValue")
    if field in ("resource", "containerResource"):
        if share is None and average is None:
            detail = "must set either a target raw value or a target utilization"
            causes.required(f"{path}.averageUtilization", detail)
        if share is not None and average is not None:
            detail = "may not set both a target raw value and a target utilization"
            causes.forbidden(f"{path}.averageValue", detail)
    elif field == "pods":
        if average is None:
            causes.required(f"{path}.averageValue", "must specify a positive target averageValue")
    elif target.get("value") is None and average is None:
        causes.required(f"{path}.averageValue", "must set either a target value for metric or a per-pod target")


def _scaling_rules(causes: Causes, rules: Object, path: str) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None:
        causes.not_negative(f"{path}.stabilizationWindowSeconds", window)
        if window > 3600:
            causes.invalid(f"{path}.stabilizationWindowSeconds", window, "must be less than or equal to 3600")
    select = rules.get("selectPolicy")
    if select is not None and select not in ("Disabled", "Max", "Min"):
        causes.not_supported(f"{path}.selectPolicy", select, ("Disabled", "Max", "Min"))
    if not rules.get("policies"):
        causes.required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies") or ()):
        here = f"{path}.policies[{index}]"
        if policy.get("type") not in ("Pods", "Percent"):
            causes.not_supported(f"{here}.type", policy.get("type", ""), ("Percent", "Pods"))
        for field, most in (("value", None), ("periodSeconds", 1800)):
            number = policy.get(field, 0)
            if number <= 0:
                causes.invalid(f"{here}.{field}", number, "must be greater than zero")
            if most is not None and number > most:
                causes.invalid(f"{here}.{field}", number, f"must be less than or equal to {most}")


def role(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    for index, rule in enumerate(obj.get("rules") or ()):
        _policy_rule(causes, rule, "namespace" in obj["metadata"], f"rules[{index}]")


def cluster_role(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    role(causes, obj, old, subresource)
    selectors = (obj.get("aggregationRule") or {}).get("clusterRoleSelectors")
    if obj.get("aggregationRule") is not None:
        if not selectors:
            detail = "at least one clusterRoleSelector required if aggregationRule is non-nil"
            causes.required("aggregationRule.clusterRoleSelectors", detail)
        for index, one in enumerate(selectors or ()):
            metadata.selector(causes, one, f"aggregationRule.clusterRoleSelectors[{index}]")


def _policy_rule(causes: Causes, rule: Object, namespaced: bool, path: str) -> None:
    if not rule.get("verbs"):
        causes.required(f"{path}.verbs", "verbs must contain at least one value")
    groups, kinds, urls = rule.get("apiGroups"), rule.get("resources"), rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            detail = "namespaced rules cannot apply to non-resource URLs"
            causes.invalid(f"{path}.nonResourceURLs", urls, detail)
        if groups or kinds or rule.get("resourceNames"):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            causes.invalid(f"{path}.nonResourceURLs", urls, detail)
        return
    if not groups:
        causes.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not kinds:
        causes.required(f"{path}.resources", "resource rules must supply at least one resource")


def role_binding(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    _binding(causes, obj, old, ("ClusterRole", "Role"))


def cluster_role_binding(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    _binding(causes, obj, old, ("ClusterRole",))


def _binding(causes: Causes, obj: Object, old: Object | None, kinds: tuple[str, ...]) -> None:
    found = obj.get("roleRef") or {}
    group, kind, name = found.get("apiGroup", ""), found.get("kind", ""), found.get("name", "")
    if group != "rbac.authorization.k8s.io":
        causes.not_supported("roleRef.apiGroup", group, ("rbac.authorization.k8s.io",))
    if kind not in kinds:
        allowed = ("Role", "ClusterRole") if len(kinds) == 2 else kinds
        causes.not_supported("roleRef.kind", kind, allowed)
    if not name:
        causes.required("roleRef.name")
    else:
        causes.each_invalid("roleRef.name", name, _path_segment(name))
    for index, subject in enumerate(obj.get("subjects") or ()):
        _subject(causes, subject, len(kinds) == 2, f"subjects[{index}]")
    if old is not None and not same(found, old.get("roleRef")):
        causes.invalid("roleRef", {"APIGroup": group, "Kind": kind, "Name": name}, "cannot change roleRef")


def _subject(causes: Causes, subject: Object, namespaced: bool, path: str) -> None:
    kind, name, group = subject.get("kind", ""), subject.get("name", ""), subject.get("apiGroup", "")
    if not name:
        causes.required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            causes.each_invalid(f"{path}.name", name, names.dns_subdomain(name))
        if group:
            causes.not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            causes.required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        if group != "rbac.authorization.k8s.io":
            causes.not_supported(f"{path}.apiGroup", group, ("rbac.authorization.k8s.io",))
    else:
        causes.not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))


def path_name(value: Any) -> list[str]:
    """Names of RBAC objects: anything that may stand in a URL's path."""
    return _path_segment(value)
