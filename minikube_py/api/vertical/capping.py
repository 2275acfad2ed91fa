"""From a recommendation to the resources of a pod's containers: LimitRanges, policies, limits in proportion.

A limit keeps its ratio to the request: 100m of 200m become 250m of 500m; amounts are cut off to whole millicores and bytes.
Sources: vertical-pod-autoscaler/pkg/utils/vpa/capping.go, limit_and_request_scaling.go, pkg/utils/limitrange,
pkg/admission-controller/resource/pod/recommendation/recommendation_provider.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.api import vertical
from minikube_py.base import quantity

if TYPE_CHECKING:
    from minikube_py.api.types import Object, Objects, View
    from minikube_py.api.vertical import Amounts

RESOURCES = ("cpu", "memory")
FIELDS = ("upperBound", "target", "lowerBound")
MAX_INT64 = (1 << 63) - 1
RATIO_LOST = "failed to keep limit to request ratio; capping limit to int64"


class Given(NamedTuple):
    """What a container gets; `notes`: what was done to the recommendation, for the pod's annotation."""

    requests: Amounts
    limits: Amounts
    notes: list[str]


def for_pod(vpa: Object, pod: Object, view: View) -> list[Given]:
    """What each container of a pod gets, in their order; nothing for one without a recommendation."""
    recommendation = (vpa.get("status") or {}).get("recommendation")
    found, notes = apply(vpa, pod, view) if recommendation is not None else ([], {})
    limit_range = _limit_range(pod["metadata"]["namespace"], "Container", view) or {}
    given = []
    for container in pod["spec"]["containers"]:
        name = container["name"]
        one = vertical.recommended(found, name)
        if one is None:
            given.append(Given({}, {}, []))
            continue
        told, target = list(notes.get(name, ())), one.get("target") or {}
        limits: Amounts = {}
        if vertical.controls_limits(vpa, name):
            requests, had = vertical.resources_of(pod, name)
            limits, more = proportional(had or {}, requests or {}, target, limit_range.get("default") or {})
            told += more
        given.append(Given(target, limits, told))
    return given


def apply(vpa: Object, pod: Object, view: View) -> tuple[Objects, dict[str, list[str]]]:
    """The recommendations for a pod's containers within LimitRanges and policies, and notes on their targets."""
    recommendation = ((vpa.get("status") or {}).get("recommendation") or {}).get("containerRecommendations") or []
    namespace = pod["metadata"]["namespace"]
    limit_range = _limit_range(namespace, "Container", view)
    found, notes = [], {}
    names = {container["name"] for container in pod["spec"]["containers"]}
    for one in _within_pod_range(recommendation, pod, _limit_range(namespace, "Pod", view)):
        name = one["containerName"]
        if name not in names:
            continue
        capped, told = dict(one), list[str]()
        for field in FIELDS:
            if one.get(field):
                capped[field], said = _capped(one[field], vpa, pod, name, limit_range)
                told = said if field == "target" else told
        if told:
            notes[name] = told
        found.append(capped)
    return found, notes


def within_policy(amounts: Amounts, policy: Object) -> tuple[Amounts, list[str]]:
    """Amounts between minAllowed and maxAllowed, and what was done."""
    return _between(amounts, policy.get("minAllowed") or {}, policy.get("maxAllowed") or {}, "minAllowed", "maxAllowed")


def _between(
    amounts: Amounts, least: Amounts, most: Amounts, least_name: str, most_name: str
) -> tuple[Amounts, list[str]]:
    found, notes = dict(amounts), []
    for name in sorted(amounts):
        low, high = least.get(name), most.get(name)
        if low is not None and quantity.parse(low).nano and quantity.compare(found[name], low) < 0:
            found[name] = quantity.canonical(low)
            notes.append(f"{name} capped to {least_name}")
        if high is not None and quantity.parse(high).nano and quantity.compare(found[name], high) > 0:
            found[name] = quantity.canonical(high)
            notes.append(f"{name} capped to {most_name}")
    return found, notes


def _capped(
    amounts: Amounts, vpa: Object, pod: Object, container: str, limit_range: Object | None
) -> tuple[Amounts, list[str]]:
    requests, limits = vertical.resources_of(pod, container)
    notes: list[str] = []
    if limit_range is not None:
        least = _least(requests or {}, limits or {}, limit_range)
        most = _boundary(requests or {}, limits or {}, limit_range.get("max"), limit_range)
        fit = ("fit Min in container LimitRange", "fit Max in container LimitRange")
        amounts, notes = _between(amounts, least, most, *fit)
    amounts, more = within_policy(amounts, vertical.policy(vpa, container))
    notes += more
    if not vertical.controls_limits(vpa, container):
        amounts = dict(amounts)
        for name, limit in sorted((limits or {}).items()):
            if name in amounts and quantity.compare(amounts[name], limit) > 0:
                amounts[name] = limit
                notes.append(f"{name} capped to container limit")
    return amounts, notes


# --- limits in proportion ----------------------------------------------------------------------------------------------


def proportional(
    limits: Amounts, requests: Amounts, recommended: Amounts, default: Amounts
) -> tuple[Amounts, list[str]]:
    """The limits for recommended requests: in the proportion that the old ones had. None set: none, and no notes."""
    found, notes = {}, []
    for name in RESOURCES:
        limit, note = _limit(name, limits.get(name), requests.get(name), recommended.get(name), default.get(name))
        if limit is not None:
            found[name] = limit
        if note:
            notes.append(note)
    return (found, notes) if found else ({}, [])


