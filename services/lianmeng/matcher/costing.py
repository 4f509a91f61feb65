"""The landed cost of a plan, in fen, line by line.

    goods        units × price: of the step of the scale that the order reaches, or of the stock
    set-up       once per order, on its first lot
    pick-up      chargeable kg × price of the way to the lane's origin
    freight      per consignment (all goods on one departure): units × rate, at least the minimum
    last mile    stock: units × (handling + last mile); goods that came by lane: units × the
                 median last mile of the market, which the seller pays outside of the alliance
    marketing    fixed fee per campaign, creator hours × hour fee
    commission   units sold × sale price × commission
    risk         units × risk of who makes, moves and promotes them; paid to nobody
    shortfall    units short of P50 × sale price; paid to nobody

Chargeable is the real or the volumetric weight, whichever is more. A unit that is short saves
its own costs and loses its sale, so beside a unit that is sold it costs exactly the margin it
would have earned. Committed value = factory lots with set-up + main freight + fixed fees.
Each line is rounded half up to a fen where it is formed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lianmeng.alliance.plan import Campaign, CostBreakdown, Lot, LotSource, Shipment
from lianmeng.kernel.money import round_half_up, share
from lianmeng.matcher.problem import MICRO, Carrier
from lianmeng.matcher.question import Question


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of a plan."""

    lots: tuple[Lot, ...]
    shipments: tuple[Shipment, ...]
    campaigns: tuple[Campaign, ...]

    def all(self) -> tuple[Lot | Shipment | Campaign, ...]:
        """Lots, then shipments, then campaigns."""
        return (*self.lots, *self.shipments, *self.campaigns)

    def firms(self) -> frozenset[str]:
        """Who has a part."""
        return frozenset(part.firm_id for part in self.all())

    def shipments_to(self, market: str) -> tuple[Shipment, ...]:
        """Shipments into a market."""
        return tuple(s for s in self.shipments if s.market == market)

    def landed(self, market: str) -> int:
        """Units that are brought to a market."""
        return sum(s.units for s in self.shipments_to(market))

    def promoted(self, market: str) -> int:
        """Units that are promoted in a market."""
        return sum(c.units for c in self.campaigns if c.market == market)


def in_order(parts: Parts) -> Parts:
    """The same parts in the order of their numbers: `l2` before `l10`."""
    return Parts(
        lots=tuple(sorted(parts.lots, key=lambda lot: _number(lot.lot_id))),
        shipments=tuple(sorted(parts.shipments, key=lambda s: _number(s.shipment_id))),
        campaigns=tuple(sorted(parts.campaigns, key=lambda c: _number(c.campaign_id))),
    )


def _number(ref: str) -> int:
    return int(ref[1:])


@dataclass(frozen=True, slots=True)
class UnpaidPrices:
    """Per unit: `risk` of each firm, millionths of a fen; `last_mile` from a lane's door, fen."""

    risk: Mapping[str, int]
    last_mile: Mapping[str, int]


def fen(units: int, unit_microfen: int) -> int:
    """`units` at a price per unit, rounded half up."""
    return round_half_up(Fraction(units * unit_microfen, MICRO))


def consignment_fen(carrier: Carrier, units: int) -> int:
    """Freight of everything on one departure; nothing costs nothing."""
    return max(carrier.minimum_fen, fen(units, carrier.unit_microfen)) if units else 0


def divided(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts in proportion to `weights`, which are not all 0; the sum is exact."""
    whole, seen, parts = sum(weights), 0, []
    for weight in weights:
        before = total * seen // whole
        seen += weight
        parts.append(total * seen // whole - before)
    return parts


def committed_value(parts: Parts) -> int:
    """What makes an alliance major, fen."""
    made = (lot for lot in parts.lots if lot.source is LotSource.FACTORY)
    return (
        sum(lot.units * lot.unit_price_fen + lot.setup_fee_fen for lot in made)
        + sum(shipment.freight_fen for shipment in parts.shipments)
        + sum(campaign.fixed_fee_fen for campaign in parts.campaigns)
    )


def breakdown(question: Question, parts: Parts, prices: UnpaidPrices) -> CostBreakdown:
    """The cost of all parts."""
    lots, shipments, campaigns = parts.lots, parts.shipments, parts.campaigns
    paid = {
        "goods_fen": sum(lot.units * lot.unit_price_fen for lot in lots),
        "setup_fen": sum(lot.setup_fee_fen for lot in lots),
        "pickup_fen": sum(s.pickup_fen for s in shipments),
        "freight_fen": sum(s.freight_fen for s in shipments),
        "last_mile_fen": sum(_last_mile(s, prices) for s in shipments),
        "marketing_fixed_fen": sum(c.fixed_fee_fen for c in campaigns),
        "marketing_hours_fen": sum(c.hours_fee_fen for c in campaigns),
        "commission_fen": sum(_commission(question, c) for c in campaigns),
    }
    unpaid = {
        "risk_fen": _risk(parts, prices.risk),
        "shortfall_fen": sum(
            short_units(question, parts, m.market) * question.sale_fen(m)
            for m in question.demand.markets
        ),
    }
    revenue = sum(
        (m.band.p50_units - short_units(question, parts, m.market)) * question.sale_fen(m)
        for m in question.demand.markets
    )
    return CostBreakdown(
        **paid,
        **unpaid,
        total_fen=sum(paid.values()) + sum(unpaid.values()),
        revenue_fen=revenue,
        margin_fen=revenue - sum(paid.values()),
    )


def short_units(question: Question, parts: Parts, market: str) -> int:
    """Units short of P50 in a market: a unit is sold if it lands and somebody promotes it."""
    wanted = next(m.band.p50_units for m in question.demand.markets if m.market == market)
    return max(0, wanted - min(parts.landed(market), parts.promoted(market)))


def _commission(question: Question, campaign: Campaign) -> int:
    market = next(m for m in question.demand.markets if m.market == campaign.market)
    return share(campaign.units * question.sale_fen(market), campaign.commission_bp)


def _last_mile(shipment: Shipment, prices: UnpaidPrices) -> int:
    if shipment.lane_id:
        return shipment.units * prices.last_mile[shipment.market]
    return shipment.last_mile_fen


def _risk(parts: Parts, risk: Mapping[str, int]) -> int:
    made = ((lot.firm_id, lot.units) for lot in parts.lots if lot.source is LotSource.FACTORY)
    moved = ((s.firm_id, s.units) for s in parts.shipments)
    shown = ((c.firm_id, c.units) for c in parts.campaigns)
    return fen(1, _weighted((*made, *moved, *shown), risk))


def _weighted(units: Iterable[tuple[str, int]], risk: Mapping[str, int]) -> int:
    return sum(risk[firm] * count for firm, count in units)
