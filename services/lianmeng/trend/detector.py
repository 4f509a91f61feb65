"""The detector of one series: how far its recent counts lie above what is ordinary for it.

At five scales it keeps exponentially weighted sums: C of the counts, S of the season (hours), so
that E = level × S is the sum to be expected, and V, the series' own mean squared miss C − E. The
score is the largest z = (C − E) / √(V + E / 2 + κE² + ¼): what it is used to, plus Poisson noise,
plus the doubt about its level, plus a quarter for counts near zero.

Time moves in buckets of five minutes. All counts of a bucket are added before it is judged, so
their order does not matter, and a series costs nothing while it is silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from lianmeng.trend.baseline import KAPPA, LEARNING_H, LONG_GAP_H, Level, Season

BUCKET_S = 300
"""Seconds of a bucket."""

BUCKETS_PER_HOUR = 3_600 // BUCKET_S

SCALES_H = (0.15, 0.5, 1.5, 4.5, 13.5)
"""Half-lives of the sums, hours."""

SPREAD_HALF_LIFE_H = 14 * 24.0
"""Half-life of a series' memory of its own misses, hours."""

SPREAD_LEARNING_H = 2.0
"""Hours after which misses are learnt: before that the level is a guess."""

MAX_MISS = 3.0
"""Standard deviations beyond which a miss is learnt as if it were just that large."""

_N = len(SCALES_H)
_MEMORY_H = tuple(scale / log(2.0) for scale in SCALES_H)


def _decays(buckets: int) -> tuple[float, ...]:
    hours = buckets / BUCKETS_PER_HOUR
    return tuple(exp(-hours / memory) for memory in _MEMORY_H)


