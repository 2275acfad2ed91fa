"""The simulator's own kinds: values that no schema can describe, and what contradicts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.api import simulator
from minikube_py.api.validation import traffic as traffics
from minikube_py.api.validation.causes import NEGATIVE, Causes
from minikube_py.base import quantity, selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object

# What the types of Faults are about: at least one of these fields has to say where.
_PLACES = {
    "NodeDown": ("node", "nodeSelector"),
    "ZoneDown": ("zone",),
    "KubeletStopped": ("node", "zone", "nodeSelector"),
    "PodKilled": ("selector", "namespace", "image", "node", "zone", "nodeSelector"),
    "PullFailing": ("image", "node", "zone", "nodeSelector", "namespace", "selector"),
    "SlowStart": ("image", "node", "zone", "nodeSelector", "namespace", "selector"),
    "MemoryLeak": ("image", "node", "zone", "nodeSelector", "namespace", "selector"),
    "DiskPressure": ("node", "zone", "nodeSelector"),
    "MemoryPressure": ("node", "zone", "nodeSelector"),
    "PIDPressure": ("node", "zone", "nodeSelector"),
    "BootFailing": ("group",),
}
_OF_PODS = ("namespace", "selector", "image")


def program(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if not _shape(causes, "Program", obj):
        return
    spec: Object = obj["spec"]
    for name in ("image", "container"):
        if (spec.get("match") or {}).get(name) == "":
            causes.invalid(f"spec.match.{name}", "", "matches no container; leave it out to match every one")
    if (spec.get("sigterm") or {}).get("ignore"):
        for name in ("after", "code"):
            if name in spec["sigterm"]:
                causes.forbidden(f"spec.sigterm.{name}", "may not be set when `ignore` is true")
    if (spec.get("create") or {}).get("reason") and not spec["create"].get("error"):
        causes.required("spec.create.error", "what the runtime says, beside `reason`")
    if (spec.get("create") or {}).get("error"):
        for name in ("start", "exit"):
            if spec.get(name):
                causes.forbidden(
                    f"spec.{name}", "may not be set for a container that `create.error` keeps from starting"
                )
    for name, answers in (
        ("http", ("status",)),
        ("tcp", ("open",)),
        ("grpc", ("status",)),
        ("exec", ("code", "output")),
    ):
        for index, rule in enumerate(spec.get(name) or ()):
            _rule(causes, rule, f"spec.{name}[{index}]", answers, spec.get("ports"))
    for index, rule in enumerate(spec.get("http") or ()):
        for where, entry in _answers(rule, f"spec.http[{index}]"):
            if 0 < entry.get("status", 200) < 100:
                causes.invalid(
                    f"{where}.status", entry["status"], "must be 0 (no answer in time) or between 100 and 599"
                )
    for name in ("cpu", "memory", "disk"):
        if isinstance(spec.get(name), list):
            _distinct(causes, spec[name], f"spec.{name}")


def _rule(causes: Causes, rule: Object, path: str, answers: tuple[str, ...], ports: list[int] | None) -> None:
    """One rule answers at once or over time, at a port where the program listens."""
    if "over" in rule:
        for name in (*answers, "after"):
            if name in rule:
                causes.forbidden(f"{path}.{name}", "may not be set beside `over`")
        _distinct(causes, rule["over"], f"{path}.over")
    if ports and rule.get("port") and rule["port"] not in ports:
        causes.invalid(f"{path}.port", rule["port"], "is not among spec.ports, where the program listens")


def _answers(rule: Object, path: str) -> list[tuple[str, Object]]:
    if "over" in rule:
        return [(f"{path}.over[{index}]", entry) for index, entry in enumerate(rule["over"])]
    return [(path, rule)]


def _distinct(causes: Causes, entries: list[Object], path: str) -> None:
    """Of two entries for the same second neither would count more."""
    seen = set()
    for index, entry in enumerate(entries):
        second = simulator.time_s(entry.get("after", 0))
        if second in seen:
            causes.duplicate(f"{path}[{index}].after", entry.get("after", 0))
        seen.add(second)


def fault(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if not _shape(causes, "Fault", obj):
        return
    spec: Object = obj["spec"]
    sort = spec["type"]
    places = _PLACES[sort]
    if not any(spec.get(name) for name in places):
        causes.required(f"spec.{places[0]}", f"a Fault of type {sort} says where: one of {', '.join(places)}")
    for name in ("node", "zone", "nodeSelector", "group", *_OF_PODS):
        if spec.get(name) and name not in places:
            causes.forbidden(f"spec.{name}", f"may not be set for type {sort}")
    if "delay" in spec and sort != "SlowStart":
        causes.forbidden("spec.delay", "may only be set for type SlowStart")
    if sort == "SlowStart" and "delay" not in spec:
        causes.required("spec.delay", "how much later containers start")
    if "perMinute" in spec and sort != "MemoryLeak":
        causes.forbidden("spec.perMinute", "may only be set for type MemoryLeak")
    if sort == "MemoryLeak" and not quantity.milli(spec.get("perMinute", "0")):
        causes.required("spec.perMinute", "how much memory is lost each minute")
    if "message" in spec and sort != "PullFailing":
        causes.forbidden("spec.message", "may only be set for type PullFailing")
    if "for" in spec and simulator.time_s(spec["for"]) == 0:
        causes.invalid("spec.for", spec["for"], "must be greater than zero")
    if old is not None and old["spec"].get("type") != sort:
        causes.immutable("spec.type", sort, old["spec"].get("type"))


def node_group(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if not _shape(causes, "NodeGroup", obj):
        return
    spec: Object = obj["spec"]
    if "maximum" in spec and spec["maximum"] < spec.get("minimum", 0):
        causes.invalid("spec.maximum", spec["maximum"], "must be greater than or equal to spec.minimum")


def traffic(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if _shape(causes, "Traffic", obj):
        traffics.target(causes, obj["spec"])


def metric_series(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if not _shape(causes, "MetricSeries", obj):
        return
    spec: Object = obj["spec"]
    sort = spec["type"]
    if not spec["metric"]:
        causes.required("spec.metric", "the name of the metric")
    if sort == "Object" and not spec.get("object"):
        causes.required("spec.object", "whose metric it is")
    for name, kind in (("selector", "Pods"), ("shared", "Pods"), ("object", "Object")):
        if name in spec and sort != kind:
            causes.forbidden(f"spec.{name}", f"may only be set for type {kind}")
    if isinstance(spec["value"], list):
        if not spec["value"]:
            causes.required("spec.value", "one quantity or a list of {after, value}")
        _distinct(causes, spec["value"], "spec.value")


def webhook_stub(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    if not _shape(causes, "WebhookStub", obj):
        return
    spec: Object = obj["spec"]
    allowed = spec.get("allowed", True)
    for name in ("message", "reason", "code"):
        if allowed and name in spec:
            causes.forbidden(f"spec.{name}", "may only be set for requests that are refused")
    if not allowed and "patch" in spec:
        causes.forbidden("spec.patch", "may only be set for requests that are allowed")


def _patch(value: Any) -> str:
    """A mapping to be merged, or the operations of a JSON patch."""
    if isinstance(value, dict):
        return ""
    if not isinstance(value, list) or not all(isinstance(one, dict) and "op" in one and "path" in one for one in value):
        return "must be a mapping to be merged, or a list of operations with op and path"
    return ""


def _shape(causes: Causes, kind: str, obj: Object) -> bool:
    """Whether schema and values are right; only then it makes sense to look for contradictions."""
    from minikube_py.api.validation import custom

    before = len(causes)
    schema = simulator.schema(kind)
    custom.against(causes, obj, schema)
    if len(causes) == before:
        _values(causes, obj["spec"], schema["properties"]["spec"], "spec")
    return len(causes) == before


def _values(causes: Causes, value: Any, schema: Object, path: str) -> None:
    """What is marked `x-kpy`, wherever it stands."""
    sort = schema.get("x-kpy")
    if sort is not None:
        problem = _problem(sort, value)
        if problem:
            causes.invalid(path, value, problem)
            return
    if isinstance(value, list):
        for index, item in enumerate(value):
            _values(causes, item, schema.get("items") or {}, f"{path}[{index}]")
    elif isinstance(value, dict):
        properties: Object = schema.get("properties") or {}
        others: Object = schema.get("additionalProperties") or {}
        for name, item in value.items():
            _values(causes, item, properties.get(name, others), f"{path}.{name}")


def _problem(sort: str, value: Any) -> str:
    try:
        return _CHECKS[sort](value)
    except (ValueError, TypeError) as error:
        return str(error)


def _time(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "must be a number of seconds or a duration such as 1m30s"
    return "" if simulator.time_s(value) >= 0 else NEGATIVE


def _quantity(value: Any) -> str:
    if isinstance(value, (bool, dict, list)):
        return "must be a quantity"
    return "" if quantity.milli(value) >= 0 else NEGATIVE


def _course(value: Any) -> str:
    if isinstance(value, dict):
        return "must be a quantity or a list of {after, value}"
    return "" if isinstance(value, list) else _quantity(value)


def _selector(value: Any) -> str:
    selector.from_label_selector(value)
    return ""


_CHECKS: dict[str, Callable[[Any], str]] = {
    "time": _time,
    "quantity": _quantity,
    "course": _course,
    "selector": _selector,
    "rate": traffics.rate_problem,
    "source": traffics.source_problem,
    "patch": _patch,
}
