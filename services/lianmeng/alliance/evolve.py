"""From a state and a fact to the next state: pure, and the only way a state changes.

One small function per fact says what the fact changes; `evolve` adds what all have in common:
the check against the table, the count, the command's mark, the deadline. Given the facts alone
it rebuilds every stored state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from lianmeng.alliance import facts as f
from lianmeng.alliance import states
from lianmeng.alliance.deadlines import earliest
from lianmeng.alliance.members import (
    Attention,
    CommandMark,
    DissolutionReason,
    Invitation,
    InvitationState,
    Task,
    TaskState,
)
from lianmeng.alliance.membership import broken_refs, members
from lianmeng.alliance.state import AllianceState, State
from lianmeng.alliance.tasks import frozen_tasks, open_ready


def evolve(
    state: AllianceState | None, fact: f.Fact, time: datetime, by: str
) -> AllianceState | None:
    """The state after `fact`, which happened at `time` (story time), caused by `by`.

    None only for a fence before the first fact. Raises `states.IllegalTransition`.
    """
    if isinstance(fact, f.Fenced):
        return state
    if isinstance(fact, f.DemandAccepted):
        nxt = _demand_accepted(state, fact, time)
    else:
        nxt = _apply(state, fact, time)
    source = state.state if state else None
    states.check(nxt.alliance_id, f.name_of(fact), source, nxt.state)
    return _finish(nxt, fact, time, by)


def _apply(state: AllianceState | None, fact: f.Fact, time: datetime) -> AllianceState:
    if state is None:
        raise states.IllegalTransition("?", f.name_of(fact), None, State.MATCHING)
    return _CHANGES[type(fact)](state, fact, time)


def _finish(state: AllianceState, fact: f.Fact, time: datetime, by: str) -> AllianceState:
    command = getattr(fact, "command_id", "") or (
        fact.demand.command_id if isinstance(fact, f.DemandAccepted) else ""
    )
    mark = (CommandMark(principal_id=by, command_id=command, fact=f.name_of(fact)),)
    counted = replace(
        state,
        fact_count=state.fact_count + 1,
        commands=state.commands + mark if command else state.commands,
        closed_time=time if state.state in states.TERMINAL else None,
    )
    deadline = earliest(counted)
    if deadline is None:
        return replace(counted, deadline_time=None, deadline_reason="")
    return replace(counted, deadline_time=deadline.time, deadline_reason=deadline.reason)


def _demand_accepted(
    state: AllianceState | None, fact: f.DemandAccepted, time: datetime
) -> AllianceState:
    if state is not None:
        name = f.name_of(fact)
        raise states.IllegalTransition(state.alliance_id, name, state.state, State.MATCHING)
    return AllianceState(
        alliance_id=fact.demand.demand_id,
        state=State.MATCHING,
        demand=fact.demand,
        limits=fact.limits,
        created_time=time,
    )


def _no_plan(state: AllianceState, fact: f.NoPlan, _time: datetime) -> AllianceState:
    if state.state is State.MATCHING:
        return replace(
            state,
            reason=fact.reason,
            relaxations=fact.relaxations,
            rematch_time=fact.rematch_time,
        )
    return replace(state, repair=None, unrepairable=fact.reason, relaxations=fact.relaxations)


def _rematch_due(state: AllianceState, _fact: f.RematchDue, _time: datetime) -> AllianceState:
    return replace(state, rematch_count=state.rematch_count + 1, rematch_time=None)


def _infeasible(state: AllianceState, fact: f.Infeasible, _time: datetime) -> AllianceState:
    return replace(state, state=State.INFEASIBLE, reason=fact.reason, rematch_time=None)


def _proposed(state: AllianceState, fact: f.Proposed, _time: datetime) -> AllianceState:
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


def _approval_requested(
    state: AllianceState, fact: f.ApprovalRequested, _time: datetime
) -> AllianceState:
    return replace(
        state,
        state=State.AWAITING_APPROVAL,
        reason=" ".join(fact.reasons),
        approval_deadline_time=fact.expires_time,
    )


def _approval_granted(
    state: AllianceState, fact: f.ApprovalGranted, _time: datetime
) -> AllianceState:
    return replace(
        state,
        state=State.REPAIRING if state.activated_time else State.INVITING,
        reason="",
        approval=fact.approval,
        approval_deadline_time=None,
    )


def _approval_refused(
    state: AllianceState, fact: f.ApprovalRefused, time: datetime
) -> AllianceState:
    refused = replace(state, approval_deadline_time=None, reason=fact.reason)
    if state.activated_time is None:
        return _withdrawn(replace(refused, state=State.REJECTED), time)
    frozen = frozen_tasks(state, time)
    return _wound_down(refused, DissolutionReason.MANAGER_ORDER, frozen, time)


def _invited(state: AllianceState, fact: f.Invited, _time: datetime) -> AllianceState:
    new = {invitation.firm_id for invitation in fact.invitations}
    kept = tuple(i for i in state.invitations if i.firm_id not in new)
    return replace(
        state,
        state=State.INVITING if state.state is State.PROPOSED else state.state,
        invitations=kept + fact.invitations,
        formation_deadline_time=fact.formation_deadline_time,
    )


def _reminded(state: AllianceState, fact: f.Reminded, _time: datetime) -> AllianceState:
    invitations, tasks = set(fact.invitation_ids), set(fact.task_ids)
    return replace(
        state,
        invitations=tuple(
            replace(i, reminded=True) if i.invitation_id in invitations else i
            for i in state.invitations
        ),
        tasks=_changed(state.tasks, tasks, attention=Attention.REMINDED),
    )


def _changed(tasks: tuple[Task, ...], ids: set[str], **changes: Any) -> tuple[Task, ...]:
    return tuple(replace(t, **changes) if t.task_id in ids else t for t in tasks)


def _closed(
    state: AllianceState, ids: Iterable[str], to: InvitationState, time: datetime, **changes: Any
) -> tuple[Invitation, ...]:
    wanted = set(ids)
    return tuple(
        replace(i, state=to, closed_time=time, **changes) if i.invitation_id in wanted else i
        for i in state.invitations
    )


def _accepted(state: AllianceState, fact: f.Accepted, time: datetime) -> AllianceState:
    if fact.late:
        return replace(state, willing_firm_ids=(*state.willing_firm_ids, fact.firm_id))
    to = InvitationState.ACCEPTED
    answered = _closed(state, [fact.invitation_id], to, time, acceptance=fact.acceptance)
    return replace(state, invitations=answered)


def _declined(state: AllianceState, fact: f.Declined, time: datetime) -> AllianceState:
    to = InvitationState.DECLINED
    answered = _closed(state, [fact.invitation_id], to, time, decline_reason=fact.reason)
    return _lose(replace(state, invitations=answered), [fact.firm_id])


def _expired(state: AllianceState, fact: f.Expired, time: datetime) -> AllianceState:
    gone = set(fact.invitation_ids)
    firms = [i.firm_id for i in state.invitations if i.invitation_id in gone]
    closed = _closed(state, gone, InvitationState.EXPIRED, time)
    return _lose(replace(state, invitations=closed), firms)


def _lose(state: AllianceState, firms: Iterable[str]) -> AllianceState:
    """The firms are out. What they have not reported is cancelled: they do not owe it any more."""
    out = tuple(firms)
    left = (TaskState.WAITING, TaskState.OPEN)
    owed = {t.task_id for t in state.tasks if t.firm_id in out and t.state in left}
    new = tuple(firm for firm in out if firm not in state.lost_firm_ids)
    return replace(
        state,
        lost_firm_ids=state.lost_firm_ids + new,
        tasks=_changed(state.tasks, owed, state=TaskState.CANCELLED),
    )


def _repair_requested(
    state: AllianceState, fact: f.RepairRequested, _time: datetime
) -> AllianceState:
    return replace(
        state,
        state=State.INVITING if state.state is State.INVITING else State.REPAIRING,
        reason=fact.repair.reason,
        round=fact.repair.round,
        repair=fact.repair,
    )


def _repaired(state: AllianceState, fact: f.Repaired, time: datetime) -> AllianceState:
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
        invitations=_closed(state, left, InvitationState.WITHDRAWN, time),
        lost_firm_ids=tuple(x for x in state.lost_firm_ids if x not in back),
        willing_firm_ids=tuple(x for x in state.willing_firm_ids if x not in inside),
    )


_STANDING = frozenset({InvitationState.PENDING, InvitationState.ACCEPTED})


def _asked_again(state: AllianceState, fact: f.Repaired, firm: str) -> bool:
    return firm in state.willing_firm_ids and bool(
        broken_refs(replace(state, plan=fact.plan, lost_firm_ids=(firm,)))
    )


def _activated(state: AllianceState, fact: f.Activated, time: datetime) -> AllianceState:
    return replace(
        state,
        state=State.ACTIVE,
        reason="",
        round=0,
        contract_sha256=fact.contract_sha256,
        tasks=fact.tasks,
        activated_time=state.activated_time or time,
        formation_deadline_time=None,
    )


def _task_reported(state: AllianceState, fact: f.TaskReported, time: datetime) -> AllianceState:
    heard: dict[str, Any] = {"heard_time": time, "note": fact.note, "attention": None}
    match fact.kind:
        case f.ReportKind.DONE:
            heard |= {
                "state": TaskState.REPORTED,
                "reported_units": fact.units,
                "reported_time": time,
            }
        case f.ReportKind.FAILED:
            heard |= {"state": TaskState.FAILED, "reported_time": time}
        case f.ReportKind.PROGRESS:
            pass
    return replace(state, tasks=_changed(state.tasks, {fact.task_id}, **heard))


def _task_accepted(state: AllianceState, fact: f.TaskAccepted, time: datetime) -> AllianceState:
    tasks = _changed(
        state.tasks,
        {fact.task_id},
        state=TaskState.ACCEPTED,
        accepted_units=fact.units,
        accepted_time=time,
    )
    return replace(state, tasks=open_ready(tasks, time))


def _member_at_risk(state: AllianceState, fact: f.MemberAtRisk, _time: datetime) -> AllianceState:
    return replace(
        state,
        tasks=_changed(state.tasks, set(fact.task_ids), attention=Attention.AT_RISK),
    )


def _member_failed(state: AllianceState, fact: f.MemberFailed, time: datetime) -> AllianceState:
    """All that the firm has not reported fails; what it reported can still be accepted."""
    open_states = (TaskState.WAITING, TaskState.OPEN)
    own = {t.task_id for t in state.tasks if t.firm_id == fact.firm_id and t.state in open_states}
    invitations = [i.invitation_id for i in state.invitations if i.firm_id == fact.firm_id]
    failed = replace(
        state,
        tasks=_changed(state.tasks, own, state=TaskState.FAILED),
        invitations=_closed(state, invitations, InvitationState.FAILED, time),
        reason=f"MEMBER_FAILED {fact.reason}",
    )
    return _lose(failed, [fact.firm_id])


def _winding_down(state: AllianceState, fact: f.WindingDown, time: datetime) -> AllianceState:
    return _wound_down(state, fact.reason, fact.cancelled_task_ids, time)


def _wound_down(
    state: AllianceState, reason: DissolutionReason, frozen: Iterable[str], time: datetime
) -> AllianceState:
    wound = replace(
        state,
        state=State.WINDING_DOWN,
        reason=str(reason),
        dissolution_reason=reason,
        repair=None,
        tasks=_changed(state.tasks, set(frozen), state=TaskState.CANCELLED),
        formation_deadline_time=None,
        approval_deadline_time=None,
    )
    return _withdrawn(wound, time)


def _withdrawn(state: AllianceState, time: datetime) -> AllianceState:
    """Takes back every invitation that was not answered."""
    pending = [i.invitation_id for i in state.invitations if i.state is InvitationState.PENDING]
    return replace(state, invitations=_closed(state, pending, InvitationState.WITHDRAWN, time))


def _dissolved(state: AllianceState, fact: f.Dissolved, _time: datetime) -> AllianceState:
    return replace(
        state,
        state=State.DISSOLVED,
        reason=str(fact.reason),
        dissolution_reason=fact.reason,
        statement=fact.statement,
        residual_obligations_until_time=fact.residual_obligations_until_time,
    )


def _formation_failed(
    state: AllianceState, fact: f.FormationFailed, time: datetime
) -> AllianceState:
    ended = replace(
        state,
        state=State.FORMATION_FAILED,
        reason=fact.reason,
        repair=None,
        rematch_time=None,
        formation_deadline_time=None,
        approval_deadline_time=None,
    )
    return _withdrawn(ended, time)


_CHANGES: dict[type, Callable[[AllianceState, Any, datetime], AllianceState]] = {
    f.NoPlan: _no_plan,
    f.RematchDue: _rematch_due,
    f.Infeasible: _infeasible,
    f.Proposed: _proposed,
    f.ApprovalRequested: _approval_requested,
    f.ApprovalGranted: _approval_granted,
    f.ApprovalRefused: _approval_refused,
    f.Invited: _invited,
    f.Reminded: _reminded,
    f.Accepted: _accepted,
    f.Declined: _declined,
    f.Expired: _expired,
    f.RepairRequested: _repair_requested,
    f.Repaired: _repaired,
    f.Activated: _activated,
    f.TaskReported: _task_reported,
    f.TaskAccepted: _task_accepted,
    f.MemberAtRisk: _member_at_risk,
    f.MemberFailed: _member_failed,
    f.WindingDown: _winding_down,
    f.Dissolved: _dissolved,
    f.FormationFailed: _formation_failed,
}


def replay(history: Iterable[tuple[f.Fact, datetime, str]]) -> AllianceState | None:
    """The state that facts, their times and their authors lead to, from nothing."""
    state: AllianceState | None = None
    for fact, time, by in history:
        state = evolve(state, fact, time, by)
    return state
