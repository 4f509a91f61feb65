"""One solve of a problem, down to the parts of a plan; without share caps if need be."""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.kernel.money import BASIS
from lianmeng.kernel.thresholds import MatchThresholds
from lianmeng.matcher.costing import Parts
from lianmeng.matcher.decision import read_decision
from lianmeng.matcher.formulation import formulate
from lianmeng.matcher.framing import without_share_cap
from lianmeng.matcher.planning import FIRST_NUMBERS, Numbers, plan_parts
from lianmeng.matcher.problem import MICRO, Problem
from lianmeng.matcher.question import Question
from lianmeng.matcher.solver import Effort, Status, solve

SHARE_CAP_RELAXED = "SHARE_CAP_RELAXED"
"""Reported where no plan kept every family of firms below its share."""


def effort_of(thresholds: MatchThresholds) -> Effort:
    """How long a match looks for a better plan."""
    return Effort(
        gap_bp=thresholds.target_gap_bp,
        node_limit=thresholds.node_limit,
        wall_ms=thresholds.wall_limit_ms,
    )


@dataclass(frozen=True, slots=True)
class Solved:
    """New parts and how they were found. `slack` is their cost less the bound, fen, at least 0."""

    parts: Parts
    status: Status
    slack: float
    iterations: int
    repeatable: bool
    relaxations: tuple[str, ...]


def solve_problem(
    question: Question, problem: Problem, numbers: Numbers = FIRST_NUMBERS
) -> Solved | Status:
    """The new parts, or why there are none: INFEASIBLE, or NOT_FOUND within the effort.

    Share caps that nothing can satisfy are relaxed, and the answer says so.
    """
    if problem.max_share_bp and len(problem.families) > 1:
        capped = _solve(question, problem, numbers, ())
        if capped is not Status.INFEASIBLE:
            return capped
    relaxed = (SHARE_CAP_RELAXED,) if problem.max_share_bp else ()
    return _solve(question, without_share_cap(problem), numbers, relaxed)


def _solve(
    question: Question, problem: Problem, numbers: Numbers, relaxed: tuple[str, ...]
) -> Solved | Status:
    """First without least charges; with them only if they made the plan too dear."""
    quick = _try(question, problem, numbers, relaxed, minimums=False)
    if not isinstance(quick, Solved) or quick.status is Status.OPTIMAL:
        return quick
    full = _try(question, problem, numbers, relaxed, minimums=True)
    return full if isinstance(full, Solved) else quick


def _try(
    question: Question,
    problem: Problem,
    numbers: Numbers,
    relaxed: tuple[str, ...],
    *,
    minimums: bool,
) -> Solved | Status:
    effort = effort_of(question.thresholds.match)
    program, layout = formulate(problem, minimums=minimums)
    answer = solve(program, effort)
    if not answer.values:
        return answer.status
    decision = read_decision(problem, layout, answer.values)
    parts = plan_parts(question, problem, decision, numbers)
    slack = answer.objective - answer.bound
    if not minimums:
        slack += _least_charges(problem, parts)
    target = answer.objective * effort.gap_bp / BASIS
    makes = any(decision.lots) or problem.fixed.awards
    return Solved(
        parts=parts,
        status=Status.OPTIMAL if slack <= target else Status.FEASIBLE,
        slack=max(0.0, slack),
        iterations=answer.iterations,
        repeatable=answer.repeatable,
        relaxations=relaxed if makes else (),
    )


def _least_charges(problem: Problem, parts: Parts) -> float:
    """What consignments pay above their freight by the unit, because it is below the minimum."""
    rates = {carrier.resource_id: carrier.unit_microfen for carrier in problem.carriers}
    return sum(
        shipment.freight_fen - shipment.units * rates[shipment.resource_id] / MICRO
        for shipment in parts.shipments
        if shipment.lane_id
    )
