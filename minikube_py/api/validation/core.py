"""The smaller kinds of the core group: ConfigMaps, Secrets, Namespaces, Nodes, LimitRanges, ResourceQuotas, Endpoints.

Source: pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.validation import metadata, names, placement, resources
from minikube_py.api.validation.causes import quote, same
from minikube_py.api.validation.containers import PROTOCOLS
from minikube_py.api.validation.service import special_address
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

DATA_MAX = 1024 * 1024
SCOPES = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass")  # fmt: skip
_COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_FIXED = "field is immutable when `immutable` is set"


def config_map(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if old is not None and old.get("immutable"):
        _immutable_data(causes, obj, old, ("data", "binaryData"))
    text, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in text.items():
        causes.each_invalid(f"data[{key}]", key, names.config_key(key))
        if key in binary:
            causes.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in binary.items():
        causes.each_invalid(f"binaryData[{key}]", key, names.config_key(key))
        size += _decoded_length(value)
    if size > DATA_MAX:
        causes.too_long("", DATA_MAX)


def _decoded_length(text: str) -> int:
    """Bytes of a base64 text: 'aGk=' holds 2."""
    return len(text) * 3 // 4 - text[-2:].count("=")


def _immutable_data(causes: Causes, obj: Object, old: Object, fields: tuple[str, ...]) -> None:
    if not obj.get("immutable"):
        causes.forbidden("immutable", _FIXED)
    for field in fields:
        if not same(obj.get(field), old.get(field)):
            causes.forbidden(field, _FIXED)


def secret(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    kind, data = obj.get("type", ""), obj.get("data") or {}
    if old is not None:
        causes.immutable("type", kind, old.get("type", ""))
        if old.get("immutable"):
            _immutable_data(causes, obj, old, ("data",))
    size = 0
    for key, value in data.items():
        causes.each_invalid(f"data[{key}]", key, names.config_key(key))
        size += _decoded_length(value)
    if size > DATA_MAX:
        causes.too_long("data", DATA_MAX)
    if kind == "kubernetes.io/service-account-token":
        label = "kubernetes.io/service-account.name"
        if not (obj["metadata"].get("annotations") or {}).get(label):
            causes.required(f"metadata.annotations[{label}]")
    elif kind == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
        causes.required("data[username]")
        causes.required("data[password]")
    for key in _SECRET_KEYS.get(kind, ()):
        if key not in data or (key == "ssh-privatekey" and not data[key]):
            causes.required(f"data[{key}]")
        elif key.startswith(".docker"):
            _docker_config(causes, data[key], f"data[{key}]")


def _docker_config(causes: Causes, value: str, path: str) -> None:
    from base64 import b64decode
    from json import JSONDecodeError, loads

    try:
        found = loads(b64decode(value))
    except (JSONDecodeError, UnicodeDecodeError):
        text = b64decode(value).decode("utf-8", "replace")
        wrong = (
            f"invalid character {text[:1]!r} looking for beginning of value" if text else "unexpected end of JSON input"
        )
        causes.invalid(path, "<secret contents redacted>", wrong)
        return
    if not isinstance(found, dict):
        detail = "json: cannot unmarshal value into Go value of type map[string]interface {}"
        causes.invalid(path, "<secret contents redacted>", detail)


def namespace(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if old is None or subresource == "finalize":
        for one in (obj.get("spec") or {}).get("finalizers") or ():
            causes.each_invalid("spec.finalizers", one, names.qualified_name(one))
            if "/" not in one and one not in ("kubernetes", "orphan", "foregroundDeletion"):
                detail = "name is neither a standard finalizer name nor is it fully qualified"
                causes.invalid("spec.finalizers", one, detail)
    elif subresource == "status":
        phase = (obj.get("status") or {}).get("phase", "")
        deleting = "deletionTimestamp" in obj["metadata"]
        if not deleting and phase != "Active":
            causes.invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")
        elif deleting and phase != "Terminating":
            causes.invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")


def node(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if spec.get("taints"):
        placement.taints(causes, spec["taints"], "metadata.taints")
    for field in ("capacity", "allocatable"):
        for name, value in (status.get(field) or {}).items():
            resources.amount(causes, name, value, f"status.{field}.{name}")
    for index, one in enumerate(spec.get("podCIDRs") or ()):
        causes.each_invalid(f"spec.podCIDRs[{index}]", one, names.cidr(one))
    if old is None:
        return
    before = old.get("spec") or {}
    if before.get("podCIDRs") and spec.get("podCIDRs") != before["podCIDRs"]:
        causes.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        causes.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')


def service_account(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """Only its metadata is checked."""


def limit_range(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    seen: set[str] = set()
    for index, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{index}]", limit.get("type", "")
        wrong = names.qualified_name(kind)
        causes.each_invalid(f"{path}.type", kind, wrong)
        if not wrong and "/" not in kind and kind not in ("Pod", "Container", "PersistentVolumeClaim"):
            causes.invalid(f"{path}.type", kind, "must be a standard limit type or fully qualified")
        if kind in seen:
            causes.duplicate(f"{path}.type", kind)
        seen.add(kind)
        _one_limit(causes, limit, kind, path)


def _one_limit(causes: Causes, limit: Object, kind: str, path: str) -> None:
    fields: list[str] = ["max", "min"]
    if kind == "Pod":
        for field in ("default", "defaultRequest"):
            if limit.get(field):
                causes.forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
    else:
        fields += ["default", "defaultRequest"]
    rule = resources.container_resource_name if kind in ("Pod", "Container") else resources.resource_name
    found: dict[str, None] = {}
    for field in (*fields, "maxLimitRequestRatio"):
        bounded = {**(limit.get("min") or {}), **(limit.get("max") or {})}
        if field == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim" and "storage" not in bounded:
            detail = "either minimum or maximum storage value is required, but neither was provided"
            causes.required(f"{path}.limits", detail)
        for name in limit.get(field) or ():
            rule(causes, name, f"{path}.{field}[{name}]")
            found[name] = None
    for name in sorted(found):
        given = {field: limit[field][name] for field in (*fields, "maxLimitRequestRatio") if name in (limit.get(field) or {})}  # fmt: skip
        _limit_order(causes, name, given, path)


def _limit_order(causes: Causes, name: str, given: dict[str, str], path: str) -> None:
    """min <= default request <= default limit <= max, as far as they are given."""
    labels = {"min": "min", "max": "max", "defaultRequest": "default request", "default": "default"}
    for low, high, shown in (
        ("min", "max", "min"),
        ("min", "defaultRequest", "defaultRequest"),
        ("defaultRequest", "max", "defaultRequest"),
        ("defaultRequest", "default", "defaultRequest"),
        ("min", "default", "default"),
        ("default", "max", "default"),
    ):
        if low in given and high in given and quantity.compare(given[low], given[high]) > 0:
            label = "default limit" if (low, high) == ("defaultRequest", "default") else labels[high]
            detail = f"{labels[low]} value {given[low]} is greater than {label} value {given[high]}"
            # for the default the source shows the other side of the comparison
            value = {("min", "default"): given[low], ("default", "max"): given[high]}.get((low, high), given[shown])
            causes.invalid(f"{path}.{shown}[{name}]", value, detail)
    ratio = given.get("maxLimitRequestRatio")
    here = f"{path}.maxLimitRequestRatio[{name}]"
    if ratio is not None:
        if quantity.compare(ratio, "1") < 0:
            causes.invalid(here, ratio, f"ratio {ratio} is less than 1")
        if "min" in given and "max" in given:
            most = quantity.milli(given["max"]) / max(1, quantity.milli(given["min"]))
            if quantity.milli(ratio) / 1000 > most:
                causes.invalid(here, ratio, f"ratio {ratio} is greater than max/min = {most:f}")
    both = "default" in given and "defaultRequest" in given
    if both and not resources.may_overcommit(name) and quantity.compare(given["default"], given["defaultRequest"]):
        detail = f"default value {given['default']} must equal to defaultRequest value {given['defaultRequest']} in {name}"  # fmt: skip
        causes.invalid(f"{path}.defaultRequest[{name}]", given["defaultRequest"], detail)


def resource_quota(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if subresource == "status":
        for field in ("hard", "used"):
            _quota_amounts(causes, status.get(field), f"status.{field}")
        return
    _quota_amounts(causes, spec.get("hard"), "spec.hard")
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in SCOPES:
            causes.invalid("spec.scopes", scopes, "unsupported scope")
        _scope_fits(causes, scope, spec, "spec.scopes", scopes)
    _conflicting(causes, scopes, "spec.scopes", scopes)
    if spec.get("scopeSelector") is not None:
        _scope_selector(causes, spec, "spec.scopeSelector.matchExpressions")
    if old is not None and set(scopes) != set((old.get("spec") or {}).get("scopes") or ()):
        causes.invalid("spec.scopes", scopes or None, "field is immutable")


def _quota_amounts(causes: Causes, found: Object | None, path: str) -> None:
    for name, value in (found or {}).items():
        resources.quota_resource_name(causes, name, f"{path}[{name}]")
        resources.amount(causes, name, value, f"{path}[{name}]")


def _scope_fits(causes: Causes, scope: str, spec: Object, path: str, shown: object) -> None:
    for name in sorted(spec.get("hard") or ()):
        if name not in resources.QUOTA:
            continue
        if scope == "BestEffort":
            fits = name == "pods"
        elif scope == "VolumeAttributesClass":
            fits = name in ("persistentvolumeclaims", "requests.storage")
        else:
            fits = (
                name == "pods" or name in _COMPUTE or name in ("requests.ephemeral-storage", "limits.ephemeral-storage")
            )
        if scope in SCOPES and not fits:
            causes.invalid(path, shown, "unsupported scope applied to resource")


def _conflicting(causes: Causes, scopes: list[str], path: str, shown: object) -> None:
    for pair in (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")):
        if all(one in scopes for one in pair):
            causes.invalid(path, shown, "conflicting scopes")


def _scope_selector(causes: Causes, spec: Object, path: str) -> None:
    found = spec["scopeSelector"].get("matchExpressions") or []
    shown = {
        "MatchExpressions": [
            {"ScopeName": one.get("scopeName", ""), "Operator": one.get("operator", ""), "Values": one.get("values")}
            for one in found
        ]
    }
    for one in found:
        scope, operator, values = one.get("scopeName", ""), one.get("operator", ""), one.get("values") or []
        if scope not in SCOPES:
            causes.invalid(f"{path}.scopeName", scope, "unsupported scope")
        _scope_fits(causes, scope, spec, path, shown)
        if scope in SCOPES and scope not in ("PriorityClass", "VolumeAttributesClass") and operator != "Exists":
            detail = (
                "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                "ResourceQuotaScopeCrossNamespacePodAffinity"
            )
            causes.invalid(f"{path}.operator", operator, detail)
        if operator in ("In", "NotIn"):
            if not values:
                detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                causes.required(f"{path}.values", detail)
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                causes.invalid(f"{path}.values", values, detail)
        else:
            causes.invalid(f"{path}.operator", operator, "not a valid selector operator")
    _conflicting(causes, [one.get("scopeName", "") for one in found], path, spec.get("scopes"))


def endpoints(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    for index, subset in enumerate(obj.get("subsets") or ()):
        path = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            causes.required(path, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for at, address in enumerate(subset.get(field) or ()):
                _endpoint_address(causes, address, f"{path}.{field}[{at}]")
        ports = subset.get("ports") or ()
        for at, port in enumerate(ports):
            here, name, number = f"{path}.ports[{at}]", port.get("name", ""), port.get("port", 0)
            if name:
                causes.each_invalid(f"{here}.name", name, names.dns_label(name))
            elif len(ports) > 1:
                causes.required(f"{here}.name")
            causes.each_invalid(f"{here}.port", number, names.port_number(number))
            causes.one_of(f"{here}.protocol", port.get("protocol"), PROTOCOLS)


def _endpoint_address(causes: Causes, address: Object, path: str) -> None:
    ip = address.get("ip", "")
    wrong = names.ip(ip)
    causes.each_invalid(f"{path}.ip", ip, wrong)
    if address.get("hostname"):
        causes.each_invalid(f"{path}.hostname", address["hostname"], names.dns_label(address["hostname"]))
    if address.get("nodeName"):
        causes.each_invalid(f"{path}.nodeName", address["nodeName"], names.dns_subdomain(address["nodeName"]))
    if not wrong:
        causes.each_invalid(f"{path}.ip", ip, special_address(ip))


def event(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """An event has to be in the namespace of the object it is about; about cluster-scoped ones, in 'default'."""
    about = (obj.get("involvedObject") or {}).get("namespace", "")
    own = obj["metadata"].get("namespace", "")
    if (about and about != own) or (
        not about and own not in ("", "default", "kube-system") and "eventTime" in obj and obj["eventTime"]
    ):
        causes.invalid("involvedObject.namespace", about, "does not match event.namespace")


def priority_class(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """scheduling.k8s.io (pkg/apis/scheduling/validation/validation.go)."""
    name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
    if old is None:
        if name.startswith("system-"):
            known = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}
            if name not in known:
                detail = "priority class names with 'system-' prefix are reserved for system use only. error: "
                causes.forbidden("metadata.name", f"{detail}{name} is not a known system priority class")
            elif known[name] != value:
                causes.forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: value of " + name + f" PriorityClass must be {known[name]}")  # fmt: skip
        elif value > 1_000_000_000:
            causes.forbidden("value", "maximum allowed value of a user defined priority is 1000000000")
        policy = obj.get("preemptionPolicy")
        if policy is not None:
            causes.one_of("preemptionPolicy", policy, ("PreemptLowerPriority", "Never"))
    else:
        if value != old.get("value", 0):
            causes.forbidden("value", "may not be changed in an update.")
        causes.immutable("preemptionPolicy", obj.get("preemptionPolicy"), old.get("preemptionPolicy"))


def runtime_class(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """node.k8s.io (pkg/apis/node/validation/validation.go)."""
    handler = obj.get("handler", "")
    if old is not None:
        causes.immutable("handler", handler, old.get("handler", ""))
    causes.each_invalid("handler", handler, names.dns_label(handler))
    fixed = (obj.get("overhead") or {}).get("podFixed")
    if fixed:
        resources.requirements(causes, {"limits": fixed}, "overhead")
    scheduling = obj.get("scheduling") or {}
    metadata.labels(causes, scheduling.get("nodeSelector"), "scheduling.nodeSelector")
    if scheduling.get("tolerations"):
        placement.tolerations(causes, scheduling["tolerations"], "scheduling.tolerations")


def lease(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """coordination.k8s.io (pkg/apis/coordination/validation/validation.go)."""
    spec = obj.get("spec") or {}
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        causes.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if transitions is not None and transitions < 0:
        causes.invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0")
    if spec.get("strategy") and not spec.get("preferredHolder"):
        return
    if spec.get("preferredHolder") and not spec.get("strategy"):
        causes.forbidden("spec.preferredHolder", f"may only be specified when `strategy` is defined, not {quote('')}")
