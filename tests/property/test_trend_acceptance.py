"""What the detector must reach: sober on seasonal days, deaf to spam, quick on a burst.

Thresholds were not chosen on these seeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from lianmeng.kernel import thresholds
from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.kernel.trends import Trend, TrendEvent, TrendMapping, TrendPhase
from lianmeng.trend.engine import Engine
from lianmeng.trend.gates import Gate
from lianmeng.trend.signals import TimeLimits, require_batch
from lianmeng.world.cascades import cascade, read_cascade
from lianmeng.world.counts import DAY_S, HOUR_S, Feed, Row, accounts, last_time_s
from lianmeng.world.products import SCARF, SHAWL, catalogue
from lianmeng.world.signals import BAG, SPAMMED, story
from tests.signals_builder import START, START_S, hours, keys, renumbered, tenfold

LIMITS = thresholds.load()


def engine(*, with_catalogue: bool = False) -> Engine:
    made = Engine("zj", LIMITS)
    if with_catalogue:
        for product in catalogue():
            made.put_product(product)
    return made


def play(made: Engine, batches: Iterable[SignalBatch]) -> list[Trend]:
    """All facts, with a sweep at each batch's own time, as a live service would."""
    facts: list[Trend] = []
    for batch in batches:
        now = datetime.fromtimestamp(last_time_s(batch), UTC)
        facts += made.apply(require_batch(batch, now, TimeLimits(300))).facts
        facts += made.sweep(now)
    return facts


def detected(facts: Iterable[Trend]) -> list[Trend]:
    return [fact for fact in facts if fact.event is TrendEvent.DETECTED]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_hundred_keys_over_thirty_seasonal_days_raise_at_most_one_alarm() -> None:
    """Even the social alarm alone, before any gate; two of three keys are noisier than Poisson."""
    made, of = engine(), keys(100)
    alarms = 0
    alarmed: set[SignalKey] = set()
    groups = [(of[:34], 0.0, 11), (of[34:67], 0.15, 12), (of[67:], 0.3, 13)]
    feeds = [
        renumbered(list(hours(part, 30 * 24, seed=seed, noise=noise)), f"feed-{seed}")
        for part, noise, seed in groups
    ]
    facts: list[Trend] = []
    for batches in zip(*feeds, strict=True):
        for batch in batches:
            facts += made.apply(batch).facts
        for key in of:
            subject = made._board.find(key)
            on = subject is not None and subject.alarm_bucket is not None
            alarms += on and key not in alarmed
            alarmed = alarmed | {key} if on else alarmed - {key}
    assert detected(facts) == []
    assert alarms <= 1


@pytest.mark.parametrize("hour", [1, 7, 13, 19])
def test_a_tenfold_burst_is_found_within_two_hours(hour: int) -> None:
    of = keys(6)
    burst_s = START_S + (8 * 24 + hour) * HOUR_S
    batches = hours(of, 8 * 24 + hour + 4, seed=hour, boost=tenfold(of[2], burst_s), step_s=900)
    (trend,) = detected(play(engine(), batches))
    assert trend.term == of[2].term
    assert trend.as_of_time - datetime.fromtimestamp(burst_s, UTC) <= timedelta(hours=2)
    assert trend.creator_count >= 3


def test_a_tenfold_burst_in_hourly_figures_is_found_within_two_hours() -> None:
    of = keys(6)
    burst_s = START_S + (8 * 24 + 9) * HOUR_S
    batches = hours(of, 8 * 24 + 14, seed=4, boost=tenfold(of[2], burst_s))
    (trend,) = detected(play(engine(), batches))
    assert trend.as_of_time - datetime.fromtimestamp(burst_s, UTC) <= timedelta(hours=2)


