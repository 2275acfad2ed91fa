"""Cells of Nodes and ComponentStatuses. Source: pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikube_py.printers.cells.meta import at, condition

if TYPE_CHECKING:
    from minikube_py.api.types import Object

ROLE_PREFIX = "node-role.kubernetes.io/"


def status(node: Object, now_s: int) -> str:
    """'Ready', 'NotReady,SchedulingDisabled', 'Unknown'"""
    found = condition(node, "Ready")
    text = "Unknown" if found is None else "Ready" if found.get("status") == "True" else "NotReady"
    return f"{text},SchedulingDisabled" if at(node, "spec", "unschedulable") else text


def roles(node: Object, now_s: int) -> str:
    found = set()
    for label, value in (node["metadata"].get("labels") or {}).items():
        if label.startswith(ROLE_PREFIX):
            found.add(label.removeprefix(ROLE_PREFIX))
        elif label == "kubernetes.io/role":
            found.add(value)
    return ",".join(sorted(found - {""})) or "<none>"


def internal_ip(node: Object, now_s: int) -> str:
    return _address(node, "InternalIP")


def external_ip(node: Object, now_s: int) -> str:
    return _address(node, "ExternalIP")


def kernel(node: Object, now_s: int) -> str:
    """'6.1.0-30-amd64 (amd64)'"""
    version, machine = (at(node, "status", "nodeInfo", field) for field in ("kernelVersion", "architecture"))
    return (f"{version} ({machine})" if machine else str(version)) if version else "<unknown>"


def _address(node: Object, type: str) -> str:
    for one in at(node, "status", "addresses") or ():
        if one.get("type") == type:
            return str(one.get("address", ""))
    return "<none>"


def component_status(obj: Object, now_s: int) -> str:
    found = _healthy(obj).get("status")
    return "Unknown" if found is None else "Healthy" if found == "True" else "Unhealthy"


def component_message(obj: Object, now_s: int) -> str:
    return str(_healthy(obj).get("message", ""))


def component_error(obj: Object, now_s: int) -> str:
    return str(_healthy(obj).get("error", ""))


def _healthy(obj: Object) -> Object:
    return next((one for one in obj.get("conditions") or () if one.get("type") == "Healthy"), {})
