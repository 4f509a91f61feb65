"""What the markets say in the story: weeks of ordinary days, then a shawl that goes viral.

| what | where | when | how it ends |
|---|---|---|---|
| rPET shawl | TH | day 0 | P50 about 18,000 in 21 days: a major alliance |
| rPET scarf | TH | a day later | P50 about 3,000: a minor alliance that wants the same mills |
| 1,000 posts by one account | hair claws, PH | day 2 | raises nothing |
| a bag that nobody registered | TH | day 3 | a trend that is UNMAPPED and forms nothing |

People speak of a product by a term, shops count its orders by its id: the catalogue joins them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.pool.products import Product
from lianmeng.world.counts import (
    DAY_S,
    HOUR_S,
    Feed,
    Row,
    accounts,
    last_time_s,
    poisson,
    season,
    split,
)
from lianmeng.world.products import SCARF, SHAWL, catalogue

BAG = "crochet bag"
"""A term that no product of the catalogue has."""

SPAMMED = "hair-claw"
"""The product that one account tries to push."""

QUARTER_S = 900
"""Seconds between two signals around a burst; elsewhere it is an hour."""

CREATORS_PER_STEP = 8
"""Accounts whose posts show up in one step."""

GROWTH_DAYS = 2.0
HALF_LIFE_DAYS = 6.0
"""A burst doubles in `GROWTH_DAYS`, then halves every `HALF_LIFE_DAYS`."""

SOCIAL_PLATFORM = "TIKTOK"
SHOP_PLATFORM = "TIKTOK_SHOP"

ORDINARY = {Metric.VIEW: 300.0, Metric.POST: 6.0, Metric.CART: 5.0, Metric.ORDER: 1.5}
"""Counts per hour of any product on an ordinary day."""

PER_ORDER = {Metric.VIEW: 400.0, Metric.POST: 8.0, Metric.CART: 3.0, Metric.ORDER: 1.0}
"""What comes with one order of a burst."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Something takes off: from `onset_s` on, `orders` per hour come on top of the ordinary.

    It steps up within half an hour and is carried by `creators` accounts.
    """

    onset_s: int
    orders: float
    creators: int

    def orders_per_hour(self, time_s: int) -> float:
        """Orders on top of the ordinary at `time_s`, before the season."""
        days = (time_s - self.onset_s) / DAY_S
        if days <= 0.0:
            return 0.0
        step = min(1.0, days * 48.0)
        grown = 1.0 + min(days, GROWTH_DAYS) / GROWTH_DAYS
        fallen: float = 2.0 ** (-max(0.0, days - GROWTH_DAYS) / HALF_LIFE_DAYS)
        return self.orders * step * grown * fallen


@dataclass(frozen=True, slots=True)
class Talk:
    """One thing that is spoken of under `social` and sold under `commerce`."""

    social: SignalKey
    commerce: SignalKey
    burst: Burst | None = None

    def key(self, metric: Metric) -> SignalKey:
        """The key under which `metric` is counted."""
        return self.social if metric in (Metric.VIEW, Metric.POST) else self.commerce

    def mean(self, metric: Metric, time_s: int) -> float:
        """What is expected of `metric` per hour at `time_s`."""
        extra = self.burst.orders_per_hour(time_s) if self.burst else 0.0
        level = ORDINARY[metric] + PER_ORDER[metric] * extra
        return level * season(time_s, self.social.market)


def story(
    start: datetime, *, seed: int = 28, background_days: int = 21, days: int = 24
) -> tuple[SignalBatch, ...]:
    """All batches of the story, in the order of their newest signals.

    `start` is midnight UTC of day 0; `background_days` of ordinary days lie before it. A batch
    can be sent from `counts.last_time_s` on.
    """
    start_s = int(start.timestamp())
    social, shops = Feed("social-feed", QUARTER_S), Feed("shop-feed", QUARTER_S)
    for talk in _talks(start_s):
        rng = Random(f"{seed} {talk.commerce.term} {talk.commerce.market}")
        for time_s, step_s in _steps(
            talk, start_s - background_days * DAY_S, start_s + days * DAY_S
        ):
            social.rows += _posts(talk, time_s, step_s, rng)
            shops.rows += _sales(talk, time_s, step_s, rng)
    social.rows += _spam(_social_key(_product(SPAMMED), "PH"), start_s + 2 * DAY_S, Random(seed))
    return tuple(sorted([*social.batches(), *shops.batches()], key=last_time_s))


def _talks(start_s: int) -> Iterator[Talk]:
    bursts = {
        (SHAWL, "TH"): Burst(start_s + 3 * HOUR_S, orders=54.0, creators=60),
        (SCARF, "TH"): Burst(start_s + 27 * HOUR_S, orders=7.0, creators=25),
    }
    for product in catalogue():
        for market in sorted({price.market for price in product.prices}):
            burst = bursts.get((product.product_id, market))
            commerce = SignalKey(product.product_id, market)
            yield Talk(_social_key(product, market), commerce, burst)
    bag = SignalKey(BAG, "TH")
    yield Talk(bag, bag, Burst(start_s + 75 * HOUR_S, orders=12.0, creators=20))


def _steps(talk: Talk, first_s: int, last_s: int) -> Iterator[tuple[int, int]]:
    """Ends and lengths of the steps: quarters of an hour for two days from the burst on."""
    time_s = first_s
    while time_s < last_s:
        since = time_s - talk.burst.onset_s if talk.burst else -1
        step = QUARTER_S if 0 <= since < 2 * DAY_S else HOUR_S
        time_s += step
        yield time_s - 1, step


def _posts(talk: Talk, time_s: int, step_s: int, rng: Random) -> Iterator[Row]:
    crowd = accounts(Random(f"{talk.social}"), talk.burst.creators if talk.burst else 12)
    active = rng.sample(crowd, min(CREATORS_PER_STEP, len(crowd)))
    for metric in (Metric.VIEW, Metric.POST):
        count = poisson(rng, talk.mean(metric, time_s) * step_s / HOUR_S)
        for account, part in split(rng, count, active).items():
            yield Row(time_s, talk.social, metric, part, account, SOCIAL_PLATFORM)


def _sales(talk: Talk, time_s: int, step_s: int, rng: Random) -> Iterator[Row]:
    for metric in (Metric.CART, Metric.ORDER):
        count = poisson(rng, talk.mean(metric, time_s) * step_s / HOUR_S)
        if count:
            yield Row(time_s, talk.commerce, metric, count, 0, SHOP_PLATFORM)


def _spam(key: SignalKey, time_s: int, rng: Random) -> Iterator[Row]:
    """A thousand posts of one account within an hour, seen by nobody else's followers."""
    (account,) = accounts(rng, 1)
    for i in range(1_000):
        moment = time_s + i * HOUR_S // 1_000
        yield Row(moment, key, Metric.POST, 1, account, SOCIAL_PLATFORM)
        yield Row(moment, key, Metric.VIEW, poisson(rng, 20.0), account, SOCIAL_PLATFORM)


def _social_key(product: Product, market: str) -> SignalKey:
    """People speak of a product by its first alias."""
    return SignalKey((product.aliases or (product.product_id,))[0], market)


def _product(product_id: str) -> Product:
    return next(product for product in catalogue() if product.product_id == product_id)
