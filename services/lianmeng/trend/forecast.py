"""How much will be wanted: a rate of orders, a shape over time, a band around it.

The rate is what is ordered above the ordinary level, per day of season 1; the ordinary demand is
taken as served. The shape follows from the phase:

- EMERGING: within `growth_days` of its start the rate grows evenly to `growth_factor` times what it
  was at first, then it halves every `half_life_days`;
- PEAKING: it halves every `half_life_days` from now on;
- FADING: it halves in the time in which it has halved since its peak (1 to 14 days).

While it is young it is not taken to last: half-life and growth are at most `young_factor` times its
age, so that what was seen for ten minutes is not told as three weeks.

P50 is rate × the area under the shape, P10 and P90 are fixed shares of it by phase. These are
defaults of ours, versioned with the thresholds; nothing is learnt from past episodes yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from lianmeng.kernel.money import BASIS
from lianmeng.kernel.quantities import Band
from lianmeng.kernel.thresholds import ForecastThresholds
from lianmeng.kernel.trends import TrendPhase

MIN_AGE_DAYS = 1.0 / 288.0
"""Five minutes, in days: younger is nothing."""

MIN_HALF_LIFE_DAYS = 1.0
MAX_HALF_LIFE_DAYS = 14.0


@dataclass(frozen=True, slots=True)
class Course:
    """Where an episode stands: extra orders per day, its phase and age, its decline if it fades.

    `remaining_share` is the rate as a share of its peak, `days_since_peak` how long ago that was.
    """

    orders_per_day: float
    phase: TrendPhase
    age_days: float = 0.0
    remaining_share: float = 1.0
    days_since_peak: float = 0.0


def demand(course: Course, days: float, model: ForecastThresholds) -> Band:
    """Units wanted within the next `days`, above the ordinary demand."""
    p50 = max(0.0, course.orders_per_day) * area(course, days, model)
    low_bp, high_bp = _band(course.phase, model)
    return Band(
        p10_units=round(p50 * low_bp / BASIS),
        p50_units=round(p50),
        p90_units=round(p50 * high_bp / BASIS),
    )


def area(course: Course, days: float, model: ForecastThresholds) -> float:
    """The area under the shape: for how many days the present rate would have to last."""
    days = max(0.0, days)
    match course.phase:
        case TrendPhase.EMERGING:
            return _grown(course.age_days, days, model)
        case TrendPhase.PEAKING:
            return _decayed(days, _lasting(course.age_days, model.half_life_days, model))
        case TrendPhase.FADING:
            return _decayed(days, half_life_days(course, model))
        case TrendPhase.OVER:
            return 0.0


def _grown(age: float, days: float, model: ForecastThresholds) -> float:
    slope = (model.growth_factor - 1.0) / model.growth_days
    steepness = slope / (1.0 + slope * min(age, model.growth_days))  # relative to the present rate
    left = max(0.0, model.growth_days - age)
    growing = min(days, _lasting(age, left, model))
    ramp = growing + steepness * growing * growing / 2.0
    half_life = _lasting(age, model.half_life_days, model)
    return ramp + (1.0 + steepness * growing) * _decayed(days - growing, half_life)


def _lasting(age: float, days: float, model: ForecastThresholds) -> float:
    return min(days, model.young_factor * max(age, MIN_AGE_DAYS))


def half_life_days(course: Course, model: ForecastThresholds) -> float:
    """In how many days a fading rate halves, judged by its decline since the peak."""
    share = course.remaining_share
    if not 0.0 < share < 1.0 or course.days_since_peak <= 0.0:
        return model.half_life_days
    observed = course.days_since_peak * log(2.0) / -log(share)
    return min(max(observed, MIN_HALF_LIFE_DAYS), MAX_HALF_LIFE_DAYS)


def _decayed(days: float, half_life: float) -> float:
    return half_life / log(2.0) * float(1.0 - 2.0 ** (-days / half_life))


def _band(phase: TrendPhase, model: ForecastThresholds) -> tuple[int, int]:
    match phase:
        case TrendPhase.EMERGING:
            return model.emerging_p10_bp, model.emerging_p90_bp
        case TrendPhase.PEAKING:
            return model.peaking_p10_bp, model.peaking_p90_bp
        case _:
            return model.fading_p10_bp, model.fading_p90_bp
