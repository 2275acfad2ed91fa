"""How fast a program answers, and how many requests a second it bears, with the CPU that its container may use.

A container that wants more CPU than its limit gets its turn later (CFS quota): what takes 20 ms of a whole core takes 200 ms
at a limit of 100m. Example: `requests: {cpu: 20m, latency: 30ms, perSecond: 100}` under a limit of 500m, of which the
program itself takes 100m: one request takes max(30 ms, 20 / 500 s) = 40 ms, and (500 - 100) / 20 = 20 are borne a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from minikube_py.base import quantity
from minikube_py.programs.behaviour import at

if TYPE_CHECKING:
    from minikube_py.api.types import Object
    from minikube_py.programs.behaviour import Behaviour

LATENCY_S = 0.005  # of a program that does not say
LEAST_SHARE = 10  # a program that takes all its CPU itself leaves a tenth of it to requests


class Speed(NamedTuple):
    """`per_second`: how many requests it bears; 0: any number."""

    latency_s: float
    per_second: int


def speed(program: Behaviour, container: Object, second: int) -> Speed:
    """What requests meet at a second of the container's run."""
    latency_s, per_second = _latency_s(program), int((program.requests or {}).get("perSecond") or 0)
    limit = ((container.get("resources") or {}).get("limits") or {}).get("cpu")
    if limit is None or not quantity.milli(limit):
        return Speed(latency_s, per_second)
    limit_m, own_m = quantity.milli(limit), int(at(program.cpu_m, second) or 0)
    if own_m > limit_m:
        latency_s, per_second = latency_s * own_m / limit_m, per_second and max(per_second * limit_m // own_m, 1)
    cost_m = quantity.milli((program.requests or {}).get("cpu") or "0")
    if cost_m:
        borne = max(max(limit_m - own_m, limit_m // LEAST_SHARE) // cost_m, 1)
        latency_s = max(latency_s, cost_m / limit_m)
        per_second = min(per_second, borne) if per_second else borne
    return Speed(latency_s, per_second)


def changes(program: Behaviour, container: Object) -> tuple[int, ...]:
    """Seconds at which the speed may be another one."""
    limit = ((container.get("resources") or {}).get("limits") or {}).get("cpu")
    return () if limit is None else tuple(since for since, _ in program.cpu_m)


def _latency_s(program: Behaviour) -> float:
    told = (program.requests or {}).get("latency")
    if told is None:
        return LATENCY_S
    if isinstance(told, (int, float)):
        return float(told)
    from minikube_py.base import duration

    return float(told) if told.isdigit() else duration.parse_go(told)
