"""What a cell of a CSV file may hold, how it is read, and how it is written.

Lists are separated by `|` (also `、` and `；`). Dates are 2026-03-02, also 2026/3/2 and
2026年3月2日 as spreadsheets write them. Amounts are `9.80` (CNY) or `159.00 THB`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from lianmeng.kernel.money import EXPONENTS, Money
from lianmeng.pool.nodes import PriceBreak
from lianmeng.pool.products import Material

SHANGHAI = ZoneInfo("Asia/Shanghai")

_LIST = re.compile(r"[|、；]")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,6})?")
_DATE = re.compile(r"([0-9]{4})[-/年.]([0-9]{1,2})[-/月.]([0-9]{1,2})日?")
_BASIS_POINTS_PER_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of cell. `parse` raises `ValueError`; the hints say how to write it."""

    parse: Callable[[str], Any]
    format: Callable[[Any], str]
    hint: str
    hint_zh: str


def parse_list(text: str) -> tuple[str, ...]:
    """The entries of a list, trimmed; empty ones are left out."""
    return tuple(entry for part in _LIST.split(text) if (entry := part.strip()))


def parse_whole(text: str) -> int:
    """A whole number without separators."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def parse_date(text: str) -> date:
    """A date, year first."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return date(*(int(part) for part in found.groups()))


