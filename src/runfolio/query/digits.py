"""Say how many digits of a mean are worth showing: as many as two digits of its interval reach."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

_DIGITS, _LONE_DIGITS = 2, 4
_PLAIN_FROM, _PLAIN_TO = -4, 5  # powers of ten of the first digit that are written without an exponent


class Shown(NamedTuple):
    """Numbers as text, each to be taken times ten to the power of `exponent`."""

    numbers: tuple[str, ...]
    exponent: int = 0


def with_interval(mean: float, low: float, high: float) -> Shown:
    """Show a mean and half the width of its interval where that is symmetric, else the mean and both ends."""
    half = (high - low) / 2
    numbers = (mean, half) if _is_symmetric(mean, low, high) else (mean, low, high)
    return to_digits_of(half, *numbers)


def _is_symmetric(mean: float, low: float, high: float) -> bool:
    return abs((high - mean) - (mean - low)) <= 1e-9 * max(abs(low), abs(high))


def to_digits_of(measure: float, *numbers: float) -> Shown:
    """Show numbers down to the place of the second digit of a measure; of 0, down to their own fourth digit."""
    exact = [Decimal(number) for number in numbers]
    last = _last_place(Decimal(measure)) if measure else min(_lone_place(one) for one in exact)
    first = max((one.adjusted() for one in exact if one), default=0)
    exponent = 0 if _PLAIN_FROM <= first <= _PLAIN_TO else first
    place = Decimal(1).scaleb(last)
    return Shown(tuple(_text(one, place, exponent, bool(measure)) for one in exact), exponent)


def _last_place(measure: Decimal) -> int:
    """Give the place of the last digit that is shown: of 0.0996 the third, as it is rounded to 0.10."""
    place = measure.adjusted() - _DIGITS + 1
    return measure.quantize(Decimal(1).scaleb(place), ROUND_HALF_EVEN).adjusted() - _DIGITS + 1


def _lone_place(number: Decimal) -> int:
    return number.adjusted() - _LONE_DIGITS + 1 if number else 0


def _text(number: Decimal, place: Decimal, exponent: int, keep_zeros: bool) -> str:
    rounded = _rounded(number, place).scaleb(-exponent)
    text = f"{rounded:f}"
    text = text.rstrip("0").rstrip(".") if not keep_zeros and "." in text else text
    return "0" if not rounded and not keep_zeros else text.removeprefix("-") if not rounded else text


def _rounded(number: Decimal, place: Decimal) -> Decimal:
    """Round to a place; a number with very many digits before it stays whole."""
    return number.quantize(place, ROUND_HALF_EVEN) if number.adjusted() - place.adjusted() < 25 else number


def alone(number: float) -> Shown:
    """Show a number without an interval."""
    return to_digits_of(0.0, number)
