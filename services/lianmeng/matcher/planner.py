"""The planner that the service asks: questions are posed here, with what is known of the pool."""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.alliance.demand import Demand
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.thresholds import Thresholds
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Outcome
from lianmeng.matcher.question import Question
from lianmeng.matcher.repair import repair
from lianmeng.matcher.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SolvingPlanner:
    """Plans under fixed thresholds. The same demand and snapshot give the same outcome."""

    thresholds: Thresholds

    def plan(self, demand: Demand, snapshot: Snapshot) -> Outcome:
        """A plan for a demand that has none. Raises `PlanRefused`."""
        question = Question(demand=demand, now=snapshot.now, thresholds=self.thresholds)
        return match(question, snapshot)

    def repair(self, state: AllianceState, snapshot: Snapshot) -> Outcome:
        """The next version of a plan that has lost members. Raises `PlanRefused`."""
        return repair(state, snapshot, self.thresholds)
