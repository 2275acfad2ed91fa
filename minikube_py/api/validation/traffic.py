"""What a schema cannot say of a Traffic (`network/traffic.py` tells its fields): its curve, its source, its one target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import simulator

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

TARGETS = ("url", "service", "ingress", "nodePort")
# Curve -> its numbers, its times, and what may be left out.
CURVES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "ramp": (("from", "to"), ("over",), ()),
    "sine": (("mean", "amplitude"), ("period",), ()),
    "spike": (("base", "peak"), ("after", "for"), ("base", "after")),
}
SORTS = ("constant", "ramp", "sine", "spike", "steps")


def target(causes: Causes, spec: Object) -> None:
    """Exactly one target, and a URL that is one."""
    found: Object = spec["target"]
    named = [name for name in TARGETS if name in found]
    if not named:
        causes.required("spec.target", f"one of {', '.join(TARGETS)}")
    for name in named[1:]:
        causes.forbidden(f"spec.target.{name}", f"may not be set beside `{named[0]}`")
    if named[:1] == ["url"]:
        scheme, mark, rest = found["url"].partition("://")
        if not (rest if mark else scheme).strip("/") or (mark and scheme not in ("http", "https")):
            causes.invalid("spec.target.url", found["url"], "must be a URL of the scheme http or https")
    if "duration" in spec and simulator.time_s(spec["duration"]) == 0:
        causes.invalid("spec.duration", spec["duration"], "must be greater than zero")


def source_problem(value: Any) -> str:
    """`outside`, `inside`, or {podSelector: a LabelSelector}."""
    if value in ("outside", "inside"):
        return ""
    if not isinstance(value, dict) or set(value) != {"podSelector"}:
        return "must be outside, inside, or have a podSelector"
    from minikube_py.base import selector

    selector.from_label_selector(value["podSelector"])
    return ""


def rate_problem(value: Any) -> str:
    """A number, or one curve with all it needs."""
    if not isinstance(value, dict):
        return _number_problem(value, "the rate")
    if len(value) != 1 or next(iter(value)) not in SORTS:
        return f"must be a number, or have exactly one of {', '.join(SORTS)}"
    sort, curve = next(iter(value.items()))
    if sort == "constant":
        return _number_problem(curve, sort)
    if sort == "steps":
        if not isinstance(curve, list) or not curve:
            return "steps must be a list of {after, perSecond}"
        problems = [_fields_problem(one, "steps", ("perSecond",), ("after",), ("after",)) for one in curve]
        return next(filter(None, problems), "")
    problem = _fields_problem(curve, sort, *CURVES[sort])
    if not problem and sort == "sine" and curve["amplitude"] > curve["mean"]:
        return "sine.amplitude must not be greater than sine.mean"
    return problem


def _fields_problem(
    given: Any, sort: str, numbers: tuple[str, ...], times: tuple[str, ...], optional: tuple[str, ...]
) -> str:
    known = (*numbers, *times)
    if not isinstance(given, dict):
        return f"{sort} must have {', '.join(known)}"
    for name in given:
        if name not in known:
            return f"{sort} has no {name}, only {', '.join(known)}"
    for name in known:
        if name not in given:
            if name not in optional:
                return f"{sort}.{name} is required"
        elif name in numbers:
            problem = _number_problem(given[name], f"{sort}.{name}")
            if problem:
                return problem
        elif simulator.time_s(given[name]) < (0 if name == "after" else 1):
            return f"{sort}.{name} must be greater than zero"
    return ""


def _number_problem(value: Any, name: str) -> str:
    is_good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12
    return "" if is_good else f"{name} must be a number that is not negative"
