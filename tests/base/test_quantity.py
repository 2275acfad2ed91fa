"""Quantities: the API server's canonical forms and rounding."""

from __future__ import annotations

import pytest

from minikube_py.base import quantity

CANONICAL = {
    "0": "0",
    "0m": "0",
    "0Mi": "0",
    "-0": "0",
    "1": "1",
    "+5": "+5",
    "1000m": "1",
    "100m": "100m",
    "0.1": "100m",
    "0.5": "500m",
    ".5": "500m",
    "1.": "1.",
    "1.5": "1500m",
    "1.500": "1.500",
    "1.0": "1",
    "1024Mi": "1Gi",
    "1Gi": "1Gi",
    "1.5Gi": "1536Mi",
    "1000Mi": "1000Mi",
    "2048Ki": "2Mi",
    "512Mi": "512Mi",
    "0.5Mi": "512Ki",
    "0.5Ki": "512",
    "0.001Ki": "1024m",
    "1000k": "1M",
    "1500k": "1500k",
    "1e3": "1e3",
    "1000e3": "1e6",
    "12E": "12E",
    "1E3": "1E3",
    "5n": "5n",
    "0.1n": "1n",
    "-1000m": "-1",
    "9223372036854775807": "9223372036854775807",
    "16Ei": "9223372036854775807",
    "100000000": "100M",
    "1u": "1u",
    "1234567890123456789": "1234567890123456789",
}


@pytest.mark.parametrize(("written", "printed"), CANONICAL.items())
def test_a_quantity_is_printed_in_its_canonical_form(written: str, printed: str) -> None:
    assert quantity.canonical(written) == printed


@pytest.mark.parametrize(
    "text", ["", "abc", " 1", "1 ", "1MM", "1m1", "1,5", "1Kib", "--1", "1.5.5", "Pi", "e", "1e", "1e5.5"]
)
def test_what_is_not_a_quantity_is_refused(text: str) -> None:
    with pytest.raises(quantity.QuantityError):
        quantity.parse(text)


def test_the_texts_of_refusals_are_those_of_the_api_server() -> None:
    with pytest.raises(quantity.QuantityError, match=r"^quantities must match the regular expression '"):
        quantity.parse("abc")
    with pytest.raises(quantity.QuantityError, match=r"^unable to parse quantity's suffix$"):
        quantity.parse("1MM")


def test_amounts_are_rounded_away_from_zero() -> None:
    assert [quantity.milli(text) for text in ("100m", "0.1", "1", "1u", "1Ki", "-1u", 2)] == [
        100,
        100,
        1000,
        1,
        1024000,
        -1,
        2000,
    ]
    assert [quantity.value(text) for text in ("100m", "1", "1Ki", "1.5Gi", "-100m", 3, 2.5)] == [
        1,
        1,
        1024,
        3 << 29,
        -1,
        3,
        3,
    ]


def test_numbers_of_json_are_quantities_and_booleans_are_not() -> None:
    assert [quantity.canonical(number) for number in (2, 0.5, 1e3, 1.0)] == ["2", "500m", "1k", "1"]
    with pytest.raises(quantity.QuantityError):
        quantity.canonical(True)


def test_sums_keep_the_format_of_the_first_that_is_not_zero() -> None:
    assert quantity.add("100m", "900m") == "1"
    assert quantity.add("1Gi", "512Mi") == "1536Mi"
    assert quantity.add("0", "512Mi") == "512Mi"
    assert quantity.add("1G", "1Gi") == "2073741824"
    assert quantity.subtract("1Gi", "512Mi") == "512Mi"
    assert quantity.subtract("1", "1500m") == "-500m"


def test_comparison_does_not_look_at_the_form() -> None:
    assert quantity.compare("1024Mi", "1Gi") == 0
    assert quantity.compare("1G", "1Gi") == -1
    assert quantity.compare("1", "999m") == 1


def test_amounts_can_be_written() -> None:
    assert [quantity.from_milli(amount) for amount in (1500, 2000, 0)] == ["1500m", "2", "0"]
    assert quantity.from_value(1 << 30) == "1Gi"
