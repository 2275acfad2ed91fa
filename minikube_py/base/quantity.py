"""Quantities: `500m`, `1Gi`, `1e3`; exact integers inside, never floats.

A quantity is held as whole nano-units (1e-9) and the format that it prints in. Everything is cached by the text, since
the same few texts come back for every pod. Source: k8s.io/apimachinery/pkg/api/resource (quantity.go, suffix.go,
math.go).

    milli("0.5") == 500      value("0.5") == 1 (rounded up, away from zero)      canonical("1024Mi") == "1Gi"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from minikube_py.base.record import NamedTuple

NANO = 10**9
DECIMAL_SI, BINARY_SI, DECIMAL_EXPONENT = "DecimalSI", "BinarySI", "DecimalExponent"

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_BINARY_SUFFIX = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_BINARY_MAX = ((1 << 63) - 1) * NANO
_INT64_DIGITS = 18  # so many decimal digits always fit an int64
_CACHE_MAX = 8192

_SPLIT = re.compile(r"([+-]?)0*([0-9]*)(\.[0-9]*)?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE][+-]?[0-9]+")


class QuantityError(ValueError):
    """Not a quantity; the text is the API server's."""


class Quantity(NamedTuple):
    """`nano`: the amount in units of 1e-9; `text`: how it was written if that is a canonical form, else ''."""

    nano: int
    format: str = DECIMAL_SI
    text: str = ""


FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NUMERIC_WRONG = "unable to parse numeric part of quantity"
SUFFIX_WRONG = "unable to parse quantity's suffix"

_PARSED: dict[str, Quantity] = {}
_MILLI: dict[str | int | float, int] = {}
_VALUE: dict[str | int | float, int] = {}
_CANONICAL: dict[str, str] = {}


def parse(q: str | int | float) -> Quantity:
    """Read a quantity as it stands in JSON (a string or a number). Raises QuantityError."""
    text = q if isinstance(q, str) else _number_text(q)
    found = _PARSED.get(text)
    if found is None:
        if len(_PARSED) >= _CACHE_MAX:
            _PARSED.clear()
        found = _PARSED[text] = _parse(text)
    return found


