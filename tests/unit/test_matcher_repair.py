"""Repair: standbys one for one, else a new match around what stays; kept parts never change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.contract import annex_hashes, sha256
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.members import RepairRequest, SignedStatement
from lianmeng.alliance.membership import active_members, members, parts, ref_of
from lianmeng.alliance.plan import LotSource, Plan
from lianmeng.alliance.policy import next_fact
from lianmeng.alliance.state import AllianceState, State
from lianmeng.matcher.demand import limits_of
from lianmeng.matcher.outcome import Found, Missing
from lianmeng.matcher.planner import SolvingPlanner
from lianmeng.matcher.snapshot import Snapshot
from tests.pools import (
    IMPORTER,
    NOW,
    SELLER,
    THRESHOLDS,
    agency,
    bangkok,
    demand,
    firm,
    forwarder,
    mill,
    pool,
)
from tests.pools import ROAD as CHEAP_ROAD

PLANNER = SolvingPlanner(THRESHOLDS)
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


def inviting(snapshot: Snapshot) -> AllianceState:
    """An alliance that has proposed the planner's plan and invited its members."""
    wanted = demand()
    outcome = PLANNER.plan(wanted, snapshot)
    assert isinstance(outcome, Found)
    state: AllianceState | None = None
    facts: list[f.Fact] = [
        f.DemandAccepted(demand=wanted, limits=limits_of(THRESHOLDS)),
        f.Proposed(
            plan=outcome.plan,
            risk_report=outcome.risk_report,
            risk_report_hash=sha256(outcome.risk_report),
            hold_until_time=NOW + timedelta(hours=36),
        ),
    ]
    for fact in facts:
        state = evolve(state, fact, NOW, "test")
    assert state is not None
    state = replace(state, limits=replace(state.limits, major_value_fen=10**12))
    return settled(state)


def settled(state: AllianceState) -> AllianceState:
    """The state after everything that lifecycle does by itself."""
    while (fact := next_fact(state, NOW)) is not None:
        after = evolve(state, fact, NOW, "test")
        assert after is not None
        state = after
    return state


def without(state: AllianceState, lost: str) -> AllianceState:
    """The state after a member has declined and lifecycle has asked for a repair."""
    invitation = next(i for i in state.invitations if i.firm_id == lost)
    declined = f.Declined(
        invitation_id=invitation.invitation_id,
        version=invitation.version,
        firm_id=lost,
        command_id="c1",
    )
    after = evolve(state, declined, NOW, lost)
    assert after is not None
    asked = settled(after)
    assert isinstance(asked.repair, RepairRequest)
    return asked


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
    again = settled(_after(state, plan))
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
    active = _active(state)
    failed = evolve(active, f.MemberFailed(firm_id="mill-a", reason="SILENCE"), NOW, "test")
    assert failed is not None
    asked = settled(failed)
    assert asked.state is State.REPAIRING
    plan = repaired(asked, snapshot)
    new = {ref_of(part) for part in parts(plan)} - {ref_of(part) for part in parts(state.plan)}
    assert any(ref.startswith("l") for ref in new)
    assert any(ref.startswith("s") for ref in new)
    assert active_members(settled(_after(asked, plan)))


def _active(state: AllianceState) -> AllianceState:
    """The alliance with everybody's acceptance."""
    signed = SignedStatement(statement=b"s", signature=b"g", key_id="k")
    for invitation in state.invitations:
        fact = f.Accepted(
            invitation_id=invitation.invitation_id,
            version=invitation.version,
            firm_id=invitation.firm_id,
            acceptance=signed,
            command_id=f"yes-{invitation.firm_id}",
        )
        after = evolve(state, fact, NOW, invitation.firm_id)
        assert after is not None
        state = after
    active = settled(state)
    assert active.state is State.ACTIVE
    return active


def _after(state: AllianceState, plan: Plan) -> AllianceState:
    fact = f.Repaired(
        plan=plan,
        risk_report=b"{}",
        risk_report_hash=sha256(b"{}"),
        hold_until_time=NOW + timedelta(hours=36),
    )
    after = evolve(state, fact, NOW, "test")
    assert after is not None
    return after
