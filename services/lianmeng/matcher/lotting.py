"""From ordered units to lots on lines: what is made on which day, and when it is ready.

The solver says how much a maker has ready by which day at the latest. Here everything is made
as early as the lines allow, which costs nothing and leaves time: the first lot (wave 1) is all
that is ready on the first-batch day, later lots (wave 2) are ready as soon as they are made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lianmeng.matcher.problem import Line, Maker

FIRST_WAVE, LATER_WAVE = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLot:
    """A lot of one line: ready at the end of day `ready`, made in `days` (day → units)."""

    line: Line
    wave: int
    ready: int
    units: int
    days: dict[int, int]


def line_lots(maker: Maker, wanted: Iterable[tuple[int, int]]) -> list[LineLot]:
    """Lots that have `wanted` (latest ready day, units) ready in time, in the order of days."""
    desks = [Desk(line, maker.multiple) for line in maker.lines]
    lots: list[LineLot] = []
    for day, units in _brought_forward(maker, sorted(wanted)):
        wave = FIRST_WAVE if day <= maker.lead else LATER_WAVE
        left = units
        for desk in sorted(desks, key=lambda d: (-d.room(day), d.line.resource_id)):
            taken = min(left, desk.room(day))
            if taken:
                lots.append(desk.make(taken, wave))
                left -= taken
        assert not left, "the solver orders no more than is ready"
    return sorted(_merged(lots), key=lambda lot: (lot.ready, lot.line.resource_id))


def _brought_forward(maker: Maker, wanted: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same total with as much as possible in the first lot."""
    first = min(sum(units for _, units in wanted), maker.ready_by(maker.lead))
    moved = [(maker.lead, first)] if first else []
    total, done = 0, first
    for day, units in wanted:
        total += units
        if total > done:
            moved.append((day, total - done))
            done = total
    return moved


def _merged(lots: list[LineLot]) -> list[LineLot]:
    """Lots of one line that are ready on the same day are one lot."""
    by_day: dict[tuple[str, int], LineLot] = {}
    for lot in lots:
        key = (lot.line.resource_id, lot.ready)
        other = by_day.get(key)
        if other is not None:
            days = dict(other.days)
            for day, units in lot.days.items():
                days[day] = days.get(day, 0) + units
            lot = LineLot(  # noqa: PLW2901 - the merged lot takes the place of both
                line=lot.line,
                wave=other.wave,
                ready=lot.ready,
                units=other.units + lot.units,
                days=days,
            )
        by_day[key] = lot
    return list(by_day.values())


class Desk:
    """What a line has still free, while lots are put on it."""

    def __init__(self, line: Line, multiple: int) -> None:
        self.line = line
        self._multiple = multiple
        self._free = list(line.free)
        self._promised = 0

    def room(self, day: int) -> int:
        """Units that it can still have ready by `day`."""
        return self.line.ready_by(day, self._multiple) - self._promised

    def make(self, units: int, wave: int) -> LineLot:
        """Put a lot on the line, as early as possible."""
        self._promised += units
        days: dict[int, int] = {}
        left, day = units, 0
        while left:
            made = min(left, self._free[day])
            if made:
                self._free[day] -= made
                days[day] = made
                left -= made
            day += 1
        ready = max(self.line.lead, *days)
        return LineLot(line=self.line, wave=wave, ready=ready, units=units, days=days)
