"""The risk report that an approval refers to: deterministic bytes and their SHA-256.

Version 0.1 says what is known without a simulation, and says that nothing was simulated.
"""

from __future__ import annotations

from lianmeng.alliance.contract import canonical, sha256
from lianmeng.alliance.plan import Plan
from lianmeng.matcher.question import Question


def risk_report(question: Question, plan: Plan) -> bytes:
    """Canonical JSON: value and margin (fen), the demand's band by market, the latest landing."""
    shipments = plan.shipments
    return canonical(
        {
            "alliance": question.demand.demand_id,
            "plan_version": plan.version,
            "simulated": False,
            "note": "not simulated",
            "committed_value_fen": plan.committed_value_fen,
            "margin_fen": plan.cost.margin_fen,
            "planned_units": plan.planned_units,
            "short_units": plan.short_units,
            "demand_units": {
                market.market: {
                    "p10": market.band.p10_units,
                    "p50": market.band.p50_units,
                    "p90": market.band.p90_units,
                }
                for market in question.demand.markets
            },
            "latest_landing": max(s.land_date for s in shipments).isoformat(),
            "latest_landing_p90": max(s.land_p90_date for s in shipments).isoformat(),
            "window_end": question.last_date.isoformat(),
            "relaxations": list(plan.relaxations),
        }
    )


def risk_report_hash(report: bytes) -> str:
    """SHA-256 of a report, hex."""
    return sha256(report)
