"""Counts of an invented market: a level, a season of hours and weekdays, noise; as signal batches.

All numbers are ours. The same seed gives the same batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey

HOUR_S = 3_600
DAY_S = 86_400

UTC_OFFSET_H = {
    "TH": 7, "VN": 7, "ID": 7, "MY": 8, "SG": 8, "PH": 8, "US": -6, "DE": 1, "FR": 1, "GB": 0,
    "ES": 1, "BR": -3, "SA": 3, "AE": 4, "JP": 9, "KR": 9,
}  # fmt: skip
"""Hours by which a market's clocks are ahead of UTC: one zone each, without summer time."""

WEEKEND = 1.2
WORKDAY = 0.92
"""Share of the level on a day; their weekly mean is 1."""

ROWS_PER_BATCH = 2_000
"""Signals of one batch at most, far below what the platform takes."""


def season(time_s: int, market: str) -> float:
    """Share of its level that a market shows around `time_s`: low before dawn, high at night."""
    local = time_s + UTC_OFFSET_H[market] * HOUR_S
    hour = local % DAY_S / HOUR_S
    # 1970-01-01 was a Thursday.
    weekend = (local // DAY_S + 3) % 7 >= 5
    daily = 1.0 + 0.62 * math.sin((hour - 14.5) / 24.0 * 2.0 * math.pi)
    return daily * (WEEKEND if weekend else WORKDAY)


def poisson(rng: Random, mean: float) -> int:
    """A Poisson count; for large means its normal approximation."""
    if mean <= 0.0:
        return 0
    if mean > 50.0:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def accounts(rng: Random, how_many: int) -> tuple[int, ...]:
    """Salted hashes of invented accounts."""
    return tuple(rng.getrandbits(63) | 1 for _ in range(how_many))


def split(rng: Random, count: int, among: Iterable[int]) -> dict[int, int]:
    """`count` split over accounts by uneven shares; those that get nothing are left out."""
    shares = [(account, rng.paretovariate(1.3)) for account in among]
    total = sum(share for _, share in shares)
    given = {account: round(count * share / total) for account, share in shares}
    return {account: part for account, part in given.items() if part}


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One signal of one source."""

    time_s: int
    key: SignalKey
    metric: Metric
    count: int
    account: int = 0
    platform: str = ""


@dataclass(slots=True)
class Feed:
    """A source that numbers its batches and cuts them at the end of each `every_s` seconds."""

    source: str
    every_s: int = HOUR_S
    rows: list[Row] = field(default_factory=list)

    def batches(self) -> list[SignalBatch]:
        """All rows as batches, in the order of their times."""
        chunks: list[list[Row]] = []
        period = None
        for row in sorted(self.rows):
            now = row.time_s // self.every_s
            if now != period or len(chunks[-1]) >= ROWS_PER_BATCH:
                chunks.append([])
                period = now
            chunks[-1].append(row)
        return [self._batch(number, chunk) for number, chunk in enumerate(chunks, start=1)]

    def _batch(self, number: int, rows: list[Row]) -> SignalBatch:
        keys = {row.key: None for row in rows}
        platforms = {row.platform: None for row in rows if row.platform}
        key_at = {key: i for i, key in enumerate(keys)}
        platform_at = {platform: i for i, platform in enumerate(platforms)}
        known = any(row.account for row in rows)
        return SignalBatch(
            source=self.source,
            source_sequence=number,
            keys=tuple(keys),
            time_s=tuple(row.time_s for row in rows),
            key_index=tuple(key_at[row.key] for row in rows),
            metric=tuple(row.metric for row in rows),
            platform_index=tuple(platform_at[row.platform] for row in rows) if platforms else (),
            count=tuple(row.count for row in rows),
            account_hash=tuple(row.account for row in rows) if known else (),
            platforms=tuple(platforms),
        )


def last_time_s(batch: SignalBatch) -> int:
    """Event time of a batch's newest signal: it can be sent from then on."""
    return max(batch.time_s)