_DECAYS = tuple(_decays(n) for n in range(BUCKETS_PER_HOUR + 1))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one or several series show at the end of a bucket, by scale.

    `exposure_h` are hours of season; `level` is per hour of season 1, `season` the present factor;
    `total` is all that was ever counted, `heard_h` the hours since it was first heard.
    """

    counts: tuple[float, ...]
    exposure_h: tuple[float, ...]
    spread: tuple[float, ...]
    level: float
    season: float
    heard_h: float
    total: int

    @property
    def score(self) -> float:
        """The largest z over all scales, at least 0."""
        return _score(self.counts, self.exposure_h, self.spread, self.level)

    def rate(self, scale: int) -> float:
        """Counts per hour of season 1 at a scale (an index of `SCALES_H`)."""
        exposure = self.exposure_h[scale]
        return max(0.0, self.counts[scale]) / exposure if exposure > 0 else 0.0

    def ratio(self, scale: int) -> float:
        """How many times its level it shows at a scale."""
        return self.rate(scale) / self.level


def _score(
    counts: Sequence[float], exposure: Sequence[float], spread: Sequence[float], level: float
) -> float:
    best = 0.0
    for i in range(_N):
        expected = level * exposure[i]
        excess = counts[i] - expected
        if excess > 0.0:
            best = max(best, excess * excess / _variance(expected, spread[i]))
    return sqrt(best)


def _variance(expected: float, spread: float) -> float:
    return spread * _yardstick(expected) + 0.5 * expected + KAPPA * expected * expected + 0.25


def _yardstick(expected: float) -> float:
    return expected * expected + expected + 1.0


def combine(readings: Sequence[Reading]) -> Reading:
    """The reading of several series of one metric, taken as one. At least one is given."""
    if len(readings) == 1:
        return readings[0]
    return Reading(
        counts=tuple(sum(r.counts[i] for r in readings) for i in range(_N)),
        exposure_h=tuple(max(r.exposure_h[i] for r in readings) for i in range(_N)),
        spread=tuple(max(r.spread[i] for r in readings) for i in range(_N)),
        level=sum(r.level for r in readings),
        season=max(r.season for r in readings),
        heard_h=max(r.heard_h for r in readings),
        total=sum(r.total for r in readings),
    )


class Series:
    """The counts of one metric of one key. Mutable; a deterministic function of what was added.

    It starts at `since`, the bucket in which its key was first heard: silence from then on is
    knowledge, too. `season` is shared by the pool and learnt from whole days.
    """

    __slots__ = (
        "_bucket", "_counts", "_day", "_exposure", "_hour_count", "_level", "_season", "_since",
        "_spread", "_spread_bucket", "_spread_weight", "total",
    )  # fmt: skip

    def __init__(self, since: int, season: Season) -> None:
        """A series without counts."""
        self._since = since
        self._season = season
        self._level = Level()
        self._bucket = since
        self._hour_count = 0
        self._day = [0] * 24
        self._counts = [0.0] * _N
        self._exposure = [0.0] * _N
        self._spread = [0.0] * _N
        self._spread_weight = 0.0
        self._spread_bucket = since
        self.total = 0

    @property
    def bucket(self) -> int:
        """The newest bucket that it has counts of."""
        return self._bucket

    @property
    def level(self) -> float:
        """Its ordinary count per hour of season 1."""
        return self._level.per_hour

    def add(self, bucket: int, count: int) -> None:
        """Count `count` (negative takes back) in `bucket` (since 1970); late ones count decayed."""
        if bucket > self._bucket:
            self._learn_misses()
            self._move_to(bucket)
        self.total += count
        age = self._bucket - bucket
        for i, decay in enumerate(_DECAYS[age] if age < len(_DECAYS) else _decays(age)):
            self._counts[i] += count * decay
        self._add_to_hour(bucket // BUCKETS_PER_HOUR, count)

    def score(self) -> float:
        """The score at the end of its newest bucket."""
        weight = self._spread_weight or 1.0
        spread = [s / weight for s in self._spread]
        return _score(self._counts, self._exposure, spread, self._level.per_hour)

    def reading(self, bucket: int) -> Reading:
        """What it shows at the end of `bucket`, its newest or a later one. Changes nothing."""
        counts, exposure = list(self._counts), list(self._exposure)
        weight = self._spread_weight
        now = self._bucket
        while now < bucket:  # by hours, since the season changes with them
            hour = now // BUCKETS_PER_HOUR
            step = min(bucket, (hour + 1) * BUCKETS_PER_HOUR) - now
            self._decay(counts, exposure, step, self._season.factor(hour))
            now += step
        return Reading(
            counts=tuple(counts),
            exposure_h=tuple(exposure),
            spread=tuple(s / weight for s in self._spread) if weight else (0.0,) * _N,
            level=self._level.per_hour,
            season=self._season.factor(bucket // BUCKETS_PER_HOUR),
            heard_h=(bucket - self._since) / BUCKETS_PER_HOUR,
            total=self.total,
        )

    def _add_to_hour(self, hour: int, count: int) -> None:
        now = self._bucket // BUCKETS_PER_HOUR
        if hour // 24 == now // 24:
            self._day[hour % 24] += count
        if hour == now:
            self._hour_count += count
        else:
            self._level.correct(count)

    def _learn_misses(self) -> None:
        """Learn how far the bucket that ends now was off, weighted by the time since the last."""
        if self._bucket - self._since < SPREAD_LEARNING_H * BUCKETS_PER_HOUR:
            self._spread_bucket = self._bucket
            return
        hours = min((self._bucket - self._spread_bucket) / BUCKETS_PER_HOUR, 24.0)
        self._spread_bucket = self._bucket
        kept = 2.0 ** (-hours / SPREAD_HALF_LIFE_H)
        young = self._bucket - self._since < LEARNING_H * BUCKETS_PER_HOUR
        level, old = self._level.per_hour, self._spread_weight
        for i in range(_N):
            expected = level * self._exposure[i]
            miss = (self._counts[i] - expected) ** 2
            if not young:
                known = self._spread[i] / old if old else 0.0
                miss = min(miss, MAX_MISS**2 * _variance(expected, known))
            self._spread[i] = self._spread[i] * kept + miss / _yardstick(expected) * hours
        self._spread_weight = old * kept + hours

    def _move_to(self, bucket: int) -> None:
        """Let time pass to the end of `bucket`; whole hours on the way are learnt."""
        hour, target = self._bucket // BUCKETS_PER_HOUR, bucket // BUCKETS_PER_HOUR
        if target - hour > LONG_GAP_H:
            self._skip_to(hour, target)
            hour = target
        while hour < target:
            end = (hour + 1) * BUCKETS_PER_HOUR - 1
            factor = self._season.factor(hour)
            self._decay(self._counts, self._exposure, end - self._bucket, factor)
            self._bucket = end
            self._close_hour(hour, factor)
            hour += 1
            self._decay(self._counts, self._exposure, 1, self._season.factor(hour))
            self._bucket = end + 1
        factor = self._season.factor(hour)
        self._decay(self._counts, self._exposure, bucket - self._bucket, factor)
        self._bucket = bucket

    def _close_hour(self, hour: int, factor: float) -> None:
        self._level.learn_hour(self._hour_count, factor)
        self._hour_count = 0
        if hour % 24 == 23:
            if hour // 24 * 24 * BUCKETS_PER_HOUR >= self._since:
                self._season.learn(hour // 24, self._day, self._level.per_hour)
            self._day = [0] * 24

    def _skip_to(self, hour: int, target: int) -> None:
        """A gap of weeks: everything short-lived has decayed, the level learns the silence."""
        self._close_hour(hour, self._season.factor(hour))
        self._level.learn_silence(target - hour - 1)
        self._day = [0] * 24
        self._counts = [0.0] * _N
        self._exposure = list(_MEMORY_H)
        self._bucket = target * BUCKETS_PER_HOUR

    @staticmethod
    def _decay(counts: list[float], exposure: list[float], buckets: int, factor: float) -> None:
        if not buckets:
            return
        decays = _DECAYS[buckets] if buckets < len(_DECAYS) else _decays(buckets)
        for i, decay in enumerate(decays):
            counts[i] *= decay
            exposure[i] = exposure[i] * decay + factor * _MEMORY_H[i] * (1.0 - decay)
