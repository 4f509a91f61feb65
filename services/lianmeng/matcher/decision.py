"""The solver's answer in whole numbers: units per lot, load, stock and campaign."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lianmeng.matcher.formulation import Layout
from lianmeng.matcher.problem import Problem

ROUNDING = 1e-4
"""Units by which a running total may fall short of a whole number and still be it."""

Key = tuple[int, str]
"""A promoter's place in the problem, and a market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Units: zeros are left out.

    `lots[i]` are (ready day, units) of maker i, `loads[l]` units by departure of lane l,
    `stock[p]` units of pile p, `sold` units by promoter and market.
    """

    lots: tuple[tuple[tuple[int, int], ...], ...]
    loads: tuple[Mapping[int, int], ...]
    stock: tuple[int, ...]
    sold: Mapping[Key, int]

    def ordered(self, maker: int) -> int:
        """Units that a maker is to make."""
        return sum(units for _, units in self.lots[maker])


def read_decision(problem: Problem, layout: Layout, values: tuple[float, ...]) -> Decision:
    """The decisions among column values. Every whole column is rounded to the next number."""

    def units(column: int) -> int:
        return round(values[column])

    rounded = _whole_loads(problem, layout, values)
    lots = tuple(
        tuple((day, units(c) * maker.multiple) for day, c in columns if units(c))
        for maker, columns in zip(problem.makers, layout.lots, strict=True)
    )
    loads = tuple(
        {place: rounded[c] for place, c in columns.items() if rounded[c]}
        for columns in layout.loads
    )
    stock = tuple(units(column) for column in layout.stock)
    sold = {key: units(column) for key, column in layout.sold.items() if units(column)}
    return Decision(lots=lots, loads=loads, stock=stock, sold=_trimmed(problem, loads, stock, sold))


def _whole_loads(problem: Problem, layout: Layout, values: tuple[float, ...]) -> dict[int, int]:
    """Loads in whole units, by column: the running total over departures is rounded down.

    In the order in which departures close, no running total exceeds what is ready, the last is
    all of it, and no load grows beyond the next whole number, so none beyond its room.
    """
    closing = sorted(
        (carrier.departures[place].latest_ready, lane, place, column)
        for lane, (carrier, columns) in enumerate(zip(problem.carriers, layout.loads, strict=True))
        for place, column in columns.items()
    )
    rounded = {}
    total, done = 0.0, 0
    for _, _, _, column in closing:
        total += values[column]
        rounded[column] = math.floor(total + ROUNDING) - done
        done += rounded[column]
    return rounded


def _trimmed(
    problem: Problem,
    loads: tuple[Mapping[int, int], ...],
    stock: tuple[int, ...],
    sold: Mapping[Key, int],
) -> dict[Key, int]:
    """`sold` without promotion that has nothing to sell, which a solver adds where it is free."""
    left = {}
    for need in problem.needs:
        landed = problem.fixed.landed.get(need.market, 0)
        for carrier, of_lane in zip(problem.carriers, loads, strict=True):
            landed += sum(of_lane.values()) if carrier.market == need.market else 0
        for pile, units in zip(problem.piles, stock, strict=True):
            landed += units if pile.market == need.market else 0
        covered = problem.fixed.covered.get(need.market, 0)
        left[need.market] = max(0, min(need.wanted, landed) - covered)
    kept = {}
    for key, units in sorted(sold.items()):
        kept[key] = min(units, left[key[1]])
        left[key[1]] -= kept[key]
    return {key: units for key, units in kept.items() if units}
