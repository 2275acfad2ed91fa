"""Curves of requests, latencies of queues, and the sharing out of whole requests."""

from __future__ import annotations

from typing import Any

import pytest

from minikube_py.network import latency, rates, tally

CURVES: list[Any] = [
    100,
    {"constant": 7.5},
    {"ramp": {"from": 0, "to": 100, "over": "10s"}},
    {"ramp": {"from": 50, "to": 10, "over": 60}},
    {"sine": {"mean": 100, "amplitude": 50, "period": "1m"}},
    {"steps": [{"after": "10s", "perSecond": 5}, {"after": "20s", "perSecond": 50}]},
    {"spike": {"base": 1, "peak": 1000, "after": "30s", "for": "5s"}},
    {"spike": {"peak": 20, "for": "5s"}},
]


@pytest.mark.parametrize("rate", CURVES, ids=str)
def test_the_integral_is_that_of_the_curve(rate: Any) -> None:
    width = 0.01
    for until in (0, 1, 9, 25, 34, 100):
        added = sum(rates.at(rate, (index + 0.5) * width) * width for index in range(round(until / width)))
        assert rates.total(rate, until) == pytest.approx(added, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("rate", "second", "expected"),
    [
        (CURVES[0], 0, None),
        (CURVES[2], 0, 10),
        (CURVES[2], 10, None),
        (CURVES[4], 5, None),
        (CURVES[5], 0, 10),
        (CURVES[5], 10, 20),
        (CURVES[5], 20, None),
        (CURVES[6], 0, 30),
        (CURVES[6], 30, 35),
    ],
)
def test_the_next_bend(rate: Any, second: int, expected: int | None) -> None:
    assert rates.next_change(rate, second) == expected


def test_a_ramp_of_the_docstring() -> None:
    rate = {"ramp": {"from": 0, "to": 100, "over": "10s"}}
    assert (rates.total(rate, 4), rates.total(rate, 20)) == (80, 1500)


@pytest.mark.parametrize("number", [0, 1, 2, 7, 10, 1001])
@pytest.mark.parametrize("shares", [[1.0], [1 / 3] * 3, [0.9, 0.1], [0.5, 0.25, 0.125, 0.125]], ids=str)
@pytest.mark.parametrize("first", [0, 1])
def test_shares_are_off_by_less_than_one(number: int, shares: list[float], first: int) -> None:
    found = tally.share_out(number, shares, first % len(shares))
    assert sum(found) == number
    assert all(abs(part - number * share) < 1 for part, share in zip(found, shares, strict=True))


def test_single_requests_go_to_everybody_in_turn() -> None:
    found = [0, 0, 0]
    for before in range(300):
        found = [one + more for one, more in zip(found, tally.share_out(1, [1 / 3] * 3, before % 3), strict=True)]
    assert found == [100, 100, 100]


def test_a_queue_makes_requests_wait() -> None:
    histogram = [0] * (len(latency.BOUNDS) + 1)
    latency.count(histogram, 100_000, 0.02, 90, 100)
    assert sum(histogram) == 100_000
    # The worked case of the module: half of them wait longer than 59 ms, on top of the 20 ms of the program.
    assert latency.quantile(histogram, 0.5) == pytest.approx(0.079, rel=0.05)
    assert latency.quantile(histogram, 0.99) == pytest.approx(0.02 + 0.45, rel=0.05)


def test_a_program_without_a_limit_has_one_latency() -> None:
    histogram = [0] * (len(latency.BOUNDS) + 1)
    latency.count(histogram, 10, 0.02, 1e9, 0)
    assert latency.stored(histogram) == {latency.NAMES[21]: 10} and latency.read(latency.stored(histogram)) == histogram
    assert latency.BOUNDS[20] < 0.02 <= latency.BOUNDS[21]
    assert latency.overload(1e9, 0) == 0 and latency.overload(150, 100) == pytest.approx(1 / 3)


def test_a_long_timeline_is_put_together() -> None:
    points = [[second, second + 1, 2, 1, 3, {"v": 2}, {"refused": 1}] for second in range(tally.POINTS_MAX + 1)]
    found = tally._shortened(points)
    assert len(found) == (tally.POINTS_MAX + 2) // 2
    assert found[0] == [0, 2, 4, 2, 3, {"v": 4}, {"refused": 2}]
    assert sum(point[2] for point in found) == 2 * len(points)
