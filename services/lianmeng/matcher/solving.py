"""One solve of a problem: formulate, solve, read the decision; without share caps if need be."""

from __future__ import annotations

from dataclasses import dataclass

from lianmeng.kernel.thresholds import MatchThresholds
from lianmeng.matcher.decision import Decision, read_decision
from lianmeng.matcher.formulation import formulate
from lianmeng.matcher.framing import without_share_cap
from lianmeng.matcher.problem import Problem
from lianmeng.matcher.solver import Answer, Effort, Status, solve

SHARE_CAP_RELAXED = "SHARE_CAP_RELAXED"
"""Reported where no plan kept every family of firms below its share."""


@dataclass(frozen=True, slots=True)
class Solved:
    """A decision and how it was found. `slack` is objective less bound, fen, at least 0."""

    decision: Decision
    status: Status
    slack: float
    iterations: int
    repeatable: bool
    relaxations: tuple[str, ...]


def effort(thresholds: MatchThresholds) -> Effort:
    """How long a match looks for a better plan."""
    return Effort(
        gap_bp=thresholds.target_gap_bp,
        node_limit=thresholds.node_limit,
        wall_ms=thresholds.wall_limit_ms,
    )


def solve_problem(problem: Problem, how: Effort) -> Solved | Status:
    """The decision, or why there is none: INFEASIBLE, or NOT_FOUND within the effort.

    Share caps that nothing can satisfy are relaxed, and the answer says so.
    """
    capped = problem.max_share_bp and len(problem.families) > 1
    if capped:
        answer, solved = _solve(problem, how, ())
        if answer.status is not Status.INFEASIBLE:
            return solved or answer.status
    relaxed = (SHARE_CAP_RELAXED,) if problem.max_share_bp else ()
    answer, solved = _solve(without_share_cap(problem), how, relaxed)
    return solved or answer.status


def _solve(problem: Problem, how: Effort, relaxed: tuple[str, ...]) -> tuple[Answer, Solved | None]:
    program, layout = formulate(problem)
    answer = solve(program, how)
    if not answer.values:
        return answer, None
    decision = read_decision(problem, layout, answer.values)
    makes = any(decision.lots) or problem.fixed.awards
    solved = Solved(
        decision=decision,
        status=answer.status,
        slack=max(0.0, answer.objective - answer.bound),
        iterations=answer.iterations,
        repeatable=answer.repeatable,
        relaxations=relaxed if makes else (),
    )
    return answer, solved
