"""Small checks of single values: each returns the value or refuses it with the field's path.

All raise `Rejected` with a message and a hint in English and Chinese.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lianmeng.kernel.calendar import Calendar
from lianmeng.kernel.codes import require_currency
from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.money import BASIS, Money
from lianmeng.kernel.personal_data import refuse_personal_data
from lianmeng.pool.nodes import DaysRange

MAX_UNITS = 10**9
"""Units (pieces, metres, pairs, kilograms) that one figure may state."""

MAX_MONEY_MINOR = 10**13
"""Minor units of a currency that one price or fee may state."""

MAX_DAYS = 730
"""Days that a lead time or transit may take."""

MAX_ITEMS = 1_000
"""Entries of one list."""

MAX_TEXT = 200
"""Characters of a free text."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the clock of a firm may be ahead of the platform's."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest and highest value allowed, both included."""

    low: int
    high: int


UNITS = Bounds(0, MAX_UNITS)
SHARE = Bounds(0, BASIS)
AMOUNT = Bounds(0, MAX_MONEY_MINOR)
AMOUNT_ABOVE_ZERO = Bounds(1, MAX_MONEY_MINOR)
WEEKDAY = Bounds(1, 7)
_WEEKDAYS = frozenset(range(1, 8))


def in_range(value: int, bounds: Bounds, field: str) -> int:
    """`value`, if it lies within `bounds`. Raises OUT_OF_RANGE."""
    if bounds.low <= value <= bounds.high:
        return value
    raise Rejected(
        reason="OUT_OF_RANGE",
        field=field,
        message=f"{value} is out of range",
        hint=f"send a whole number from {bounds.low:,} to {bounds.high:,}",
        message_zh=f"{value} 超出范围",
        hint_zh=f"请填 {bounds.low:,} 到 {bounds.high:,} 之间的整数",
    )


def required(values: Sequence[object], field: str) -> None:
    """Refuses an empty text, byte string or list. Raises MISSING_FIELD."""
    if values:
        return
    raise Rejected(
        reason="MISSING_FIELD",
        field=field,
        message="this field is required",
        hint="set it",
        message_zh="缺少必填字段",
        hint_zh="请填写该字段",
    )


def short_list(values: Sequence[object], field: str, most: int = MAX_ITEMS) -> None:
    """Refuses a list of more than `most` entries. Raises OUT_OF_RANGE."""
    if len(values) <= most:
        return
    raise Rejected(
        reason="OUT_OF_RANGE",
        field=field,
        message=f"{len(values)} entries are too many",
        hint=f"send at most {most:,}",
        message_zh=f"共 {len(values)} 项，过多",
        hint_zh=f"最多 {most:,} 项",
    )


def unique(values: Sequence[Hashable], field: str) -> None:
    """Refuses a list in which something comes twice, and names its second place. DUPLICATE."""
    short_list(values, field)
    if len(set(values)) == len(values):
        return
    seen: set[Hashable] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise Rejected(
                reason="DUPLICATE",
                field=f"{field}[{index}]",
                message=f"{value!s} comes twice",
                hint="keep one of them",
                message_zh=f"{value!s} 重复出现",
                hint_zh="请只保留一个",
            )
        seen.add(value)


def text(value: str, field: str, *, needed: bool = False) -> str:
    """`value`, if it is a short line of text without personal data."""
    if needed:
        required(value.strip(), field)
    if len(value) > MAX_TEXT or not value.isprintable():
        raise Rejected(
            reason="MALFORMED_VALUE",
            field=field,
            message="this text is too long or holds control characters",
            hint=f"write one line of at most {MAX_TEXT} characters",
            message_zh="文本过长，或含有控制字符",
            hint_zh=f"请写成一行，最多 {MAX_TEXT} 个字符",
        )
    return refuse_personal_data(value, field)


def texts(values: Sequence[str], field: str) -> None:
    """Refuses entries that are empty, too long, personal or come twice."""
    for index, value in enumerate(values):
        text(value, f"{field}[{index}]", needed=True)
    unique(values, field)


def money(value: Money, field: str, *, above_zero: bool = False) -> Money:
    """`value`, if its currency is known and its amount is plausible and not negative."""
    require_currency(value.currency, f"{field}.currency")
    bounds = AMOUNT_ABOVE_ZERO if above_zero else AMOUNT
    in_range(value.amount_minor, bounds, f"{field}.amount_minor")
    return value


def optional_money(value: Money | None, field: str) -> None:
    """Checks `value` where there is one."""
    if value is not None:
        money(value, field)


def days(value: DaysRange, field: str) -> None:
    """Refuses a negative, absurd or reversed range of days."""
    if 0 <= value.p50_days <= value.p90_days <= MAX_DAYS:
        return
    in_range(value.p50_days, Bounds(0, MAX_DAYS), f"{field}.p50_days")
    in_range(value.p90_days, Bounds(value.p50_days, MAX_DAYS), f"{field}.p90_days")


def date_order(first: date, last: date, field: str) -> None:
    """Refuses a last date before the first one. Raises DATE_ORDER."""
    if first <= last:
        return
    raise Rejected(
        reason="DATE_ORDER",
        field=field,
        message=f"{last} lies before {first}",
        hint="the last date must not lie before the first",
        message_zh=f"{last} 早于 {first}",
        hint_zh="截止日期不能早于开始日期",
    )


def not_in_future(value: datetime, now: datetime, field: str) -> None:
    """Refuses a time ahead of `now` by more than the tolerance of clocks."""
    if value <= now + CLOCK_TOLERANCE:
        return
    raise Rejected(
        reason="OUT_OF_RANGE",
        field=field,
        message=f"{value.isoformat()} lies in the future",
        hint="send the time of the count, in UTC",
        message_zh=f"{value.isoformat()} 在将来",
        hint_zh="请填实际盘点时间 (UTC)",
    )


def calendar(value: Calendar, field: str) -> None:
    """Refuses an unknown time zone, weekdays outside 1 to 7, and dates that come twice."""
    _time_zone(value.time_zone, f"{field}.time_zone")
    weekdays(value.working_weekdays, f"{field}.working_weekdays")
    unique(value.closed_dates, f"{field}.closed_dates")
    unique(value.extra_dates, f"{field}.extra_dates")


def weekdays(values: Sequence[int], field: str) -> None:
    """Refuses weekdays outside of 1 (Monday) to 7 (Sunday) and such that come twice."""
    if not _WEEKDAYS.issuperset(values):
        for index, value in enumerate(values):
            in_range(value, WEEKDAY, f"{field}[{index}]")
    unique(values, field)


def _time_zone(name: str, field: str) -> None:
    required(name, field)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Rejected(
            reason="MALFORMED_VALUE",
            field=field,
            message=f"{name[:40]!r} is not a time zone",
            hint="write an IANA name such as Asia/Shanghai or Asia/Bangkok",
            message_zh=f"{name[:40]!r} 不是时区",
            hint_zh="请填 IANA 时区名，例如 Asia/Shanghai、Asia/Bangkok",
        ) from error
