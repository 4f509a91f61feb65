"""A figure: what was measured, what was found, and what was hoped for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `floor` and `goal` are bounds: at least, or at most if `at_most`."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    goal: float | None = None
    at_most: bool = False
    note: str = ""

    def reaches(self, bound: float | None) -> bool | None:
        """Whether the value keeps a bound; None without one."""
        if bound is None:
            return None
        return self.value <= bound if self.at_most else self.value >= bound

    def row(self) -> dict[str, Any]:
        """The figure for machines."""
        return asdict(self) | {
            "floor_reached": self.reaches(self.floor),
            "goal_reached": self.reaches(self.goal),
        }


def table(figures: Sequence[Figure]) -> Table:
    """The figures for people."""
    shown = Table("figure", "value", "unit", "floor", "goal", "", "note")
    marks = {True: "[green]reached", False: "[red]missed", None: ""}
    for figure in figures:
        sign = "≤ " if figure.at_most else "≥ "
        bounds = [f"{sign}{b:g}" if b is not None else "" for b in (figure.floor, figure.goal)]
        mark = marks[figure.reaches(figure.floor)]
        shown.add_row(figure.name, f"{figure.value:,.1f}", figure.unit, *bounds, mark, figure.note)
    return shown


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
