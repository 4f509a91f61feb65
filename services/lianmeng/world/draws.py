"""Seeded draws that look like what people write: round numbers, prices to the fen."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from lianmeng.kernel.money import Money, cny
from lianmeng.pool.firms import Certificate, SizeClass
from lianmeng.world.tables import Span

FEN = 100
"""Fen in one CNY."""


def generator(seed: int, *names: str) -> Random:
    """The generator of one part of the world: parts do not disturb each other."""
    return Random("/".join((str(seed), *names)))


def whole(rng: Random, span: Span, step: int = 1) -> int:
    """A whole number of `span`, a multiple of `step`, at least one step."""
    return max(step, round(rng.uniform(span.low, span.high) / step) * step)


def yuan(rng: Random, low: float, high: float) -> Money:
    """An amount between `low` and `high` CNY, to 0.1 CNY below 100 and whole CNY above."""
    amount = rng.uniform(low, high)
    return cny(round(amount * 10) * 10 if amount < FEN else round(amount) * FEN)


def size_class(workers: int) -> SizeClass:
    """The class of a firm with so many workers."""
    if workers < 20:
        return SizeClass.MICRO
    if workers < 300:
        return SizeClass.SMALL
    return SizeClass.MEDIUM if workers < 1_000 else SizeClass.LARGE


def certificate(rng: Random, kind: str, first: date) -> Certificate:
    """A certificate that is valid around `first`; one in fifteen has run out."""
    age = rng.randrange(30, 300)
    length = rng.randrange(5, 25) if rng.random() < 1 / 15 else 365 * rng.choice((1, 2, 3))
    start = first - timedelta(days=age)
    return Certificate(
        type=kind,
        number=f"{kind.split('-', maxsplit=1)[0].upper()}-{start.year}-{rng.randrange(10**6):06d}",
        valid_from=start,
        valid_to=start + timedelta(days=length),
    )


def some(rng: Random, choices: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
    """Between `least` and `most` different choices, in the order of `choices`."""
    count = min(rng.randint(least, most), len(choices))
    chosen = set(rng.sample(choices, count))
    return tuple(choice for choice in choices if choice in chosen)
