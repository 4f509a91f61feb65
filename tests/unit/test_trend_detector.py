"""The detector of one series, its level and season, and the accounts behind it."""

from __future__ import annotations

import math
from random import Random

import pytest

from lianmeng.trend.baseline import LONG_GAP_H, Level, Season
from lianmeng.trend.creators import MAX_ACCOUNTS, WINDOW_BUCKETS, Creators, Crowd, crowd_of
from lianmeng.trend.customs import Reports
from lianmeng.trend.detector import BUCKETS_PER_HOUR, Reading, Series, combine
from lianmeng.world.counts import poisson
from tests.signals_builder import START_S

DAY = 24 * BUCKETS_PER_HOUR
FIRST = START_S // 300


def wave(hour: int) -> float:
    """A season of the day: 0.2 to 1.8."""
    return 1.0 + 0.8 * math.sin(hour % 24 / 24 * 2 * math.pi)


def played(days: int, level: float, *, seed: int = 1, season: Season | None = None) -> Series:
    """A series after some seasonal days, one count an hour."""
    rng, series = Random(seed), Series(FIRST, season or Season())
    for hour in range(days * 24):
        series.add(FIRST + hour * BUCKETS_PER_HOUR + 11, poisson(rng, level * wave(hour)))
    return series


def test_a_level_is_the_mean_per_hour() -> None:
    level = Level()
    for _ in range(24 * 20):
        level.learn_hour(10, 1.0)
    assert level.per_hour == pytest.approx(10, rel=0.01)


def test_a_burst_lifts_a_level_only_slowly() -> None:
    level = Level()
    for _ in range(24 * 14):
        level.learn_hour(10, 1.0)
    for _ in range(24):
        level.learn_hour(1_000, 1.0)
    assert level.per_hour < 15


def test_a_long_silence_is_learnt_at_once_as_if_by_hours() -> None:
    one, other = Level(), Level()
    for level in (one, other):
        for _ in range(100):
            level.learn_hour(10, 1.0)
    for _ in range(800):
        one.learn_hour(0, 1.0)
    other.learn_silence(800)
    assert one.per_hour == pytest.approx(other.per_hour, rel=1e-9)


def test_a_season_is_learnt_from_all_keys_of_a_pool() -> None:
    season = Season()
    for key in range(20):
        played(14, 20.0, seed=key, season=season)
    at = FIRST // BUCKETS_PER_HOUR + 14 * 24
    for hour in range(24):
        assert season.factor(at + hour) == pytest.approx(wave(hour), abs=0.15)
    assert season.span(at, at + 24) == pytest.approx(24, rel=0.02)


def test_a_day_of_a_burst_teaches_no_season() -> None:
    season = Season()
    season.learn(20_000, [5] * 23 + [5_000], 5.0)
    assert season.factor(20_001 * 24 + 23) == 1.0


def test_seasonal_days_are_calm_and_a_burst_is_loud() -> None:
    season = Season()
    for key in range(10):
        played(10, 30.0, seed=key, season=season)
    series = played(10, 30.0, seed=99, season=season)
    assert series.score() < 3.0
    series.add(FIRST + 10 * DAY + 11, 600)
    assert series.score() > 8.0


def test_what_is_taken_back_leaves_nothing() -> None:
    with_spam, without = played(5, 20.0), played(5, 20.0)
    bucket = FIRST + 5 * DAY + 5
    with_spam.add(bucket, 700)
    with_spam.add(bucket, -700)
    without.add(bucket, 0)
    assert with_spam.reading(bucket).counts == pytest.approx(without.reading(bucket).counts)
    assert with_spam.total == without.total


def test_a_late_count_is_worth_what_it_would_be_worth_now() -> None:
    now = FIRST + DAY
    late, timely = Series(FIRST, Season()), Series(FIRST, Season())
    timely.add(FIRST + 6, 50)
    timely.add(now, 10)
    late.add(now, 10)
    late.add(FIRST + 6, 50)
    assert late.reading(now).counts == pytest.approx(timely.reading(now).counts, rel=1e-9)


def test_a_reading_changes_nothing() -> None:
    series = played(3, 20.0)
    later = series.bucket + 100
    assert series.reading(later) == series.reading(later)
    assert series.reading(later).counts[0] < series.reading(series.bucket).counts[0]


def test_a_series_survives_a_gap_of_months() -> None:
    series = played(3, 20.0)
    after = series.bucket + (LONG_GAP_H + 2_000) * BUCKETS_PER_HOUR
    series.add(after, 1)
    reading = series.reading(after)
    assert reading.level < 1.0
    assert all(math.isfinite(value) for value in reading.counts + reading.exposure_h)


def test_readings_of_two_terms_add_up() -> None:
    one, other = played(3, 20.0, seed=1), played(3, 10.0, seed=2)
    bucket = max(one.bucket, other.bucket)
    both = combine([one.reading(bucket), other.reading(bucket)])
    assert both.level == pytest.approx(one.level + other.level)
    assert isinstance(both, Reading)
    assert both.total == one.total + other.total


def test_one_loud_account_is_the_whole_crowd() -> None:
    creators = Creators()
    for hour in range(24):
        for account in range(1, 21):
            creators.add(FIRST + hour * BUCKETS_PER_HOUR, account, 2)
    creators.add(FIRST + DAY, 99, 1_000)
    crowd = crowd_of([creators.at(FIRST + DAY)])
    assert crowd.accounts == 21
    assert crowd.top_account_bp > 7_500


def test_an_account_that_was_taken_back_is_gone() -> None:
    creators = Creators()
    creators.add(FIRST, 1, 5)
    creators.add(FIRST, 2, 7)
    creators.add(FIRST + 3, 2, -7)
    creators.add(FIRST, 2, -7)
    assert crowd_of([creators.at(FIRST + 3)]) == Crowd(1, 10_000)


def test_accounts_are_bounded_and_the_largest_is_kept() -> None:
    creators = Creators()
    creators.add(FIRST, 7, 1_000_000)
    for account in range(100, 100 + 3 * MAX_ACCOUNTS):
        creators.add(FIRST + 1, account, 1 + account % 5)
    tally = creators.at(FIRST + 1)
    assert len(tally) == MAX_ACCOUNTS
    assert max(tally, key=lambda account: tally[account]) == 7


def test_accounts_that_fell_silent_count_no_more() -> None:
    creators = Creators()
    creators.add(FIRST, 1, 5)
    assert creators.at(FIRST + WINDOW_BUCKETS)
    assert not creators.at(FIRST + WINDOW_BUCKETS + 1)


def test_weights_never_overflow() -> None:
    creators = Creators()
    for day in range(0, 4_000, 40):
        creators.add(FIRST + day * DAY, day % 7 + 1, 10)
    assert all(math.isfinite(weight) for weight in creators.at(FIRST + 4_000 * DAY).values())


def test_customs_figures_are_compared_with_earlier_months() -> None:
    reports = Reports()
    month = 31 * 86_400
    for i in range(12):
        reports.add(START_S + i * month, 1_000)
    assert reports.score < 0.5
    reports.add(START_S + 13 * month, 9_000)
    assert reports.score > 5
    reports.add(START_S, 50_000)  # too late to count
    assert reports.score > 5
