"""Decaying histograms of the recommender: buckets, percentiles, decay, checkpoints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.autoscaling import vpa_histogram as histogram
from minikube_py.autoscaling.vpa_histogram import CPU, MEMORY, Histogram

DAY = 86_400
T = 20_000 * DAY + 3600  # some morning


def filled(*samples: tuple[float, float, int], scheme: histogram.Scheme = CPU) -> Histogram:
    found = Histogram(scheme, DAY)
    for value, weight, at_s in samples:
        found.add(value, weight, at_s)
    return found


def test_there_are_as_many_buckets_as_in_the_real_one() -> None:
    assert CPU.size == MEMORY.size == 176


@pytest.mark.parametrize(
    ("value", "bucket"), [(0, 0), (0.0099, 0), (0.0101, 1), (0.0204, 1), (0.0206, 2), (0.5, 25), (1e9, 175)]
)
def test_a_value_falls_into_its_bucket(value: float, bucket: int) -> None:
    assert CPU.bucket(value) == bucket


@given(st.integers(0, 174))
def test_buckets_touch_and_grow_by_a_twentieth(bucket: int) -> None:
    width = CPU.start(bucket + 1) - CPU.start(bucket)
    assert width == pytest.approx(0.01 * 1.05**bucket)
    assert CPU.bucket(CPU.start(bucket) + width / 2) == bucket


def test_a_percentile_is_the_end_of_its_bucket() -> None:
    found = filled((0.005, 3, T), (0.015, 5, T), (0.025, 2, T))
    assert found.percentile(0.3) == pytest.approx(CPU.start(1))
    assert found.percentile(0.5) == pytest.approx(CPU.start(2))
    assert found.percentile(0.9) == pytest.approx(CPU.start(3))
    assert Histogram(CPU, DAY).percentile(0.9) == 0


def test_a_sample_of_yesterday_weighs_half() -> None:
    found = filled((0.005, 1, T), (0.015, 1, T + DAY))
    first, second = found.weights[0], found.weights[1]
    assert second == pytest.approx(2 * first)


def test_the_reference_is_a_whole_number_of_half_lives_and_moves_when_weights_get_too_large() -> None:
    found = filled((0.005, 1, T))
    assert found.reference_s is not None and (found.reference_s + histogram.YEAR_ONE_S) % DAY == 0
    before = found.reference_s
    found.add(0.005, 1, T + 101 * DAY)
    assert found.reference_s > before
    assert found.total == pytest.approx(2.0 ** ((T + 101 * DAY - found.reference_s) / DAY), rel=1e-6)


def test_what_is_taken_back_is_gone() -> None:
    found = filled((2e8, 1, T), (3e8, 1, T), scheme=MEMORY)
    found.subtract(3e8, 1, T)
    assert found.percentile(1.0) == pytest.approx(MEMORY.start(MEMORY.bucket(2e8) + 1))


def test_two_histograms_are_one_after_a_merge_whatever_their_references() -> None:
    early, late = filled((0.005, 1, T)), filled((0.015, 1, T + 40 * DAY))
    both = filled((0.005, 1, T), (0.015, 1, T + 40 * DAY))
    early.merge(late)
    assert early.percentile(0.5) == both.percentile(0.5)
    shares = [one.weights[1] / one.total for one in (early, both)]
    assert shares[0] == pytest.approx(shares[1])


def test_a_histogram_comes_back_from_memory_as_it_was() -> None:
    found = filled((0.005, 3, T), (0.5, 5, T + 60))
    again = histogram.load(CPU, DAY, found.stored())
    assert (again.weights, again.total, again.reference_s) == (found.weights, found.total, found.reference_s)


def test_a_checkpoint_has_whole_weights_and_drops_what_is_next_to_nothing() -> None:
    found = filled((0.005, 3, T), (0.015, 1, T), (0.5, 0.0001, T))
    told = found.checkpoint()
    assert told["bucketWeights"] == {"0": 10_000, "1": 3333}
    assert told["totalWeight"] == pytest.approx(found.total)


@given(st.lists(st.tuples(st.floats(0, 900), st.integers(0, 8 * DAY)), min_size=1, max_size=50))
def test_percentiles_rise_and_stay_within_what_was_seen(samples: list[tuple[float, int]]) -> None:
    found = filled(*((value, 0.1, T + after) for value, after in sorted(samples, key=lambda one: one[1])))
    values = [found.percentile(share / 10) for share in range(1, 11)]
    assert values == sorted(values)
    largest = max(value for value, _ in samples)
    assert values[-1] <= CPU.start(min(CPU.bucket(largest) + 1, CPU.size - 1))
