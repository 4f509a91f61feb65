"""What a unit costs on a lane, in commission or in risk: millionths of a fen, and grams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lianmeng.kernel.money import BASIS
from lianmeng.matcher.costing import UnpaidPrices
from lianmeng.matcher.problem import MICRO
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.nodes import FreightBasis, Lane, Logistics

GRAMS = 1_000
"""Grams in a kilogram."""

CM3_PER_CBM = 1_000_000


@dataclass(frozen=True, slots=True)
class LaneRate:
    """A unit's chargeable weight, its freight, and its way to the lane's origin."""

    unit_g: int
    unit_microfen: int
    pickup_microfen: int


def lane_rate(question: Question, lane: Lane) -> LaneRate:
    """The rate of the demand's product on a lane.

    Chargeable is the real or the volumetric weight, whichever is more; the product's own
    weight and volume count, since every maker makes the same product.
    """
    product = question.demand.product
    volumetric = 0
    if lane.volumetric_divisor:
        volumetric = -(-product.unit_volume_cm3 * GRAMS // lane.volumetric_divisor)
    unit_g = max(product.unit_weight_g, volumetric, 1)
    price = question.fen(lane.price)
    match lane.basis:
        case FreightBasis.KG:
            unit = price * unit_g * (MICRO // GRAMS)
        case FreightBasis.CBM:
            unit = price * product.unit_volume_cm3 * (MICRO // CM3_PER_CBM)
        case FreightBasis.PARCEL:
            unit = price * MICRO
    pickup = question.fen(lane.pickup_price_per_kg) * unit_g * (MICRO // GRAMS)
    return LaneRate(unit_g, unit, pickup)


def commission_microfen(sale_fen: int, commission_bp: int) -> int:
    """Commission on one unit sold."""
    return sale_fen * commission_bp * (MICRO // BASIS)


def last_mile_fen(question: Question, pool: Snapshot, market: str) -> int:
    """What a unit costs from a lane's door to the consumer: nobody in the alliance is paid for it.

    The median fee of the warehouses registered in the market (the lower of two); 0 without any.
    """
    fees = sorted(
        question.fen(house.last_mile_fee)
        for node in pool.forwarders
        if isinstance(node.capability, Logistics)
        for house in node.capability.warehouses
        if house.market == market
    )
    return fees[(len(fees) - 1) // 2] if fees else 0


def unpaid_prices(question: Question, pool: Snapshot, firms: Iterable[str]) -> UnpaidPrices:
    """What `firms` and the way to the consumer cost beside what the alliance pays."""
    markets = (market.market for market in question.demand.markets)
    return UnpaidPrices(
        risk={name: risk_microfen(question, pool, name) for name in firms},
        last_mile={name: last_mile_fen(question, pool, name) for name in markets},
    )


def risk_microfen(question: Question, pool: Snapshot, firm_id: str) -> int:
    """The price of a firm's unreliability per unit that it makes, moves or promotes.

    It is a share (threshold `risk_price_bp`) of the sale value of what it is expected to fail:
    a standby usually steps in, so not all of the sale is lost.
    """
    reliability = pool.reliability_bp.get(firm_id, 0)
    if not reliability and firm_id in pool.firms:
        reliability = pool.firms[firm_id].reliability_bp
    if not reliability:
        reliability = question.thresholds.reliability.prior_bp
    dearest = max(question.sale_fen(market) for market in question.demand.markets)
    price = question.thresholds.match.risk_price_bp
    return dearest * (BASIS - reliability) * price * MICRO // BASIS**2