def milli(q: str | int | float) -> int:
    """Thousandths, rounded away from zero: milli("100m") == 100, milli("1u") == 1."""
    found = _MILLI.get(q)
    if found is None:
        if len(_MILLI) >= _CACHE_MAX:
            _MILLI.clear()
        found = _MILLI[q] = _away_from_zero(parse(q).nano, NANO // 1000)
    return found


def value(q: str | int | float) -> int:
    """Whole units, rounded away from zero: value("1Ki") == 1024, value("100m") == 1."""
    found = _VALUE.get(q)
    if found is None:
        if len(_VALUE) >= _CACHE_MAX:
            _VALUE.clear()
        found = _VALUE[q] = _away_from_zero(parse(q).nano, NANO)
    return found


def canonical(q: str | int | float) -> str:
    """The text that the API server prints: "1024Mi" -> "1Gi", "0.5" -> "500m", 1.5 -> "1500m"."""
    text = q if isinstance(q, str) else _number_text(q)
    found = _CANONICAL.get(text)
    if found is None:
        if len(_CANONICAL) >= _CACHE_MAX:
            _CANONICAL.clear()
        found = _CANONICAL[text] = render(parse(text))
    return found


def compare(a: str | int | float, b: str | int | float) -> int:
    """-1, 0 or 1."""
    left, right = parse(a).nano, parse(b).nano
    return (left > right) - (left < right)


def add(a: str | int | float, b: str | int | float) -> str:
    """a + b in the format of `a` (of `b` if `a` is zero, as Quantity.Add does)."""
    left, right = parse(a), parse(b)
    return render(Quantity(left.nano + right.nano, left.format if left.nano else right.format))


def subtract(a: str | int | float, b: str | int | float) -> str:
    """a - b in the format of `a` (of `b` if `a` is zero)."""
    left, right = parse(a), parse(b)
    return render(Quantity(left.nano - right.nano, left.format if left.nano else right.format))


def from_milli(amount_m: int, format: str = DECIMAL_SI) -> str:
    """The text of so many thousandths: from_milli(1500) == "1500m", from_milli(2000) == "2"."""
    return render(Quantity(amount_m * (NANO // 1000), format))


def from_value(amount: int, format: str = BINARY_SI) -> str:
    """The text of so many whole units: from_value(1 << 30) == "1Gi"."""
    return render(Quantity(amount * NANO, format))


def render(quantity: Quantity) -> str:
    """The canonical text of a parsed quantity (CanonicalizeBytes)."""
    nano, format, text = quantity
    if text:
        return text
    if nano == 0:
        return "0"
    if format == BINARY_SI and abs(nano) >= 1024 * NANO and nano % NANO == 0:
        amount, power = nano // NANO, 0
        while power < len(_BINARY_SUFFIX) - 1 and amount % 1024 == 0:
            amount, power = amount // 1024, power + 1
        return f"{amount}{_BINARY_SUFFIX[power]}"
    amount, exponent = nano, -9
    while amount % 1000 == 0 and (format == DECIMAL_EXPONENT or exponent < 18):
        amount, exponent = amount // 1000, exponent + 3
    if format == DECIMAL_EXPONENT:
        return f"{amount}e{exponent}" if exponent else str(amount)
    return f"{amount}{_DECIMAL_SUFFIX[exponent]}"


def _away_from_zero(amount: int, unit: int) -> int:
    magnitude = -(-abs(amount) // unit)
    return magnitude if amount >= 0 else -magnitude


def _number_text(q: int | float) -> str:
    if isinstance(q, bool):
        raise QuantityError(FORMAT_WRONG)
    if isinstance(q, int):
        return str(q)
    return str(int(q)) if q == int(q) and abs(q) < 1e21 else repr(q)


def _parse(text: str) -> Quantity:
    match = _SPLIT.fullmatch(text)
    if match is None or not text:
        raise QuantityError(FORMAT_WRONG)
    sign, digits, fraction, suffix = match.groups()
    base, exponent, format = _suffix(suffix)
    if base == 2 and exponent >= 50 and text == suffix:
        raise QuantityError(NUMERIC_WRONG)  # 'Pi'; but 'Gi', 'm' and '-' are 0: the scanner's fast path adds the digit
    digits, fraction = digits or "0", (fraction or "")[1:]
    unscaled, decimals = int(digits + fraction), len(fraction)
    if base == 2:
        amount, rest = divmod(unscaled * (1 << exponent) * NANO, 10**decimals)
    elif exponent + 9 - decimals >= 0:
        amount, rest = unscaled * 10 ** (exponent + 9 - decimals), 0
    else:
        amount, rest = divmod(unscaled, 10 ** (decimals - exponent - 9))
    amount += rest > 0  # less than a nano-unit counts as one
    if format == BINARY_SI:
        amount = min(amount, _BINARY_MAX)
    kept = text if _is_canonical(digits, fraction, exponent, base) else ""
    if base == 2 and 0 < amount < NANO:
        format = DECIMAL_SI
    return Quantity(-amount if sign == "-" else amount, format, kept if amount else "")


def _suffix(suffix: str) -> tuple[int, int, str]:
    """(base, exponent, format) of a suffix."""
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], DECIMAL_SI
    if suffix in _BINARY:
        return 2, _BINARY[suffix], BINARY_SI
    if _EXPONENT.fullmatch(suffix) and abs(int(suffix[1:])) <= 1000:
        return 10, int(suffix[1:]), DECIMAL_EXPONENT
    raise QuantityError(SUFFIX_WRONG)


def _is_canonical(digits: str, fraction: str, exponent: int, base: int) -> bool:
    """Whether ParseQuantity keeps the text as it was written (its fast path for what is canonical already).

    '1500m', '1.500' and '100Ki' stay; '1.5', '1000m', '1024Mi' and '0.5' are written anew.
    """
    shifted = digits + fraction
    if base == 2:
        precision = 15 - len(digits) - int(exponent * 3 / 10) - 1
        return precision >= 0 and not fraction and int(digits) & 7 != 0
    scale = exponent - len(fraction)
    fits = len(shifted) <= _INT64_DIGITS and scale >= -9  # else the slow path, which never keeps the text
    return fits and scale % 3 == 0 and not shifted.endswith("000") and shifted[0] != "0"
