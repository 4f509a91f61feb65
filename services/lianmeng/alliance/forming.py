"""What each fact of the forming of an alliance, and of its repairs, changes in the state.

One function per fact, named like it; `evolve` calls them and adds what all have in common.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lianmeng.alliance import facts as f
from lianmeng.alliance.edits import (
    with_invitations,
    with_tasks,
    without_firms,
    without_pending,
    wound_down,
)
from lianmeng.alliance.members import Attention, DissolutionReason, InvitationState
from lianmeng.alliance.membership import broken_refs, members
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.tasks import frozen_tasks


def no_plan(state: AllianceState, fact: f.NoPlan, _time: datetime) -> AllianceState:
    """While matching: why there is no plan, and when to try again. Else: the repair has failed."""
    if state.state is State.MATCHING:
        return replace(
            state,
            reason=fact.reason,
            relaxations=fact.relaxations,
            rematch_time=fact.rematch_time,
        )
    return replace(state, repair=None, unrepairable=fact.reason, relaxations=fact.relaxations)


def rematch_due(state: AllianceState, _fact: f.RematchDue, _time: datetime) -> AllianceState:
    """One more try is counted."""
    return replace(state, rematch_count=state.rematch_count + 1, rematch_time=None)


def infeasible(state: AllianceState, fact: f.Infeasible, _time: datetime) -> AllianceState:
    """The demand ends without an alliance."""
    return replace(state, state=State.INFEASIBLE, reason=fact.reason, rematch_time=None)


def proposed(state: AllianceState, fact: f.Proposed, _time: datetime) -> AllianceState:
    """The plan is in force and its capacity is held."""
    return replace(
        state,
        state=State.PROPOSED,
        reason="",
        relaxations=(),
        rematch_time=None,
        plan=fact.plan,
        risk_report=fact.risk_report,
        risk_report_hash=fact.risk_report_hash,
        hold_until_time=fact.hold_until_time,
    )


def approval_requested(
    state: AllianceState, fact: f.ApprovalRequested, _time: datetime
) -> AllianceState:
    """A zone manager has to decide until the request expires."""
    return replace(
        state,
        state=State.AWAITING_APPROVAL,
        reason=" ".join(fact.reasons),
        approval_deadline_time=fact.expires_time,
    )


def approval_granted(
    state: AllianceState, fact: f.ApprovalGranted, _time: datetime
) -> AllianceState:
    """Back to where the request came from, with the approval."""
    return replace(
        state,
        state=State.REPAIRING if state.activated_time else State.INVITING,
        reason="",
        approval=fact.approval,
        approval_deadline_time=None,
    )


def approval_refused(
    state: AllianceState, fact: f.ApprovalRefused, time: datetime
) -> AllianceState:
    """Before a contract the alliance is rejected; afterwards it winds down."""
    refused = replace(state, approval_deadline_time=None, reason=fact.reason)
    if state.activated_time is None:
        return without_pending(replace(refused, state=State.REJECTED), time)
    frozen = frozen_tasks(state, time)
    return wound_down(refused, DissolutionReason.MANAGER_ORDER, frozen, time)


def invited(state: AllianceState, fact: f.Invited, _time: datetime) -> AllianceState:
    """New invitations, and new versions in place of old ones."""
    new = {invitation.firm_id for invitation in fact.invitations}
    kept = tuple(i for i in state.invitations if i.firm_id not in new)
    return replace(
        state,
        state=State.INVITING if state.state is State.PROPOSED else state.state,
        invitations=kept + fact.invitations,
        formation_deadline_time=fact.formation_deadline_time,
    )


def reminded(state: AllianceState, fact: f.Reminded, _time: datetime) -> AllianceState:
    """Invitations and tasks remember that their firms were reminded."""
    invitations, tasks = set(fact.invitation_ids), set(fact.task_ids)
    return replace(
        state,
        invitations=tuple(
            replace(i, reminded=True) if i.invitation_id in invitations else i
            for i in state.invitations
        ),
        tasks=with_tasks(state.tasks, tasks, attention=Attention.REMINDED),
    )


def accepted(state: AllianceState, fact: f.Accepted, time: datetime) -> AllianceState:
    """The firm is in; too late, it is willing and next in line."""
    if fact.late:
        return replace(state, willing_firm_ids=(*state.willing_firm_ids, fact.firm_id))
    to = InvitationState.ACCEPTED
    answered = with_invitations(state, [fact.invitation_id], to, time, acceptance=fact.acceptance)
    return replace(state, invitations=answered)


def declined(state: AllianceState, fact: f.Declined, time: datetime) -> AllianceState:
    """The firm is out."""
    to = InvitationState.DECLINED
    answered = with_invitations(state, [fact.invitation_id], to, time, decline_reason=fact.reason)
    return without_firms(replace(state, invitations=answered), [fact.firm_id])


def expired(state: AllianceState, fact: f.Expired, time: datetime) -> AllianceState:
    """The firms that kept silent are out."""
    gone = set(fact.invitation_ids)
    firms = [i.firm_id for i in state.invitations if i.invitation_id in gone]
    closed = with_invitations(state, gone, InvitationState.EXPIRED, time)
    return without_firms(replace(state, invitations=closed), firms)


def repair_requested(
    state: AllianceState, fact: f.RepairRequested, _time: datetime
) -> AllianceState:
    """The matcher is to replace the lost; an active alliance is REPAIRING."""
    return replace(
        state,
        state=State.INVITING if state.state is State.INVITING else State.REPAIRING,
        reason=fact.repair.reason,
        round=fact.repair.round,
        repair=fact.repair,
    )


def repaired(state: AllianceState, fact: f.Repaired, time: datetime) -> AllianceState:
    """A firm that the new plan takes in again is neither lost nor merely willing any more.

    A firm that leaves the plan before the contract has its open invitation withdrawn.
    """
    back = {ref_firm for ref_firm in members(fact.plan) if _asked_again(state, fact, ref_firm)}
    inside = set(members(fact.plan))
    left = [
        i.invitation_id
        for i in state.invitations
        if i.firm_id not in inside and i.state in _STANDING
    ]
    return replace(
        state,
        plan=fact.plan,
        risk_report=fact.risk_report,
        risk_report_hash=fact.risk_report_hash,
        hold_until_time=fact.hold_until_time,
        repair=None,
        reason="",
        invitations=with_invitations(state, left, InvitationState.WITHDRAWN, time),
        lost_firm_ids=tuple(x for x in state.lost_firm_ids if x not in back),
        willing_firm_ids=tuple(x for x in state.willing_firm_ids if x not in inside),
    )


_STANDING = frozenset({InvitationState.PENDING, InvitationState.ACCEPTED})


def _asked_again(state: AllianceState, fact: f.Repaired, firm: str) -> bool:
    return firm in state.willing_firm_ids and bool(
        broken_refs(replace(state, plan=fact.plan, lost_firm_ids=(firm,)))
    )


def formation_failed(
    state: AllianceState, fact: f.FormationFailed, time: datetime
) -> AllianceState:
    """It ends before a contract; open invitations are taken back."""
    ended = replace(
        state,
        state=State.FORMATION_FAILED,
        reason=fact.reason,
        repair=None,
        rematch_time=None,
        formation_deadline_time=None,
        approval_deadline_time=None,
    )
    return without_pending(ended, time)
