"""The demand of an alliance: what is to be fulfilled, and the limits that govern its life.

Field meanings, units and zeros: `proto/lianmeng/v1/alliance.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lianmeng.kernel.money import Money
from lianmeng.kernel.quantities import Band


class DemandOrigin(StrEnum):
    """Where a demand came from."""

    TREND = "TREND"
    MANUAL = "MANUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSnapshot:
    """The product as it stood in the catalogue when the demand was accepted."""

    product_id: str
    version: int
    name_zh: str
    name_en: str = ""
    hs6: str
    uom: str
    unit_weight_g: int
    unit_volume_cm3: int = 0
    materials: tuple[str, ...] = ()
    required_certificates: tuple[str, ...] = ()
    battery_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDemand:
    """What is wanted in one market."""

    market: str
    channel: str = ""
    language: str
    band: Band
    sale_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is to be fulfilled."""

    demand_id: str
    origin: DemandOrigin
    trend_id: str = ""
    forecast_version: int = 0
    requested_by: str = ""
    command_id: str = ""
    product: ProductSnapshot
    markets: tuple[MarketDemand, ...] = ()
    window_start_time: datetime
    window_end_time: datetime
    budget_fen: int = 0
    max_members: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits in force when the demand was accepted; they stay for its whole life."""

    thresholds_version: str
    invitation_hours: int
    max_rounds: int
    formation_hours: int
    approval_hours: int
    rematch_max: int
    rematch_gap_minutes: int
    major_value_fen: int
    approval_tolerance_bp: int
    silence_accepts_hours: int
    remind_hours: int
    at_risk_hours: int
    failed_hours: int
    residual_days: int
