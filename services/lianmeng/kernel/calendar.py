"""Working days: which dates a line, a desk or a warehouse works.

A date works if it is in `extra_dates`, or if its weekday works and it is not in `closed_dates`.
Dates are those of the calendar's own time zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
"""ISO weekdays, Monday to Sunday."""

ONE_DAY = timedelta(days=1)

SEARCH_LIMIT = 3_660
"""Days that are looked through for the next working days: ten years."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working weekdays in a time zone, with exceptions both ways.

    `working_weekdays` are ISO numbers (1 Monday to 7 Sunday); empty means all seven.
    A date that is both closed and extra works.
    """

    time_zone: str
    working_weekdays: tuple[int, ...] = ()
    closed_dates: tuple[date, ...] = ()
    extra_dates: tuple[date, ...] = ()

    def is_working(self, day: date) -> bool:
        """Whether `day` (a date in this calendar's zone) is worked."""
        if day in self.extra_dates:
            return True
        weekdays = self.working_weekdays or EVERY_DAY
        return day.isoweekday() in weekdays and day not in self.closed_dates

    def days_between(self, first: date, last: date) -> tuple[date, ...]:
        """All working days from `first` to `last`, both included; none if `last` < `first`."""
        span = (last - first).days + 1
        days = (first + timedelta(days=offset) for offset in range(span))
        return tuple(day for day in days if self.is_working(day))

    def working_days(
        self, first: date, *, count: int | None = None, last: date | None = None
    ) -> tuple[date, ...]:
        """Working days from `first` on: the first `count` of them, those up to `last`, or both.

        Give at least one limit. Fewer than `count` come back only if `last` comes first.
        Raises `ValueError` without a limit, or when ten years hold fewer than `count` days.
        """
        if count is None:
            if last is None:
                raise ValueError("working_days needs a count or a last day")
            return self.days_between(first, last)
        end = last or first + timedelta(days=SEARCH_LIMIT)
        days = tuple(_take(self, first, end, count))
        if last is None and len(days) < count:
            raise ValueError(f"fewer than {count} working days in the ten years from {first}")
        return days

    def local_date(self, moment: datetime) -> date:
        """The date that it is in this calendar's zone at `moment` (aware)."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment} has no time zone")
        return moment.astimezone(ZoneInfo(self.time_zone)).date()


def _take(calendar: Calendar, first: date, last: date, count: int) -> Iterator[date]:
    day = first
    while count > 0 and day <= last:
        if calendar.is_working(day):
            count -= 1
            yield day
        day += ONE_DAY
