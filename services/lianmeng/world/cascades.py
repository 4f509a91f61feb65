"""A real retweet cascade, told as the social signal of a product in a market.

The file of a cascade has one line with its size and posting hour, then `seconds followers` for
each post. Only times and follower counts are real: the account hashes, the share of followers who
see a post, the carts and the orders are seeded and ours, and so are the ordinary days before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.world.counts import DAY_S, HOUR_S, Feed, Row, accounts, last_time_s, poisson, season

STEP_S = 600
"""Posts are told in steps of this many seconds."""

VIEWS_PER_FOLLOWER = 0.02
"""Share of an account's followers that see its post."""

MOST_FOLLOWERS = 50_000
"""More followers than this bring no more views: one large account is not the whole market."""

ORDERS_PER_POST = 1.2
CARTS_PER_ORDER = 3.0
ORDER_DELAY_DAYS = 4.0
"""Mean of the days between a post and the orders that it brings: a product outlasts its posts."""

ORDINARY = {Metric.VIEW: 300.0, Metric.POST: 6.0, Metric.CART: 5.0, Metric.ORDER: 1.5}
"""Counts per hour of an ordinary day."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post of a cascade: seconds after the first, and the followers of its account."""

    after_s: int
    followers: int


def read_cascade(text: str) -> tuple[Post, ...]:
    """The posts of a cascade file. Raises `ValueError` where it is not one."""
    lines = text.splitlines()[1:]
    pairs = (line.split() for line in lines if line.strip())
    return tuple(Post(int(seconds), int(followers)) for seconds, followers in pairs)


def cascade(
    posts: Sequence[Post],
    social: SignalKey,
    commerce: SignalKey,
    start_s: int,
    *,
    seed: int,
    background_days: int = 14,
    days: int = 22,
) -> tuple[SignalBatch, ...]:
    """Batches of ordinary days, and of the cascade from `start_s` on; by their newest signals."""
    rng = Random(seed)
    social_feed, shop_feed = Feed("cascade-feed", STEP_S), Feed("cascade-shop", STEP_S)
    usual = accounts(rng, 12)
    span = range(start_s - background_days * DAY_S, start_s + days * DAY_S, HOUR_S)
    for hour_s in span:
        end_s = hour_s + HOUR_S - 1
        for metric, level in ORDINARY.items():
            count = poisson(rng, level * season(end_s, social.market))
            if metric in (Metric.CART, Metric.ORDER):
                shop_feed.rows.append(Row(end_s, commerce, metric, count))
            else:
                account = rng.choice(usual)
                social_feed.rows.append(Row(end_s, social, metric, count, account))
    social_feed.rows += _posts(posts, social, start_s, rng)
    shop_feed.rows += _sales(posts, commerce, start_s, rng)
    return tuple(sorted([*social_feed.batches(), *shop_feed.batches()], key=last_time_s))


def _posts(posts: Sequence[Post], key: SignalKey, start_s: int, rng: Random) -> Iterator[Row]:
    for post in posts:
        time_s = start_s + post.after_s
        (account,) = accounts(rng, 1)
        yield Row(time_s, key, Metric.POST, 1, account)
        views = poisson(rng, min(post.followers, MOST_FOLLOWERS) * VIEWS_PER_FOLLOWER)
        if views:
            yield Row(time_s, key, Metric.VIEW, views, account)


def _sales(posts: Sequence[Post], key: SignalKey, start_s: int, rng: Random) -> Iterator[Row]:
    for post in posts:
        for _ in range(poisson(rng, ORDERS_PER_POST)):
            delay_s = round(rng.expovariate(1.0 / ORDER_DELAY_DAYS) * DAY_S)
            time_s = start_s + post.after_s + delay_s
            yield Row(time_s, key, Metric.ORDER, 1)
            yield Row(time_s, key, Metric.CART, 1 + poisson(rng, CARTS_PER_ORDER - 1.0))
