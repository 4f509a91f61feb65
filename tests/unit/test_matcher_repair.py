"""Repair: standbys one for one, else a new match around what stays; kept parts never change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.contract import annex_hashes
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.membership import active_members, members, parts, ref_of
from lianmeng.alliance.plan import LotSource, Plan
from lianmeng.alliance.state import AllianceState, State
from lianmeng.matcher.outcome import Found, Missing
from lianmeng.matcher.snapshot import Snapshot
from tests.formation import PLANNER, active, after_repair, inviting, settled, without
from tests.pools import (
    IMPORTER,
    NOW,
    SELLER,
    agency,
    bangkok,
    day,
    firm,
    forwarder,
    mill,
    pool,
)
from tests.pools import ROAD as CHEAP_ROAD

DEAR_ROAD = replace(CHEAP_ROAD, price=replace(CHEAP_ROAD.price, amount_minor=1_300))


def three_of_each() -> Snapshot:
    """Mills, forwarders and agencies to fall back on, and the Bangkok stock."""
    nodes = (
        mill("mill-a", price_fen=980),
        mill("mill-b", price_fen=1_000),
        mill("mill-c", price_fen=1_060),
        mill("mill-d", price_fen=1_090),
        forwarder("forwarder-a", (CHEAP_ROAD,), (bangkok(),)),
        forwarder("forwarder-b", (DEAR_ROAD,)),
        agency("agency-a"),
        agency("agency-b", commission_bp=900),
    )
    return pool(nodes, [firm("trader", **SELLER, **IMPORTER)])


def repaired(state: AllianceState, snapshot: Snapshot) -> Plan:
    outcome = PLANNER.repair(state, snapshot)
    assert isinstance(outcome, Found), outcome
    return outcome.plan


def unchanged(before: Plan, after: Plan, lost: str) -> bool:
    """Whether every part of the firms that stay is as it was, to the last field."""
    kept = {ref_of(part): part for part in parts(after)}
    return all(kept.get(ref_of(part)) == part for part in parts(before) if part.firm_id != lost)


def test_a_standby_takes_the_lots_of_a_mill_and_nobody_else_notices() -> None:
    snapshot = three_of_each()
    state = inviting(snapshot)
    assert state.plan is not None
    plan = repaired(without(state, "mill-a"), snapshot)
    assert plan.version == 2
    made = {lot.firm_id for lot in plan.lots if lot.source is LotSource.FACTORY}
    assert made == {"mill-b", "mill-c"}
    assert unchanged(state.plan, plan, "mill-a")
    before = annex_hashes(state.demand, state.plan)
    after = annex_hashes(state.demand, plan)
    assert {name: after[name] for name in before if name != "mill-a"} == {
        name: digest for name, digest in before.items() if name != "mill-a"
    }


def test_a_standby_takes_the_shipments_of_a_forwarder_without_stock() -> None:
    nodes = (
        mill("mill-a"),
        mill("mill-b", price_fen=990),
        forwarder("forwarder-a", (CHEAP_ROAD,)),
        forwarder("forwarder-b", (DEAR_ROAD,)),
        agency("agency-a"),
    )
    snapshot = pool(nodes)
    state = inviting(snapshot)
    assert state.plan is not None
    plan = repaired(without(state, "forwarder-a"), snapshot)
    assert {s.firm_id for s in plan.shipments} == {"forwarder-b"}
    assert {s.shipment_id for s in plan.shipments}.isdisjoint(
        {s.shipment_id for s in state.plan.shipments}
    )
    assert plan.lots == state.plan.lots
    assert unchanged(state.plan, plan, "forwarder-a")


def test_a_standby_takes_the_campaign_of_an_agency() -> None:
    snapshot = three_of_each()
    state = inviting(snapshot)
    assert state.plan is not None
    plan = repaired(without(state, "agency-a"), snapshot)
    assert [c.firm_id for c in plan.campaigns] == ["agency-b"]
    assert plan.campaigns[0].units == state.plan.campaigns[0].units
    assert plan.parties[0].seller_firm_id == "agency-b"
    assert unchanged(state.plan, plan, "agency-a")


def test_lost_stock_is_matched_anew() -> None:
    snapshot = three_of_each()
    state = inviting(snapshot)
    assert state.plan is not None
    assert "trader" in members(state.plan)
    plan = repaired(without(state, "trader"), snapshot)
    assert "trader" not in members(plan)
    assert plan.planned_units == state.plan.planned_units
    stay = [part for part in parts(state.plan) if ref_of(part) not in ("l1", "s1")]
    assert set(map(ref_of, stay)) <= set(map(ref_of, parts(plan)))


def test_a_willing_firm_comes_first() -> None:
    snapshot = three_of_each()
    state = without(inviting(snapshot), "mill-a")
    plan = repaired(replace(state, willing_firm_ids=("mill-d",)), snapshot)
    assert "mill-d" in members(plan)
    assert "mill-c" not in members(plan)


def test_a_firm_that_left_is_not_asked_again() -> None:
    snapshot = three_of_each()
    state = without(inviting(snapshot), "mill-a")
    plan = repaired(state, snapshot)
    again = settled(after_repair(state, plan))
    second = repaired(without(again, "mill-c"), snapshot)
    assert members(second).keys().isdisjoint({"mill-a", "mill-c"})


def test_nobody_left_says_why() -> None:
    nodes = (mill("mill-a"), forwarder("forwarder-a", (CHEAP_ROAD,)), agency("agency-a"))
    snapshot = pool(nodes)
    outcome = PLANNER.repair(without(inviting(snapshot), "agency-a"), snapshot)
    assert isinstance(outcome, Missing)
    assert outcome.reason == "NO_AGENCY"


def test_under_a_contract_changed_parts_get_new_ids() -> None:
    snapshot = three_of_each()
    state = inviting(snapshot)
    assert state.plan is not None
    running = active(state)
    failed = evolve(running, f.MemberFailed(firm_id="mill-a", reason="SILENCE"), NOW, "test")
    assert failed is not None
    asked = settled(failed)
    assert asked.state is State.REPAIRING
    plan = repaired(asked, snapshot)
    new = {ref_of(part) for part in parts(plan)} - {ref_of(part) for part in parts(state.plan)}
    assert any(ref.startswith("l") for ref in new)
    assert any(ref.startswith("s") for ref in new)
    assert active_members(settled(after_repair(asked, plan)))


def test_days_later_the_rest_of_the_window_is_matched_anew() -> None:
    snapshot = three_of_each()
    running = active(inviting(snapshot))
    assert running.plan is not None
    failed = evolve(running, f.MemberFailed(firm_id="mill-a", reason="REPORTED"), NOW, "test")
    assert failed is not None
    later = replace(snapshot, now=NOW + timedelta(days=2))
    plan = repaired(settled(failed), later)
    assert plan.day0_date == running.plan.day0_date
    kept = {ref_of(part) for part in parts(running.plan)}
    new = [lot for lot in plan.lots if lot.lot_id not in kept]
    assert new
    assert all(day(5) <= lot.ready_date for lot in new)
    assert all(bucket.key > day(2).isoformat() for lot in new for bucket in lot.buckets)
    assert max(s.land_date for s in plan.shipments) <= day(18)
    assert plan.solve.bound_fen <= plan.cost.total_fen
