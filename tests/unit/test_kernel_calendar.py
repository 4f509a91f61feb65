from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianmeng.kernel.calendar import Calendar

SIX_DAYS = (1, 2, 3, 4, 5, 6)
MONDAY = date(2026, 3, 2)

dates = st.dates(date(2025, 1, 1), date(2027, 12, 31))
calendars = st.builds(
    Calendar,
    st.just("Asia/Shanghai"),
    st.sets(st.integers(1, 7)).map(lambda days: tuple(sorted(days))),
    st.lists(dates, max_size=10).map(tuple),
    st.lists(dates, max_size=10).map(tuple),
)


def test_a_six_day_mill_over_three_weeks() -> None:
    mill = Calendar("Asia/Shanghai", SIX_DAYS)
    closed = [d for d in range(21) if not mill.is_working(MONDAY + timedelta(days=d))]
    assert closed == [6, 13, 20]


def test_holidays_close_and_make_up_days_open() -> None:
    mill = Calendar(
        "Asia/Shanghai", SIX_DAYS, (date(2026, 5, 1), date(2026, 5, 2)), (date(2026, 5, 3),)
    )
    days = mill.working_days(date(2026, 4, 30), last=date(2026, 5, 4))
    assert days == (date(2026, 4, 30), date(2026, 5, 3), date(2026, 5, 4))


def test_an_extra_date_wins_over_a_closed_one() -> None:
    both = Calendar("Asia/Shanghai", (), (MONDAY,), (MONDAY,))
    assert both.is_working(MONDAY)


def test_the_first_days() -> None:
    mill = Calendar("Asia/Shanghai", SIX_DAYS)
    saturday = date(2026, 3, 7)
    assert mill.working_days(saturday, count=2) == (saturday, date(2026, 3, 9))
    assert mill.working_days(saturday, count=5, last=date(2026, 3, 8)) == (saturday,)
    assert mill.working_days(saturday, last=date(2026, 3, 1)) == ()


def test_limits_that_cannot_be_met() -> None:
    with pytest.raises(ValueError, match="count or a last"):
        Calendar("Asia/Shanghai").working_days(MONDAY)
    with pytest.raises(ValueError, match="ten years"):
        Calendar("Asia/Shanghai").working_days(MONDAY, count=5_000)


def test_the_local_date() -> None:
    moment = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)
    assert Calendar("Asia/Shanghai").local_date(moment) == MONDAY
    assert Calendar("Europe/London").local_date(moment) == date(2026, 3, 1)
    with pytest.raises(ValueError, match="time zone"):
        Calendar("Asia/Shanghai").local_date(datetime(2026, 3, 1))  # noqa: DTZ001


@given(calendars, dates, st.integers(0, 60))
def test_a_span_holds_exactly_its_working_days(calendar: Calendar, first: date, span: int) -> None:
    last = first + timedelta(days=span)
    days = calendar.working_days(first, last=last)
    every = [first + timedelta(days=offset) for offset in range(span + 1)]
    assert list(days) == [day for day in every if calendar.is_working(day)]


@given(calendars.filter(lambda c: len(c.working_weekdays) != 0), dates, st.integers(1, 30))
def test_counting_agrees_with_spans(calendar: Calendar, first: date, count: int) -> None:
    days = calendar.working_days(first, count=count)
    assert len(days) == count
    assert days == calendar.days_between(first, days[-1])
