"""Names of resources and requirements of containers: cpu, memory, hugepages-2Mi, example.com/gpu.

Source: pkg/apis/core/validation/validation.go (validateResourceRequirements) and pkg/apis/core/helper/helpers.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.api.validation import names
from minikube_py.api.validation.causes import NEGATIVE
from minikube_py.base import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
QUOTA = frozenset({
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
    "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas",
    "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps", "services.nodeports",
    "services.loadbalancers",
})  # fmt: skip
STANDARD = QUOTA | {"storage"}
INTEGER = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip


def is_hugepages(name: str) -> bool:
    return name.startswith("hugepages-")


def is_native(name: str) -> bool:
    """Without a domain, or in kubernetes.io."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """example.com/gpu: countable things that a device plugin or an administrator offers."""
    return not (is_native(name) or name.startswith("requests.")) and not names.qualified_name(f"requests.{name}")


def may_overcommit(name: str) -> bool:
    return is_native(name) and not is_hugepages(name)


def resource_name(causes: Causes, name: str, path: str) -> bool:
    """True if it is well formed."""
    found = names.qualified_name(name)
    causes.each_invalid(path, name, found)
    known = "/" in name or name in STANDARD or name.startswith(("hugepages-", "requests.hugepages-"))
    if not found and not known:
        causes.invalid(path, name, "must be a standard resource type or fully qualified")
        return False
    return not found


def container_resource_name(causes: Causes, name: str, path: str) -> None:
    if name in CONTAINER:
        return
    resource_name(causes, name, path)
    if "/" not in name:
        if not is_hugepages(name):
            causes.invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        causes.invalid(path, name, "doesn't follow extended resource name standard")


def pod_resource_name(causes: Causes, name: str, path: str) -> None:
    """Resources that a whole pod may ask for (spec.resources)."""
    if resource_name(causes, name, path) and name not in ("cpu", "memory") and not is_hugepages(name):
        causes.not_supported(path, name, ("cpu", "hugepages-", "memory"))


def quota_resource_name(causes: Causes, name: str, path: str) -> None:
    resource_name(causes, name, path)
    if "/" not in name and name not in QUOTA and not name.startswith(("hugepages-", "requests.hugepages-")):
        causes.invalid(path, name, "must be a standard resource for quota")


def amount(causes: Causes, name: str, value: str, path: str) -> None:
    """An amount of a resource: not negative, and whole where the resource is counted."""
    if quantity.compare(value, "0") < 0:
        causes.invalid(path, quantity.canonical(value), NEGATIVE)
    if (name in INTEGER or is_extended(name)) and quantity.milli(value) % 1000:
        causes.invalid(path, quantity.canonical(value), "must be an integer")


def requirements(
    causes: Causes,
    found: Object | None,
    path: str,
    claims: tuple[str, ...] = (),
    name_rule: Callable[[Causes, str, str], None] = container_resource_name,
) -> None:
    """`resources` of a container or pod; `claims`: the names in the pod's resourceClaims."""
    if not found:
        return
    limits, requests = found.get("limits") or {}, found.get("requests") or {}
    for name, value in limits.items():
        here = f"{path}.limits[{name}]"
        name_rule(causes, name, here)
        amount(causes, name, value, here)
        _whole_pages(causes, name, value, here)
    for name, value in requests.items():
        here = f"{path}.requests[{name}]"
        name_rule(causes, name, here)
        amount(causes, name, value, here)
        _request(causes, name, value, limits.get(name), path)
        _whole_pages(causes, name, value, here)
    asked = (*limits, *requests)
    if any(is_hugepages(name) for name in asked) and not {"cpu", "memory"}.intersection(asked):
        causes.forbidden(path, "HugePages require cpu or memory")
    if found.get("claims"):
        _claims(causes, found["claims"], f"{path}.claims", claims)


def _request(causes: Causes, name: str, value: str, limit: str | None, path: str) -> None:
    if limit is None:
        if not may_overcommit(name):
            causes.required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    order = quantity.compare(value, limit)
    shown, most = quantity.canonical(value), quantity.canonical(limit)
    if order and not may_overcommit(name):
        causes.invalid(f"{path}.requests", shown, f"must be equal to {name} limit of {most}")
    elif order > 0:
        causes.invalid(f"{path}.requests", shown, f"must be less than or equal to {name} limit of {most}")


def _whole_pages(causes: Causes, name: str, value: str, path: str) -> None:
    if not is_hugepages(name):
        return
    try:
        page = quantity.value(name.removeprefix("hugepages-"))
    except quantity.QuantityError:
        return
    size = quantity.value(value)
    if page <= 0 or size <= 0 or size % page:
        shown = quantity.canonical(value)
        causes.invalid(path, shown, f"{shown} is not positive integer multiple of {name}")


def _claims(causes: Causes, claims: list[Object], path: str, known: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        here, name, request = f"{path}[{index}]", claim.get("name", ""), claim.get("request", "")
        if not name:
            causes.required(here)
            continue
        entry = f"{name}/{request}" if request else name
        if request and name not in seen:
            causes.each_invalid(f"{here}.request", request, names.dns_label(request))
        if name in seen:
            causes.duplicate(here, name)
        elif entry in seen:
            causes.duplicate(here, entry)
        elif not request and any(one.startswith(f"{name}/") for one in seen):
            causes.duplicate(here, name)
        seen.add(entry)
        if name not in known:
            listed = ": " + ", ".join(sorted(known)) if known else " which is empty"
            causes.not_found(here, name, f"must be one of the names in pod.spec.resourceClaims{listed}")
