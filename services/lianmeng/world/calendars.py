"""Working calendars of the demo world, from the official exceptions of China."""

from __future__ import annotations

from datetime import date, timedelta

from lianmeng.kernel.calendar import Calendar
from lianmeng.world.tables import workday_exceptions

SHANGHAI = "Asia/Shanghai"
SIX_DAYS = (1, 2, 3, 4, 5, 6)
SATURDAY = 6

KEPT = timedelta(days=400)
"""How far ahead of its first day a calendar names exceptions."""


def six_day_week(first: date) -> Calendar:
    """Monday to Saturday in China from `first` on, with public holidays and make-up days.

    The table lists holidays on weekdays only: a Saturday next to one is closed as well. It ends
    with 2026; days after that are plain weekdays.
    """
    closed = sorted(_holidays())
    worked = sorted(row.day for row in workday_exceptions() if row.works)
    return Calendar(
        SHANGHAI,
        SIX_DAYS,
        tuple(day for day in closed if first <= day <= first + KEPT),
        tuple(day for day in worked if first <= day <= first + KEPT),
    )


def every_day() -> Calendar:
    """All seven days: agencies and warehouses whose markets do not rest."""
    return Calendar(SHANGHAI)


def _holidays() -> set[date]:
    """Holidays on weekdays and the Saturdays that lie next to them."""
    rows = workday_exceptions()
    off = {row.day for row in rows if not row.works}
    worked = {row.day for row in rows if row.works}
    beside = {
        saturday
        for day in off
        for saturday in (day + timedelta(days=1), day - timedelta(days=2))
        if saturday.isoweekday() == SATURDAY
    }
    return off | (beside - worked)
