"""Standbys: who could step in for a member, ranked per role with the plan.

They are not invited and hold nothing. First those who said yes too late, then those who could
take over the largest part of the role alone, then by what a unit would cost with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lianmeng.alliance.plan import LotSource, Standby
from lianmeng.kernel.roles import Role
from lianmeng.matcher.costing import Parts
from lianmeng.matcher.problem import MICRO, Carrier, Maker, Problem, Promoter


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    """In the order of preference."""

    unwilling: bool
    partial: bool
    unit_microfen: int
    node_id: str
    firm_id: str


def rank_standbys(
    problem: Problem, parts: Parts, willing: Collection[str], per_role: int
) -> tuple[Standby, ...]:
    """At most `per_role` standbys for each role that the plan has, no member among them."""
    inside = parts.firms()
    roles = (
        (Role.MANUFACTURING, _makers(problem, parts, willing)),
        (Role.LOGISTICS, _carriers(problem, parts, willing)),
        (Role.MARKETING, _promoters(problem, parts, willing)),
    )
    return tuple(
        standby
        for role, candidates in roles
        for standby in _ranked(role, candidates, inside, per_role)
    )


def _ranked(
    role: Role, candidates: Iterable[_Candidate], inside: Collection[str], per_role: int
) -> list[Standby]:
    best: dict[str, _Candidate] = {}
    for candidate in sorted(candidates):
        if candidate.firm_id not in inside:
            best.setdefault(candidate.firm_id, candidate)
    return [
        Standby(
            role=role,
            firm_id=candidate.firm_id,
            node_id=candidate.node_id,
            rank=rank,
            willing=not candidate.unwilling,
        )
        for rank, candidate in enumerate(list(best.values())[:per_role], 1)
    ]


def _makers(problem: Problem, parts: Parts, willing: Collection[str]) -> Iterable[_Candidate]:
    orders: dict[str, int] = {}
    for lot in parts.lots:
        if lot.source is LotSource.FACTORY:
            orders[lot.node_id] = orders.get(lot.node_id, 0) + lot.units
    units = max(orders.values(), default=0)
    latest = max((d.latest_ready for c in problem.carriers for d in c.departures), default=0)
    for maker in problem.makers if units else ():
        able = maker.ready_by(latest) >= units
        yield _candidate(maker, willing, able, _maker_unit(maker, units))


def _maker_unit(maker: Maker, units: int) -> int:
    order = max(units, maker.tiers[0].low)
    price = maker.tier_of(order).unit_fen * MICRO + maker.setup_fen * MICRO // order
    return price + maker.offer.risk_microfen


def _carriers(problem: Problem, parts: Parts, willing: Collection[str]) -> Iterable[_Candidate]:
    moved = [s for s in parts.shipments if s.lane_id]
    units = max((s.units for s in moved), default=0)
    markets = {s.market for s in moved}
    for carrier in problem.carriers:
        if carrier.market in markets:
            able = any(d.free_units >= units for d in carrier.departures)
            unit = carrier.unit_microfen + carrier.pickup_microfen + carrier.offer.risk_microfen
            yield _candidate(carrier, willing, able, unit)


def _promoters(problem: Problem, parts: Parts, willing: Collection[str]) -> Iterable[_Candidate]:
    for campaign in parts.campaigns:
        for promoter in problem.promoters:
            if campaign.market in promoter.commission_microfen:
                unit = _promoter_unit(promoter, campaign.market, campaign.units)
                free = promoter.free_hours(problem.first_promotion[campaign.market])
                able = free * promoter.units_per_hour >= campaign.units
                yield _candidate(promoter, willing, able, unit)


def _promoter_unit(promoter: Promoter, market: str, units: int) -> int:
    fixed = promoter.fixed_fen * MICRO // units
    hour = promoter.hour_fen * MICRO // promoter.units_per_hour
    return fixed + hour + promoter.commission_microfen[market] + promoter.offer.risk_microfen


def _candidate(
    option: Maker | Carrier | Promoter, willing: Collection[str], able: bool, unit: int
) -> _Candidate:
    return _Candidate(
        unwilling=option.offer.firm_id not in willing,
        partial=not able,
        unit_microfen=unit,
        node_id=option.offer.node_id,
        firm_id=option.offer.firm_id,
    )