def _limit(
    name: str, limit: str | None, request: str | None, recommended: str | None, default: str | None
) -> tuple[str | None, str]:
    limit = limit if _is_set(limit) else default
    if limit is None or not _is_set(limit):
        return None, f"{name}: limit NOT set since originalLimit is nil or 0"
    if recommended is None or not _is_set(recommended):
        return None, f"{name}: limit NOT set since recommendedRequest is nil or 0"
    if request is None or not _is_set(request) or quantity.milli(request) == quantity.milli(limit):
        return recommended, ""
    found, fits = scaled(name, limit, request, recommended)
    return found, "" if fits else f"{name}: {RATIO_LOST}"


def _is_set(amount: str | None) -> bool:
    return amount is not None and quantity.value(amount) != 0


def scaled(name: str, amount: str, base: str, result: str, *, up: bool = False) -> tuple[str, bool]:
    """amount * result / base in whole millicores or bytes, cut off (or rounded `up`), and whether that fits an int64.

    200m * 250m / 100m = 500m
    """
    form = quantity.parse(amount).format
    if name == "cpu":
        product, divisor = quantity.milli(amount) * quantity.milli(result), quantity.milli(base)
        found = -(-product // divisor) if up else product // divisor
        return quantity.from_milli(min(found, MAX_INT64), form), found <= MAX_INT64
    found = quantity.value(amount) * quantity.value(result) // quantity.value(base)
    return quantity.from_value(min(found, MAX_INT64), form), found <= MAX_INT64


# --- LimitRanges -------------------------------------------------------------------------------------------------------


def _limit_range(namespace: str, sort: str, view: View) -> Object | None:
    """The LimitRanges of a namespace for containers or pods as one: the highest min, the lowest max, the last default."""
    found: dict[str, Amounts] = {}
    for one in view.list("limitranges", namespace):
        for item in (one.get("spec") or {}).get("limits") or ():
            if item.get("type") != sort:
                continue
            if item.get("default"):
                found["default"] = item["default"]
            for field, sign in (("max", -1), ("min", 1)):
                known = found.setdefault(field, {}) if item.get(field) else {}
                for name, amount in (item.get(field) or {}).items():
                    if name not in known or quantity.compare(amount, known[name]) * sign > 0:
                        known[name] = amount
    return found or None


def _boundary(requests: Amounts, limits: Amounts, bound: Amounts | None, limit_range: Object) -> Amounts:
    """The requests at which the limits, in proportion, come to a bound."""
    found = {}
    for name in RESOURCES:
        limit = limits.get(name) if _is_set(limits.get(name)) else (limit_range.get("default") or {}).get(name)
        edge = (bound or {}).get(name)
        if limit is None or edge is None or not _is_set(limit):
            continue
        request = requests.get(name)
        found[name] = edge if request is None or not _is_set(request) else scaled(name, request, limit, edge)[0]
    return found


def _least(requests: Amounts, limits: Amounts, limit_range: Object) -> Amounts:
    """Request and limit both have to reach the minimum."""
    found = _boundary(requests, limits, limit_range.get("min"), limit_range)
    for name, bound in (limit_range.get("min") or {}).items():
        if name in RESOURCES and (name not in found or quantity.compare(bound, found[name]) > 0):
            found[name] = bound
    return found


def _within_pod_range(recommendations: Objects, pod: Object, limit_range: Object | None) -> Objects:
    """Recommendations brought in proportion within a LimitRange of type Pod."""
    if limit_range is None:
        return recommendations
    found: Objects = [dict(one) for one in recommendations]
    for container in pod["spec"]["containers"]:
        requests, _ = vertical.resources_of(pod, container["name"])
        if vertical.recommended(found, container["name"]) is None and requests:
            found.append({"containerName": container["name"], "target": requests})
    for field in FIELDS:
        for name in RESOURCES:
            _fit(found, pod, limit_range, name, field)
    return found


def _fit(found: Objects, pod: Object, limit_range: Object, name: str, field: str) -> None:
    """Bring one resource of one field (in copies of ours) within the sums that a pod may have."""
    least, most, default = ((limit_range.get(part) or {}).get(name, "0") for part in ("min", "max", "default"))
    asked, limit_sum = "0", "0"
    ours = []
    for container in pod["spec"]["containers"]:
        one = vertical.recommended(found, container["name"])
        requests, limits = (amounts or {} for amounts in vertical.resources_of(pod, container["name"]))
        amount = requests.get(name, "0") if one is None else (one.get(field) or {}).get(name, "0")
        limit, _ = _limit(name, limits.get(name), requests.get(name), amount, default)
        asked, limit_sum = quantity.add(asked, amount), quantity.add(limit_sum, limit or "0")
        if one is not None and name in (one.get(field) or {}):
            ours.append(one)
    is_low = quantity.compare(least, asked) > 0
    bounded, none = _is_set(most), not _is_set(limit_sum)
    if none or (not is_low and quantity.compare(least, limit_sum) <= 0 and not (
        bounded and quantity.compare(most, limit_sum) < 0
    )):  # fmt: skip
        return
    if is_low:
        base, goal, up = asked, least, True
    else:
        base, up = limit_sum, False
        goal = most if bounded and quantity.compare(most, limit_sum) < 0 else least
    for one in ours:
        one[field] = {**one[field], name: scaled(name, one[field][name], base, goal, up=up)[0]}
