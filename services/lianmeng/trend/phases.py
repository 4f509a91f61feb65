"""How far an episode has come, judged by the speed of its leading metric.

`fast` and `slow` are what is seen above the ordinary level, per hour of season 1, over about half
a day and two days; `peak` is the largest `fast` so far.
"""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.kernel.trends import TrendPhase

MIN_PHASE_H = 6.0
"""A phase lasts at least this long, so that one noisy hour does not end it."""

GROWING = 1.1
"""It grows while `fast` is at least this multiple of `slow`."""

FALLEN = 0.6
"""It fades from this share of its peak on."""

RISEN = 0.8
"""A fading one that rises above this share of its peak is at its height again."""

LOW = 0.1
"""At this share of its peak it is low, and over if that lasts."""

LOW_OF_LEVEL = 0.5
"""It is also low at this share of its ordinary level: less cannot be told from noise."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Speed above the ordinary level, counts per hour of season 1; `level` is that level."""

    fast: float
    slow: float
    level: float


def next_phase(phase: TrendPhase, hours: float, speed: Speed, peak: float) -> TrendPhase:
    """The phase now, after `hours` in `phase`."""
    if hours < MIN_PHASE_H:
        return phase
    if speed.fast <= FALLEN * peak and speed.fast < speed.slow:
        return TrendPhase.FADING
    if phase is TrendPhase.FADING and speed.fast < RISEN * peak:
        return TrendPhase.FADING
    return TrendPhase.EMERGING if speed.fast >= GROWING * speed.slow else TrendPhase.PEAKING


def is_low(speed: Speed, peak: float) -> bool:
    """Whether so little is left that the episode may be over."""
    return speed.fast <= max(LOW * peak, LOW_OF_LEVEL * speed.level)
