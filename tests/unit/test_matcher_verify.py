"""The independent checker refuses every fault that is put into a good plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lianmeng.alliance.books import Book, BookEntry, EntryKind, ResourceKind
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.plan import Plan, PlanBucket
from lianmeng.kernel.money import cny
from lianmeng.matcher.matching import match
from lianmeng.matcher.outcome import Found
from lianmeng.matcher.snapshot import Snapshot
from lianmeng.matcher.verify import violations
from lianmeng.pool.firms import FirmState
from tests.pools import (
    IMPORTER,
    NOW,
    ROAD,
    SELLER,
    agency,
    bangkok,
    day,
    demand,
    firm,
    forwarder,
    mill,
    pool,
    question,
)


def usual_pool() -> Snapshot:
    road = replace(ROAD, minimum_charge=cny(20_000), pickup_price_per_kg=cny(30))
    nodes = (
        mill("mill-a", lot_multiple_units=100, setup_fee=cny(60_000), moq_units=300),
        mill("mill-b", price_fen=1_000, lot_multiple_units=100, setup_fee=cny(60_000)),
        mill("mill-c", price_fen=1_200),
        forwarder("forwarder", (road,), (bangkok(),)),
        agency("agency"),
    )
    return pool(nodes, [firm("trader", **SELLER, **IMPORTER)])


@pytest.fixture(scope="module")
def plan() -> Plan:
    outcome = match(question(), usual_pool())
    assert isinstance(outcome, Found)
    return outcome.plan


def faults(plan: Plan, snapshot: Snapshot | None = None, of: Demand | None = None) -> str:
    return "\n".join(violations(question(of), snapshot or usual_pool(), plan))


def lot(index: int, **changes: Any) -> Callable[[Plan], Plan]:
    """The plan with one lot changed. Lot 0 is stock."""
    return _part("lots", index, changes)


def shipment(index: int, **changes: Any) -> Callable[[Plan], Plan]:
    """The plan with one shipment changed. Shipment 0 is the release of stock."""
    return _part("shipments", index, changes)


def campaign(**changes: Any) -> Callable[[Plan], Plan]:
    """The plan with its campaign changed."""
    return _part("campaigns", 0, changes)


def _part(group: str, index: int, changes: dict[str, Any]) -> Callable[[Plan], Plan]:
    def change(plan: Plan) -> Plan:
        parts = list(getattr(plan, group))
        parts[index] = replace(parts[index], **changes)
        whole: dict[str, Any] = {group: tuple(parts)}
        return replace(plan, **whole)

    return change


def cost(**changes: int) -> Callable[[Plan], Plan]:
    """The plan with another cost."""
    return lambda plan: replace(plan, cost=replace(plan.cost, **changes))


FAULTS: dict[str, tuple[str, Callable[[Plan], Plan]]] = {
    "two parts with one id": ("two parts", shipment(1, shipment_id="s1")),
    "units that are not shipped": ("shipments move", lot(1, units=100)),
    "a negative quantity": ("not positive", shipment(1, units=-1)),
    "a lot that is no multiple": ("not a multiple", lot(1, units=5_950)),
    "a price that is not the node's": ("cost 980 each", lot(1, unit_price_fen=979)),
    "no set-up fee": ("set-up", lot(1, setup_fee_fen=0)),
    "goods before the first batch": ("ready before", lot(1, ready_date=day(2))),
    "work on a Sunday": (
        "does not work",
        lot(1, buckets=(PlanBucket(key="2026-03-08", units=6_000, capacity_units=2_000),)),
    ),
    "a line that does not exist": ("no line", lot(1, resource_id="mill-a-mill--line-9")),
    "days that do not sum up": ("do not sum", lot(1, buckets=())),
    "another firm's node": ("no factory of", lot(1, firm_id="forwarder")),
    "an unknown firm": ("may not take part", lot(1, firm_id="nobody")),
    "another's stock": ("other goods", lot(0, firm_id="mill-a")),
    "stock at another price": ("price is another", lot(0, unit_price_fen=1)),
    "a landing after the margin": ("lands on", shipment(1, land_date=day(19))),
    "a landing that is a guess": ("it lands in TH", shipment(1, land_date=day(9))),
    "goods that leave before they are ready": (
        "too late",
        shipment(1, depart_date=day(2), land_date=day(9), land_p90_date=day(12)),
    ),
    "freight that is too cheap": ("cost", shipment(1, freight_fen=1)),
    "pick-up that is too cheap": ("pick-up", shipment(1, pickup_fen=1)),
    "a weight that is wrong": ("weigh", shipment(1, chargeable_g=1)),
    "a weight that is not booked": ("are booked", shipment(1, buckets=())),
    "a lane that does not exist": ("no lane", shipment(1, lane_id="space")),
    "a release that is too cheap": ("releasing", shipment(0, last_mile_fen=1)),
    "a market that nobody asked for": ("nobody wants", shipment(1, market="VN")),
    "too few hours": ("do not sell", campaign(hours=3)),
    "hours of a cheaper agency": ("an hour costs", campaign(hours_fee_fen=1)),
    "a fee of a cheaper agency": ("fixed fee", campaign(fixed_fee_fen=1)),
    "a lower commission": ("commission", campaign(commission_bp=1)),
    "another language": ("nobody asked", campaign(language="vi")),
    "too few units promoted": ("too few", campaign(units=8_000)),
    "a sum that is wrong": ("total is", cost(total_fen=1)),
    "goods that cost nothing": ("goods is", cost(goods_fen=0)),
    "a margin that is wrong": ("margin is", cost(margin_fen=1)),
    "a last mile that is forgotten": ("last mile is", cost(last_mile_fen=0)),
    "a value that is too small": (
        "committed value",
        lambda plan: replace(plan, committed_value_fen=1),
    ),
    "a bound above the cost": (
        "bound is above",
        lambda plan: replace(plan, solve=replace(plan.solve, bound_fen=10**12)),
    ),
    "units short that are not": ("short of", lambda plan: replace(plan, short_units=7)),
    "planned units that are not": ("planned units", lambda plan: replace(plan, planned_units=7)),
    "no parties of record": ("no parties", lambda plan: replace(plan, parties=())),
    "a seller that may not": (
        "cannot sell",
        lambda plan: replace(plan, parties=(replace(plan.parties[0], seller_firm_id="mill-a"),)),
    ),
    "an importer that may not": (
        "cannot import",
        lambda plan: replace(plan, parties=(replace(plan.parties[0], importer_firm_id="mill-a"),)),
    ),
    "an exporter that is no member": (
        "are no members",
        lambda plan: replace(plan, parties=(replace(plan.parties[0], exporter_firm_id="mill-c"),)),
    ),
    "a member as its own standby": (
        "own standby",
        lambda plan: replace(
            plan, standbys=(replace(plan.standbys[0], firm_id=plan.lots[1].firm_id),)
        ),
    ),
}


def test_a_good_plan_has_no_fault(plan: Plan) -> None:
    assert faults(plan) == ""


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_found(plan: Plan, case: str) -> None:
    words, change = FAULTS[case]
    assert words in faults(change(plan))


def test_a_share_above_the_cap(plan: Plan) -> None:
    assert plan.relaxations == ()
    alone = tuple(replace(x, firm_id="mill-a") if x.wave else x for x in plan.lots)
    assert "SHARE" in faults(replace(plan, lots=alone))
    affiliated = usual_pool()
    firms = {**affiliated.firms, "mill-a": firm("mill-a", affiliates=("mill-b",))}
    assert "SHARE" in faults(plan, replace(affiliated, firms=firms))


def test_capacity_that_others_have(plan: Plan) -> None:
    bucket = PlanBucket(key=day(2).isoformat(), units=1, capacity_units=2_000)
    entry = BookEntry(
        alliance_id="a-other", kind=EntryKind.COMMIT, node_version=1, buckets=(bucket,)
    )
    name = next(x.resource_id for x in plan.lots if x.wave == 1)
    book = Book(resource_id=name, kind=ResourceKind.RATE, entries=(entry,), written_time=NOW)
    assert "CAPACITY" in faults(plan, replace(usual_pool(), books={name: book}))


def test_what_the_demand_limits(plan: Plan) -> None:
    assert "members" in faults(plan, of=demand(max_members=3)).lower()
    assert "budget" in faults(plan, of=demand(budget_fen=1_000))
    assert "too few" in faults(plan, of=demand((19_000, 20_000, 30_000)))
    assert "too many" in faults(plan, of=demand((1_000, 2_000, 3_000)))


def test_what_has_changed_since(plan: Plan) -> None:
    snapshot = usual_pool()
    member = plan.lots[1].firm_id
    suspended = {**snapshot.firms, member: firm(member, state=FirmState.SUSPENDED)}
    assert "may not take part" in faults(plan, replace(snapshot, firms=suspended))
    uncertified = {**snapshot.firms, member: firm(member, certificates=())}
    assert "GRS" in faults(plan, replace(snapshot, firms=uncertified))
    assert "counted" in "\n".join(
        violations(replace(question(), now=NOW + timedelta(hours=24)), snapshot, plan)
    )
