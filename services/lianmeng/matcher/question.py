"""The question that a match answers: this demand, asked at this moment, under these thresholds.

All days of a match are whole numbers: day 0 is the local date of the moment of asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lianmeng.alliance.demand import Demand, MarketDemand
from lianmeng.kernel.money import Money, to_fen
from lianmeng.kernel.thresholds import Thresholds

LOCAL = ZoneInfo("Asia/Shanghai")
"""The zone in which the days of a plan are days."""

BOOKED_NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A demand at a moment (`now`, story time).

    `excluded` firms may not take part, for `waived` rules nobody is turned away. `kept` is what
    parts of this alliance that stay have in the books: resource id → bucket key → units.
    """

    demand: Demand
    now: datetime
    thresholds: Thresholds
    excluded: frozenset[str] = frozenset()
    waived: frozenset[str] = frozenset()
    kept: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """Day 0."""
        return self.now.astimezone(LOCAL).date()

    @property
    def last_date(self) -> date:
        """The date on which the demand's window ends."""
        return self.demand.window_end_time.astimezone(LOCAL).date()

    @property
    def last_day(self) -> int:
        """The day on which the window ends."""
        return (self.last_date - self.today).days

    @property
    def last_landing(self) -> int:
        """The last day on which goods may land, by the median of their transit, and count."""
        return self.last_day - self.thresholds.plan.land_margin_days

    def date(self, day: int) -> date:
        """The date of a day."""
        return self.today + timedelta(days=day)

    def fen(self, money: Money | None) -> int:
        """`money` in fen at the frozen rates; no money is 0."""
        return 0 if money is None else to_fen(money, self.thresholds.fx)

    def sale_fen(self, market: MarketDemand) -> int:
        """What a consumer pays for one unit in a market, fen."""
        return self.fen(market.sale_price)

    def kept_units(self, resource_id: str, key: str) -> int:
        """Units of a bucket that parts of this alliance which stay have taken."""
        return self.kept.get(resource_id, BOOKED_NOTHING).get(key, 0)
