"""How long answers take: a pod as a queue, and latencies of many requests as a histogram.

A pod that bears mu requests a second and gets lambda of them is a queue with one server (M/M/1): a request waits longer
than t with probability rho * exp(-(mu - lambda) * t), rho = lambda / mu, and then takes the program's own latency. Where
more come than it bears, what is too much waits until the client gives up. Example: latency 20 ms, mu 100/s, lambda 90/s:
half of the requests wait longer than ln(0.9 / 0.5) / 10 = 59 ms, so the median is 79 ms.
"""

from __future__ import annotations

import math
from bisect import bisect_left

# Upper bounds of the buckets in seconds: 1 ms to 100 s, 16 for each factor of ten; the last one has no bound.
BOUNDS = tuple(0.001 * 10 ** (index / 16) for index in range(81))
HEADROOM = 0.001  # of the capacity: a queue that is exactly full would grow for ever


def overload(rate: float, capacity: int) -> float:
    """The share of requests that a pod cannot bear. 150/s at 100/s: a third."""
    return 0.0 if not capacity or rate <= capacity else 1 - capacity / rate


def below(seconds: float, latency_s: float, rate: float, capacity: int) -> float:
    """The share of answers that take at most `seconds`."""
    if seconds < latency_s:
        return 0.0
    if not capacity:
        return 1.0
    rate = min(rate, capacity * (1 - HEADROOM))
    return 1 - rate / capacity * math.exp(-(capacity - rate) * (seconds - latency_s))


def count(histogram: list[int], requests: int, latency_s: float, rate: float, capacity: int) -> None:
    """Add answers to a histogram of len(BOUNDS) + 1 buckets; whole numbers that add up to `requests`."""
    done = 0
    for index in range(bisect_left(BOUNDS, latency_s), len(BOUNDS)):  # nothing is faster than the program itself
        reached = round(requests * below(BOUNDS[index], latency_s, rate, capacity))
        histogram[index] += reached - done
        done = reached
        if done == requests:
            return
    histogram[-1] += requests - done


def quantile(histogram: list[int], share: float) -> float:
    """The latency in seconds that a share of the answers stays within, between the bounds of its bucket; 0 of none.

    A bucket's answers count as lying evenly between its bounds.
    """
    wanted = sum(histogram) * share
    if not wanted:
        return 0.0
    passed = 0
    for index, number in enumerate(histogram):
        if number and passed + number >= wanted:
            low = BOUNDS[index - 1] if index else 0.0
            high = BOUNDS[index] if index < len(BOUNDS) else BOUNDS[-1]
            return low + (high - low) * (wanted - passed) / number
        passed += number
    return BOUNDS[-1]


def stored(histogram: list[int]) -> dict[str, int]:
    """A histogram for a status: {upper bound of a bucket: count} of the buckets that are not empty."""
    return {NAMES[index]: count for index, count in enumerate(histogram) if count}


def read(counts: dict[str, int]) -> list[int]:
    return [counts.get(name, 0) for name in NAMES]


def shown(seconds: float) -> str:
    """'5.2ms', '1.30s'."""
    if not seconds:
        return "0ms"
    return f"{seconds * 1000:.3g}ms" if seconds < 1 else f"{seconds:.3g}s"


NAMES = (*(shown(bound) for bound in BOUNDS), "more")  # of the buckets
