"""Objects of kind Traffic (their fields are told in `network/traffic.py`, the curves of `rate` in `network/rates.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api.validation import simulator

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

FIELDS = {
    "target": "object", "from": "object", "rate": "object", "duration": "time", "timeout": "time", "retries": "count",
    "keepAlive": "bool", "paused": "bool",
}  # fmt: skip
TARGETS = {
    "service": ({"name": "text", "namespace": "text", "port": "port", "path": "text"}, ("name",)),
    "ingress": ({"host": "text", "path": "text", "tls": "bool"}, ("host",)),
    "nodePort": ({"node": "text", "port": "port", "path": "text"}, ("node", "port")),
}
# Curve -> (fields, those that must be there).
RATES = {
    "ramp": ({"from": "number", "to": "number", "over": "time"}, ("from", "to", "over")),
    "sine": ({"mean": "number", "amplitude": "number", "period": "time"}, ("mean", "amplitude", "period")),
    "spike": ({"base": "number", "peak": "number", "after": "time", "for": "time"}, ("peak", "for")),
}
SORTS = ("constant", "ramp", "sine", "spike", "steps")
STEP = {"after": "time", "perSecond": "number"}


def traffic(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if subresource:
        return
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        causes.required("spec")
        return
    causes.found += simulator.check_object(
        {name: value for name, value in spec.items() if FIELDS.get(name) != "object"},
        {name: sort for name, sort in FIELDS.items() if sort != "object"}
        | {name: "list" for name in ("target", "from", "rate")},
        "spec",
    )
    if spec.get("duration") in (0, "0", "0s"):
        causes.invalid("spec.duration", spec["duration"], "must be greater than 0")
    _target(causes, spec.get("target"))
    _source(causes, spec.get("from"))
    _rate(causes, spec.get("rate"))


def _target(causes: Causes, target: Any) -> None:
    if target is None:
        causes.required("spec.target")
        return
    given = [name for name in ("url", *TARGETS) if isinstance(target, dict) and name in target]
    if len(given) != 1 or len(target) != 1:
        causes.invalid("spec.target", target, "must have exactly one of url, service, ingress, nodePort")
    elif given == ["url"]:
        url = target["url"]
        if not isinstance(url, str) or not url.partition("://")[2 if "://" in url else 0].strip("/"):
            causes.invalid("spec.target.url", url, "must be a URL")
        elif "://" in url and url.partition("://")[0] not in ("http", "https"):
            causes.invalid("spec.target.url", url, "must be of the scheme http or https")
    else:
        fields, required = TARGETS[given[0]]
        causes.found += simulator.check_object(target[given[0]], fields, f"spec.target.{given[0]}", required)


def _source(causes: Causes, given: Any) -> None:
    if given in (None, "outside", "inside"):
        return
    if not isinstance(given, dict) or set(given) != {"podSelector"}:
        causes.invalid("spec.from", given, "must be outside, inside, or have a podSelector")
        return
    causes.found += simulator.check_object(given, {"podSelector": "selector"}, "spec.from")


def _rate(causes: Causes, rate: Any) -> None:
    if rate is None:
        causes.required("spec.rate")
        return
    if not isinstance(rate, dict):
        causes.found += simulator.check_object({"rate": rate}, {"rate": "number"}, "spec")
        return
    if len(rate) != 1 or next(iter(rate)) not in SORTS:
        causes.invalid("spec.rate", rate, f"must be a number, or have exactly one of {', '.join(SORTS)}")
        return
    (sort, spec), where = next(iter(rate.items())), f"spec.rate.{next(iter(rate))}"
    if sort == "constant":
        causes.found += simulator.check_object(rate, {"constant": "number"}, "spec.rate")
    elif sort == "steps":
        if not isinstance(spec, list) or not spec:
            causes.invalid(where, spec, "must be a list with at least one entry")
            return
        for index, entry in enumerate(spec):
            causes.found += simulator.check_object(entry, STEP, f"{where}[{index}]", ("perSecond",))
    else:
        fields, required = RATES[sort]
        before = len(causes)
        causes.found += simulator.check_object(spec, fields, where, required)
        if sort == "sine" and len(causes) == before and spec["amplitude"] > spec["mean"]:
            causes.invalid(f"{where}.amplitude", spec["amplitude"], "must not be greater than the mean")
