"""From parts to a whole plan: cost, parties of record, standbys, and how it was found."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from lianmeng.alliance.plan import PartiesOfRecord, Plan, ReasonCount, SolveReport
from lianmeng.kernel.money import BASIS
from lianmeng.matcher.costing import Parts, breakdown, committed_value, short_units
from lianmeng.matcher.framing import Framed
from lianmeng.matcher.question import Question
from lianmeng.matcher.rates import unpaid_prices
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.solver import SOLVER, Status
from lianmeng.matcher.solving import Solved
from lianmeng.matcher.standbys import rank_standbys

PENNY = 1.0
"""A gap below one fen comes from rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What a plan says of itself. `willing` firms said yes too late.

    `own`: the solver chose it; otherwise its cost is only compared with the solver's bound.
    """

    version: int
    day0: date
    willing: Collection[str] = ()
    own: bool = True


def assemble(
    question: Question,
    pool: Snapshot,
    framed: Framed,
    solved: Solved,
    parts: Parts,
    parties: tuple[PartiesOfRecord, ...],
    heading: Heading,
) -> Plan:
    """The plan of these parts. `framed` and `solved` say what it was chosen from, and how."""
    cost = breakdown(question, parts, unpaid_prices(question, pool, parts.firms()))
    markets = question.demand.markets
    plan = question.thresholds.plan
    used = {market.sale_price.currency for market in markets}
    return Plan(
        version=heading.version,
        day0_date=heading.day0,
        forecast_version=question.demand.forecast_version,
        planned_units=sum(shipment.units for shipment in parts.shipments),
        short_units=sum(short_units(question, parts, m.market) for m in markets),
        lots=parts.lots,
        shipments=parts.shipments,
        campaigns=parts.campaigns,
        standbys=rank_standbys(framed.problem, parts, heading.willing, plan.standbys_per_role),
        parties=parties,
        cost=cost,
        committed_value_fen=committed_value(parts),
        solve=_report(framed, solved, cost.total_fen, heading),
        relaxations=solved.relaxations,
        fx=tuple(rate for code, rate in sorted(question.thresholds.fx.items()) if code in used),
    )


def _report(framed: Framed, solved: Solved, total_fen: int, heading: Heading) -> SolveReport:
    """The bound lies below the plan's cost by what the solver left open, whatever is fixed."""
    slack = 0 if solved.slack < PENNY else math.ceil(solved.slack)
    bound = max(0, total_fen - slack)
    proven = solved.status is Status.OPTIMAL and heading.own
    return SolveReport(
        status=str(Status.OPTIMAL if proven else Status.FEASIBLE),
        solver=SOLVER,
        objective_fen=total_fen,
        bound_fen=bound,
        gap_bp=-(-(total_fen - bound) * BASIS // total_fen) if total_fen else 0,
        iterations=solved.iterations,
        repeatable=solved.repeatable,
        eligible_count=framed.eligible,
        excluded=reason_counts(framed),
    )


def reason_counts(framed: Framed) -> tuple[ReasonCount, ...]:
    """How many nodes each rule excluded, in the order of codes."""
    return tuple(ReasonCount(reason=code, count=n) for code, n in framed.excluded.items() if n)
