"""Durations: kubectl's AGE and Go's notation."""

from __future__ import annotations

import pytest

from minikube_py.base import duration

HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
HUMAN = {
    -2: "<invalid>",
    -1: "0s",
    0: "0s",
    1: "1s",
    119: "119s",
    120: "2m",
    125: "2m5s",
    599: "9m59s",
    600: "10m",
    179 * 60 + 59: "179m",
    3 * HOUR: "3h",
    3 * HOUR + 60: "3h1m",
    8 * HOUR: "8h",
    47 * HOUR: "47h",
    2 * DAY: "2d",
    3 * DAY + 4 * HOUR: "3d4h",
    8 * DAY: "8d",
    2 * YEAR - 1: "729d",
    2 * YEAR: "2y",
    2 * YEAR + 5 * DAY: "2y5d",
    8 * YEAR: "8y",
}


@pytest.mark.parametrize(("seconds", "text"), HUMAN.items())
def test_an_age_has_two_or_three_figures(seconds: int, text: str) -> None:
    assert duration.human(seconds) == text


def test_a_short_age_has_one_unit() -> None:
    ages = [duration.short_human(s) for s in (-2, -1, 59, 60, HOUR - 1, HOUR, DAY, 400 * DAY)]
    assert ages == ["<invalid>", "0s", "59s", "1m", "59m", "1h", "1d", "1y"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h2m3.5s", 3723.5), ("0", 0), ("-5m", -300), ("+1.5h", 5400), ("100ms", 0.1), ("1us", 1e-6), (".5s", 0.5)],
)
def test_a_go_duration_is_read(text: str, seconds: float) -> None:
    assert duration.parse_go(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("x", 'time: invalid duration "x"'),
        ("-", 'time: invalid duration "-"'),
        (".s", 'time: invalid duration ".s"'),
        ("10", 'time: missing unit in duration "10"'),
        ("10x", 'time: unknown unit "x" in duration "10x"'),
        ("1d2h", 'time: unknown unit "d" in duration "1d2h"'),
    ],
)
def test_what_is_no_duration_is_refused_in_the_words_of_go(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        duration.parse_go(text)
    assert str(caught.value) == message


def test_a_duration_is_written_as_go_writes_it() -> None:
    written = [duration.go(s) for s in (0, 3723.5, 60, 0.1, 1.5e-6, -90, 3600, 1)]
    assert written == ["0s", "1h2m3.5s", "1m0s", "100ms", "1.5µs", "-1m30s", "1h0m0s", "1s"]
