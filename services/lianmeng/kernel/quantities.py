"""Quantities of goods and forecasts of them, in whole units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A forecast: quantiles in units, 0 <= p10 <= p50 <= p90."""

    p10_units: int = 0
    p50_units: int = 0
    p90_units: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.p10_units <= self.p50_units <= self.p90_units:
            raise ValueError(f"not a band: {self.p10_units}, {self.p50_units}, {self.p90_units}")
