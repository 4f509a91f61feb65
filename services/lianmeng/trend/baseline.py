"""What is ordinary: a key's own level, times the season that all keys of a pool share.

The level of one series is gamma-Poisson: a sum of counts over a sum of hours, both forgetting with
a half-life of 14 days, with a weak prior. Each hour's count is winsorised before it is learnt, so
that a burst lifts the level only slowly, except while nothing is known yet.

The season is learnt by pool (market × metric) from whole UTC days: 24 factors for the hours and 7
for the weekdays. A day weighs 1 / (1 / mean + κ) in it, so that no large key dominates.
"""

from __future__ import annotations

from math import sqrt

HALF_LIFE_H = 14 * 24.0
"""Hours after which a count weighs half in a level."""

POOL_HALF_LIFE_DAYS = 28.0
"""Days after which a day weighs half in a season."""

KAPPA = 0.2
"""Squared coefficient of variation that any level is taken to have: how sure a baseline can be."""

WINSOR = 2.0
"""Standard deviations beyond which a count is learnt as if it were just that far."""

LEARNING_H = 24.0
"""Hours after which a level is known well enough to cut off what looks too high."""

MAX_DAY = 2.0
"""Multiple of its level up to which a day is ordinary."""

PRIOR_COUNT = 0.5
PRIOR_H = 1.0
PRIOR_DAYS = 5.0
"""What a level and a season know before they saw anything, as counts, hours and days' weight."""

LONG_GAP_H = 28 * 24
"""Hours of silence after which a level is not stepped hour by hour any more."""

_FORGET_HOUR = 2.0 ** (-1.0 / HALF_LIFE_H)

# 1970-01-01 was a Thursday.
_EPOCH_WEEKDAY = 3


class Season:
    """Hour-of-day and weekday factors of one pool, in UTC. Their mean is 1; new = all 1."""

    __slots__ = ("_day", "_factors", "_hours", "_weekday_mass", "_weekdays", "_weight")

    def __init__(self) -> None:
        """Nothing was learnt."""
        self._day = 0
        self._factors: dict[int, float] = {}
        self._hours = [0.0] * 24
        self._weight = 0.0
        self._weekdays = [0.0] * 7
        self._weekday_mass = [0.0] * 7

    def factor(self, hour: int) -> float:
        """What share of its level a key is expected to show in `hour` (since 1970 UTC)."""
        known = self._factors.get(hour)
        if known is None:
            known = self._factors[hour] = self._factor(hour)
        return known

    def span(self, first_h: float, last_h: float) -> float:
        """Hours of season 1 that lie between two moments (hours since 1970 UTC)."""
        hour, total = int(first_h), 0.0
        while hour < last_h:
            part = min(last_h, hour + 1.0) - max(first_h, float(hour))
            total += part * self.factor(hour)
            hour += 1
        return total

    def _factor(self, hour: int) -> float:
        day, hour_of_day = divmod(hour, 24)
        hourly = (self._hours[hour_of_day] + PRIOR_DAYS) / (self._weight + PRIOR_DAYS)
        return hourly * self._weekday(day) / self._weekday_mean()

    def learn(self, day: int, counts: list[int], level: float) -> None:
        """Learn one whole day (since 1970 UTC) of one key: 24 counts, `level` per hour.

        A day far above its level is no ordinary one and teaches nothing.
        """
        mean = sum(counts) / 24.0
        if mean <= 0.0 or min(counts) < 0 or mean > MAX_DAY * level:
            return
        self._forget(day)
        self._factors.clear()
        weight = 1.0 / (1.0 / mean + KAPPA)
        for i, count in enumerate(counts):
            self._hours[i] += weight * count / mean
        self._weight += weight
        weekday = (day + _EPOCH_WEEKDAY) % 7
        self._weekdays[weekday] += weight * mean / level
        self._weekday_mass[weekday] += weight

    def _weekday(self, day: int) -> float:
        i = (day + _EPOCH_WEEKDAY) % 7
        return (self._weekdays[i] + PRIOR_DAYS) / (self._weekday_mass[i] + PRIOR_DAYS)

    def _weekday_mean(self) -> float:
        return sum(self._weekday(day) for day in range(7)) / 7.0

    def _forget(self, day: int) -> None:
        if day <= self._day:
            return
        kept = 2.0 ** (-(day - self._day) / POOL_HALF_LIFE_DAYS)
        self._day = day
        self._weight *= kept
        self._hours = [value * kept for value in self._hours]
        self._weekdays = [value * kept for value in self._weekdays]
        self._weekday_mass = [value * kept for value in self._weekday_mass]


class Level:
    """The level of one series, per hour of season 1; and how much its hours scatter."""

    __slots__ = ("_count", "_hours", "_spread")

    def __init__(self) -> None:
        """Nothing was seen: the prior of half a count in an hour."""
        self._count = 0.0
        self._hours = 0.0
        self._spread = 0.0

    @property
    def per_hour(self) -> float:
        """Counts per hour of season 1."""
        return (self._count + PRIOR_COUNT) / (self._hours + PRIOR_H)

    def learn_hour(self, count: float, season: float) -> None:
        """Learn one whole hour."""
        expected = self.per_hour * season
        scatter = self._spread / (self._hours + PRIOR_H)
        deviation = sqrt(scatter + expected + KAPPA * expected * expected + 1.0)
        if self._hours >= LEARNING_H:
            count = min(count, expected + WINSOR * deviation)
        miss = min(abs(count - expected), WINSOR * deviation)
        self._count = self._count * _FORGET_HOUR + count
        self._hours = self._hours * _FORGET_HOUR + season
        self._spread = self._spread * _FORGET_HOUR + miss * miss

    def learn_silence(self, hours: int) -> None:
        """Learn a long gap without any count at once."""
        kept = _FORGET_HOUR**hours
        self._count *= kept
        self._spread *= kept
        self._hours = self._hours * kept + (1.0 - kept) / (1.0 - _FORGET_HOUR)

    def correct(self, count: float) -> None:
        """Add a count of an hour that was learnt already; negative takes one back."""
        self._count = max(0.0, self._count + count)
