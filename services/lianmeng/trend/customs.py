"""Customs statistics: monthly figures that come weeks late. They never raise or confirm a trend.

A month's figure is compared with the months before it, which fade with a half-life of a year.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import sqrt

from lianmeng.trend.baseline import KAPPA

FORGET_MONTH = 2.0 ** (-1.0 / 12.0)


class Reports:
    """Monthly figures of one key. Mutable; figures of one month add up."""

    __slots__ = ("_count", "_mean", "_month", "_square", "_weight")

    def __init__(self) -> None:
        """No month is known."""
        self._month = 0
        self._count = 0
        self._weight = 0.0
        self._mean = 0.0
        self._square = 0.0

    def add(self, time_s: int, count: int) -> None:
        """A figure of the month of `time_s` (UTC). Figures of earlier months come too late."""
        moment = datetime.fromtimestamp(time_s, UTC)
        month = moment.year * 12 + moment.month
        if month > self._month:
            if self._month:
                self._learn()
            self._month, self._count = month, 0
        if month == self._month:
            self._count += count

    @property
    def score(self) -> float:
        """Standard deviations of the newest month above those before it; 0 without them."""
        if not self._weight:
            return 0.0
        scatter = max(0.0, self._square - self._mean**2)
        variance = scatter + self._mean + KAPPA * self._mean**2 + 1.0
        return max(0.0, (self._count - self._mean) / sqrt(variance))

    def _learn(self) -> None:
        old = self._weight * FORGET_MONTH
        self._weight = old + 1.0
        self._mean = (self._mean * old + self._count) / self._weight
        self._square = (self._square * old + self._count**2) / self._weight
