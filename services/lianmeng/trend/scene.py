"""What is seen of one subject at one moment: the readings of its metrics, and what follows.

A subject is what is watched as one: all terms of a product in a market, or one unmapped term.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lianmeng.kernel.signals import Metric
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.trend.creators import Crowd, crowd_of
from lianmeng.trend.detector import BUCKET_S, BUCKETS_PER_HOUR, Reading, combine
from lianmeng.trend.evidence import Heard, Verdict, weigh
from lianmeng.trend.keys import SOCIAL, KeyState, Seasons

HALF_DAY_SCALE = 3
DAYS_SCALE = 4
HOUR_SCALE = 2
"""Scales by what they look back on; half-lives of 4.5, 13.5 and 1.5 hours."""

YOUNG_H = 18.0
SETTLED_H = 48.0
"""Up to YOUNG_H a rate is a plain mean since the last quiet moment; from SETTLED_H on it is taken
over days."""


MAX_DELAY_H = 1.0
"""By how much orders may be heard later than posts."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """The last moment at which nothing was unusual, and what had been counted until then."""

    bucket: int
    totals: Mapping[Metric, int]


@dataclass(frozen=True, slots=True)
class Pace:
    """Orders above the ordinary: how many since the quiet moment, and per hour of season 1."""

    extra_orders: float
    per_hour: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that is decided from. `lead` is the social metric that speed is told of."""

    market: str
    bucket: int
    as_of_s: int
    readings: Mapping[Metric, Reading]
    verdict: Verdict
    crowd: Crowd
    lead: Metric
    lead_term: str
    newest_s: Mapping[Metric, int]

    @property
    def levels(self) -> dict[Metric, float]:
        """The ordinary level of each metric, per hour of season 1."""
        return {metric: reading.level for metric, reading in self.readings.items()}


def look(keys: Sequence[KeyState], bucket: int, thresholds: Thresholds) -> Scene | None:
    """The scene at the end of `bucket`; None where nothing social was heard."""
    readings = {
        metric: combine([key.series[metric].reading(bucket) for key in having])
        for metric in Metric
        if (having := [key for key in keys if metric in key.series])
    }
    social = [metric for metric in SOCIAL if metric in readings]
    if not social:
        return None
    lead = _lead(readings, social, thresholds.trend.social_z)
    as_of_s = max(key.last_heard_s() for key in keys)
    heard = _heard(keys, readings, thresholds.trend.warmup_hours)
    return Scene(
        market=keys[0].key.market,
        bucket=bucket,
        as_of_s=as_of_s,
        readings=readings,
        verdict=weigh(heard, as_of_s, thresholds.trend),
        crowd=_crowd(keys, bucket, [lead, *social]),
        lead=lead,
        lead_term=_loudest(keys, lead, bucket),
        newest_s={metric: one.newest_s for metric, one in heard.items()},
    )


def pace(
    scene: Scene, quiet: Quiet, levels: Mapping[Metric, float], seasons: Seasons, per_cart: float
) -> Pace:
    """How fast it is ordered above `levels`. Carts count as `per_cart` orders without orders.

    A young burst has no past to average over: the plain mean since the quiet moment is right for
    a step, the sum over half a day for a slower rise, so the larger of them is taken.
    """
    metric = Metric.ORDER if Metric.ORDER in scene.readings else Metric.CART
    reading = scene.readings.get(metric)
    if reading is None:
        return Pace(0.0, 0.0)
    factor = 1.0 if metric is Metric.ORDER else per_cart
    level = levels.get(metric, reading.level)
    first, last = quiet.bucket / BUCKETS_PER_HOUR, _heard_until_h(scene, metric)
    if last - first >= SETTLED_H:
        settled = max(0.0, reading.rate(DAYS_SCALE) - level)
        return Pace(factor * settled * SETTLED_H, factor * settled)
    hours = seasons.of(scene.market, metric).span(first, last)
    extra = reading.total - quiet.totals.get(metric, 0) - level * hours
    rate = reading.rate(HALF_DAY_SCALE) - level
    if hours > 0.0 and last - first < YOUNG_H:
        rate = max(rate, extra / hours)
    return Pace(factor * extra, factor * max(0.0, rate))


def _lead(readings: Mapping[Metric, Reading], social: Sequence[Metric], social_z: float) -> Metric:
    """Views where they are far above the ordinary, else the metric that is furthest."""
    loud = [metric for metric in social if readings[metric].score >= social_z]
    return loud[0] if loud else max(social, key=lambda metric: readings[metric].score)


def _heard_until_h(scene: Scene, metric: Metric) -> float:
    """Up to when `metric` was heard, hours: sources differ in delay, by an hour at most."""
    now_h = scene.bucket / BUCKETS_PER_HOUR
    newest_h = (scene.newest_s[metric] // BUCKET_S + 1) / BUCKETS_PER_HOUR
    return min(now_h, max(newest_h, now_h - MAX_DELAY_H))


def _heard(
    keys: Sequence[KeyState], readings: Mapping[Metric, Reading], warmup_hours: int
) -> dict[Metric, Heard]:
    """Scores by metric; what was heard for too short a time has none yet."""
    heard = {}
    for metric, reading in readings.items():
        newest = max(key.newest_s.get(metric, 0) for key in keys)
        warm = reading.heard_h >= warmup_hours
        heard[metric] = Heard(reading.score if warm else 0.0, newest)
    traded = [key for key in keys if Metric.TRADE in key.newest_s]
    if traded:
        newest = max(key.newest_s[Metric.TRADE] for key in traded)
        heard[Metric.TRADE] = Heard(max(key.customs.score for key in traded), newest)
    return heard


def _crowd(keys: Sequence[KeyState], bucket: int, metrics: Sequence[Metric]) -> Crowd:
    """The accounts behind the first of `metrics` whose source names any."""
    for metric in metrics:
        crowd = crowd_of(key.creators[metric].at(bucket) for key in keys if metric in key.creators)
        if crowd.accounts:
            return crowd
    return Crowd()


def _loudest(keys: Sequence[KeyState], metric: Metric, bucket: int) -> str:
    """The term under which most of `metric` was counted lately."""

    def recent(key: KeyState) -> float:
        return key.series[metric].reading(bucket).counts[DAYS_SCALE]

    having = [key for key in keys if metric in key.series]
    return max(having, key=lambda key: (recent(key), key.key.term)).key.term
