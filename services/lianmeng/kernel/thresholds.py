"""The thresholds file: our defaults, versioned, never presented as facts.

Each group is a frozen dataclass whose fields are the keys of a table in `thresholds.toml`,
where their units stand beside them. A key that the code does not know, or that the file
lacks, is an error: nothing is defaulted silently.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import date
from importlib.resources import files
from typing import Any

from lianmeng.kernel.money import FxRate


@dataclass(frozen=True, slots=True)
class TrendThresholds:
    """When a trend triggers an alliance."""

    min_creators: int
    max_top_account_bp: int
    min_demand_p50_14d_units: int
    cooldown_hours: int
    signal_future_tolerance_s: int
    signal_max_age_days: int
    social_z: float
    commerce_z: float
    warmup_hours: int
    confirm_orders: int
    confirm_orders_minutes: int
    confirm_minutes: int
    window_days: int
    update_gap_minutes: int
    update_change_bp: int
    update_max_gap_hours: int
    low_hours: int
    silence_hours: int
    max_keys: int


@dataclass(frozen=True, slots=True)
class ForecastThresholds:
    """How demand is taken to grow, decay and scatter."""

    young_factor: float
    growth_days: float
    growth_factor: float
    half_life_days: float
    orders_per_cart: float
    emerging_p10_bp: int
    emerging_p90_bp: int
    peaking_p10_bp: int
    peaking_p90_bp: int
    fading_p10_bp: int
    fading_p90_bp: int


@dataclass(frozen=True, slots=True)
class PlanThresholds:
    """What a plan must satisfy."""

    met_quantile: str
    land_margin_days: int
    max_share_bp: int
    min_suppliers: int
    stock_stale_flag_hours: int
    stock_stale_max_hours: int
    standbys_per_role: int


@dataclass(frozen=True, slots=True)
class MatchThresholds:
    """How plans are priced and how long the solver looks for a better one."""

    risk_price_bp: int
    later_ready_days: int
    target_gap_bp: int
    node_limit: int
    wall_limit_ms: int
    relaxation_days: list[int]


@dataclass(frozen=True, slots=True)
class FormationThresholds:
    """Time limits and rounds up to ACTIVE."""

    invitation_hours: int
    max_rounds: int
    limit_hours: int
    approval_hours: int
    rematch_max: int
    rematch_gap_minutes: int
    hold_grace_s: int


@dataclass(frozen=True, slots=True)
class ApprovalThresholds:
    """What is major, and how far an approval reaches."""

    major_value_fen: int
    tolerance_bp: int


@dataclass(frozen=True, slots=True)
class ExecutionThresholds:
    """Silence, collapse and what remains after dissolution."""

    silence_accepts_hours: int
    remind_hours: int
    at_risk_hours: int
    failed_hours: int
    collapse_bp: int
    collapse_gap_hours: int
    residual_days: int


@dataclass(frozen=True, slots=True)
class ReliabilityThresholds:
    """The prior of a firm's reliability."""

    prior_bp: int
    prior_weight: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All groups, and the exchange rates by ISO 4217 code."""

    version: str
    trend: TrendThresholds
    forecast: ForecastThresholds
    plan: PlanThresholds
    match: MatchThresholds
    formation: FormationThresholds
    approval: ApprovalThresholds
    execution: ExecutionThresholds
    reliability: ReliabilityThresholds
    fx: dict[str, FxRate]


_GROUPS: dict[str, type] = {
    "trend": TrendThresholds,
    "forecast": ForecastThresholds,
    "plan": PlanThresholds,
    "match": MatchThresholds,
    "formation": FormationThresholds,
    "approval": ApprovalThresholds,
    "execution": ExecutionThresholds,
    "reliability": ReliabilityThresholds,
}


def parse(text: str) -> Thresholds:
    """Thresholds from TOML. Raises `ValueError` naming the group and the keys that differ."""
    data = tomllib.loads(text)
    groups = {name: _group(name, group, data) for name, group in _GROUPS.items()}
    return Thresholds(version=data["version"], fx=_rates(data["fx"]), **groups)


def _group(name: str, group: type, data: dict[str, Any]) -> Any:
    table = data.get(name, {})
    expected = {field.name for field in fields(group)}
    if expected != table.keys():
        raise ValueError(f"[{name}] unknown or missing: {sorted(expected ^ table.keys())}")
    return group(**table)


def _rates(table: dict[str, Any]) -> dict[str, FxRate]:
    as_of: date = table["as_of"]
    codes = (code for code in table if code != "as_of")
    return {
        code: FxRate(currency=code, cny_per_unit_ppm=table[code], as_of=as_of) for code in codes
    }


def load() -> Thresholds:
    """The thresholds that ship with this version."""
    return parse(files("lianmeng.kernel").joinpath("thresholds.toml").read_text(encoding="utf-8"))
