"""The counts of a Traffic: what a stretch of time adds to its status.

    requests, errors: how many in all; causes: {refused: 3, ...}; statuses: {'200': 997}
    pods: {namespace/name: [requests, errors]}; versions: {1.27: [requests, errors]} by the tag of the image that answered
    latency: {p50, p95, p99} of what was answered, from `histogram`, which counts by upper bounds (`latency.BOUNDS`)
    timeline: [[from, to, requests, errors, pods that answer, {version: requests}, {cause: errors}], ...], at most
    `POINTS_MAX` points: with more, neighbours are put together

Requests are whole: the integral of the rate is cut off at each change, and shared out so that every share is off by less
than one request, in turn by who is first.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from minikube_py.base import clock as time
from minikube_py.network import latency, rates

if TYPE_CHECKING:
    from minikube_py.api.types import Object

POINTS_MAX = 120
PODS_MAX = 200
SLICES_MAX = 32  # of a stretch in which the rate moves: each is taken as constant for queues
GONE = "(gone)"


def fresh(generation: int, now_s: int) -> Object:
    return {
        "observedGeneration": generation,
        "observedTime": time.timestamp(now_s),
        "requests": 0,
        "errors": 0,
        "causes": {},
        "statuses": {},
        "pods": {},
        "versions": {},
        "latency": {},
        "histogram": {},
        "timeline": [],
    }


def advance(old: Object, memory: Object, generation: int, now_s: int) -> Object:
    """The status at `now_s`: `old` and what came since by the remembered picture; `old` may have been advanced before."""
    base = old if "requests" in old else {**old, **fresh(generation, now_s)}
    start, end = memory["since"], now_s
    if base is old:
        start = max(start, time.seconds(old["observedTime"]))
    if memory["ends"]:
        end = min(end, memory["ends"])
    new = {**base, "observedGeneration": generation, "observedTime": time.timestamp(now_s)}
    if end <= start or not memory["picture"]:
        return new
    count = _Count(base)
    for left, right in _slices(memory, start, end):
        number = _whole(memory, right) - _whole(memory, left)
        count.add(memory["picture"], number, number / (right - left))
    return {**new, **count.result(base, start, end, memory)}


def _whole(memory: Object, at_s: int) -> int:
    """Whole requests from the origin of the rate to a second."""
    return int(rates.total(memory["spec"]["rate"], at_s - memory["origin"]) + 1e-6)


def _slices(memory: Object, start: int, end: int) -> list[tuple[int, int]]:
    """The stretch, cut where the rate jumps, and evenly where it moves and pods have a limit."""
    rate, origin = memory["spec"]["rate"], memory["origin"]
    cuts, at_s = [start], start
    while (change := rates.next_change(rate, at_s - origin)) is not None and origin + change < end:
        at_s = origin + change
        cuts.append(at_s)
    cuts.append(end)
    found: list[tuple[int, int]] = []
    moves = not rates.is_flat(rate) and any(one["capacity"] for one in memory["picture"])
    for left, right in pairwise(cuts):
        parts = min(SLICES_MAX, right - left) if moves else 1
        edges = [left + (right - left) * index // parts for index in range(parts + 1)]
        found += list(pairwise(edges))
    return found


def share_out(number: int, shares: list[float], first: int) -> list[int]:
    """Whole numbers that add up to `number`, each within one of its share; `first` is who is served first.

    10 among three equal shares, first 0: [3, 4, 3]; each is at most 2/3 off.
    """
    total, found = sum(shares) or 1, [0] * len(shares)
    passed, done = 0.0, 0
    for index in range(len(shares)):
        at = (first + index) % len(shares)
        passed += shares[at]
        reached = round(number * passed / total)
        found[at] = reached - done
        done = reached
    return found


class _Count:
    """What is added to a status; begun from copies of its counts."""

    def __init__(self, base: Object) -> None:
        self.requests = self.errors = 0
        self.before = base["requests"]
        self.causes, self.statuses = dict(base["causes"]), dict(base["statuses"])
        self.pods = {name: list(one) for name, one in base["pods"].items()}
        self.versions = {name: list(one) for name, one in base["versions"].items()}
        self.histogram = latency.read(base["histogram"])
        self.by_version: dict[str, int] = {}
        self.by_cause: dict[str, int] = {}

    def add(self, picture: list[Object], number: int, rate: float) -> None:
        """`number` requests that come at `rate` a second, shared out among the groups of a picture."""
        parts = share_out(number, [one["share"] for one in picture], self.before % len(picture))
        self.before += number
        for one, part in zip(picture, parts, strict=True):
            failed, own_rate = 0, rate * one["share"]
            if one["cause"]:
                failed = part
                self._fail(one["cause"], part)
            else:
                failed = round(part * latency.overload(own_rate, one["capacity"]))
                self._fail("overload", failed)
                latency.count(self.histogram, part - failed, one["latency"], own_rate, one["capacity"])
            if one["status"] and part - failed * (not one["cause"]):
                self._more(self.statuses, str(one["status"]), part - failed * (not one["cause"]))
            self.requests += part
            self.errors += failed
            for counts, name in ((self.pods, one["pod"]), (self.versions, one["version"])):
                if name and part:
                    entry = counts.setdefault(name, [0, 0])
                    entry[0] += part
                    entry[1] += failed
            if part and one["version"]:
                self._more(self.by_version, one["version"], part)

    def _fail(self, cause: str, number: int) -> None:
        if number:
            self._more(self.causes, cause, number)
            self._more(self.by_cause, cause, number)

    @staticmethod
    def _more(counts: dict[str, int], name: str, number: int) -> None:
        counts[name] = counts.get(name, 0) + number

    def result(self, base: Object, start: int, end: int, memory: Object) -> Object:
        answering = len({one["pod"] for one in memory["picture"] if one["pod"] and not one["cause"]})
        point = [start, end, self.requests, self.errors, answering, self.by_version, self.by_cause]
        quantiles = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        return {
            "requests": base["requests"] + self.requests,
            "errors": base["errors"] + self.errors,
            "causes": self.causes,
            "statuses": self.statuses,
            "pods": _bounded(self.pods, {one["pod"] for one in memory["picture"]}),
            "versions": self.versions,
            "latency": {
                name: latency.shown(latency.quantile(self.histogram, share)) for name, share in quantiles.items()
            },
            "histogram": latency.stored(self.histogram),
            "timeline": _shortened([*base["timeline"], point]),
        }


def _bounded(pods: dict[str, list[int]], current: set[str]) -> dict[str, list[int]]:
    """With too many pods, those that are gone are counted together."""
    if len(pods) <= PODS_MAX:
        return pods
    kept = {name: one for name, one in pods.items() if name in current}
    gone = [one for name, one in pods.items() if name not in current]
    return {GONE: [sum(one[0] for one in gone), sum(one[1] for one in gone)], **kept}


def _shortened(points: list[list[Any]]) -> list[list[Any]]:
    """At most POINTS_MAX points: each two neighbours become one when there are more."""
    if len(points) <= POINTS_MAX:
        return points
    pairs = [points[index : index + 2] for index in range(0, len(points), 2)]
    return [pair[0] if len(pair) == 1 else _joined(*pair) for pair in pairs]


def _joined(one: list[Any], other: list[Any]) -> list[Any]:
    merged = [_sum(one[index], other[index]) for index in (5, 6)]
    return [one[0], other[1], one[2] + other[2], one[3] + other[3], other[4], *merged]


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {
        name: one.get(name, 0) + other.get(name, 0) for name in [*one, *(name for name in other if name not in one)]
    }


def pieces(status: Object, memory: Object, parts_max: int = SLICES_MAX) -> list[list[Any]]:
    """The timeline for drawing: points in which the rate moves are cut into `parts_max`, each with its share of all counts."""
    spec, found = memory.get("spec"), []
    for point in status.get("timeline") or ():
        start, end = point[0], point[1]
        if spec is None or start < memory["origin"] or (rates.is_flat(spec["rate"]) and not _jumps(memory, start, end)):
            found.append(point)
            continue
        whole = rates.total(spec["rate"], end - memory["origin"]) - rates.total(spec["rate"], start - memory["origin"])
        parts = min(parts_max, end - start)
        edges = [start + (end - start) * index // parts for index in range(parts + 1)]
        for left, right in pairwise(edges):
            part = rates.total(spec["rate"], right - memory["origin"]) - rates.total(
                spec["rate"], left - memory["origin"]
            )
            share = part / whole if whole else 0.0
            scaled = [{name: count * share for name, count in point[index].items()} for index in (5, 6)]
            found.append([left, right, point[2] * share, point[3] * share, point[4], *scaled])
    return found


def _jumps(memory: Object, start: int, end: int) -> bool:
    change = rates.next_change(memory["spec"]["rate"], start - memory["origin"])
    return change is not None and memory["origin"] + change < end
