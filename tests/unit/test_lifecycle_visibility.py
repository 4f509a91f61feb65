"""Who sees what of an alliance, over whole histories: no firm ever learns another's price."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lianmeng.alliance import decide, policy
from lianmeng.alliance import facts as f
from lianmeng.alliance.contract import annex, annex_hashes, sha256
from lianmeng.alliance.evolve import evolve
from lianmeng.alliance.members import SignedStatement
from lianmeng.alliance.plan import Plan
from lianmeng.alliance.records import AllianceRecord
from lianmeng.alliance.state import AllianceState, State
from lianmeng.lifecycle.fact_visibility import record_for
from lianmeng.lifecycle.firm_views import InvitationView, TaskView, invitations_for, tasks_for
from lianmeng.lifecycle.visibility import AllianceView, Viewer, may_see, view_of
from lianmeng.runtime.codec import check, encode
from lianmeng.v1 import alliance_pb2, lifecycle_pb2
from tests import builders
from tests.builders import AGENCY, FORWARDER, MILL

SIGNED = SignedStatement(statement=b"said", signature=b"signature", key_id="k-1")
MANAGER = Viewer("manager", sees_all=True)
SECRETS = {
    MILL: {7_771_001, 7_771_002},
    FORWARDER: {7_772_001, 7_772_002, 7_772_003, 7_772_004, 7_772_005},
    AGENCY: {7_773_001, 7_773_002, 7_773},
}
"""Prices and fees that only their firm (and whoever pays them) may see."""


def secret_plan() -> Plan:
    """The tiny plan with prices that cannot be mistaken."""
    plan = builders.plan()
    stock, made = plan.lots
    release, road = plan.shipments
    (campaign,) = plan.campaigns
    return replace(
        plan,
        committed_value_fen=7_774_000_001,
        lots=(
            replace(stock, unit_price_fen=7_772_001),
            replace(made, unit_price_fen=7_771_001, setup_fee_fen=7_771_002),
        ),
        shipments=(
            replace(release, last_mile_fen=7_772_002),
            replace(road, pickup_fen=7_772_003, freight_fen=7_772_004, last_mile_fen=7_772_005),
        ),
        campaigns=(
            replace(
                campaign, fixed_fee_fen=7_773_001, hours_fee_fen=7_773_002, commission_bp=7_773
            ),
        ),
        parties=tuple(replace(party, seller_firm_id="house") for party in plan.parties),
    )


def life() -> list[AllianceRecord]:
    """From demand to dissolution; the seller of record is no member."""
    records: list[AllianceRecord] = []
    state: AllianceState | None = None

    def add(fact: f.Fact, by: str) -> None:
        nonlocal state
        state = evolve(state, fact, builders.START, by)
        assert state is not None
        records.append(
            AllianceRecord(
                alliance_id=state.alliance_id,
                attempt_id=str(len(records)),
                time=builders.START,
                by=by,
                fact=fact,
                state=state,
            )
        )

    def settle() -> AllianceState:
        assert state is not None
        while (fact := policy.next_fact(state, builders.START)) is not None:
            add(fact, "lifecycle")
        return state

    add(builders.accepted(), "matcher")
    add(builders.proposed(secret_plan()), "matcher")
    awaiting = settle()
    report = awaiting.risk_report_hash
    add(decide.approve(awaiting, "manager", report, "fine", "c-1", builders.START), "manager")
    now = settle()
    for i in now.invitations:
        ids = (i.invitation_id, i.version, i.firm_id)
        fact = decide.accept(now, *ids, SIGNED, f"c-{i.firm_id}", builders.START)
        add(fact, i.firm_id)
    now = settle()
    for task_id in ("s1-release", "l2-produce", "s2-ship", "c1-campaign"):
        task = next(task for task in now.tasks if task.task_id == task_id)
        done = f.ReportKind.DONE
        add(
            decide.report_task(now, task_id, task.firm_id, done, 0, "", f"r-{task_id}"),
            task.firm_id,
        )
        now = settle()
        add(
            decide.accept_task(now, task_id, task.receiver_firm_id, 0, f"a-{task_id}"),
            task.receiver_firm_id,
        )
        now = settle()
    assert now.state is State.DISSOLVED
    return records


LIFE = life()


def _leaks(text: str, viewer: str) -> set[int]:
    foreign = set().union(*(s for firm, s in SECRETS.items() if firm != viewer))
    return {secret for secret in foreign if str(secret) in text}


@pytest.mark.parametrize("firm", SECRETS)
def test_no_firm_sees_the_price_of_another(firm: str) -> None:
    viewer = Viewer(firm, firm)
    seen = 0
    for record in LIFE:
        state = record.state
        assert state is not None
        told = record_for(record, viewer)
        assert (told is None) or may_see(state, viewer)
        if not may_see(state, viewer):
            continue
        view = encode(view_of(state, viewer), lifecycle_pb2.AllianceView)
        text = str(view) + (str(encode(told, alliance_pb2.AllianceRecord)) if told else "")
        views = [*invitations_for(state, firm, open_only=False)]
        tasks = [*tasks_for(state, firm, open_only=False)]
        assert _leaks(text + str(views) + str(tasks), firm) == set()
        assert str(state.plan and state.plan.committed_value_fen) not in text
        seen += told is not None
    assert seen > 5


@pytest.mark.parametrize("firm", SECRETS)
def test_a_member_sees_its_own_terms_and_that_they_are_what_it_signs(firm: str) -> None:
    state = next(r.state for r in LIFE if isinstance(r.fact, f.Activated))
    assert state is not None
    assert state.plan is not None
    view = view_of(state, Viewer(firm, firm))
    assert view.own_annex == annex(state.demand, state.plan, firm)
    (invitation,) = view.state.invitations
    assert sha256(view.own_annex) == invitation.annex_sha256 == view.annex_sha256[firm]
    assert view.annex_sha256 == annex_hashes(state.demand, state.plan)
    own = SECRETS[firm]
    assert all(str(secret) in view.own_annex.decode() for secret in own)
    assert view.state.plan is not None
    assert {lot.firm_id for lot in view.state.plan.lots} <= {firm}


def test_who_was_not_invited_sees_nothing() -> None:
    for record in LIFE:
        assert record.state is not None
        for viewer in (Viewer("mill-x", "mill-x"), Viewer("researcher")):
            assert not may_see(record.state, viewer)
            assert record_for(record, viewer) is None


def test_a_member_sees_nothing_before_it_is_invited() -> None:
    proposed = next(r for r in LIFE if isinstance(r.fact, f.Proposed))
    assert proposed.state is not None
    assert not may_see(proposed.state, Viewer(MILL, MILL))


def test_a_manager_sees_all_of_it() -> None:
    for record in LIFE:
        assert record_for(record, MANAGER) is record
        assert record.state is not None
        assert view_of(record.state, MANAGER).state is record.state


def test_a_firm_hears_of_its_own_answer_and_not_of_others() -> None:
    told = [record_for(record, Viewer(MILL, MILL)) for record in LIFE]
    accepted = [r.fact for r in told if r is not None and isinstance(r.fact, f.Accepted)]
    assert [fact.firm_id for fact in accepted] == [MILL]
    assert {r.by for r in told if r is not None} == {"", MILL}
    reported = [r.fact for r in told if r is not None and isinstance(r.fact, f.TaskReported)]
    assert [fact.task_id for fact in reported] == [
        "s1-release",  # the mill is the lead factory: it accepts what others move and do
        "l2-produce",
        "s2-ship",
        "c1-campaign",
    ]


def test_a_firm_that_declined_reads_no_more_of_the_contract() -> None:
    state = next(r.state for r in LIFE if isinstance(r.fact, f.Invited))
    assert state is not None
    invitation = next(i for i in state.invitations if i.firm_id == MILL)
    ids = (invitation.invitation_id, 1, MILL)
    fact = decide.decline(state, *ids, "busy", "c-9", builders.START)
    declined = evolve(state, fact, builders.START, MILL)
    assert declined is not None
    view = view_of(declined, Viewer(MILL, MILL))
    assert (view.contract_header, view.own_annex, view.annex_sha256) == (b"", b"", {})


def test_the_views_match_the_contract() -> None:
    assert check(AllianceView, lifecycle_pb2.AllianceView) == []
    assert check(InvitationView, lifecycle_pb2.InvitationView) == []
    assert check(TaskView, lifecycle_pb2.TaskView) == []
