"""What past alliances teach: reliability of firms and lateness of nodes (数据反馈 … 增强回路).

A pure fold over the outcomes in `dissolved` facts. Reliability is the posterior mean of a Beta
distribution whose prior weighs as many tasks as the thresholds say; lateness is the mean of the
whole days by which a node's tasks were late (early counts as on time).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from lianmeng.alliance.members import TaskOutcome
from lianmeng.kernel.money import BASIS, round_half_up
from lianmeng.kernel.thresholds import ReliabilityThresholds


@dataclass(slots=True)
class _Tally:
    """Tasks seen, of which fulfilled, and days late in all."""

    tasks: int = 0
    fulfilled: int = 0
    late_days: int = 0


@dataclass(slots=True)
class Experience:
    """Tallies per firm and per node; `learn` adds to them."""

    prior: ReliabilityThresholds
    _firms: dict[str, _Tally] = field(default_factory=dict)
    _nodes: dict[str, _Tally] = field(default_factory=dict)

    def learn(self, outcomes: Iterable[TaskOutcome]) -> None:
        """Take in the outcomes of one dissolved alliance. Each alliance once."""
        for outcome in outcomes:
            _count(self._firms.setdefault(outcome.firm_id, _Tally()), outcome)
            if outcome.node_id:
                _count(self._nodes.setdefault(outcome.node_id, _Tally()), outcome)

    def reliability_bp(self, firm_id: str) -> int:
        """Expected share of tasks that the firm fulfils, basis points."""
        tally = self._firms.get(firm_id, _Tally())
        weight = self.prior.prior_weight
        good = Fraction(self.prior.prior_bp * weight, BASIS) + tally.fulfilled
        return round_half_up(good / (weight + tally.tasks) * BASIS)

    def late_days(self, node_id: str) -> int:
        """Mean days late of the node's tasks, rounded half up; 0 without experience."""
        tally = self._nodes.get(node_id, _Tally())
        return round_half_up(Fraction(tally.late_days, tally.tasks)) if tally.tasks else 0


def _count(tally: _Tally, outcome: TaskOutcome) -> None:
    tally.tasks += 1
    tally.fulfilled += outcome.fulfilled
    tally.late_days += max(outcome.late_days, 0)
