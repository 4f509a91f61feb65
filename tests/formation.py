"""Alliances that the matcher has planned, moved on by lifecycle's own rules, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lianmeng.alliance import facts as f
from lianmeng.alliance.contract import sha256
from lianmeng.alliance.demand import Demand
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.members import RepairRequest, SignedStatement
from lianmeng.alliance.plan import Plan
from lianmeng.alliance.policy import next_fact
from lianmeng.alliance.state import AllianceState, State
from lianmeng.matcher.demand import limits_of
from lianmeng.matcher.outcome import Found
from lianmeng.matcher.planner import SolvingPlanner
from lianmeng.matcher.snapshot import Snapshot
from tests.pools import NOW, THRESHOLDS, demand

PLANNER = SolvingPlanner(THRESHOLDS)


def proposed(snapshot: Snapshot, wanted: Demand) -> AllianceState | None:
    """An alliance that has the planner's plan; None: there is none."""
    outcome = PLANNER.plan(wanted, snapshot)
    if not isinstance(outcome, Found):
        return None
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
    return replace(state, limits=replace(state.limits, major_value_fen=10**12))


def inviting(snapshot: Snapshot) -> AllianceState:
    """An alliance for the worked example's demand that has invited its members."""
    state = proposed(snapshot, demand())
    assert state is not None
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


def active(state: AllianceState) -> AllianceState:
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


def after_repair(state: AllianceState, plan: Plan) -> AllianceState:
    """The alliance after the matcher has written its repair."""
    fact = f.Repaired(
        plan=plan,
        risk_report=b"{}",
        risk_report_hash=sha256(b"{}"),
        hold_until_time=NOW + timedelta(hours=36),
    )
    after = evolve(state, fact, NOW, "test")
    assert after is not None
    return after
