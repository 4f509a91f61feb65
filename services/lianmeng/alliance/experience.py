"""Experience: what dissolved alliances teach about firms and nodes, for the next match.

A fold over the task outcomes of `Dissolved` facts. A firm without history has the prior of the
thresholds file, which counts like `prior_weight` tasks; every further task weighs one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from lianmeng.alliance.members import TaskOutcome
from lianmeng.kernel.money import BASIS
from lianmeng.kernel.thresholds import ReliabilityThresholds


@dataclass(slots=True)
class _Tally:
    """Tasks seen, and the sum of what is averaged over them."""

    tasks: int = 0
    total: int = 0


class Experience:
    """Reliability of firms and lateness of nodes. Feed every dissolution once."""

    def __init__(self, prior: ReliabilityThresholds) -> None:
        self._prior = prior
        self._kept: dict[str, _Tally] = defaultdict(_Tally)
        self._late: dict[str, _Tally] = defaultdict(_Tally)

    def learn(self, outcomes: Iterable[TaskOutcome]) -> None:
        """Take in the outcomes of one alliance."""
        for outcome in outcomes:
            kept = self._kept[outcome.firm_id]
            kept.tasks += 1
            kept.total += _kept_bp(outcome)
            if outcome.fulfilled:
                late = self._late[outcome.node_id]
                late.tasks += 1
                late.total += max(0, outcome.late_days)

    def reliability_bp(self, firm_id: str) -> int:
        """Share of its tasks' units that a firm is expected to deliver, basis points."""
        tally = self._kept.get(firm_id) or _Tally()
        weight = self._prior.prior_weight
        return (tally.total + weight * self._prior.prior_bp) // (tally.tasks + weight)

    def late_days(self, node_id: str) -> int:
        """Whole days by which a node is expected to be late; the prior is to be on time."""
        tally = self._late.get(node_id) or _Tally()
        weight = tally.tasks + self._prior.prior_weight
        return (2 * tally.total + weight) // (2 * weight)

    def reliabilities(self, firm_ids: Iterable[str]) -> dict[str, int]:
        """`reliability_bp` of those firms that have a history."""
        return {name: self.reliability_bp(name) for name in firm_ids if name in self._kept}

    def latenesses(self, node_ids: Iterable[str]) -> dict[str, int]:
        """`late_days` of those nodes that are expected to be late at all."""
        known = ((name, self.late_days(name)) for name in node_ids if name in self._late)
        return {name: days for name, days in known if days}


def _kept_bp(outcome: TaskOutcome) -> int:
    if not outcome.fulfilled or outcome.planned_units <= 0:
        return 0
    return min(BASIS, outcome.accepted_units * BASIS // outcome.planned_units)
