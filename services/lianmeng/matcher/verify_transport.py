"""Independent checks of shipments: lane, departure, landing, weight, freight."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from lianmeng.alliance.plan import Lot, LotSource, Plan, Shipment
from lianmeng.kernel.money import Money, round_half_up, to_fen
from lianmeng.matcher.question import Question
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.verify_goods import may_take_part
from lianmeng.pool.nodes import FreightBasis, Lane, Logistics, Node, Warehouse

CM3_PER_CBM = 1_000_000
GRAMS_PER_KG = 1_000


def check_transport(
    question: Question, pool: Snapshot, plan: Plan, kept: frozenset[str]
) -> Iterator[str]:
    """What is wrong with the shipments that are not kept."""
    nodes = pool.nodes()
    lots = {lot.lot_id: lot for lot in plan.lots}
    consignments: dict[tuple[str, str, str], list[Shipment]] = defaultdict(list)
    for shipment in plan.shipments:
        if shipment.shipment_id in kept:
            continue
        node, firm = nodes.get(shipment.node_id), pool.firms.get(shipment.firm_id)
        lot = lots.get(shipment.lot_id)
        if node is None or firm is None or not may_take_part(question, firm, node):
            yield f"MEMBER {shipment.shipment_id}: {shipment.firm_id} may not take part"
        elif lot is not None and isinstance(node.capability, Logistics):
            late = pool.late_days.get(node.node_id, 0)
            found = _movement(question, node, lot, shipment, late)
            yield from (f"TRANSPORT {shipment.shipment_id}: {what}" for what in found)
            day = shipment.depart_date.isoformat()
            consignments[shipment.node_id, shipment.lane_id, day].append(shipment)
    for (node_id, lane_id, day), loaded in consignments.items():
        lane = _lane(nodes[node_id], lane_id)
        if lane is not None:
            found = _consignment(question, lane, loaded)
            yield from (f"TRANSPORT {node_id} {lane_id} {day}: {what}" for what in found)


def _movement(
    question: Question, node: Node, lot: Lot, shipment: Shipment, late: int
) -> Iterator[str]:
    last = question.last_date - timedelta(days=question.thresholds.plan.land_margin_days)
    if shipment.land_date > last:
        yield f"it lands on {shipment.land_date}, after {last}"
    if shipment.depart_date < question.today:
        yield "it leaves in the past"
    if lot.source is LotSource.STOCK:
        yield from _release(question, node, lot, shipment, late)
        return
    lane = _lane(node, shipment.lane_id)
    if lane is None or node.lane_resource(lane) != shipment.resource_id:
        yield f"{shipment.lane_id!r} is no lane of it"
        return
    transit = lane.transit_days
    lands = shipment.depart_date + timedelta(days=transit.p50_days + late)
    lands_late = shipment.depart_date + timedelta(days=transit.p90_days + late)
    if (shipment.market, shipment.land_date, shipment.land_p90_date) != (
        lane.market, lands, lands_late,
    ):  # fmt: skip
        yield f"it lands in {lane.market} on {lands} ({lands_late})"
    if lot.ready_date + timedelta(days=lane.cutoff_days) > shipment.depart_date:
        yield f"its goods are ready on {lot.ready_date}, too late for {shipment.depart_date}"
    weekdays = lane.departure_weekdays
    if weekdays and shipment.depart_date.isoweekday() not in weekdays:
        yield f"nothing leaves on {shipment.depart_date}"
    battery = question.demand.product.battery_class
    if battery and battery not in lane.dangerous_goods:
        yield f"the lane does not take {battery}"


def _release(
    question: Question, node: Node, lot: Lot, shipment: Shipment, late: int
) -> Iterator[str]:
    house = _house(node, lot)
    if house is None or shipment.lane_id or shipment.node_id != lot.node_id:
        yield "stock is released where it lies"
        return
    lands = shipment.depart_date + timedelta(days=house.release_days.p50_days + late)
    if (shipment.market, shipment.land_date) != (house.market, lands):
        yield f"it is on sale in {house.market} on {lands}"
    fee = _fen(question, house.handling_fee) + _fen(question, house.last_mile_fee)
    if shipment.last_mile_fen != shipment.units * fee:
        yield f"releasing a unit costs {fee}"
    if shipment.freight_fen or shipment.pickup_fen:
        yield "a release has no freight"


def _consignment(question: Question, lane: Lane, loaded: list[Shipment]) -> Iterator[str]:
    """All goods on one departure: real weight, freight with its minimum, pick-up, capacity."""
    product = question.demand.product
    units = sum(shipment.units for shipment in loaded)
    grams = product.unit_weight_g
    if lane.volumetric_divisor:
        volume_g = Fraction(product.unit_volume_cm3 * GRAMS_PER_KG, lane.volumetric_divisor)
        grams = max(grams, -((-volume_g) // 1))
    price = _fen(question, lane.price)
    each = {
        FreightBasis.KG: Fraction(price * grams, GRAMS_PER_KG),
        FreightBasis.CBM: Fraction(price * product.unit_volume_cm3, CM3_PER_CBM),
        FreightBasis.PARCEL: Fraction(price),
    }[lane.basis]
    freight = max(_fen(question, lane.minimum_charge), round_half_up(units * each))
    said = sum(shipment.freight_fen for shipment in loaded)
    if said != freight:
        yield f"{units} units cost {freight}, not {said}"
    pickup = Fraction(_fen(question, lane.pickup_price_per_kg) * grams, GRAMS_PER_KG)
    for shipment in loaded:
        if shipment.pickup_fen != round_half_up(shipment.units * pickup):
            yield f"pick-up of {shipment.units} units is not {shipment.pickup_fen}"
        if shipment.chargeable_g != shipment.units * grams:
            yield f"{shipment.units} units weigh {shipment.units * grams} g"
        if [b.key for b in shipment.buckets] != [shipment.depart_date.isoformat()]:
            yield "its bucket is not its departure"
        if any(bucket.capacity_units != lane.capacity_kg for bucket in shipment.buckets):
            yield f"a departure takes {lane.capacity_kg} kg"
    booked = sum(bucket.units for shipment in loaded for bucket in shipment.buckets)
    if booked * GRAMS_PER_KG < units * grams:
        yield f"{booked} kg are booked for {units * grams} g"


def _lane(node: Node, lane_id: str) -> Lane | None:
    moved = node.capability
    lanes = moved.lanes if isinstance(moved, Logistics) else ()
    return next((lane for lane in lanes if lane.lane_id == lane_id), None)


def _house(node: Node, lot: Lot) -> Warehouse | None:
    moved = node.capability
    houses = moved.warehouses if isinstance(moved, Logistics) else ()
    owned = (
        house
        for house in houses
        for stock in house.stock
        if node.stock_resource(house, stock) == lot.resource_id
    )
    return next(owned, None)


def _fen(question: Question, money: Money | None) -> int:
    return to_fen(money, question.thresholds.fx) if money else 0
