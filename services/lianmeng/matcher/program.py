"""A mixed-integer linear program as columns and rows, before any solver has seen it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Term = tuple[int, float]
"""A column and its coefficient in a row."""

FREE = float("inf")
"""No upper limit; negated, no lower one."""


@dataclass(slots=True)
class Program:
    """Minimise the sum of `costs` × columns subject to the rows. Grow it with `column`, `row`."""

    costs: list[float] = field(default_factory=list)
    lowers: list[float] = field(default_factory=list)
    uppers: list[float] = field(default_factory=list)
    integral: list[bool] = field(default_factory=list)
    row_lowers: list[float] = field(default_factory=list)
    row_uppers: list[float] = field(default_factory=list)
    entry_rows: list[int] = field(default_factory=list)
    entry_columns: list[int] = field(default_factory=list)
    entry_values: list[float] = field(default_factory=list)

    def column(self, cost: float, upper: float, *, integral: bool = True) -> int:
        """A new column from 0 to `upper`; returns its number."""
        self.costs.append(cost)
        self.lowers.append(0.0)
        self.uppers.append(upper)
        self.integral.append(integral)
        return len(self.costs) - 1

    def binary(self, cost: float = 0.0) -> int:
        """A new column that is 0 or 1; returns its number."""
        return self.column(cost, 1.0)

    def row(self, lower: float, terms: Iterable[Term], upper: float) -> None:
        """`lower` ≤ sum of `terms` ≤ `upper`. A column may occur more than once in `terms`."""
        merged: dict[int, float] = {}
        for column, value in terms:
            merged[column] = merged.get(column, 0.0) + value
        number = len(self.row_lowers)
        self.row_lowers.append(lower)
        self.row_uppers.append(upper)
        for column in sorted(c for c, value in merged.items() if value):
            self.entry_rows.append(number)
            self.entry_columns.append(column)
            self.entry_values.append(merged[column])

    def at_most(self, terms: Iterable[Term], upper: float = 0.0) -> None:
        """Sum of `terms` ≤ `upper`."""
        self.row(-FREE, terms, upper)

    def at_least(self, terms: Iterable[Term], lower: float = 0.0) -> None:
        """Sum of `terms` ≥ `lower`."""
        self.row(lower, terms, FREE)

    def equal(self, terms: Iterable[Term], value: float = 0.0) -> None:
        """Sum of `terms` = `value`."""
        self.row(value, terms, value)
