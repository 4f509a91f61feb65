"""Signals for tests: seasonal days of many keys, bursts, spam. Small, seeded, plain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.world.counts import HOUR_S, Feed, Row, accounts, poisson, season, split

START = datetime(2026, 3, 2, tzinfo=UTC)
START_S = int(START.timestamp())

LEVELS = {Metric.VIEW: 60.0, Metric.POST: 6.0, Metric.CART: 12.0, Metric.ORDER: 5.0}
"""Counts per hour of an ordinary key."""

Boost = Callable[[SignalKey, Metric, int], float]
"""Multiple of the ordinary count for a key, metric and time."""


def ordinary(_key: SignalKey, _metric: Metric, _time_s: int) -> float:
    """Nothing happens."""
    return 1.0


def tenfold(key: SignalKey, since_s: int) -> Boost:
    """Everything of one key is tenfold from a moment on."""
    return lambda k, _metric, time_s: 10.0 if k == key and time_s > since_s else 1.0


def keys(how_many: int, market: str = "TH") -> tuple[SignalKey, ...]:
    """Some keys."""
    return tuple(SignalKey(f"product-{i}", market) for i in range(how_many))


def hours(
    of: Sequence[SignalKey],
    how_many: int,
    *,
    seed: int,
    first_s: int = START_S,
    boost: Boost = ordinary,
    noise: float = 0.15,
    step_s: int = HOUR_S,
) -> Iterator[SignalBatch]:
    """One batch per step: counts of every key and metric, with season and noise."""
    rng = Random(seed)
    scale = {key: rng.lognormvariate(0.0, 0.8) for key in of}
    crowd = {key: accounts(rng, 9) for key in of}
    feed = Feed("feed", every_s=step_s)
    for time_s in range(first_s + step_s - 1, first_s + how_many * HOUR_S, step_s):
        for key in of:
            level = scale[key] * season(time_s, key.market) * step_s / HOUR_S
            for metric, usual in LEVELS.items():
                mean = usual * level * boost(key, metric, time_s)
                count = poisson(rng, mean * rng.lognormvariate(0.0, noise))
                feed.rows += _rows(rng, time_s, key, metric, count, crowd[key])
    return iter(feed.batches())


def _rows(
    rng: Random, time_s: int, key: SignalKey, metric: Metric, count: int, crowd: Sequence[int]
) -> Iterator[Row]:
    if not count:
        return
    if metric in (Metric.CART, Metric.ORDER):
        yield Row(time_s, key, metric, count)
        return
    for account, part in split(rng, count, rng.sample(list(crowd), 4)).items():
        yield Row(time_s, key, metric, part, account)


def one(  # one signal
    term: str = "product-0",
    *,
    market: str = "TH",
    time_s: int = START_S,
    metric: Metric = Metric.VIEW,
    count: int = 1,
    number: int = 1,
    source: str = "feed",
) -> SignalBatch:
    """A batch of one signal."""
    return SignalBatch(
        source=source,
        source_sequence=number,
        keys=(SignalKey(term, market),),
        time_s=(time_s,),
        key_index=(0,),
        metric=(metric,),
        count=(count,),
    )


def renumbered(batches: Sequence[SignalBatch], source: str) -> list[SignalBatch]:
    """The same batches from another source."""
    return [replace(batch, source=source) for batch in batches]


def at(**time: float) -> datetime:
    """The start plus a `timedelta(**time)`."""
    return START + timedelta(**time)
