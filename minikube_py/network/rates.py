"""How many requests a second a Traffic makes, as curves that can be integrated in closed form.

    rate: 100                                                  # or {constant: 100}
    rate: {ramp: {from: 0, to: 100, over: 5m}}                 # stays at `to`
    rate: {sine: {mean: 100, amplitude: 50, period: 24h}}
    rate: {steps: [{after: 0s, perSecond: 10}, {after: 1m, perSecond: 50}]}
    rate: {spike: {base: 10, peak: 1000, after: 5m, for: 30s}}

Seconds count from the traffic's start (or the last change of its rate).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from minikube_py.api.simulator import time_s
from minikube_py.base.recall import Recall

if TYPE_CHECKING:
    from minikube_py.api.types import Object

_since = itemgetter(0)


def at(rate: Any, second: float) -> float:
    """Requests a second at an instant."""
    sort, spec = _parts(rate)
    if sort == "ramp":
        over = max(time_s(spec["over"]), 1)
        share = min(max(second / over, 0), 1)
        return float(spec["from"] + (spec["to"] - spec["from"]) * share)
    if sort == "sine":
        return float(spec["mean"] + spec["amplitude"] * math.sin(2 * math.pi * second / max(time_s(spec["period"]), 1)))
    levels = _levels(sort, spec)
    position = bisect_right(levels, second, key=_since)
    return levels[position - 1][1] if position else 0.0


def total(rate: Any, until: float) -> float:
    """Requests from second 0 to `until`.

    ramp from 0 to 100 over 10 s: after 4 s at 40/s 80 requests (4 * 40 / 2), after 20 s 500 + 10 * 100 = 1500.
    """
    sort, spec = _parts(rate)
    if until <= 0:
        return 0.0
    if sort == "ramp":
        over = max(time_s(spec["over"]), 1)
        rising = min(until, over)
        slope = (spec["to"] - spec["from"]) / over
        return float(spec["from"] * rising + slope * rising * rising / 2 + spec["to"] * (until - rising))
    if sort == "sine":
        turn = 2 * math.pi / max(time_s(spec["period"]), 1)
        return float(spec["mean"] * until + spec["amplitude"] * (1 - math.cos(turn * until)) / turn)
    levels = _levels(sort, spec)
    found = 0.0
    for index, (since, level) in enumerate(levels):
        if since >= until:
            break
        end = levels[index + 1][0] if index + 1 < len(levels) else until
        found += level * (min(end, until) - since)
    return found


def next_change(rate: Any, second: int) -> int | None:
    """The next second at which the curve jumps or bends; None if it goes on as it does."""
    sort, spec = _parts(rate)
    if sort == "ramp":
        over = time_s(spec["over"])
        return over if second < over else None
    if sort == "sine":
        return None
    return next((since for since, _ in _levels(sort, spec) if since > second), None)


def is_flat(rate: Any) -> bool:
    """Whether the rate is the same between two jumps."""
    return _parts(rate)[0] not in ("ramp", "sine")


def _parts(rate: Any) -> tuple[str, Any]:
    if isinstance(rate, (int, float)):
        return "constant", rate
    sort, spec = next(iter(rate.items()))
    return str(sort), spec


def _levels(sort: str, spec: Any) -> list[tuple[int, float]]:
    """(since, requests a second) of the stepwise curves."""
    if sort == "constant":
        return [(0, float(spec))]
    return _spike(spec) if sort == "spike" else _steps(spec)


def _read_spike(spec: Any) -> list[tuple[int, float]]:
    start = time_s(spec.get("after", 0))
    end = start + time_s(spec["for"])
    levels = [(0, float(spec.get("base", 0))), (start, float(spec["peak"])), (end, float(spec.get("base", 0)))]
    return levels[1:] if start == 0 else levels


def _read_steps(spec: Any) -> list[tuple[int, float]]:
    found = sorted((time_s(one.get("after", 0)), float(one["perSecond"])) for one in spec)
    return found if found and found[0][0] == 0 else [(0, 0.0), *found]


_spike, _steps = Recall(_read_spike, 256), Recall(_read_steps, 256)


def describe(rate: Any) -> str:
    """'100/s', 'ramp from 0 to 100/s over 5m'."""
    sort, spec = _parts(rate)
    if sort == "constant":
        return f"{spec:g}/s"
    texts: dict[str, Any] = {
        "ramp": lambda one: f"ramp from {one['from']:g} to {one['to']:g}/s over {one['over']}",
        "sine": lambda one: f"sine around {one['mean']:g}/s, +-{one['amplitude']:g}, every {one['period']}",
        "steps": lambda one: "steps " + ", ".join(f"{step['perSecond']:g}/s" for step in one),
        "spike": lambda one: f"spike from {one.get('base', 0):g} to {one['peak']:g}/s for {one['for']}",
    }
    return str(texts[sort](spec))


def url_of(target: Object, namespace: str) -> str:
    """The URL that a Traffic's target means: `url`, a Service, an Ingress's host, or a node port."""
    if "url" in target:
        return str(target["url"])
    if "service" in target:
        one = target["service"]
        port = f":{one['port']}" if one.get("port") else ""
        return f"http://{one['name']}.{one.get('namespace') or namespace}.svc.cluster.local{port}{one.get('path', '/')}"
    if "ingress" in target:
        one = target["ingress"]
        return f"{'https' if one.get('tls') else 'http'}://{one['host']}{one.get('path', '/')}"
    one = target["nodePort"]
    return f"http://{one['node']}:{one['port']}{one.get('path', '/')}"
