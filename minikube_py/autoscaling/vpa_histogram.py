"""Decaying histograms: samples in buckets that grow by 5 %, a sample's weight halves every day.

Bucket b begins at first * (1.05^b - 1) / 0.05: for cpu (first 0.01 cores) at 0, 0.01, 0.0205, 0.0315, ... up to 1000 cores in 176
buckets. Instead of making old samples lighter, new ones are heavier: 2^((time - reference) / half-life); the reference is a
whole number of half-lives since the year 1, and is moved when weights become too large.
Sources: vertical-pod-autoscaler/pkg/recommender/util/{histogram,decaying_histogram,histogram_options}.go.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from minikube_py.api.types import Object

GROWTH = 1.0 + 0.05
EPSILON = 0.001 * 0.1
EXPONENT_MAX = 100
YEAR_ONE_S = 62_135_596_800  # from there to 1970
WEIGHT_MAX = 10_000  # of a bucket in a checkpoint


class Scheme(NamedTuple):
    """Buckets: the width of the first, and how many there are (the last one has no end)."""

    first: float
    size: int

    def bucket(self, value: float) -> int:
        if value < self.first:
            return 0
        found = int(math.log(value * (GROWTH - 1) / self.first + 1) / math.log(GROWTH))
        return min(found, self.size - 1)

    def start(self, bucket: int) -> float:
        return 0.0 if bucket == 0 else self.first * (GROWTH**bucket - 1) / (GROWTH - 1)


def _scheme(first: float, most: float) -> Scheme:
    return Scheme(first, math.ceil(math.log(most * (GROWTH - 1) / first + 1) / math.log(GROWTH)) + 1)


CPU = _scheme(0.01, 1000.0)  # cores
MEMORY = _scheme(1e7, 1e12)  # bytes


class Histogram:
    """`reference_s` None: no sample yet. Changed in place; `stored` and `load` carry it through memory."""

    __slots__ = ("half_life_s", "reference_s", "scheme", "total", "weights")

    def __init__(self, scheme: Scheme, half_life_s: int) -> None:
        self.scheme, self.half_life_s = scheme, half_life_s
        self.reference_s: int | None = None
        self.total = 0.0
        self.weights: dict[int, float] = {}

    def add(self, value: float, weight: float, at_s: int, times: int = 1) -> None:
        weight *= self._factor(at_s)
        bucket = self.scheme.bucket(value)
        inside, total = self.weights.get(bucket, 0.0), self.total
        for _ in range(times):  # not times * weight, which rounds otherwise
            inside += weight
            total += weight
        self.weights[bucket], self.total = inside, total

    def subtract(self, value: float, weight: float, at_s: int) -> None:
        weight *= self._factor(at_s)
        bucket = self.scheme.bucket(value)
        self.total = _less(self.total, weight)
        self.weights[bucket] = _less(self.weights.get(bucket, 0.0), weight)

    def merge(self, other: Histogram) -> None:
        if other.reference_s is None:
            return
        if self.reference_s is None or self.reference_s < other.reference_s:
            self._shift(other.reference_s)
        elif other.reference_s < self.reference_s:
            other._shift(self.reference_s)
        for bucket, weight in other.weights.items():
            self.weights[bucket] = self.weights.get(bucket, 0.0) + weight
        self.total += other.total

    def copy(self) -> Histogram:
        found = Histogram(self.scheme, self.half_life_s)
        found.reference_s, found.total, found.weights = self.reference_s, self.total, dict(self.weights)
        return found

    def percentile(self, share: float) -> float:
        """The end of the bucket in which that share of the weight is reached; 0 without samples.

        Buckets of 3, 5 and 2: half of the weight (5) is reached in the second.
        """
        filled = sorted(bucket for bucket, weight in self.weights.items() if weight >= EPSILON)
        if not filled:
            return 0.0
        least, most = filled[0], filled[-1]
        threshold, reached, found = share * self.total, 0.0, most
        for bucket in sorted(self.weights):
            if least <= bucket < most:
                reached += self.weights[bucket]
                if reached >= threshold:
                    found = bucket
                    break
        return self.scheme.start(min(found + 1, self.scheme.size - 1))

    def _factor(self, at_s: int) -> float:
        reference_s = self.reference_s
        if reference_s is None or at_s > reference_s + self.half_life_s * EXPONENT_MAX:
            reference_s = self._shift(at_s)
        return float(2.0 ** ((at_s - reference_s) / self.half_life_s))

    def _shift(self, to_s: int) -> int:
        """Move the reference to the nearest whole half-life, and make what is there lighter by as much."""
        half = self.half_life_s
        new_s = (to_s + YEAR_ONE_S + half // 2) // half * half - YEAR_ONE_S
        if self.reference_s is not None:
            factor = 2.0 ** math.floor((self.reference_s - new_s) / half + 0.5)
            self.weights = {bucket: weight * factor for bucket, weight in self.weights.items()}
            self.total *= factor
        self.reference_s = new_s
        return new_s

    # --- as data

    def stored(self) -> Object:
        return {"at": self.reference_s, "total": self.total, "weights": sorted(map(list, self.weights.items()))}

    def checkpoint(self) -> Object:
        """status.cpuHistogram of a checkpoint: whole weights, the heaviest 10000; those near nothing are dropped."""
        from minikube_py.base.clock import timestamp

        if self.reference_s is None:
            return {"referenceTimestamp": None}
        heaviest = max((weight for weight in self.weights.values() if weight >= EPSILON), default=0.0)
        whole = {
            str(bucket): math.floor(self.weights[bucket] * WEIGHT_MAX / heaviest + 0.5)
            for bucket in sorted(self.weights)
            if heaviest
        }
        return {
            "referenceTimestamp": timestamp(self.reference_s),
            "bucketWeights": {bucket: weight for bucket, weight in whole.items() if weight},
            "totalWeight": self.total,
        }


def load(scheme: Scheme, half_life_s: int, stored: Object | None) -> Histogram:
    found = Histogram(scheme, half_life_s)
    if stored is not None:
        found.reference_s, found.total = stored["at"], stored["total"]
        found.weights = dict(stored["weights"])
    return found


def _less(value: float, by: float) -> float:
    value -= by
    return value if value >= EPSILON else 0.0
