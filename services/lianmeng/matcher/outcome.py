"""What a match comes to: a plan, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.alliance.plan import Plan, ReasonCount


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


class PlanRefused(Exception):
    """The independent checker refused a plan: a bug of ours, never committed. Ring the bell."""

    def __init__(self, demand_id: str, found: tuple[str, ...]) -> None:
        super().__init__(f"{demand_id}: " + "; ".join(found))
        self.demand_id = demand_id
        self.violations = found
