"""Trends: what takes off, how big it may get, and how sure that is.

Field meanings, units and zeros: `Trend` in `proto/lianmeng/v1/trend.proto`, equal by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lianmeng.kernel.quantities import Band
from lianmeng.kernel.signals import SignalFamily


class TrendKind(StrEnum):
    """Kind of a trend."""

    FLASH = "FLASH"
    """Takes off within hours, lasts 7 to 21 days; forms an alliance."""
    STRUCTURAL = "STRUCTURAL"
    """Shifts over weeks; advice only."""


class TrendPhase(StrEnum):
    """Phase of an episode."""

    EMERGING = "EMERGING"
    PEAKING = "PEAKING"
    FADING = "FADING"
    OVER = "OVER"


class TrendMapping(StrEnum):
    """Whether a trend can be served."""

    MAPPED = "MAPPED"
    """Its term is a product of the catalogue with a price in the market."""
    UNMAPPED = "UNMAPPED"
    """It is not; the trend says what is missing, and forms nothing."""


class TrendEvent(StrEnum):
    """What a trend fact says happened."""

    DETECTED = "DETECTED"
    UPDATED = "UPDATED"
    OVER = "OVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyEvidence:
    """What one family of signals says. `missing`: nothing was heard of it lately."""

    family: SignalFamily
    score_milli: int = 0
    age_s: int = 0
    weight_bp: int = 0
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """An episode of a product, or of an unmapped term, in one market, as of its last fact."""

    trend_id: str
    event: TrendEvent
    kind: TrendKind
    phase: TrendPhase
    term: str
    product_id: str = ""
    market: str
    mapping: TrendMapping
    missing: tuple[str, ...] = ()
    start_time: datetime
    as_of_time: datetime
    window_end_time: datetime
    score_milli: int = 0
    confidence_bp: int = 0
    evidence: tuple[FamilyEvidence, ...] = ()
    missing_families: tuple[SignalFamily, ...] = ()
    creator_count: int = 0
    top_account_bp: int = 0
    demand_14d: Band
    demand_window: Band
    forecast_version: int
    thresholds_version: str
    velocity_per_hour: int = 0
    baseline_per_hour: int = 0
