"""The simulator's own kinds: Program (its fields are told in `programs/program.py`) and Fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minikube_py.base import duration, quantity, selector
from minikube_py.base.errors import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from minikube_py.api.types import Object
    from minikube_py.api.validation.causes import Causes

FIELDS = (
    "match", "pull", "create", "start", "ports", "http", "tcp", "grpc", "exec", "exit", "sigterm", "cpu", "memory",
    "requests", "logs",
)  # fmt: skip
# Fields of each part: name -> sort of value.
PARTS: dict[str, dict[str, str]] = {
    "match": {"image": "text", "container": "text", "selector": "selector"},
    "pull": {"after": "time", "error": "text", "sizeBytes": "count"},
    "create": {"after": "time", "error": "text"},
    "start": {"after": "time"},
    "exit": {"after": "time", "code": "code", "message": "text"},
    "sigterm": {"after": "time", "code": "code", "ignore": "bool"},
    "requests": {"cpu": "quantity", "memory": "quantity", "latency": "time", "perSecond": "count"},
}
# Fields of the rules of each list, and of the entries of their `over`.
RULES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "http": ({"path": "text", "port": "port"}, {"after": "time", "status": "status"}),
    "tcp": ({"port": "port"}, {"after": "time", "open": "bool"}),
    "grpc": ({"service": "text", "port": "port"}, {"after": "time", "status": "serving"}),
    "exec": ({"command": "text"}, {"after": "time", "code": "code", "output": "text"}),
}


FAULTS = ("NodeDown",)


def program(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """A Program; its status is nobody's affair yet."""
    if not subresource:
        causes.found += findings(obj)


def fault(causes: Causes, obj: Object, old: Object | None, subresource: str) -> None:
    """A Fault: `spec: {type: NodeDown, node: worker-1}`."""
    if subresource:
        return
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        causes.required("spec")
        return
    if not spec.get("type"):
        causes.required("spec.type")
    elif spec["type"] not in FAULTS:
        causes.not_supported("spec.type", spec["type"], FAULTS)
    if not spec.get("node"):
        causes.required("spec.node")
    elif not isinstance(spec["node"], str):
        causes.invalid("spec.node", spec["node"], "must be a string")


def time_s(value: Any) -> int:
    """Whole seconds of 90, '90', '90s' or '1m30s'; a fraction counts as a whole one. Raises ValueError."""
    if isinstance(value, str):
        if value.isdigit():
            return int(value)
        return -int(-duration.parse_go(value) // 1)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"not a time: {value!r}")
    return -int(-value // 1)


def findings(obj: Object) -> list[Cause]:
    """What is wrong with the spec of a Program, in the manner of the API server."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return [Cause("spec", "FieldValueRequired", "Required value")]
    causes = [_unknown(f"spec.{name}", FIELDS) for name in spec if name not in FIELDS]
    for name, fields in PARTS.items():
        if name in spec:
            causes += check_object(spec[name], fields, f"spec.{name}")
    for name, (fields, entries) in RULES.items():
        for index, rule in _listed(spec.get(name), f"spec.{name}", causes):
            where = f"spec.{name}[{index}]"
            inner = {**fields, "over": "list", **entries}
            causes += check_object(rule, inner, where)
            if isinstance(rule, dict):
                for number, entry in _listed(rule.get("over"), f"{where}.over", causes):
                    causes += check_object(entry, entries, f"{where}.over[{number}]")
    for index, port in _listed(spec.get("ports"), "spec.ports", causes):
        causes += _check(port, "port", f"spec.ports[{index}]")
    for name in ("cpu", "memory"):
        if isinstance(spec.get(name), list):
            for index, entry in enumerate(spec[name]):
                causes += check_object(
                    entry, {"after": "time", "value": "quantity"}, f"spec.{name}[{index}]", ("value",)
                )
        elif name in spec:
            causes += _check(spec[name], "quantity", f"spec.{name}")
    for index, entry in _listed(spec.get("logs"), "spec.logs", causes):
        causes += check_object(entry, {"after": "time", "text": "text"}, f"spec.logs[{index}]")
    return causes


def _listed(value: Any, where: str, causes: list[Cause]) -> list[tuple[int, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        causes.append(_invalid(where, value, "must be a list"))
        return []
    return list(enumerate(value))


def check_object(value: Any, fields: dict[str, str], where: str, required: tuple[str, ...] = ()) -> list[Cause]:
    """What is wrong with an object whose fields have these sorts (`_CHECKS`)."""
    if value is None:
        return []
    if not isinstance(value, dict):
        return [_invalid(where, value, "must be an object")]
    causes = [_unknown(f"{where}.{name}", tuple(fields)) for name in value if name not in fields]
    causes += [
        Cause(f"{where}.{name}", "FieldValueRequired", "Required value") for name in required if name not in value
    ]
    for name, sort in fields.items():
        if name in value:
            causes += _check(value[name], sort, f"{where}.{name}")
    return causes


def _check(value: Any, sort: str, where: str) -> list[Cause]:
    try:
        problem = _CHECKS[sort](value)
    except (ValueError, TypeError) as error:
        problem = str(error)
    return [_invalid(where, value, problem)] if problem else []


def _is_int(value: Any, low: int, high: int) -> str:
    is_good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    return "" if is_good else f"must be between {low} and {high}, inclusive"


def _is_number(value: Any) -> str:
    is_good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e12
    return "" if is_good else "must be a number that is not negative"


def _is_time(value: Any) -> str:
    return "" if time_s(value) >= 0 else "must be greater than or equal to 0"


def _is_quantity(value: Any) -> str:
    return "" if quantity.milli(value) >= 0 else "must be greater than or equal to 0"


def _is_selector(value: Any) -> str:
    selector.from_label_selector(value)
    return ""


_CHECKS: dict[str, Callable[[Any], str]] = {
    "text": lambda value: "" if isinstance(value, str) else "must be a string",
    "bool": lambda value: "" if isinstance(value, bool) else "must be true or false",
    "list": lambda value: "",  # its entries are looked at one by one
    "time": _is_time,
    "quantity": _is_quantity,
    "selector": _is_selector,
    "port": lambda value: _is_int(value, 1, 65535),
    "code": lambda value: _is_int(value, 0, 255),
    "number": _is_number,
    "count": lambda value: _is_int(value, 0, 1 << 53),
    "status": lambda value: "" if value == 0 else _is_int(value, 100, 599),
    "serving": lambda value: "" if value in ("SERVING", "NOT_SERVING") else "must be SERVING or NOT_SERVING",
}


def _invalid(where: str, value: Any, problem: str) -> Cause:
    import json

    return Cause(where, "FieldValueInvalid", f"Invalid value: {json.dumps(value, sort_keys=True)}: {problem}")


def _unknown(where: str, known: tuple[str, ...]) -> Cause:
    name = where.rpartition(".")[2]
    return Cause(
        where,
        "FieldValueNotSupported",
        f'Unsupported value: "{name}": supported values: ' + ", ".join(f'"{one}"' for one in sorted(known)),
    )
