"""The risk report that an approval refers to: deterministic bytes.

Version 0.1 says what is known without a simulation, and says that nothing was simulated.
"""

from __future__ import annotations

from datetime import timedelta

from lianmeng.alliance.contract import canonical
from lianmeng.alliance.plan import Plan
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.nodes import Logistics


def risk_report(question: Question, pool: Snapshot, plan: Plan) -> bytes:
    """Canonical JSON: value and margin (fen), the demand's band by market, the latest landing.

    `stale_stock` are lots whose stock was counted longer ago than it should be.
    """
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
            "stale_stock": _stale_stock(question, pool, plan),
        }
    )


def _stale_stock(question: Question, pool: Snapshot, plan: Plan) -> list[str]:
    limit = timedelta(hours=question.thresholds.plan.stock_stale_flag_hours)
    stale = {
        node.stock_resource(house, stock)
        for node in pool.forwarders
        if isinstance(node.capability, Logistics)
        for house in node.capability.warehouses
        for stock in house.stock
        if question.now - stock.as_of_time > limit
    }
    return [lot.lot_id for lot in plan.lots if lot.resource_id in stale]
