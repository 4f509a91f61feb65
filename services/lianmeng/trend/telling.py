"""The trend fact: what is told of an episode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from lianmeng.kernel.ids import trend_id
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.signals import Metric, SignalFamily
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.kernel.trends import Trend, TrendEvent, TrendKind, TrendPhase
from lianmeng.trend.catalogue import Meaning
from lianmeng.trend.detector import BUCKET_S
from lianmeng.trend.forecast import Course, demand
from lianmeng.trend.scene import HOUR_SCALE, Scene

TRIGGER_DAYS = 14
"""Days of the band that decides whether a trend is large enough."""


@dataclass(frozen=True, slots=True)
class Name:
    """What identifies an episode: zone, term and product, market, start bucket."""

    zone: str
    term: str
    product_id: str
    market: str
    start_bucket: int

    @property
    def start_time(self) -> datetime:
        """Start of the bucket of its first alarm."""
        return moment(self.start_bucket * BUCKET_S)

    @property
    def trend_id(self) -> str:
        """Its id: the same whoever computes it."""
        subject = self.product_id or self.term
        return trend_id(self.zone, subject, self.market, self.start_time.isoformat())


@dataclass(frozen=True, slots=True)
class Lead:
    """The metric that an episode's speed is told of, and its level before it began."""

    metric: Metric
    level: float


def moment(seconds: int) -> datetime:
    """A moment given in seconds since 1970-01-01 UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def first_fact(
    name: Name, meaning: Meaning, scene: Scene, course: Course, thresholds: Thresholds
) -> Trend:
    """The detected fact."""
    blank = Trend(
        trend_id=name.trend_id,
        event=TrendEvent.DETECTED,
        kind=TrendKind.FLASH,
        phase=course.phase,
        term=name.term,
        market=name.market,
        mapping=meaning.mapping,
        start_time=name.start_time,
        as_of_time=name.start_time,
        window_end_time=name.start_time + timedelta(days=thresholds.trend.window_days),
        demand_14d=Band(),
        demand_window=Band(),
        forecast_version=0,
        thresholds_version=thresholds.version,
    )
    lead = Lead(scene.lead, scene.readings[scene.lead].level)
    return next_fact(blank, meaning, scene, lead, course, thresholds)


def next_fact(
    before: Trend,
    meaning: Meaning,
    scene: Scene,
    lead: Lead,
    course: Course,
    thresholds: Thresholds,
) -> Trend:
    """The fact after `before`: updated, or over if that is the phase of `course`."""
    as_of = max(moment(scene.as_of_s), before.as_of_time)
    left_days = (before.window_end_time - as_of) / timedelta(days=1)
    reading = scene.readings[lead.metric]
    return replace(
        before,
        event=_event(before, course.phase),
        phase=course.phase,
        product_id=meaning.product_id,
        mapping=meaning.mapping,
        missing=meaning.missing,
        as_of_time=as_of,
        score_milli=round(scene.verdict.score(SignalFamily.SOCIAL) * 1_000),
        confidence_bp=scene.verdict.confidence_bp,
        evidence=scene.verdict.families,
        missing_families=scene.verdict.missing,
        creator_count=scene.crowd.accounts,
        top_account_bp=scene.crowd.top_account_bp,
        demand_14d=demand(course, TRIGGER_DAYS, thresholds.forecast),
        demand_window=demand(course, left_days, thresholds.forecast),
        forecast_version=before.forecast_version + 1,
        thresholds_version=thresholds.version,
        velocity_per_hour=round(reading.rate(HOUR_SCALE) * reading.season),
        baseline_per_hour=round(lead.level * reading.season),
    )


def last_fact(before: Trend, as_of: datetime) -> Trend:
    """The over fact of an episode of which nothing is heard any more."""
    return replace(
        before,
        event=TrendEvent.OVER,
        phase=TrendPhase.OVER,
        as_of_time=as_of,
        demand_14d=Band(),
        demand_window=Band(),
        forecast_version=before.forecast_version + 1,
        velocity_per_hour=0,
    )


def _event(before: Trend, phase: TrendPhase) -> TrendEvent:
    if phase is TrendPhase.OVER:
        return TrendEvent.OVER
    return TrendEvent.UPDATED if before.forecast_version else TrendEvent.DETECTED
