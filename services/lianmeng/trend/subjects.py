"""Subjects: what is watched as one. All terms of a product in a market, or one unmapped term."""

from __future__ import annotations

from dataclasses import dataclass, field

from lianmeng.kernel.signals import Metric
from lianmeng.kernel.thresholds import TrendThresholds
from lianmeng.kernel.trends import Trend
from lianmeng.trend.detector import BUCKETS_PER_HOUR, combine
from lianmeng.trend.episodes import Episode
from lianmeng.trend.gates import Gate
from lianmeng.trend.keys import SOCIAL, KeyState
from lianmeng.trend.scene import Quiet

CALM = 2.0
"""Below this score nothing is unusual."""

COUNTED = (Metric.CART, Metric.ORDER)


@dataclass(slots=True)
class Subject:
    """The keys of one subject and its alarm. Mutable.

    `score` is the social score when it was last touched, `quiet` the last moment at which it was
    calm, `alarm_bucket` where the present alarm began (None: there is none), `held` why that is no
    trend yet. `episodes` are those that live: one, unless two terms turned out to be one product.
    `over_s` is when the last one ended.
    """

    product_id: str
    market: str
    keys: list[KeyState] = field(default_factory=list)
    bucket: int = 0
    score: float = 0.0
    quiet: Quiet = field(default_factory=lambda: Quiet(0, {}))
    alarm_bucket: int | None = None
    held: tuple[Gate, ...] = ()
    episodes: list[Episode] = field(default_factory=list)
    over_s: int | None = None

    def add_key(self, key: KeyState) -> None:
        """Watch a further key; keys are kept in order, so that their order never matters."""
        self.keys.append(key)
        self.keys.sort(key=lambda one: one.key)
        if not self.quiet.bucket:
            self.quiet = Quiet(key.since, {})

    def remove_key(self, key: KeyState) -> list[Episode]:
        """Watch a key no more. Returns the living episodes that began with it."""
        self.keys.remove(key)
        gone = [episode for episode in self.episodes if episode.key == key.key]
        self.episodes = [episode for episode in self.episodes if episode.key != key.key]
        return gone

    def heard_s(self) -> int:
        """Event time of its newest signal."""
        return max(key.last_heard_s() for key in self.keys)

    def keep(self, episode: Episode) -> None:
        """Put an episode in the place of its earlier self, or beside the others."""
        others = [one for one in self.episodes if one.trend.trend_id != episode.trend.trend_id]
        self.episodes = sorted([*others, episode], key=lambda one: one.trend.start_time)

    def end(self, trend: Trend) -> None:
        """The episode of `trend` is over."""
        self.episodes = [one for one in self.episodes if one.trend.trend_id != trend.trend_id]
        self.over_s = max(int(trend.as_of_time.timestamp()), self.over_s or 0)

    def touch(self, *, social: bool, limits: TrendThresholds) -> bool:
        """Something was counted in its newest bucket. Returns whether it is alarmed.

        The alarm begins when the score passes `social_z` and ends when it is calm again; what was
        heard for too short a time has no score yet.
        """
        if social:
            warm = self.bucket - limits.warmup_hours * BUCKETS_PER_HOUR
            self.score = self._social_score([key for key in self.keys if key.since <= warm])
        if self.score < CALM:
            self.alarm_bucket = None
            self.held = ()
            self.quiet = Quiet(self.bucket, self._totals())
        elif self.score >= limits.social_z and self.alarm_bucket is None:
            self.alarm_bucket = self.bucket
        return self.alarm_bucket is not None and self.score >= limits.social_z

    def _social_score(self, keys: list[KeyState]) -> float:
        best = 0.0
        for metric in SOCIAL:
            series = [key.series[metric] for key in keys if metric in key.series]
            if len(series) == 1:
                best = max(best, series[0].score())
            elif series:
                readings = [one.reading(self.bucket) for one in series]
                best = max(best, combine(readings).score)
        return best

    def _totals(self) -> dict[Metric, int]:
        return {
            metric: sum(key.series[metric].total for key in self.keys if metric in key.series)
            for metric in COUNTED
        }
