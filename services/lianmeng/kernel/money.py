"""Money is a whole number of minor units with an ISO 4217 code; shares are basis points.

CNY is counted in fen; VND, JPY, KRW have no minor unit, so 1 is one dong, yen or won.
Rounding is always half up, at the place where a line of a plan or statement is formed,
and each formed line is what is summed: sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from lianmeng.kernel.errors import Rejected

EXPONENTS = {
    "CNY": 2, "THB": 2, "VND": 0, "IDR": 2, "MYR": 2, "SGD": 2, "PHP": 2, "USD": 2, "EUR": 2,
    "GBP": 2, "BRL": 2, "SAR": 2, "AED": 2, "JPY": 0, "KRW": 0,
}  # fmt: skip
"""ISO 4217 code → number of digits of its minor unit: the currencies that the platform knows."""

BASIS = 10_000
"""Basis points in one whole."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount_minor` minor units of `currency`. May be negative (a correction)."""

    amount_minor: int
    currency: str

    def __str__(self) -> str:
        exponent = EXPONENTS.get(self.currency, 2)
        sign = "-" if self.amount_minor < 0 else ""
        whole, minor = divmod(abs(self.amount_minor), 10**exponent)
        tail = f".{minor:0{exponent}d}" if exponent else ""
        return f"{sign}{self.currency} {whole:,}{tail}"


def cny(fen: int) -> Money:
    """An amount of fen."""
    return Money(fen, "CNY")


@dataclass(frozen=True, slots=True)
class FxRate:
    """One major unit of `currency` is worth `cny_per_unit_ppm` / 1,000,000 CNY on `as_of`."""

    currency: str
    cny_per_unit_ppm: int
    as_of: date


def round_half_up(value: Fraction) -> int:
    """The nearest whole number; halves away from zero."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return magnitude if value >= 0 else -magnitude


def share(amount: int, basis_points: int) -> int:
    """`basis_points` of `amount`, rounded half up."""
    return round_half_up(Fraction(amount * basis_points, BASIS))


def prorate(amount: int, numerator: int, denominator: int) -> int:
    """`amount` × `numerator` / `denominator`, rounded half up. `denominator` > 0."""
    return round_half_up(Fraction(amount * numerator, denominator))


def to_fen(money: Money, rates: dict[str, FxRate]) -> int:
    """`money` in fen at frozen rates. Raises `Rejected(UNKNOWN_CURRENCY)` without a rate."""
    if money.currency == "CNY":
        return money.amount_minor
    rate = rates.get(money.currency)
    if rate is None or money.currency not in EXPONENTS:
        raise unknown_currency(money.currency, "currency")
    exponent = EXPONENTS[money.currency]
    return round_half_up(
        Fraction(money.amount_minor * rate.cny_per_unit_ppm * 100, 10**exponent * 1_000_000)
    )


def unknown_currency(code: str, field: str) -> Rejected:
    """The rejection of a currency that the platform has no exponent or rate for."""
    return Rejected(
        reason="UNKNOWN_CURRENCY",
        field=field,
        message=f"{code[:8]!r} is not a known currency",
        hint="use one of " + ", ".join(EXPONENTS),
        message_zh=f"不认识的货币 {code[:8]!r}",
        hint_zh="请用：" + "、".join(EXPONENTS),
    )
