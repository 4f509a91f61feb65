"""A match: question and snapshot in, a verified plan or a reason out. Pure, and repeatable."""

from __future__ import annotations

from lianmeng.alliance.plan import Plan
from lianmeng.matcher.assembly import Heading, assemble, reason_counts
from lianmeng.matcher.framing import Framed, frame
from lianmeng.matcher.outcome import Found, Missing, Outcome, PlanRefused
from lianmeng.matcher.parties import parties_of_record
from lianmeng.matcher.question import Question
from lianmeng.matcher.relaxations import diagnose
from lianmeng.matcher.risk import risk_report
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.solver import Status
from lianmeng.matcher.solving import Solved, solve_problem
from lianmeng.matcher.verify import violations


def match(question: Question, pool: Snapshot) -> Outcome:
    """A plan for a demand that has none yet.

    Raises `PlanRefused` if the independent checker finds a fault in the plan.
    """
    framed = frame(question, pool)
    solved = solve_problem(question, framed.problem)
    if not isinstance(solved, Solved):
        return missing(question, pool, framed, solved)
    parts = solved.parts
    if not parts.shipments:
        return Missing("NEGATIVE_MARGIN", (), reason_counts(framed))
    parties = parties_of_record(parts, pool.firms)
    if parties is None:
        return Missing("NO_PARTY_OF_RECORD", (), reason_counts(framed))
    heading = Heading(version=1, day0=question.today)
    plan = assemble(question, pool, framed, solved, parts, parties, heading)
    if plan.cost.margin_fen < 0:
        return Missing("NEGATIVE_MARGIN", (), reason_counts(framed))
    return found(question, pool, plan)


def found(
    question: Question, pool: Snapshot, plan: Plan, kept: frozenset[str] = frozenset()
) -> Found:
    """The plan with its report, if the independent checker has no objection.

    `kept` are parts that a repair leaves as they were. Raises `PlanRefused`.
    """
    faults = violations(question, pool, plan, kept)
    if faults:
        raise PlanRefused(question.demand.demand_id, faults)
    return Found(plan, risk_report(question, pool, plan))


def missing(question: Question, pool: Snapshot, framed: Framed, status: Status) -> Missing:
    """The reason and the cheapest relaxations, found by solving relaxed problems."""
    if status is Status.NOT_FOUND:
        return Missing("SOLVER_LIMIT", (), reason_counts(framed))
    reason, relaxations = diagnose(question, pool, framed)
    return Missing(reason, relaxations, reason_counts(framed))
