"""Independent checks of lots: who makes or owns them, at what price, and when they are ready."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from lianmeng.alliance.plan import Lot, LotSource, Plan
from lianmeng.kernel.money import BASIS, to_fen
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.pool.firms import Firm, FirmState
from lianmeng.pool.nodes import Logistics, Manufacturing, Node, NodeState


def check_goods(
    question: Question, pool: Snapshot, plan: Plan, kept: frozenset[str]
) -> Iterator[str]:
    """What is wrong with the lots that are not kept."""
    nodes = pool.nodes()
    orders: dict[str, list[Lot]] = defaultdict(list)
    for lot in plan.lots:
        if lot.lot_id in kept:
            continue
        node, firm = nodes.get(lot.node_id), pool.firms.get(lot.firm_id)
        if node is None or firm is None or not may_take_part(question, firm, node):
            yield f"MEMBER {lot.lot_id}: {lot.firm_id} may not take part"
        elif lot.source is LotSource.STOCK:
            yield from (f"STOCK {lot.lot_id}: {what}" for what in _stock(question, node, lot))
        elif isinstance(node.capability, Manufacturing) and node.firm_id == firm.firm_id:
            orders[lot.node_id].append(lot)
        else:
            yield f"GOODS {lot.lot_id}: {lot.node_id} is no factory of {lot.firm_id}"
    for node_id, lots in orders.items():
        node = nodes[node_id]
        firm = pool.firms[node.firm_id]
        late = pool.late_days.get(node_id, 0)
        yield from (f"GOODS {node_id}: {what}" for what in _product(question, firm, node))
        yield from (f"GOODS {node_id}: {what}" for what in _order(question, node, lots))
        for lot in lots:
            found = _dates(question, firm, node, lot, late)
            yield from (f"GOODS {lot.lot_id}: {what}" for what in found)


def may_take_part(question: Question, firm: Firm, node: Node) -> bool:
    """Whether a firm with this node may be in the alliance at all."""
    return (
        firm.state is FirmState.ACTIVE
        and node.state is NodeState.ACTIVE
        and firm.firm_id not in question.excluded
    )


def _product(question: Question, firm: Firm, node: Node) -> Iterator[str]:
    product, made = question.demand.product, node.capability
    assert isinstance(made, Manufacturing)
    if product.hs6 not in made.hs6 or product.uom != made.uom:
        yield "it does not make these goods"
    if not set(product.materials) <= {material.name for material in made.materials}:
        yield "it does not work with the materials"
    if product.battery_class and product.battery_class != made.battery_class:
        yield "it does not build in this battery"
    if made.needs_new_mould:
        yield "it needs a new mould"
    ends = question.today, question.last_date
    for kind in product.required_certificates:
        for market in question.demand.markets:
            valid = any(
                c.type == kind
                and c.valid_from <= ends[0]
                and ends[1] <= c.valid_to
                and (not c.scope_hs6 or product.hs6 in c.scope_hs6)
                and (not c.markets or market.market in c.markets)
                and (not c.scope_materials or set(product.materials) <= set(c.scope_materials))
                for c in firm.certificates
            )
            if not valid:
                yield f"it has no {kind} for {market.market} that is valid to the end"


def _order(question: Question, node: Node, lots: list[Lot]) -> Iterator[str]:
    made = node.capability
    assert isinstance(made, Manufacturing)
    units = sum(lot.units for lot in lots)
    if units < made.moq_units:
        yield f"{units} units are below its least order"
    price = to_fen(made.unit_price(units), question.thresholds.fx)
    if any(lot.unit_price_fen != price for lot in lots):
        yield f"{units} units cost {price} each"
    setup = to_fen(made.setup_fee, question.thresholds.fx) if made.setup_fee else 0
    if sum(lot.setup_fee_fen for lot in lots) != setup:
        yield f"set-up costs {setup} once"
    multiple = made.lot_multiple_units or 1
    if any(lot.units % multiple for lot in lots):
        yield f"a lot is not a multiple of {multiple}"


def _dates(question: Question, firm: Firm, node: Node, lot: Lot, late: int) -> Iterator[str]:
    made = node.capability
    assert isinstance(made, Manufacturing)
    lines = {node.line_resource(line): line for line in made.lines}
    line = lines.get(lot.resource_id)
    if line is None:
        yield f"{lot.resource_id} is no line of it"
        return
    begins = _begins(question, firm)
    ready = begins + timedelta(days=made.first_batch_days.p50_days - 1 + late)
    if lot.ready_date < ready:
        yield f"nothing is ready before {ready}"
    good = line.day_capacity_units * (made.first_pass_yield_bp or BASIS) // BASIS
    for bucket in lot.buckets:
        day = date.fromisoformat(bucket.key)
        if not begins <= day <= lot.ready_date or not node.calendar.is_working(day):
            yield f"it does not work for this on {day}"
        if bucket.capacity_units != good:
            yield f"a day's capacity is {good}, not {bucket.capacity_units}"
    if sum(bucket.units for bucket in lot.buckets) != lot.units:
        yield "its days do not sum to its units"


def _begins(question: Question, firm: Firm) -> date:
    """The first day of work: tomorrow, or when the firm's notice is over."""
    days = (firm.notice_hours + 23) // 24
    return question.today + timedelta(days=max(days, 1))


def _stock(question: Question, node: Node, lot: Lot) -> Iterator[str]:
    moved = node.capability
    if not isinstance(moved, Logistics):
        yield f"{lot.node_id} has no warehouse"
        return
    product = question.demand.product.product_id
    for house in moved.warehouses:
        for stock in house.stock:
            if node.stock_resource(house, stock) != lot.resource_id:
                continue
            age = question.now - stock.as_of_time
            limit = timedelta(hours=question.thresholds.plan.stock_stale_max_hours)
            if (stock.product_id, stock.owner_firm_id) != (product, lot.firm_id):
                yield "it is other goods, or another's"
            if age > limit:
                yield f"it was counted {age} ago"
            if lot.unit_price_fen != to_fen(stock.unit_price, question.thresholds.fx):
                yield "its price is another"
            if [(b.units, b.capacity_units) for b in lot.buckets] != [(lot.units, stock.units)]:
                yield "its bucket does not say its units"
            return
    yield "there is no such stock"
