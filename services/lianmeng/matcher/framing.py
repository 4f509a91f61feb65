"""From a question and a snapshot to a problem: eligible nodes become options in whole numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from lianmeng.alliance.demand import MarketDemand
from lianmeng.matcher.makers import find_makers
from lianmeng.matcher.movers import find_movers
from lianmeng.matcher.offers import Tally
from lianmeng.matcher.problem import (
    NOBODY_LAWFUL,
    NOTHING_FIXED,
    Carrier,
    Fixed,
    Lawful,
    Maker,
    Need,
    Pile,
    Problem,
)
from lianmeng.matcher.promoters import find_promoters
from lianmeng.matcher.question import Question
from lianmeng.matcher.rates import last_mile_fen
from lianmeng.matcher.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """The problem, how many nodes are in it, and how many each rule excluded, by role."""

    problem: Problem
    eligible: int
    excluded: dict[str, int]
    blocked: dict[str, Counter[str]]


def frame(question: Question, pool: Snapshot, fixed: Fixed = NOTHING_FIXED) -> Framed:
    """The problem that a question poses over a snapshot. `fixed` are parts that stay."""
    tally = Tally()
    carriers, piles = find_movers(question, pool, tally)
    latest = _latest_ready(carriers)
    makers = find_makers(question, pool, latest, tally)
    promoters = find_promoters(question, pool, tally)
    needs = tuple(_need(question, pool, market) for market in question.demand.markets)
    plan = question.thresholds.plan
    problem = Problem(
        needs=needs,
        makers=makers,
        carriers=carriers,
        piles=piles,
        promoters=promoters,
        lawful=NOBODY_LAWFUL,
        families=_families(pool, {m.offer.firm_id for m in makers} | set(fixed.awards)),
        max_share_bp=plan.max_share_bp,
        budget_fen=question.demand.budget_fen,
        max_members=question.demand.max_members,
        later_ready_days=question.thresholds.match.later_ready_days,
        first_promotion=_first_landings(needs, makers, carriers, piles, fixed),
        fixed=fixed,
    )
    lawful = _lawful(question, pool, problem.firms() | fixed.firms)
    return Framed(
        problem=replace(problem, lawful=lawful),
        eligible=tally.eligible,
        excluded=tally.excluded(pool.left_out.items()),
        blocked=tally.by_role,
    )


def without_share_cap(problem: Problem) -> Problem:
    """The same problem where one firm may make everything."""
    return replace(problem, max_share_bp=0)


def _need(question: Question, pool: Snapshot, market: MarketDemand) -> Need:
    band = market.band
    least = {"P10": band.p10_units, "P50": band.p50_units}[question.thresholds.plan.met_quantile]
    return Need(
        market=market.market,
        least=least,
        wanted=band.p50_units,
        most=band.p90_units,
        sale_fen=question.sale_fen(market),
        last_mile_fen=last_mile_fen(question, pool, market.market),
    )


def _latest_ready(carriers: tuple[Carrier, ...]) -> int:
    """The last day on which goods can be ready and still land in time; -1: there is no lane."""
    return max((d.latest_ready for c in carriers for d in c.departures if d.free_units), default=-1)


def _first_landings(
    needs: tuple[Need, ...],
    makers: tuple[Maker, ...],
    carriers: tuple[Carrier, ...],
    piles: tuple[Pile, ...],
    fixed: Fixed,
) -> dict[str, int]:
    """By market, the first day on which anything could land; promotion before it is lost."""
    ready = [maker.lead for maker in makers] + [day for day, _ in fixed.supply.values()]
    first_ready = min(ready, default=0)
    firsts: dict[str, int] = {}
    for need in needs:
        by_lane = [
            d.lands
            for c in carriers
            if c.market == need.market
            for d in c.departures
            if d.latest_ready >= first_ready
        ]
        from_stock = [pile.lands for pile in piles if pile.market == need.market]
        kept = [day for market, day in fixed.lands.items() if market == need.market]
        firsts[need.market] = max(1, min(by_lane + from_stock + kept, default=1))
    return firsts


def _lawful(question: Question, pool: Snapshot, firms: frozenset[str]) -> Lawful:
    known = [pool.firms[name] for name in sorted(firms) if name in pool.firms]
    markets = [market.market for market in question.demand.markets]
    return Lawful(
        sellers={m: tuple(f.firm_id for f in known if m in f.can_sell_in) for m in markets},
        exporters=tuple(f.firm_id for f in known if f.can_export),
        importers={m: tuple(f.firm_id for f in known if m in f.can_import_in) for m in markets},
    )


def _families(pool: Snapshot, firms: set[str]) -> tuple[frozenset[str], ...]:
    """Firms grouped with their affiliates, whichever of them declares the other."""
    groups = {firm: {firm} for firm in firms}
    for name in sorted(firms):
        known = pool.firms.get(name)
        for other in known.affiliates if known else ():
            if other in groups and groups[other] is not groups[name]:
                merged = groups[name] | groups[other]
                for member in merged:
                    groups[member] = merged
    unique = {frozenset(group) for group in groups.values()}
    return tuple(sorted(unique, key=sorted))
