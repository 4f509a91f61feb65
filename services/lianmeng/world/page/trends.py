"""What the market said: the band of units expected from each forecast on, and the phases."""

from __future__ import annotations

from collections.abc import Sequence

from lianmeng.v1 import trend_pb2 as pb
from lianmeng.world.agents import at
from lianmeng.world.page.axes import Days
from lianmeng.world.page.story import Told
from lianmeng.world.page.svg import drawing, line, path, words

WIDTH = 1_080
LEFT = 60
TOP, BOTTOM = 24, 150

LABEL = 60.0
"""Width of the label of a phase."""


def episodes(told: Told) -> list[list[pb.Trend]]:
    """The facts of each trend, in the order in which they were detected."""
    by_id: dict[str, list[pb.Trend]] = {}
    for trend in told.trends:
        by_id.setdefault(trend.trend_id, []).append(trend)
    return list(by_id.values())


def episode(told: Told, facts: Sequence[pb.Trend]) -> str:
    """One trend: P50 as a line, P10 to P90 as a band."""
    last = max(told.day(at(fact.as_of_time)) for fact in told.trends)
    days = Days(0.0, last + 0.5, LEFT, WIDTH - 20)
    most = max(fact.demand_window.p90_units for fact in facts) or 1

    def y(units: int) -> float:
        return BOTTOM - units / most * (BOTTOM - TOP)

    points = [(days.x(told.day(at(fact.as_of_time))), fact.demand_window) for fact in facts]
    upper = " L".join(f"{x:.1f},{y(band.p90_units):.1f}" for x, band in points)
    lower = " L".join(f"{x:.1f},{y(band.p10_units):.1f}" for x, band in reversed(points))
    middle = " L".join(f"{x:.1f},{y(band.p50_units):.1f}" for x, band in points)
    scale = "".join(
        line(LEFT, y(units), WIDTH - 20, y(units), "grid faint")
        + words(LEFT - 6, y(units) + 4, f"{units:,}", "tick", "end")
        for units in (most // 2, most)
    )
    return drawing(
        WIDTH,
        BOTTOM + 24,
        days.grid(TOP, BOTTOM),
        scale,
        path(f"M{upper} L{lower} Z", "band", "P10 to P90"),
        path(f"M{middle}", "p50", "P50"),
        _phases(told, days, facts),
        label=f"Forecasts of {facts[0].term}",
    )


def _phases(told: Told, days: Days, facts: Sequence[pb.Trend]) -> str:
    marks: list[str] = []
    labelled = -LABEL
    for before, fact in zip([None, *facts], facts, strict=False):
        if before is None or before.phase != fact.phase:
            x = days.x(told.day(at(fact.as_of_time)))
            name = pb.TrendPhase.Name(fact.phase).removeprefix("TREND_PHASE_").lower()
            marks.append(line(x, TOP - 8, x, BOTTOM, "phase"))
            if x - labelled >= LABEL:
                marks.append(words(x + 4, TOP - 2, name, "tick"))
                labelled = x
    return "".join(marks)
