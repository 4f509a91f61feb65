"""What the matcher's service needs, in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lianmeng.alliance.demand import Demand
from lianmeng.alliance.plan import Plan, ReasonCount
from lianmeng.alliance.state import AllianceState
from lianmeng.matcher.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Found:
    """A verified plan and the deterministic bytes of its risk report."""

    plan: Plan
    risk_report: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """No plan: the main reason, the cheapest relaxations in words, and who was excluded why."""

    reason: str
    relaxations: tuple[str, ...] = ()
    excluded: tuple[ReasonCount, ...] = ()


Outcome = Found | Missing


class Planner(Protocol):
    """Finds plans. Pure and deterministic; called in a thread of its own."""

    def plan(self, demand: Demand, snapshot: Snapshot) -> Outcome:
        """A plan for a demand that has none."""
        ...

    def repair(self, state: AllianceState, snapshot: Snapshot) -> Outcome:
        """The next version of a plan without the firms of `state.repair.lost_firm_ids`.

        Parts of the other firms stay as they are, under their ids.
        """
        ...


class Pool(Protocol):
    """Where snapshots come from."""

    def snapshot(self) -> Snapshot:
        """What is known now. Maps are not copied and do not change under the reader's hands."""
        ...
