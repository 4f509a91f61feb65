"""The plan of an alliance: who makes, moves and sells what, when, and for how much.

Field meanings, units and zeros: `proto/lianmeng/v1/alliance.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lianmeng.kernel.money import FxRate
from lianmeng.kernel.roles import Role


class LotSource(StrEnum):
    """Where a lot comes from."""

    FACTORY = "FACTORY"
    STOCK = "STOCK"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanBucket:
    """Capacity of one bucket that a plan takes."""

    key: str
    units: int
    capacity_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Goods that become ready together."""

    lot_id: str
    wave: int = 0
    source: LotSource
    firm_id: str
    node_id: str
    node_version: int
    resource_id: str
    units: int
    unit_price_fen: int
    setup_fee_fen: int = 0
    ready_date: date
    buckets: tuple[PlanBucket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """A movement of (part of) a lot into a market."""

    shipment_id: str
    lot_id: str
    firm_id: str
    node_id: str
    node_version: int
    lane_id: str = ""
    mode: str = ""
    market: str
    units: int
    chargeable_g: int = 0
    depart_date: date
    land_date: date
    land_p90_date: date
    pickup_fen: int = 0
    freight_fen: int = 0
    last_mile_fen: int = 0
    resource_id: str = ""
    buckets: tuple[PlanBucket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Marketing in one market by one agency."""

    campaign_id: str
    firm_id: str
    node_id: str
    node_version: int
    resource_id: str
    market: str
    language: str
    units: int
    hours: int
    fixed_fee_fen: int
    hours_fee_fen: int
    commission_bp: int
    start_date: date
    end_date: date
    buckets: tuple[PlanBucket, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A firm that could step in; it is not invited and holds nothing."""

    role: Role
    firm_id: str
    node_id: str
    rank: int
    willing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartiesOfRecord:
    """Who sells, exports and imports, by law."""

    market: str
    seller_firm_id: str
    exporter_firm_id: str = ""
    importer_firm_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBreakdown:
    """Landed cost of a plan, fen. total = all lines above it."""

    goods_fen: int
    setup_fen: int
    pickup_fen: int
    freight_fen: int
    last_mile_fen: int
    marketing_fixed_fen: int
    marketing_hours_fen: int
    commission_fen: int
    risk_fen: int
    shortfall_fen: int
    total_fen: int
    revenue_fen: int
    margin_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How often a rule excluded a node."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveReport:
    """How the plan was found."""

    status: str
    solver: str
    objective_fen: int
    bound_fen: int
    gap_bp: int = 0
    iterations: int = 0
    repeatable: bool = False
    eligible_count: int
    excluded: tuple[ReasonCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who makes, moves and sells what, when, for how much."""

    version: int
    day0_date: date
    forecast_version: int = 0
    planned_units: int
    short_units: int = 0
    lots: tuple[Lot, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    standbys: tuple[Standby, ...] = ()
    parties: tuple[PartiesOfRecord, ...] = ()
    cost: CostBreakdown
    committed_value_fen: int
    solve: SolveReport
    relaxations: tuple[str, ...] = ()
    fx: tuple[FxRate, ...] = ()
