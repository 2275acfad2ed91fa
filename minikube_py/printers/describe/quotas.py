"""ResourceQuotas and LimitRanges, on their own and in a namespace's description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.printers.describe import parts

if TYPE_CHECKING:
    from minikube_py.printers.describe.writer import Writer

Object = dict[str, Any]

SCOPES = {
    "Terminating": (
        "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively "
        "terminated by the system."
    ),
    "NotTerminating": (
        "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container "
        "command is not expected to terminate."
    ),
    "BestEffort": (
        "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
    ),
    "NotBestEffort": (
        "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality "
        "of service."
    ),
}
LIMIT_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
LIMIT_TITLES = ("Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
LIMIT_RULES = ("--------", "---", "---", "---------------", "-------------", "-----------------------")


def resource_quota(obj: Object, w: Writer) -> None:
    parts.head(obj, w)
    _scopes(obj, w, 0, " * ")
    w.row(0, "Resource", "Used", "Hard")
    w.row(0, "--------", "----", "----")
    _usage(obj, w, 0)


def quotas_of(namespace: str, w: Writer) -> None:
    found = w.lookup.list("resourcequotas", namespace)
    if not found:
        w.put(0, "No resource quota.\n")
        return
    w.put(0, "Resource Quotas\n")
    for quota in sorted(found, key=parts.name):
        w.line(1, "Name", parts.name(quota))
        _scopes(quota, w, 1, "* ")
        w.row(1, "Resource", "Used", "Hard")
        w.row(1, "--------", "---", "---")
        _usage(quota, w, 1)


def _scopes(quota: Object, w: Writer, level: int, bullet: str) -> None:
    scopes = sorted((quota.get("spec") or {}).get("scopes") or ())
    if scopes:
        w.line(level, "Scopes", ", ".join(scopes))
    for scope in scopes:
        if scope in SCOPES:
            w.put(level, f"{bullet}{SCOPES[scope]}\n")


def _usage(quota: Object, w: Writer, level: int) -> None:
    status = quota.get("status") or {}
    used = status.get("used") or {}
    for resource, hard in sorted((status.get("hard") or {}).items()):
        w.row(level, resource, parts.quantity(used.get(resource, "0")), parts.quantity(hard))


def limit_range(obj: Object, w: Writer) -> None:
    parts.head(obj, w)
    w.row(0, "Type", *LIMIT_TITLES)
    w.row(0, "----", *LIMIT_RULES)
    _limits(obj, w, "")


def limits_of(namespace: str, w: Writer) -> None:
    found = w.lookup.list("limitranges", namespace)
    if not found:
        w.put(0, "No LimitRange resource.\n")
        return
    w.put(0, "Resource Limits\n")
    w.row(0, " Type", *LIMIT_TITLES)
    w.row(0, " ----", *LIMIT_RULES)
    for one in found:
        _limits(one, w, " ")


def _limits(obj: Object, w: Writer, indent: str) -> None:
    """One row for each resource of each limit. (kubectl's order within a limit is Go's random map order; here it is sorted.)"""
    for limit in obj["spec"].get("limits") or ():
        for resource in sorted({name for field in LIMIT_FIELDS for name in limit.get(field) or ()}):
            values = [(limit.get(field) or {}).get(resource) for field in LIMIT_FIELDS]
            shown = ["-" if value is None else parts.quantity(value) for value in values]
            w.row(0, f"{indent}{limit['type']}", resource, *shown)