@pytest.mark.parametrize("how_many", [1, 3])
def test_a_thousand_posts_by_few_accounts_raise_nothing(how_many: int) -> None:
    of, made = keys(3), engine()
    spam = Feed("spam")
    crowd = accounts(Random(how_many), how_many)
    for i in range(1_000):
        time_s = START_S + 6 * DAY_S + i * 3
        spam.rows.append(Row(time_s, of[0], Metric.POST, 1, crowd[i % how_many]))
        spam.rows.append(Row(time_s, of[0], Metric.VIEW, 15, crowd[i % how_many]))
    batches = [*hours(of, 8 * 24, seed=6), *spam.batches()]
    held: set[Gate] = set()
    facts: list[Trend] = []
    for batch in sorted(batches, key=last_time_s):
        facts += made.apply(batch).facts
        held |= set(made.held(of[0]))
    assert facts == []
    assert (Gate.ONE_ACCOUNT in held) == (how_many == 1)
    assert Gate.NO_COMMERCE in held


def test_spam_that_is_moderated_away_leaves_a_calm_key() -> None:
    of, made = keys(2), engine()
    play(made, hours(of, 5 * 24, seed=8))
    (account,) = accounts(Random(1), 1)
    spam = Feed("spam")
    spam.rows = [Row(START_S + 5 * DAY_S + i, of[0], Metric.POST, 1, account) for i in range(300)]
    (batch,) = spam.batches()
    made.apply(batch)
    subject = made._board.find(of[0])
    assert subject is not None
    assert subject.touch(social=True, limits=LIMITS.trend)
    made.apply(replace(batch, source="moderator", retraction=(True,) * len(batch.time_s)))
    assert not subject.touch(social=True, limits=LIMITS.trend)
    assert account not in subject.keys[0].creators[Metric.POST].at(subject.bucket)


def test_the_story_is_told_by_its_signals() -> None:
    start = START
    facts = play(engine(with_catalogue=True), story(start))
    shawl, scarf, bag = detected(facts)
    assert (shawl.product_id, shawl.mapping) == (SHAWL, TrendMapping.MAPPED)
    band = shawl.demand_window
    assert band.p10_units == pytest.approx(9_000, rel=0.1)
    assert band.p50_units == pytest.approx(18_000, rel=0.1)
    assert band.p90_units == pytest.approx(30_000, rel=0.1)
    assert (shawl.window_end_time - shawl.start_time).days == 21
    assert shawl.as_of_time - start < timedelta(hours=5)
    assert scarf.product_id == SCARF
    assert 2_000 <= scarf.demand_14d.p50_units <= scarf.demand_window.p50_units <= 3_500
    assert (bag.term, bag.mapping) == (BAG, TrendMapping.UNMAPPED)
    assert bag.missing == ("product in the catalogue",)
    assert {trend.product_id for trend in detected(facts)}.isdisjoint({SPAMMED})
    phases = [fact.phase for fact in facts if fact.trend_id == shawl.trend_id]
    in_order = [phase for i, phase in enumerate(phases) if phase not in phases[:i]]
    assert in_order == list(TrendPhase)
    times = [fact.as_of_time for fact in facts if fact.trend_id == shawl.trend_id]
    assert all(b - a >= timedelta(hours=1) for a, b in pairwise(times))


@pytest.mark.data
@pytest.mark.parametrize("name", ["RT1", "RT23", "RT61", "RT85"])
def test_a_real_cascade_becomes_one_trend(data_dir: Path, name: str) -> None:
    """Times and follower counts are real; accounts, views and all commerce are synthesised."""
    text = (data_dir / "trend" / "cascades" / f"{name}.txt").read_text(encoding="ascii")
    social, commerce = SignalKey("summer scarf", "TH"), SignalKey(SCARF, "TH")
    start_s = START_S + 14 * HOUR_S
    batches = cascade(read_cascade(text), social, commerce, start_s, seed=1)
    facts = play(engine(with_catalogue=True), batches)
    (trend,) = detected(facts)
    assert (trend.product_id, trend.mapping) == (SCARF, TrendMapping.MAPPED)
    assert trend.as_of_time - datetime.fromtimestamp(start_s, UTC) <= timedelta(hours=4)
    assert trend.creator_count > 100
    assert trend.demand_14d.p50_units >= 2_000
    assert facts[-1].phase is TrendPhase.OVER
