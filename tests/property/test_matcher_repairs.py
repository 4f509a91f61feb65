"""Properties of every repair: who stays keeps its part, nobody lost is asked, it is checked."""

from __future__ import annotations

from random import Random

from hypothesis import assume, event, given
from hypothesis import strategies as st

from lianmeng.alliance import facts as f
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.membership import members, parts, ref_of
from lianmeng.alliance.plan import Plan
from lianmeng.alliance.state import AllianceState
from lianmeng.matcher.outcome import Found
from lianmeng.matcher.snapshot import Snapshot
from tests.formation import PLANNER, active, proposed, settled, without
from tests.pools import NOW, demand
from tests.property.test_matcher_plans import QUICK, bands, pools


def formed(snapshot: Snapshot, band: tuple[int, int, int]) -> AllianceState:
    state = proposed(snapshot, demand(band))
    assume(state is not None)
    assert state is not None
    return settled(state)


def repaired(state: AllianceState, snapshot: Snapshot) -> Plan | None:
    outcome = PLANNER.repair(state, snapshot)
    event(type(outcome).__name__)
    return outcome.plan if isinstance(outcome, Found) else None


def check_kept(before: Plan, after: Plan, lost: str) -> None:
    """Parts of firms that stay are the same, but for shipments of goods that are lost."""
    now = {ref_of(part): part for part in parts(after)}
    gone = {lot.lot_id for lot in before.lots if lot.firm_id == lost}
    gone |= {s.lot_id for s in before.shipments if s.firm_id == lost and not s.lane_id}
    for part in parts(before):
        follows = getattr(part, "lot_id", "") in gone
        if part.firm_id != lost and not follows:
            assert now[ref_of(part)] == part
    assert lost not in members(after)
    assert after.version == before.version + 1


@given(pools(), bands, st.randoms(use_true_random=False))
@QUICK
def test_before_the_contract(
    snapshot: Snapshot, band: tuple[int, int, int], random: Random
) -> None:
    state = formed(snapshot, band)
    assert state.plan is not None
    lost = random.choice(sorted(members(state.plan)))
    plan = repaired(without(state, lost), snapshot)
    if plan is not None:
        check_kept(state.plan, plan, lost)


@given(pools(), bands, st.randoms(use_true_random=False))
@QUICK
def test_under_a_contract(snapshot: Snapshot, band: tuple[int, int, int], random: Random) -> None:
    state = active(formed(snapshot, band))
    assert state.plan is not None
    lost = random.choice(sorted(members(state.plan)))
    failed = evolve(state, f.MemberFailed(firm_id=lost, reason="SILENCE"), NOW, "test")
    assert failed is not None
    plan = repaired(settled(failed), snapshot)
    if plan is not None:
        check_kept(state.plan, plan, lost)
        known = {ref_of(part) for part in parts(state.plan)}
        moved = [s for s in plan.shipments if s.shipment_id in known]
        assert all(s in state.plan.shipments for s in moved)
