"""Rows about who is a member: how many there may be, and who may sell, export and import.

A column per firm says whether it takes part. Such columns exist only for firms that a rule asks
for, and a rule that every plan satisfies anyway gets no row: most models have none of either.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lianmeng.matcher.problem import Problem
from lianmeng.matcher.program import Program, Term


class Columns(Protocol):
    """The decisions that make a firm a member."""

    loads: list[dict[int, int]]
    stock: list[int]
    joined: dict[tuple[int, str], int]
    lots: list[list[tuple[int, int]]]


def add_membership(program: Program, layout: Columns, problem: Problem) -> None:
    """Add all rows about membership."""
    parts = _parts_by_firm(layout, problem)
    rows = _Members(program, parts, problem.fixed.firms)
    if problem.max_members:
        _limit_members(program, rows, parts, problem)
    for need in problem.needs:
        sellers = problem.lawful.sellers[need.market]
        if not _all_promoters_sell(problem, need.market, sellers):
            rows.require(sellers)
        moved = _loads_into(layout, problem, need.market)
        importers = problem.lawful.importers[need.market]
        if moved and not _all_carriers_are(problem, importers, need.market):
            rows.require(importers, moved, problem.most)
    everything = [c for loads in layout.loads for c in loads.values()]
    exporters = problem.lawful.exporters
    if everything and not _all_carriers_are(problem, exporters, ""):
        rows.require(exporters, everything, problem.most)


class _Members:
    """Membership columns, made when a rule asks for a firm."""

    def __init__(
        self, program: Program, parts: dict[str, list[Term]], inside: frozenset[str]
    ) -> None:
        self._program = program
        self._parts = parts
        self._inside = inside
        self._columns: dict[str, int] = {}

    def column(self, firm: str) -> int:
        """1 only if the firm has a part: any unit, hour or order."""
        found = self._columns.get(firm)
        if found is None:
            found = self._columns[firm] = self._program.binary()
            self._program.at_most([(found, 1), *((c, -1) for c, _ in self._parts[firm])])
        return found

    def require(self, firms: Iterable[str], moved: Iterable[int] = (), most: int = 1) -> None:
        """One of `firms` is a member, or nothing is `moved`."""
        if any(firm in self._inside for firm in firms):
            return
        able = [(self.column(firm), 1.0) for firm in firms if firm in self._parts]
        loads = [(column, -1.0 / most) for column in moved]
        self._program.at_least([*able, *loads], 0.0 if loads else 1.0)


def _limit_members(
    program: Program, rows: _Members, parts: dict[str, list[Term]], problem: Problem
) -> None:
    counted: list[Term] = []
    for firm in sorted(parts.keys() - problem.fixed.firms):
        member = rows.column(firm)
        counted.append((member, 1))
        for column, most in parts[firm]:
            program.at_most([(column, 1), (member, -most)])
    program.at_most(counted, problem.max_members - len(problem.fixed.firms))


def _parts_by_firm(layout: Columns, problem: Problem) -> dict[str, list[Term]]:
    """By firm, the columns that make it a member, with their upper limits."""
    parts: dict[str, list[Term]] = {}

    def add(firm: str, column: int, most: float) -> None:
        parts.setdefault(firm, []).append((column, most))

    for maker, lots in zip(problem.makers, layout.lots, strict=True):
        for day, column in lots:
            add(maker.offer.firm_id, column, maker.ready_by(day))
    for carrier, loads in zip(problem.carriers, layout.loads, strict=True):
        for column in loads.values():
            add(carrier.offer.firm_id, column, problem.most)
    for pile, column in zip(problem.piles, layout.stock, strict=True):
        for firm in {pile.offer.firm_id, pile.keeper.firm_id}:
            add(firm, column, pile.free_units)
    for (index, _), column in layout.joined.items():
        add(problem.promoters[index].offer.firm_id, column, 1)
    return parts


def _loads_into(layout: Columns, problem: Problem, market: str) -> list[int]:
    return [
        column
        for carrier, loads in zip(problem.carriers, layout.loads, strict=True)
        if carrier.market == market
        for column in loads.values()
    ]


def _all_promoters_sell(problem: Problem, market: str, sellers: tuple[str, ...]) -> bool:
    """Whether whoever promotes can also sell: then every plan has a seller."""
    if problem.fixed.covered.get(market):
        return False
    firms = {p.offer.firm_id for p in problem.promoters if market in p.commission_microfen}
    return bool(firms) and firms <= set(sellers)


def _all_carriers_are(problem: Problem, able: tuple[str, ...], market: str) -> bool:
    """Whether whoever moves goods (into a market; "" any) is able."""
    firms = {c.offer.firm_id for c in problem.carriers if market in ("", c.market)}
    return firms <= set(able)
