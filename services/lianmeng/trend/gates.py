"""The FLASH gates: what must hold before an alarm becomes a trend.

Each gate is a small predicate with a name. Customs never gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lianmeng.kernel.thresholds import TrendThresholds
from lianmeng.trend.creators import Crowd

ACCELERATING = 0.9
"""It still accelerates while it is over an hour or two at least this share of over a day."""


class Gate(StrEnum):
    """Why an alarm is no trend yet."""

    SOCIAL_BELOW_THRESHOLD = "SOCIAL_BELOW_THRESHOLD"
    """Nothing in the social family is far above its own seasonal baseline."""
    WARMING_UP = "WARMING_UP"
    """The key was heard for too short a time to know what is ordinary for it."""
    NOT_ACCELERATING = "NOT_ACCELERATING"
    """The rise is past."""
    FEW_CREATORS = "FEW_CREATORS"
    """Too few independent accounts are behind it."""
    ONE_ACCOUNT = "ONE_ACCOUNT"
    """One account is behind most of it."""
    NO_COMMERCE = "NO_COMMERCE"
    """Neither carts nor orders confirm it."""
    DEMAND_SMALL = "DEMAND_SMALL"
    """Too few units are expected in 14 days."""
    DEMAND_UNSURE = "DEMAND_UNSURE"
    """Too few orders were seen in too short a time to say how many are wanted."""
    COOLING_DOWN = "COOLING_DOWN"
    """The last episode ended too short a time ago."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What the gates look at. `fast_ratio`, `slow_ratio`: multiples of the level by time scale.

    `extra_orders` were seen in the `rise_minutes` since the last quiet moment; the alarm is on for
    `alarm_minutes`; `since_over_h` is None when there was no episode before.
    """

    social_score: float
    commerce_score: float
    heard_h: float
    fast_ratio: float
    slow_ratio: float
    crowd: Crowd
    p50_14d_units: int
    extra_orders: float
    rise_minutes: float
    alarm_minutes: float
    since_over_h: float | None


def closed_gates(alarm: Alarm, limits: TrendThresholds) -> tuple[Gate, ...]:
    """The gates that hold it back, in their order; none = it is a trend."""
    return tuple(gate for gate, holds in _GATES.items() if not holds(alarm, limits))


def _enough_creators(alarm: Alarm, limits: TrendThresholds) -> bool:
    return not alarm.crowd.accounts or alarm.crowd.accounts >= limits.min_creators


def _no_single_account(alarm: Alarm, limits: TrendThresholds) -> bool:
    return not alarm.crowd.accounts or alarm.crowd.top_account_bp < limits.max_top_account_bp


def _sure(alarm: Alarm, limits: TrendThresholds) -> bool:
    enough = (
        alarm.extra_orders >= limits.confirm_orders
        and alarm.rise_minutes >= limits.confirm_orders_minutes
    )
    return enough or alarm.alarm_minutes >= limits.confirm_minutes


def _cooled_down(alarm: Alarm, limits: TrendThresholds) -> bool:
    return alarm.since_over_h is None or alarm.since_over_h >= limits.cooldown_hours


_GATES: Mapping[Gate, Callable[[Alarm, TrendThresholds], bool]] = {
    Gate.SOCIAL_BELOW_THRESHOLD: lambda alarm, limits: alarm.social_score >= limits.social_z,
    Gate.WARMING_UP: lambda alarm, limits: alarm.heard_h >= limits.warmup_hours,
    Gate.NOT_ACCELERATING: lambda alarm, _: alarm.fast_ratio >= ACCELERATING * alarm.slow_ratio,
    Gate.FEW_CREATORS: _enough_creators,
    Gate.ONE_ACCOUNT: _no_single_account,
    Gate.NO_COMMERCE: lambda alarm, limits: alarm.commerce_score >= limits.commerce_z,
    Gate.DEMAND_SMALL: (
        lambda alarm, limits: alarm.p50_14d_units >= limits.min_demand_p50_14d_units
    ),
    Gate.DEMAND_UNSURE: _sure,
    Gate.COOLING_DOWN: _cooled_down,
}
