"""What is remembered of one key: its series, the accounts behind them, its customs figures."""

from __future__ import annotations

from collections import defaultdict

from lianmeng.kernel.signals import METRICS_OF, Metric, SignalFamily, SignalKey
from lianmeng.trend.baseline import Season
from lianmeng.trend.creators import Creators
from lianmeng.trend.customs import Reports
from lianmeng.trend.detector import Series
from lianmeng.trend.folding import Cell

SOCIAL = METRICS_OF[SignalFamily.SOCIAL]


class Seasons:
    """The seasons of all pools: one per market × metric."""

    def __init__(self) -> None:
        """Nothing was learnt."""
        self._pools: defaultdict[tuple[str, Metric], Season] = defaultdict(Season)

    def of(self, market: str, metric: Metric) -> Season:
        """The season of a pool."""
        return self._pools[market, metric]


class KeyState:
    """One term in one market. Mutable; follows from the signals of that key alone, and seasons."""

    __slots__ = ("creators", "customs", "key", "newest_s", "series", "since")

    def __init__(self, key: SignalKey, since: int) -> None:
        """A key that was first heard in bucket `since`."""
        self.key = key
        self.since = since
        self.series: dict[Metric, Series] = {}
        self.creators: dict[Metric, Creators] = {}
        self.customs = Reports()
        self.newest_s: dict[Metric, int] = {}

    def add(self, cell: Cell, seasons: Seasons) -> None:
        """Count a cell of this key."""
        self.newest_s[cell.metric] = max(cell.newest_s, self.newest_s.get(cell.metric, 0))
        if cell.metric is Metric.TRADE:
            self.customs.add(cell.newest_s, cell.count)
            return
        series = self.series.get(cell.metric)
        if series is None:
            season = seasons.of(self.key.market, cell.metric)
            series = self.series[cell.metric] = Series(min(self.since, cell.bucket), season)
        series.add(cell.bucket, cell.count)
        if cell.accounts and cell.metric in SOCIAL:
            creators = self.creators.setdefault(cell.metric, Creators())
            for account in sorted(cell.accounts):
                creators.add(cell.bucket, account, cell.accounts[account])

    def last_heard_s(self) -> int:
        """Event time of its newest signal."""
        return max(self.newest_s.values())
