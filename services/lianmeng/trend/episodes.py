"""Episodes: how a trend begins, how it goes on and how it ends.

An episode begins with the first alarm that passes all gates. It ends when speed and orders were
low for a while, when nothing was heard for a while, or when its window ends. While it lives it is
looked at once an hour of event time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lianmeng.kernel.money import BASIS
from lianmeng.kernel.signals import Metric, SignalKey
from lianmeng.kernel.thresholds import TrendThresholds
from lianmeng.kernel.trends import Trend, TrendPhase
from lianmeng.trend.detector import BUCKETS_PER_HOUR
from lianmeng.trend.forecast import Course
from lianmeng.trend.phases import Speed, is_low, next_phase
from lianmeng.trend.scene import DAYS_SCALE, HALF_DAY_SCALE, Pace, Quiet, Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A living episode. `trend` is its last fact; the rest follows from the signals.

    `levels` are the ordinary levels before it began, `lead` the metric that its speed is told of.
    Peaks are above the level, per hour of season 1; `low_since` is None while it is not low.
    """

    trend: Trend
    lead: Metric
    levels: Mapping[Metric, float]
    quiet: Quiet
    peak: float = 0.0
    peak_bucket: int
    orders_peak: float = 0.0
    phase_bucket: int
    checked_bucket: int
    low_since: int | None = None

    @property
    def key(self) -> SignalKey:
        """The key under which it was first heard."""
        return SignalKey(self.trend.term, self.trend.market)


def opened(trend: Trend, scene: Scene, quiet: Quiet) -> Episode:
    """The episode that a detected fact begins."""
    return Episode(
        trend=trend,
        lead=scene.lead,
        levels=scene.levels,
        quiet=quiet,
        peak_bucket=scene.bucket,
        phase_bucket=scene.bucket,
        checked_bucket=scene.bucket,
    )


def followed(episode: Episode, scene: Scene, orders: Pace) -> Episode:
    """The episode after another look at it: its peaks, and since when it is low."""
    speed = speed_of(episode, scene)
    if speed.fast > episode.peak:
        episode = replace(episode, peak=speed.fast, peak_bucket=scene.bucket)
    orders_peak = max(episode.orders_peak, orders.per_hour)
    ordinary = episode.levels.get(Metric.ORDER, 0.0)
    sold = Speed(orders.per_hour, orders.per_hour, ordinary)
    low = is_low(speed, episode.peak) and is_low(sold, orders_peak)
    since = (episode.low_since or scene.bucket) if low else None
    return replace(episode, orders_peak=orders_peak, low_since=since, checked_bucket=scene.bucket)


def told(episode: Episode, trend: Trend, bucket: int) -> Episode:
    """The episode after a further fact about it."""
    changed = trend.phase is not episode.trend.phase
    return replace(episode, trend=trend, phase_bucket=bucket if changed else episode.phase_bucket)


def speed_of(episode: Episode, scene: Scene) -> Speed:
    """Its speed above the level that it had before."""
    reading = scene.readings[episode.lead]
    level = episode.levels[episode.lead]
    fast, slow = (max(0.0, reading.rate(scale) - level) for scale in (HALF_DAY_SCALE, DAYS_SCALE))
    return Speed(fast, slow, level)


def phase_of(episode: Episode, scene: Scene, limits: TrendThresholds) -> TrendPhase:
    """The phase that it is in now."""
    low = 0 if episode.low_since is None else scene.bucket - episode.low_since
    ended = scene.as_of_s >= episode.trend.window_end_time.timestamp()
    if ended or low >= limits.low_hours * BUCKETS_PER_HOUR:
        return TrendPhase.OVER
    hours = (scene.bucket - episode.phase_bucket) / BUCKETS_PER_HOUR
    return next_phase(episode.trend.phase, hours, speed_of(episode, scene), episode.peak)


def course_of(episode: Episode, scene: Scene, orders: Pace, phase: TrendPhase) -> Course:
    """What its forecast is made from."""
    age = (scene.bucket - episode.quiet.bucket) / BUCKETS_PER_HOUR / 24
    share = speed_of(episode, scene).fast / episode.peak if episode.peak > 0.0 else 1.0
    days = (scene.bucket - episode.peak_bucket) / BUCKETS_PER_HOUR / 24
    return Course(orders.per_hour * 24, phase, age, share, days)


def is_news(old: Trend, new: Trend, limits: TrendThresholds) -> bool:
    """Whether `new` is worth a fact after `old`: another phase or mapping, or enough has moved."""
    if new.phase is not old.phase or (new.product_id, new.missing) != (old.product_id, old.missing):
        return True
    minutes = (new.as_of_time - old.as_of_time).total_seconds() / 60
    if minutes < limits.update_gap_minutes:
        return False
    before = old.demand_window.p50_units
    # A change that would be small for the smallest demand that counts is no news.
    measure = limits.update_change_bp * max(before, limits.min_demand_p50_14d_units)
    moved = abs(new.demand_window.p50_units - before) * BASIS >= measure
    return moved or minutes >= limits.update_max_gap_hours * 60
