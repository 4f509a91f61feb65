"""The timeline: what each alliance was at each time, and what happened to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from lianmeng.v1 import alliance_pb2 as pb
from lianmeng.world.agents import at
from lianmeng.world.page.axes import Days
from lianmeng.world.page.story import Alliance, Stay, Told
from lianmeng.world.page.svg import dot, drawing, rect, words

WIDTH = 1_080
LEFT = 190
ROW = 46
BAR = 20

MARKS = {
    "approval_granted": ("good", "approved"),
    "accepted": ("good", "accepts"),
    "declined": ("bad", "declines"),
    "expired": ("bad", "does not answer"),
    "repaired": ("warn", "repaired"),
    "member_failed": ("bad", "fails"),
    "task_accepted": ("done", "done"),
}
"""Facts that are marked → class of the mark, what it says."""

MARGIN = timedelta(hours=2)


def formation(told: Told) -> str:
    """The hours in which alliances formed."""
    began = [at(alliance.records[0].time) for alliance in told.alliances]
    ended = [_formed(alliance) for alliance in told.alliances]
    days = Days(told.day(min(began) - MARGIN), told.day(max(ended) + MARGIN), LEFT, WIDTH - 20)
    return _panel(told, days, "How the alliances formed, hour by hour")


def whole(told: Told) -> str:
    """All days of the story."""
    last = max(at(alliance.records[-1].time) for alliance in told.alliances)
    days = Days(0.0, told.day(last) + 0.5, LEFT, WIDTH - 20)
    return _panel(told, days, "From the first signal to dissolution, day by day")


def _formed(alliance: Alliance) -> datetime:
    """When it became active first, or ended without."""
    for record in alliance.records:
        if record.fact.WhichOneof("fact") == "activated":
            return at(record.time)
    return at(alliance.records[-1].time)


def _panel(told: Told, days: Days, label: str) -> str:
    bottom = 16 + ROW * len(told.alliances)
    rows = [_row(told, days, alliance, 16 + ROW * i) for i, alliance in enumerate(told.alliances)]
    return drawing(WIDTH, bottom + 24, days.grid(6, bottom), *rows, label=label)


def _row(told: Told, days: Days, alliance: Alliance, top: float) -> str:
    name = words(0, top + 13, alliance.product, f"name {alliance.css}")
    below = words(0, top + 28, alliance.state.alliance_id, "tick mono")
    stays = (_stay(told, days, top, stay) for stay in alliance.stays)
    return name + below + "".join(stays) + "".join(_marks(told, days, alliance, top))


def _stay(told: Told, days: Days, top: float, stay: Stay) -> str:
    begin, end = told.day(stay.begin), told.day(stay.end)
    if end < days.first or begin > days.last:
        return ""
    left, right = days.x(begin), days.x(end)
    css = f"stay {stay.state.lower()}"
    title = f"{stay.state}: {told.clock(stay.begin)} to {told.clock(stay.end)}"
    label = stay.state.replace("_", " ").lower()
    bar = rect(left, top, right - left, BAR, css, title)
    fits = right - left > 7 * len(label) + 8
    return bar + (words(left + 6, top + 14, label, "inbar") if fits else "")


def _marks(told: Told, days: Days, alliance: Alliance, top: float) -> Iterable[str]:
    for record in alliance.records:
        name = record.fact.WhichOneof("fact") or ""
        day = told.day(at(record.time))
        if name in MARKS and days.first <= day <= days.last:
            css, says = MARKS[name]
            who = _who(told, record, name)
            title = f"{told.clock(at(record.time))}: {who} {says}".replace("  ", " ")
            yield dot(days.x(day), top + BAR + 7, 4, f"mark {css}", title)


def _who(told: Told, record: pb.AllianceRecord, name: str) -> str:
    fact = getattr(record.fact, name)
    match name:
        case "task_accepted":
            return f"{fact.task_id} ({fact.units:,} units)"
        case "expired":
            gone = set(fact.invitation_ids)
            known = (i.firm_id for i in record.state.invitations if i.invitation_id in gone)
            return ", ".join(told.name(firm) for firm in known)
        case "approval_granted":
            return str(fact.approval.by)
        case "repaired":
            return f"plan version {fact.plan.version}:"
        case _:
            return told.name(fact.firm_id)
