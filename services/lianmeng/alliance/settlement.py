"""Settlement: who pays whom for what was accepted, and what happened against the plan.

The payer is the seller of record of the market. Every line is rounded half up to a fen where
it is formed; the total is the sum of the lines. Rules: goods are paid per accepted unit;
set-up once, when anything of the order was accepted; transport in proportion to the accepted
units of the shipment; campaign fees when the campaign was accepted, commission on the sales
value of its accepted units. Stock is paid by the units that its releases brought to market.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lianmeng.alliance.demand import Demand
from lianmeng.alliance.members import (
    Statement,
    StatementLine,
    Task,
    TaskOutcome,
    TaskState,
)
from lianmeng.alliance.membership import parts, ref_of
from lianmeng.alliance.plan import Campaign, Lot, LotSource, Plan, Shipment
from lianmeng.alliance.state import AllianceState
from lianmeng.kernel.money import prorate, share, to_fen


def statement(state: AllianceState) -> Statement:
    """The statement over all accepted tasks; empty where there was no contract."""
    plan = state.plan
    if plan is None:
        return Statement(lines=(), total_fen=0)
    accepted = {t.ref_id: t.accepted_units for t in state.tasks if t.state is TaskState.ACCEPTED}
    lines = tuple(line for line in _lines(state.demand, plan, accepted) if line.amount_fen)
    return Statement(lines=lines, total_fen=sum(line.amount_fen for line in lines))


def _lines(demand: Demand, plan: Plan, accepted: dict[str, int]) -> Iterator[StatementLine]:
    payer = {party.market: party.seller_firm_id for party in plan.parties}
    market_of_lot = {s.lot_id: s.market for s in plan.shipments}
    for lot in plan.lots:
        units = _units_of_lot(lot, plan, accepted)
        yield from _lot_lines(lot, units, payer[market_of_lot[lot.lot_id]])
    for shipment in plan.shipments:
        units = accepted.get(shipment.shipment_id, 0)
        yield from _shipment_lines(shipment, units, payer[shipment.market])
    for campaign in plan.campaigns:
        if campaign.campaign_id in accepted:
            units = accepted[campaign.campaign_id]
            yield from _campaign_lines(demand, plan, campaign, units, payer[campaign.market])


def _units_of_lot(lot: Lot, plan: Plan, accepted: dict[str, int]) -> int:
    if lot.source is LotSource.FACTORY:
        return accepted.get(lot.lot_id, 0)
    return sum(accepted.get(s.shipment_id, 0) for s in plan.shipments if s.lot_id == lot.lot_id)


def _fee(ref: str, kind: str, payer: str, payee: str, amount: int) -> StatementLine:
    return StatementLine(
        ref_id=ref, kind=kind, payer_firm_id=payer, payee_firm_id=payee, amount_fen=amount
    )


def _lot_lines(lot: Lot, units: int, payer: str) -> Iterator[StatementLine]:
    yield StatementLine(
        ref_id=lot.lot_id,
        kind="goods",
        payer_firm_id=payer,
        payee_firm_id=lot.firm_id,
        units=units,
        unit_price_fen=lot.unit_price_fen,
        amount_fen=units * lot.unit_price_fen,
    )
    if units:
        yield _fee(lot.lot_id, "setup", payer, lot.firm_id, lot.setup_fee_fen)


def _shipment_lines(shipment: Shipment, units: int, payer: str) -> Iterator[StatementLine]:
    for kind, planned_fen in (
        ("pickup", shipment.pickup_fen),
        ("freight", shipment.freight_fen),
        ("last-mile", shipment.last_mile_fen),
    ):
        amount = prorate(planned_fen, units, shipment.units)
        yield _fee(shipment.shipment_id, kind, payer, shipment.firm_id, amount)


def _campaign_lines(
    demand: Demand, plan: Plan, campaign: Campaign, units: int, payer: str
) -> Iterator[StatementLine]:
    ref, payee = campaign.campaign_id, campaign.firm_id
    yield _fee(ref, "fixed-fee", payer, payee, campaign.fixed_fee_fen)
    yield _fee(ref, "hours", payer, payee, prorate(campaign.hours_fee_fen, units, campaign.units))
    market = next(m for m in demand.markets if m.market == campaign.market)
    rates = {rate.currency: rate for rate in plan.fx}
    sales = units * to_fen(market.sale_price, rates)
    yield _fee(ref, "commission", payer, payee, share(sales, campaign.commission_bp))


def outcomes(state: AllianceState) -> tuple[TaskOutcome, ...]:
    """What happened with every task that was begun, for the priors of the next match."""
    if state.plan is None:
        return ()
    nodes = {ref_of(part): part.node_id for part in parts(state.plan)}
    begun = (task for task in state.tasks if task.state is not TaskState.CANCELLED)
    return tuple(_outcome(task, nodes.get(task.ref_id, "")) for task in begun)


def _outcome(task: Task, node_id: str) -> TaskOutcome:
    return TaskOutcome(
        task_id=task.task_id,
        firm_id=task.firm_id,
        node_id=node_id,
        kind=task.kind,
        planned_units=task.units,
        accepted_units=task.accepted_units,
        late_days=_late_days(task.due_time, task.reported_time),
        fulfilled=task.state is TaskState.ACCEPTED,
    )


def _late_days(due: datetime, reported: datetime | None) -> int:
    """Whole days from the due time to the report, rounded up; 0 without a report."""
    return -((due - reported).days) if reported is not None else 0
