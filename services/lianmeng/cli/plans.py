"""Plans, costs and statements as tables for people."""

from __future__ import annotations

from collections.abc import Callable

from rich.table import Table

from lianmeng.cli.pictures import facts, percent, table, yuan
from lianmeng.v1 import alliance_pb2 as apb

Namer = Callable[[str], str]
"""Firm id → the name that people know it by."""


def as_is(firm_id: str) -> str:
    """The namer that knows nobody."""
    return firm_id


def plan_table(plan: apb.Plan, name: Namer = as_is) -> Table:
    """Who, role, wave, units, price, days: lots first, then how they move, then who promotes."""
    rows = [
        *(_lot(lot, name) for lot in plan.lots),
        *(_shipment(shipment, plan, name) for shipment in plan.shipments),
        *(_campaign(campaign, name) for campaign in plan.campaigns),
    ]
    return table("who", "role", "wave", "units", "price", "days", rows=rows)


def _lot(lot: apb.Lot, name: Namer) -> tuple[object, ...]:
    stock = lot.source == apb.LOT_SOURCE_STOCK
    setup = f" + {yuan(lot.setup_fee_fen)} set-up" if lot.setup_fee_fen else ""
    return (
        name(lot.firm_id),
        "has stock abroad" if stock else "makes",
        f"W{lot.wave}",
        lot.units,
        f"{yuan(lot.unit_price_fen)} each{setup}",
        f"ready {lot.ready_date[5:]}",
    )


def _shipment(shipment: apb.Shipment, plan: apb.Plan, name: Namer) -> tuple[object, ...]:
    waves = {lot.lot_id: f"W{lot.wave}" for lot in plan.lots}
    cost = shipment.pickup_fen + shipment.freight_fen + shipment.last_mile_fen
    return (
        name(shipment.firm_id),
        f"ships by {shipment.mode.lower()}" if shipment.mode else "releases from warehouse",
        waves.get(shipment.lot_id, ""),
        shipment.units,
        yuan(cost),
        f"{shipment.depart_date[5:]} → {shipment.land_date[5:]} {shipment.market}",
    )


def _campaign(campaign: apb.Campaign, name: Namer) -> tuple[object, ...]:
    fees = yuan(campaign.fixed_fee_fen + campaign.hours_fee_fen)
    return (
        name(campaign.firm_id),
        f"promotes in {campaign.market} ({campaign.hours} h)",
        "",
        campaign.units,
        f"{fees} + {percent(campaign.commission_bp)} of sales",
        f"{campaign.start_date[5:]} → {campaign.end_date[5:]}",
    )


COST_LINES = (
    ("goods", "goods_fen"),
    ("set-up", "setup_fen"),
    ("to the lanes", "pickup_fen"),
    ("main freight", "freight_fen"),
    ("last mile", "last_mile_fen"),
    ("marketing, fixed", "marketing_fixed_fen"),
    ("marketing, hours", "marketing_hours_fen"),
    ("commission", "commission_fen"),
    ("risk (priced in)", "risk_fen"),
    ("shortfall (priced in)", "shortfall_fen"),
)
"""Lines of the landed cost → fields of `CostBreakdown`."""


def cost_lines(plan: apb.Plan) -> Table:
    """The landed cost line by line, what it is worth, and how good it is proven to be."""
    cost, solve = plan.cost, plan.solve
    lines = [(name, yuan(getattr(cost, field))) for name, field in COST_LINES]
    gap = f"{yuan(solve.bound_fen)}, gap {solve.gap_bp / 100:.2f} %"
    return facts(
        [
            *lines,
            ("= minimised", yuan(cost.total_fen)),
            ("proven bound", f"{gap} ({solve.status}, {solve.solver})"),
            ("expected sales", yuan(cost.revenue_fen)),
            ("expected margin", yuan(cost.margin_fen)),
            ("committed value", yuan(plan.committed_value_fen)),
            ("short of P50", f"{plan.short_units:,} units" if plan.short_units else ""),
            ("relaxed", ", ".join(plan.relaxations)),
        ]
    )


def statement_table(statement: apb.Statement, name: Namer = as_is) -> Table:
    """Who pays whom for what; the last line is the sum."""
    rows: list[tuple[object, ...]] = [
        (
            name(line.payee_firm_id),
            f"{line.ref_id} {line.kind}",
            f"{line.units:,} × {yuan(line.unit_price_fen)}" if line.unit_price_fen else "",
            yuan(line.amount_fen),
            name(line.payer_firm_id),
        )
        for line in statement.lines
    ]
    rows.append(("sum", "", "", yuan(statement.total_fen), ""))
    return table("payee", "for", "units × price", "amount", "payer", rows=rows)


def statement_summary(statement: apb.Statement, name: Namer = as_is) -> Table:
    """What each member gets, and for what; the last line is the sum."""
    kinds: dict[str, dict[str, int]] = {}
    for line in statement.lines:
        of_payee = kinds.setdefault(line.payee_firm_id, {})
        of_payee[line.kind] = of_payee.get(line.kind, 0) + line.amount_fen
    rows = [
        (name(payee), ", ".join(by_kind), yuan(sum(by_kind.values())))
        for payee, by_kind in kinds.items()
    ]
    rows.append(("sum", f"{len(statement.lines)} lines", yuan(statement.total_fen)))
    return table("paid to", "for", "amount", rows=rows)