def parse_time(text: str) -> datetime:
    """A time of day; without an offset it is Asia/Shanghai."""
    day, _, clock = text.replace("T", " ").partition(" ")
    moment = datetime.fromisoformat(f"{parse_date(day).isoformat()}T{clock or '00:00'}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def format_time(moment: datetime) -> str:
    """The time in Asia/Shanghai, to the second."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def parse_money(text: str) -> Money:
    """An amount in major units with an optional ISO 4217 code; more decimals are refused."""
    amount, _, code = text.partition(" ")
    currency = code.strip().upper() or "CNY"
    if not _DECIMAL.fullmatch(amount):
        raise ValueError(text)
    minor = Decimal(amount).scaleb(EXPONENTS.get(currency, 2))
    if minor != int(minor):
        raise ValueError(text)
    return Money(int(minor), currency)


def format_money(money: Money) -> str:
    """The amount in major units; CNY goes without its code."""
    exponent = EXPONENTS.get(money.currency, 2)
    amount = f"{Decimal(money.amount_minor).scaleb(-exponent):.{exponent}f}"
    return amount if money.currency == "CNY" else f"{amount} {money.currency}"


def parse_percent(text: str) -> int:
    """A share in percent, with or without the sign, in basis points."""
    number = text.removesuffix("%").removesuffix("％").strip()
    if not _DECIMAL.fullmatch(number):
        raise ValueError(text)
    points = Decimal(number) * _BASIS_POINTS_PER_PERCENT
    if points != int(points):
        raise ValueError(text)
    return int(points)


def format_percent(points: int) -> str:
    """Basis points as percent without needless zeros."""
    return f"{Decimal(points) / _BASIS_POINTS_PER_PERCENT:f}"


def parse_weekdays(text: str) -> tuple[int, ...]:
    """Weekdays 1 to 7 as a list or a range: `1-6`."""
    days: list[int] = []
    for entry in parse_list(text):
        first, _, last = entry.partition("-")
        days.extend(range(parse_whole(first), parse_whole(last or first) + 1))
    return tuple(days)


def parse_price_breaks(text: str) -> tuple[PriceBreak, ...]:
    """Prices from a quantity on: `0:9.80|500:9.60`; a bare amount counts from 0."""
    steps: list[PriceBreak] = []
    for entry in parse_list(text):
        units, separator, price = entry.replace("：", ":").rpartition(":")
        if bool(units) is not bool(separator):
            raise ValueError(text)
        steps.append(PriceBreak(parse_whole(units or "0"), parse_money(price.strip())))
    return tuple(steps)


def parse_materials(text: str) -> tuple[Material, ...]:
    """A mix: `rPET:100:100` is name, share in percent, recycled percent; the name is enough."""
    return tuple(_material(entry) for entry in parse_list(text))


def _material(entry: str) -> Material:
    name, *shares = entry.replace("：", ":").split(":")
    if len(shares) > 2:
        raise ValueError(entry)
    return Material(name.strip(), *(parse_percent(share.strip()) for share in shares))


def format_material(material: Material) -> str:
    """Name, share, recycled share; zeros at the end are left out."""
    shares = [material.share_bp, material.recycled_bp]
    while shares and shares[-1] == 0:
        shares.pop()
    return ":".join([material.name, *(format_percent(share) for share in shares)])


def _format_list(values: tuple[object, ...]) -> str:
    return "|".join(str(value) for value in values)


def parse_yes_no(text: str) -> bool:
    """Yes or no, in English, Chinese or as 1 and 0."""
    if text.lower() in ("yes", "是", "1"):
        return True
    if text.lower() in ("no", "否", "0"):
        return False
    raise ValueError(text)


TEXT = Cell(str, str, "write a text", "请填文本")
WHOLE = Cell(
    parse_whole, str, "write digits only, without separators", "请只填数字，不要千位分隔符"
)
MONEY = Cell(
    parse_money,
    format_money,
    "write an amount such as 9.80 (CNY) or 159.00 THB",
    "请填金额，例如 9.80（人民币）或 159.00 THB",
)
PERCENT = Cell(
    parse_percent,
    format_percent,
    "write a percentage such as 8 or 8.5",
    "请填百分比，例如 8 或 8.5",
)
YES_NO = Cell(
    parse_yes_no,
    lambda value: "yes" if value else "no",
    "write yes or no",
    "请填 是 或 否",
)
DATE = Cell(
    parse_date, date.isoformat, "write a date such as 2026-03-02", "请填日期，例如 2026-03-02"
)
DATES = Cell(
    lambda text: tuple(parse_date(entry) for entry in parse_list(text)),
    _format_list,
    "write dates such as 2026-05-01|2026-05-02",
    "请填日期，例如 2026-05-01|2026-05-02",
)
TIME = Cell(
    parse_time,
    format_time,
    "write a time such as 2026-03-02 09:30 (Shanghai) or 2026-03-02 01:30+00:00",
    "请填时间，例如 2026-03-02 09:30（北京时间）",
)
LIST = Cell(parse_list, _format_list, "separate entries by |", "多个值请用 | 分隔")
WEEKDAYS = Cell(
    parse_weekdays,
    _format_list,
    "write weekdays such as 1-6 or 1|3|5",
    "请填星期，例如 1-6 或 1|3|5",
)
PRICE_BREAKS = Cell(
    parse_price_breaks,
    lambda steps: "|".join(f"{step.min_units}:{format_money(step.unit_price)}" for step in steps),
    "write prices from a quantity on, such as 0:9.80|500:9.60",
    "请填阶梯价，例如 0:9.80|500:9.60（500 件起 9.60 元）",
)
MATERIALS = Cell(
    parse_materials,
    lambda materials: "|".join(format_material(material) for material in materials),
    "write materials such as rPET:100 or cotton:80|elastane:20 (percent)",
    "请填材料及百分比，例如 rPET:100 或 cotton:80|elastane:20",
)


def choice(kind: type[StrEnum], names_zh: Mapping[str, StrEnum]) -> Cell:
    """One value of an enum, by its English or Chinese name."""
    known = {member.value.lower(): member for member in kind}
    known.update({name.lower(): member for name, member in names_zh.items()})
    english, chinese = " or ".join(kind), " 或 ".join(names_zh)
    return Cell(
        lambda text: known.get(text.lower()) or _refuse(text),
        str,
        f"write {english}",
        f"请填 {chinese}",
    )


def choices(kind: type[StrEnum], names_zh: Mapping[str, StrEnum]) -> Cell:
    """Several values of an enum."""
    one = choice(kind, names_zh)
    return Cell(
        lambda text: tuple(one.parse(entry) for entry in parse_list(text)),
        _format_list,
        f"{one.hint}, separated by |",
        f"{one.hint_zh}，多个值用 | 分隔",
    )


def _refuse(text: str) -> Any:
    raise ValueError(text)
