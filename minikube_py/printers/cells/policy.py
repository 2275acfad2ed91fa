"""Cells of what governs: quotas, roles, admission, certificates, API services, flow control.

Source: pkg/printers/internalversion/printers.go; kube-aggregator's table convertor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.base.duration import human
from minikube_py.printers.cells.meta import at, condition

if TYPE_CHECKING:
    from minikube_py.api.types import Object


def quota_requests(quota: Object, now_s: int) -> str:
    """'cpu: 500m/2, pods: 3/10'"""
    return _quota(quota, limits=False)


def quota_limits(quota: Object, now_s: int) -> str:
    return _quota(quota, limits=True)


def _quota(quota: Object, limits: bool) -> str:
    hard, used = at(quota, "status", "hard") or {}, at(quota, "status", "used") or {}
    shown = [name for name in sorted(hard) if name.startswith("limits.") == limits]
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in shown)


def role_ref(binding: Object, now_s: int) -> str:
    return f"{at(binding, 'roleRef', 'kind')}/{at(binding, 'roleRef', 'name')}"


def users(binding: Object, now_s: int) -> str:
    return _subjects(binding, "User")


def groups(binding: Object, now_s: int) -> str:
    return _subjects(binding, "Group")


def service_accounts(binding: Object, now_s: int) -> str:
    return _subjects(binding, "ServiceAccount")


def _subjects(binding: Object, kind: str) -> str:
    found = [one for one in binding.get("subjects") or () if one.get("kind") == kind]
    if kind == "ServiceAccount":
        return ", ".join(f"{one.get('namespace', '')}/{one.get('name', '')}" for one in found)
    return ", ".join(one.get("name", "") for one in found)


def webhooks(configuration: Object, now_s: int) -> int:
    return len(configuration.get("webhooks") or ())


def validations(policy: Object, now_s: int) -> int:
    return len(at(policy, "spec", "validations") or ())


def mutations(policy: Object, now_s: int) -> int:
    return len(at(policy, "spec", "mutations") or ())


def param_kind(policy: Object, now_s: int) -> str:
    found = at(policy, "spec", "paramKind")
    return f"{found.get('apiVersion', '')}/{found.get('kind', '')}" if found else "<unset>"


def param_ref(binding: Object, now_s: int) -> str:
    """'*/limits' if no namespace is told; a selector is not told in words here."""
    found = at(binding, "spec", "paramRef")
    if found and found.get("name"):
        return f"{found.get('namespace') or '*'}/{found['name']}"
    return "<unset>"


def api_service(obj: Object, now_s: int) -> str:
    found = at(obj, "spec", "service")
    return f"{found.get('namespace', '')}/{found.get('name', '')}" if found else "Local"


def available(obj: Object, now_s: int) -> str:
    """'True', 'False (ServiceNotFound)', 'Unknown'"""
    found = condition(obj, "Available")
    if found is None:
        return "Unknown"
    status = str(found.get("status", ""))
    return status if status == "True" else f"{status} ({found.get('reason', '')})"


def requested_duration(request: Object, now_s: int) -> str:
    given = at(request, "spec", "expirationSeconds")
    return "<none>" if given is None else human(given)


def csr_condition(request: Object, now_s: int) -> str:
    """'Pending', 'Approved,Issued', 'Denied'"""
    text = "Denied" if condition(request, "Denied") else "Approved" if condition(request, "Approved") else "Pending"
    text += ",Failed" if condition(request, "Failed") else ""
    return text + (",Issued" if at(request, "status", "certificate") else "")


def missing_priority_level(schema: Object, now_s: int) -> str:
    return str((condition(schema, "Dangling") or {}).get("status", "?"))
