"""How times, amounts and lists look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table
from rich.text import Text

LOCAL = ZoneInfo("Asia/Shanghai")
"""The zone in which people of the platform read times."""

LONGEST_WORD = 30
"""Characters of a word that stays on one line whatever the width."""

WIDTH_OF_A_PIPE = 160
"""Characters of a line where there is no terminal."""

GOOD, BAD, WAITS = "green", "red", "yellow"

COLOURS = {
    "ACTIVE": GOOD,
    "ACCEPTED": GOOD,
    "DISSOLVED": "cyan",
    "MATCHING": WAITS,
    "PROPOSED": WAITS,
    "AWAITING_APPROVAL": "bold yellow",
    "INVITING": WAITS,
    "REPAIRING": "bold yellow",
    "WINDING_DOWN": WAITS,
    "PENDING": WAITS,
    "PENDING_VERIFICATION": WAITS,
    "OPEN": WAITS,
    "REPORTED": WAITS,
    "DECLINED": BAD,
    "EXPIRED": BAD,
    "FAILED": BAD,
    "INFEASIBLE": BAD,
    "REJECTED": BAD,
    "FORMATION_FAILED": BAD,
    "SUSPENDED": BAD,
}


def console() -> Console:
    """Standard output, for people."""
    out = Console()
    return out if out.is_terminal else Console(width=WIDTH_OF_A_PIPE)


def table(*columns: str, rows: Iterable[Sequence[object]], title: str = "") -> Table:
    """A table of people; numbers go to the right."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None)
    made.pad_edge = False
    listed = [tuple(row) for row in rows]
    for index, name in enumerate(columns):
        values = [row[index] for row in listed]
        numbers = bool(values) and all(isinstance(value, int) for value in values)
        made.add_column(
            name,
            justify="right" if numbers else "left",
            overflow="fold",
            no_wrap=all(_is_word(value) for value in values),
        )
    for row in listed:
        made.add_row(*(_cell(value) for value in row))
    if not listed:
        made.add_row(Text("nothing", style="dim"), *("" for _ in columns[1:]))
    return made


def _is_word(value: object) -> bool:
    """Ids and numbers are not broken into lines: people copy them."""
    text = str(value)
    return len(text) <= LONGEST_WORD and " " not in text


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Text(f"{value:,}")
    text = str(value)
    return Text(text, style=COLOURS.get(text, ""))


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair a line; empty values are left out."""
    made = Table.grid(padding=(0, 2))
    for name, value in pairs:
        if value not in ("", None):
            made.add_row(Text(name, style="dim"), _cell(value))
    return made


def at(stamp: Timestamp) -> datetime:
    """A stored time, aware, UTC."""
    return stamp.ToDatetime(tzinfo=UTC)


def when(stamp: Timestamp) -> str:
    """A stored time for people: Shanghai, to the minute; "" for the zero of a missing one."""
    return f"{at(stamp).astimezone(LOCAL):%m-%d %H:%M}" if stamp.seconds else ""


def countdown(stamp: Timestamp, now: datetime) -> str:
    """How long it is until a stored time; "overdue" after it."""
    if not stamp.seconds:
        return ""
    left = at(stamp) - now
    return "overdue" if left <= timedelta() else f"in {span(left)}"


def span(length: timedelta) -> str:
    """A length of time in its two largest units."""
    minutes = int(length.total_seconds()) // 60
    days, hours, rest = minutes // 1_440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def yuan(fen: int) -> str:
    """An amount of fen."""
    return f"CNY {fen / 100:,.2f}"


def percent(basis_points: int) -> str:
    """Basis points for people."""
    return f"{basis_points / 100:g} %"
