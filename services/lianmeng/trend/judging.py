"""Judging a subject: whether its alarm is a trend, and what is new of one that lives."""

from __future__ import annotations

from lianmeng.kernel.signals import SignalFamily
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.kernel.trends import Trend, TrendPhase
from lianmeng.trend.board import Board
from lianmeng.trend.detector import BUCKET_S, BUCKETS_PER_HOUR
from lianmeng.trend.episodes import Episode, course_of, followed, is_news, phase_of
from lianmeng.trend.forecast import Course, demand
from lianmeng.trend.gates import Alarm, closed_gates
from lianmeng.trend.scene import DAYS_SCALE, HOUR_SCALE, Pace, Scene, look, pace
from lianmeng.trend.subjects import Subject
from lianmeng.trend.telling import TRIGGER_DAYS, Lead, Name, first_fact, next_fact


def first_trend(subject: Subject, board: Board, zone: str, thresholds: Thresholds) -> Trend | None:
    """The detected fact of an alarmed subject; None while a gate is closed (see `held`)."""
    scene = look(subject.keys, subject.bucket, thresholds)
    if scene is None or subject.alarm_bucket is None:
        return None
    per_cart = thresholds.forecast.orders_per_cart
    orders = pace(scene, subject.quiet, scene.levels, board.seasons, per_cart)
    age = (subject.bucket - subject.quiet.bucket) / BUCKETS_PER_HOUR / 24
    course = Course(orders.per_hour * 24, TrendPhase.EMERGING, age)
    alarm = _alarm(subject, scene, orders, course, thresholds)
    subject.held = closed_gates(alarm, thresholds.trend)
    if subject.held:
        return None
    term = scene.lead_term
    meaning = board.catalogue.meaning(term, subject.market)
    name = Name(zone, term, meaning.product_id, subject.market, subject.alarm_bucket)
    return first_fact(name, meaning, scene, course, thresholds)


def next_trend(
    subject: Subject, episode: Episode, board: Board, thresholds: Thresholds
) -> Trend | None:
    """Look at a living episode again; the updated or over fact, None where nothing is news."""
    scene = look(subject.keys, subject.bucket, thresholds)
    if scene is None:
        return None
    per_cart = thresholds.forecast.orders_per_cart
    orders = pace(scene, episode.quiet, episode.levels, board.seasons, per_cart)
    episode = followed(episode, scene, orders)
    subject.keep(episode)
    phase = phase_of(episode, scene, thresholds.trend)
    course = course_of(episode, scene, orders, phase)
    meaning = board.catalogue.meaning(episode.trend.term, subject.market)
    lead = Lead(episode.lead, episode.levels[episode.lead])
    fact = next_fact(episode.trend, meaning, scene, lead, course, thresholds)
    return fact if is_news(episode.trend, fact, thresholds.trend) else None


def _alarm(
    subject: Subject, scene: Scene, orders: Pace, course: Course, thresholds: Thresholds
) -> Alarm:
    lead = scene.readings[scene.lead]
    begun = subject.bucket if subject.alarm_bucket is None else subject.alarm_bucket
    over_s = subject.over_s
    return Alarm(
        social_score=scene.verdict.score(SignalFamily.SOCIAL),
        commerce_score=scene.verdict.score(SignalFamily.COMMERCE),
        heard_h=lead.heard_h,
        fast_ratio=lead.ratio(HOUR_SCALE),
        slow_ratio=lead.ratio(DAYS_SCALE),
        crowd=scene.crowd,
        p50_14d_units=demand(course, TRIGGER_DAYS, thresholds.forecast).p50_units,
        extra_orders=orders.extra_orders,
        rise_minutes=(subject.bucket - subject.quiet.bucket) * 60 / BUCKETS_PER_HOUR,
        alarm_minutes=(subject.bucket - begun) * 60 / BUCKETS_PER_HOUR,
        since_over_h=None if over_s is None else (subject.bucket * BUCKET_S - over_s) / 3_600,
    )
